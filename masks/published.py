"""Holes of published generators: LaMa's sets, CoModGAN's and MAT's free-form holes, patterns.

Written from descriptions of what those generators do and the settings published with them. Neither
authors' random numbers nor their drawing of lines are had: holes agree in distribution, not one by
one, and every machine draws the same (`masks.raster`).

Settings were published for pictures of 256 and of 512 pixels. A picture has those of the size
that its short side is nearer to, and lengths given in pixels are scaled by the ratio; at 256 and
512 they are as published. Each hole is drawn again until it keeps its set's own limit and is not
empty.

Sources: Suvorov et al., WACV 2022 (LaMa); Zhao et al., ICLR 2021 (CoModGAN); Li et al., CVPR 2022
(MAT); their strokes after Yu et al., ICCV 2019 (DeepFill v2).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from bench.errors import InputError
from masks.patterns import PATTERNS, Pattern
from masks.raster import SUB, UNIT, Ints, Mask, capsules, fill_polygons
from masks.shapes import Parameters

SMALLEST_SIDE = 16
"""Pixels of the shortest side for which these holes are drawn."""

_SIZES = (256, 512)
_ANGLES = [0.01, 1.01, 2.01, 3.01]  # LaMa's, in radians; mirrored for every other stroke
_COSINE, _SINE = (
    np.array([[round(UNIT * of(sign * a)) for a in _ANGLES] for sign in (-1, 1)])
    for of in (math.cos, math.sin)
)


@dataclass(frozen=True)
class Lama:
    """Settings of LaMa's mixture of strokes and boxes, in pixels.

    Attributes:
        strokes: Least and greatest number, as LaMa's settings say; one more is drawn at times.
        thickness: Of a line: 5 and up to so many more, without the last.
        length: Of a segment: 10 and up to so many more, without the last.
        boxes: Margin, least and greatest side, least and greatest number; chosen in 3 of 13 holes.
    """

    strokes: tuple[int, int]
    thickness: int
    length: int
    boxes: tuple[int, int, int, int, int] | None = None

    low, most = 0, 50
    """Hundredths of the picture: what is not above the one, or above the other, is not used."""

    def families(self) -> list[str]:
        """Kinds of shape."""
        return ["lama_strokes", "lama_boxes"] if self.boxes else ["lama_strokes"]

    def draw(self, rng: np.random.Generator, height: int, width: int, base: int) -> _Drawn:
        """Draw strokes or boxes, never both; see `generate`."""
        if self.boxes and rng.integers(13) >= 10:
            return self._boxes(rng, height, width, base, *self.boxes)
        count = int(rng.integers(self.strokes[0], self.strokes[1] + 2))
        lines = np.concatenate(
            [self._stroke(rng, number, height, width, base) for number in range(count)], axis=1
        )
        numbers: Parameters = {"strokes": count, "segments": lines.shape[1]}
        return _lines(lines, height, width), "lama_strokes", numbers

    def _stroke(
        self, rng: np.random.Generator, number: int, height: int, width: int, base: int
    ) -> Ints:
        """Ends and radius of the segments of a stroke, ``(5, N)``, in sub-pixels."""
        short, count = min(height, width), int(rng.integers(1, 6))
        x, y = int(rng.integers(width)), int(rng.integers(height))
        turn = rng.integers(len(_ANGLES), size=count)
        length = (10 + rng.integers(self.length, size=count)) * short // base
        # OpenCV, which LaMa draws with, fills the outline too: lines are a pixel wider than said.
        radius = _radius(6 + rng.integers(self.thickness, size=count), short, base)
        across, down = length * _SINE[number % 2][turn], length * _COSINE[number % 2][turn]
        path = [(x, y)]
        for dx, dy in zip(across.tolist(), down.tolist(), strict=True):
            x = min(max((x * UNIT + dx) // UNIT, 0), width)
            y = min(max((y * UNIT + dy) // UNIT, 0), height)
            path.append((x, y))
        places = _centres(np.array(path))
        return np.concatenate((places[:, :-1], places[:, 1:], radius[None]))

    def _boxes(
        self, rng: np.random.Generator, height: int, width: int, base: int,
        margin: int, least: int, greatest: int, fewest: int, most: int,
    ) -> _Drawn:  # fmt: skip
        short = min(height, width)
        margin, least, greatest = (of * short // base for of in (margin, least, greatest))
        limit = min(greatest + 1, short - 2 * margin)
        mask = np.zeros((height, width), dtype=np.bool_)
        count = int(rng.integers(fewest, most + 1))
        for _ in range(count):
            wide, tall = rng.integers(least, limit, size=2).tolist()
            left = int(rng.integers(margin, width - margin - wide + 1))
            top = int(rng.integers(margin, height - margin - tall + 1))
            mask[top : top + tall, left : left + wide] = True
        return mask, "lama_boxes", {"boxes": count}


@dataclass(frozen=True)
class FreeForm:
    """Settings of CoModGAN's and MAT's rectangles and brush strokes together.

    Each number is drawn from 0 and stays below what is said here.

    Attributes:
        half: Rectangles with sides up to half of the picture's.
        full: Rectangles with sides up to the picture's.
        strokes: Brush strokes, 12 to 48 pixels wide.
        low: Hundredths of the picture: what is not above is not used.
        most: Likewise what is above.
    """

    half: int
    full: int
    strokes: int
    low: int = 0
    most: int = 100

    @classmethod
    def binned(cls, low: int) -> FreeForm:
        """CoModGAN's for a fifth of all shares: fewer where both its ends are below a half."""
        part = min(2 * low + 20, 100)
        half, full, strokes = (count * part // 100 for count in (10, 5, 20))
        return cls(half, full, strokes, low, low + 20)

    def families(self) -> list[str]:
        """Kinds of shape: all at once."""
        return ["boxes_and_brush"]

    def draw(self, rng: np.random.Generator, height: int, width: int, base: int) -> _Drawn:
        """Draw rectangles that may reach outside, and strokes; see `generate`."""
        mask = np.zeros((height, width), dtype=np.bool_)
        count = [int(rng.integers(of)) for of in (self.half, self.full, self.strokes)]
        for part in [2] * count[0] + [1] * count[1]:
            (top, bottom), (left, right) = (
                _overhanging(rng, side, side // part) for side in (height, width)
            )
            mask[top:bottom, left:right] = True
        if count[2]:
            strokes = [_brush(rng, height, width, base) for _ in range(count[2])]
            brushed = _lines(np.concatenate(strokes, axis=1), height, width)
            flips = tuple(axis for axis in (0, 1) if rng.integers(2))
            mask |= np.flip(brushed, flips)
        return mask, "boxes_and_brush", {"boxes": sum(count[:2]), "strokes": count[2]}


_Drawn = tuple[Mask, str, Parameters]

SETS: dict[str, dict[int, Lama | FreeForm | Pattern]] = {
    "lama-thin": {256: Lama((4, 50), 10, 40), 512: Lama((4, 70), 20, 100)},
    "lama-medium": {
        256: Lama((4, 5), 50, 100, (0, 10, 50, 1, 5)),
        512: Lama((4, 10), 100, 200, (0, 30, 150, 1, 5)),
    },
    "lama-thick": {
        256: Lama((1, 5), 100, 200, (10, 30, 150, 1, 3)),
        512: Lama((1, 5), 250, 450, (10, 30, 300, 1, 4)),
    },
    # One setting for both sizes, brush included: that is how those who use it at 256 do.
    "comodgan": dict.fromkeys(_SIZES, FreeForm(10, 5, 20)),
    **{f"comodgan-h{n}": dict.fromkeys(_SIZES, FreeForm.binned(20 * n)) for n in range(5)},
    "mat-small": {256: FreeForm(2, 2, 3), 512: FreeForm(3, 2, 4)},
    "mat-large": {256: FreeForm(4, 2, 8), 512: FreeForm(5, 3, 9)},
    **{name: dict.fromkeys(_SIZES, pattern) for name, pattern in PATTERNS.items()},
}
"""Settings by name and by the size that they were published for."""


def generate(name: str, height: int, width: int, seed: int, *, square: bool = False) -> _Drawn:
    """Draw the hole of a set that belongs to a seed.

    LaMa draws five holes for a picture, drops those above half of it and keeps one of the others
    at random; a picture without any is left out. Here it is drawn again until one is kept: the
    same distribution, and no picture is left out. CoModGAN and MAT draw until the hole is neither
    empty nor everything.

    LaMa draws on the whole picture, its short side scaled, and cuts a square out at a random place
    where it holds a part of the hole; the limit is the square's.

    Args:
        name: One of `SETS`.
        height: Of the picture, in pixels.
        width: Likewise.
        seed: Not negative.
        square: Whether to cut a square of the short side out.

    Returns:
        The mask, bool ``(height, width)``, True in the hole; its kind of shape; what was drawn, of
        a square also where its upper left pixel lies, ``top`` and ``left``.

    Raises:
        InputError: If a side is shorter than `SMALLEST_SIDE`.
    """
    short = min(height, width)
    if short < SMALLEST_SIDE:
        raise InputError(
            f"a hole of tier {name!r} needs sides of at least {SMALLEST_SIDE} pixels, "
            f"found {width}x{height}; use a larger picture or another tier"
        )
    base = min(_SIZES, key=lambda size: max(size, short) / min(size, short))
    settings = SETS[name][base]
    rng = np.random.default_rng(seed)
    for attempt in itertools.count(1):
        mask, family, numbers = settings.draw(rng, height, width, base)
        if square and mask.any():
            mask, place = _cut(rng, mask)
            numbers |= place
        found = int(np.count_nonzero(mask))
        in_limits = settings.low * mask.size < 100 * found <= settings.most * mask.size
        if in_limits and found < mask.size:
            return mask, family, numbers | {"settings": base, "attempts": attempt}
    raise AssertionError("unreachable")


def _cut(rng: np.random.Generator, mask: Mask) -> tuple[Mask, Parameters]:
    """A square of the short side, anywhere where it holds a pixel of the hole, evenly."""
    along = int(mask.shape[1] > mask.shape[0])
    short = min(mask.shape)
    before = np.concatenate([[0], np.cumsum(mask.any(axis=1 - along))])
    start = int(rng.choice(np.flatnonzero(before[short:] > before[:-short])))
    top, left = (0, start) if along else (start, 0)
    cut = np.ascontiguousarray(mask[top : top + short, left : left + short])
    return cut, {"top": top, "left": left}


def _brush(rng: np.random.Generator, height: int, width: int, base: int) -> Ints:
    """Ends and radius of the segments of a stroke that turns by about 72 degrees each time."""
    mean = math.hypot(height, width) / 8
    count = int(rng.integers(4, 18))
    spread = 2 * math.pi / 15
    low = 2 * math.pi / 5 - rng.uniform(0, spread)
    high = 2 * math.pi / 5 + rng.uniform(0, spread)
    angle = rng.uniform(low, high, count)
    angle[::2] = 2 * math.pi - angle[::2]
    reach = rng.normal(mean, mean // 2, count).clip(0, 2 * mean)
    x, y = int(rng.integers(width)), int(rng.integers(height))
    path = [(x, y)]
    for turn, far in zip(angle.tolist(), reach.tolist(), strict=True):
        x = min(max(x + round(far * math.cos(turn)), 0), width)
        y = min(max(y + round(far * math.sin(turn)), 0), height)
        path.append((x, y))
    places = _centres(np.array(path))
    radius = _radius(rng.integers(12, 48, size=1), min(height, width), base).repeat(count)
    return np.concatenate((places[:, :-1], places[:, 1:], radius[None]))


def _overhanging(rng: np.random.Generator, side: int, longest: int) -> tuple[int, int]:
    """Begin and end of a length below ``longest``, up to half of which lies outside."""
    length = int(rng.integers(longest))
    begin = int(rng.integers(-(length // 2), side - length + length // 2 + 1))
    return max(begin, 0), max(begin + length, 0)


def _centres(path: Ints) -> Ints:
    """Pixels ``(N, 2)`` to their centres in sub-pixels, ``(2, N)``."""
    return path.T * SUB + SUB // 2


def _radius(thickness: Ints, short: int, base: int) -> Ints:
    """Half of a thickness in published pixels, in sub-pixels of this picture; never vanishing."""
    return np.maximum(thickness * SUB * short // (2 * base), SUB * 5 // 8)


def _lines(lines: Ints, height: int, width: int) -> Mask:
    x, y, x_end, y_end, radius = lines
    return fill_polygons(*capsules(x, y, x_end, y_end, radius, sides=16), height, width)
