"""The tiers of holes: small damage, an object, much of a scene; and those that stand beside them.

A tier is an interval of hole shares, unions of the bins of Liu et al. (ECCV 2018), and a mix
of shape families. The share of a generated hole always lies in its interval, at the size asked
for: a share is drawn, a shape is aimed at it, and the aim is corrected until it hits. Those of
`masks.published` follow other people's rules instead.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import cv2
import numpy as np

from bench.errors import InputError
from masks import published, shapes, strokes
from masks.raster import Mask
from masks.shapes import Drawn, Parameters

SMALLEST_PICTURE = 10
"""Pixels of the smallest picture for which every tier can be had: one of ten is 0.10."""

_ATTEMPTS = 12


@dataclass(frozen=True)
class Family:
    """A kind of shape within a tier.

    Attributes:
        name: As it is recorded.
        weight: How often it is chosen, relative to its tier's other families.
        aim: Least and greatest share aimed at, in thousandths.
        draw: Function of (generator, height, width, area).
    """

    name: str
    weight: int
    aim: tuple[int, int]
    draw: Callable[[np.random.Generator, int, int, int], Drawn]


@dataclass(frozen=True)
class Tier:
    """An interval of hole shares and the shapes found in it.

    Attributes:
        name: Name in tables and on the command line.
        low: Shares are above this many hundredths.
        high: Shares are at most this many hundredths.
        families: The mix of shapes; none if `masks.published` draws it.
    """

    name: str
    low: int
    high: int
    families: tuple[Family, ...]

    def holds(self, hole_pixels: int, pixels: int) -> bool:
        """Tell, in whole numbers, whether the share lies in ``(low, high]``."""
        return self.low * pixels < 100 * hole_pixels <= self.high * pixels

    def shapes(self) -> list[str]:
        """Names of its families, also of one that follows other people's rules."""
        own = [family.name for family in self.families]
        return own or published.SETS[self.name][256].families()


TIERS = (
    Tier("small", 1, 10, (
        Family("thin_strokes", 3, (15, 95), partial(
            strokes.strokes, widths=(3, 10), lengths=(10, 40))),
        Family("scratches", 3, (12, 60), strokes.scratches),
        Family("text", 2, (15, 90), strokes.text),
        Family("small_boxes", 2, (13, 90), partial(shapes.boxes, most=5, side=32)),
    )),
    Tier("region", 10, 30, (
        Family("blobs", 4, (105, 290), partial(shapes.blobs, most=2)),
        Family("polygons", 3, (105, 290), partial(shapes.polygons, most=2)),
        Family("boxes", 2, (105, 290), partial(shapes.boxes, most=2, side=256)),
        Family("medium_strokes", 2, (120, 290), partial(
            strokes.strokes, widths=(16, 48), lengths=(20, 90))),
    )),
    Tier("large", 30, 60, (
        Family("thick_strokes", 4, (320, 580), partial(
            strokes.strokes, widths=(40, 100), lengths=(30, 160))),
        Family("large_boxes", 2, (320, 580), partial(shapes.boxes, most=4, side=256)),
    )),
)  # fmt: skip
"""The tiers that are drawn unless others are asked for, in order of share."""

OWN = (
    *TIERS,
    # An object to be removed: compact, in one piece.
    Tier("object", 1, 10, (
        Family("blobs", 3, (12, 88), partial(shapes.blobs, most=1)),
        Family("polygons", 1, (12, 50), partial(shapes.polygons, most=1)),
    )),
    # What lies outside of the known: to extrapolate, not to interpolate.
    Tier("outside", 30, 60, (
        Family("half", 2, (310, 590), shapes.half),
        Family("border", 2, (310, 590), shapes.border),
    )),
)  # fmt: skip
"""Those and two more, with shares that are drawn evenly from their intervals."""

ALL = (
    *OWN,
    *(Tier(name, of[256].low, of[256].most, ()) for name, of in published.SETS.items()),
)
"""All tiers. Those of published generators have no families here and whatever share comes."""


@dataclass(frozen=True, eq=False)
class Hole:
    """A generated hole.

    Attributes:
        mask: bool, ``(height, width)``, True in the hole.
        tier: Name of its tier.
        family: Kind of shape.
        parameters: What was drawn; numbers, strings and lists only.
        seed: The seed it came from.
    """

    mask: Mask
    tier: str
    family: str
    parameters: Parameters = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True)
class HoleStatistics:
    """What a hole looks like in numbers.

    Attributes:
        share: Hole pixels over all pixels, 0 to 1.
        width: Twice the greatest distance from a hole pixel to the nearest known one, in pixels:
            the diameter of the largest disc without a known pixel. It may lie partly outside the
            picture, where nothing is known either. Without any known pixel, twice the picture's
            diagonal. OpenCV's 5 x 5 distance, which is within 2 % of the exact one.
        components: Number of 8-connected pieces.
        border: Whether the hole touches the edge of the picture.
    """

    share: float
    width: float
    components: int
    border: bool


def generate(tier: str, height: int, width: int, seed: int, *, square: bool = False) -> Hole:
    """Make the hole of a tier that belongs to a seed.

    Args:
        tier: Name of one of `ALL`.
        height: Of the picture, in pixels.
        width: Of the picture, in pixels.
        seed: Not negative; see `seed_of`.
        square: Whether to cut a square out; for tiers of `masks.published` only, which see.

    Returns:
        The same hole on every machine; its share lies in the tier's interval.

    Raises:
        InputError: If there is no such tier or the picture has fewer than `SMALLEST_PICTURE`
            pixels, of a published generator's tier one side below `published.SMALLEST_SIDE`.
    """
    kind = _tier(tier)
    if not kind.families:
        mask, name, drawn = published.generate(tier, height, width, seed, square=square)
        return Hole(mask, tier, name, drawn, seed)
    pixels = height * width
    if min(height, width) < 1 or pixels < SMALLEST_PICTURE:
        raise InputError(
            f"a hole of tier {tier!r} needs a picture of at least {SMALLEST_PICTURE} pixels, "
            f"found {width}x{height}; use a larger picture or bring a mask file"
        )
    rng = np.random.default_rng(seed)
    urn = [family for family in kind.families for _ in range(family.weight)]
    family = urn[int(rng.integers(len(urn)))]
    aim = max(int(rng.integers(family.aim[0], family.aim[1] + 1)) * pixels // 1000, 1)
    area = aim
    for attempt in range(1, _ATTEMPTS + 1):
        mask, parameters = family.draw(rng, height, width, area)
        found = int(np.count_nonzero(mask))
        if kind.holds(found, pixels):
            parameters |= {"aim": aim, "attempts": attempt}
            return Hole(mask, tier, family.name, parameters, seed)
        # Correct the aim by what was missed, in small steps: the next draw differs anyway.
        area = area * min(max(1000 * aim // max(found, 1), 500), 2000) // 1000
        area = min(max(area, 1), pixels * 9 // 10)
    return Hole(_block(height, width, aim, kind), tier, "block", {"aim": aim}, seed)


def describe(mask: Mask) -> HoleStatistics:
    """Measure a hole.

    Args:
        mask: bool, ``(H, W)``, True in the hole; may be empty or full.
    """
    height, width = mask.shape
    bytes_ = np.ascontiguousarray(mask).view(np.uint8)
    hole_pixels = cv2.countNonZero(bytes_)
    if not hole_pixels:
        return HoleStatistics(0.0, 0.0, 0, False)
    left, top, wide, tall = cv2.boundingRect(bytes_)
    # With the nearest known pixels around it, where there are any.
    crop = bytes_[max(top - 1, 0) : top + tall + 1, max(left - 1, 0) : left + wide + 1]
    # Each array is let go before the next is made: fresh memory costs as much as the work.
    distance = (
        float(cv2.distanceTransform(crop, cv2.DIST_L2, 5).max())
        if hole_pixels < mask.size
        else math.hypot(height, width)
    )
    components = cv2.connectedComponents(crop, connectivity=8)[0] - 1
    border = left == 0 or top == 0 or left + wide == width or top + tall == height
    return HoleStatistics(hole_pixels / mask.size, round(2 * distance, 2), components, border)


def seed_of(seed: int, photo: str, tier: str, draw: int, height: int, width: int) -> int:
    """Derive the seed of one draw from what identifies it, and from nothing else.

    Args:
        seed: The seed of the run.
        photo: What tells photos apart, such as a hash of their content.
        tier: Name of the tier.
        draw: Number of the draw, from 0.
        height: Of the photo as evaluated, in pixels.
        width: Likewise.

    Returns:
        A whole number in ``[0, 2**63)``.
    """
    identity = f"{seed}/{tier}/{draw}/{height}x{width}/{photo}"
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big") >> 1


def mask_hash(mask: Mask) -> str:
    """Identify a mask: 16 hex digits of the SHA-256 of its shape and its pixels, a byte each."""
    shape = "x".join(map(str, mask.shape))
    pixels = np.ascontiguousarray(mask, dtype=np.bool_).tobytes()
    return hashlib.sha256(shape.encode() + b":" + pixels).hexdigest()[:16]


def tier_of(share: float) -> str:
    """Name the tier of a mask that came from a file.

    Args:
        share: Hole pixels over all pixels. Up to 0.10 is small, even without any hole; above
            0.30 is large, even if all is hole.
    """
    return next((tier.name for tier in TIERS if share <= tier.high / 100), TIERS[-1].name)


def _tier(name: str) -> Tier:
    for tier in ALL:
        if tier.name == name:
            return tier
    names = ", ".join(tier.name for tier in ALL)
    raise InputError(f"there is no tier {name!r}; the tiers are {names}")


def _block(height: int, width: int, aim: int, tier: Tier) -> Mask:
    """Last resort: a centred block of a fitting count, needed below some 16 x 16 pixels only.

    Its rows are full except for the last, so that every number of pixels can be had.
    """
    pixels = height * width
    least, greatest = tier.low * pixels // 100 + 1, tier.high * pixels // 100
    count = min(max(aim, least), greatest)
    wide = max(min(width, math.isqrt(count * width // height)), -(-count // height))
    rows = -(-count // wide)
    top, left = (height - rows) // 2, (width - wide) // 2
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[top : top + rows, left : left + wide] = True
    spare = rows * wide - count
    mask[top + rows - 1, left + wide - spare : left + wide] = False
    return mask
