"""The photos and holes that are filled while the clock runs: files that all processes read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import NoReturn

import numpy as np

from bench.errors import InputError
from bench.folder.latency_facts import in_words
from bench.planning import bundled
from bench.planning.case_keys import below
from bench.planning.geometry import Geometry
from bench.planning.pairing import Inputs, read_photos
from bench.planning.plan import read_masks
from bench.planning.protocol import Protocol
from masks import tiers
from masks.raster import Mask
from methods.case_key import CaseKey

COUNT = 16
"""Different pairs of each size and tier; the same input at every call would measure caches."""

OWN = "own"
"""Stands for a tier where the holes are a user's own."""

_Pair = tuple[CaseKey, np.ndarray, Mask]


@dataclass(frozen=True)
class Config:
    """A size of the photos and a tier of the holes.

    Attributes:
        height: Of the photos, in pixels.
        width: Likewise.
        tier: Of the holes.
        folder: Where the pairs lie.
        cases: What each pair is called, for methods that are told.
    """

    height: int
    width: int
    tier: str
    folder: Path
    cases: tuple[CaseKey, ...] = ()

    @property
    def side(self) -> int:
        """Of the square with as many pixels, which is what a size is known by."""
        return _side(self.height, self.width)

    @property
    def size(self) -> str:
        """In words."""
        return in_words(self.height, self.width)

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Photos, uint8 ``(n, H, W, 3)``, and holes, bool ``(n, H, W)``, as on disk."""
        return (
            np.load(self.folder / "photos.npy", mmap_mode="r"),
            np.load(self.folder / "holes.npy", mmap_mode="r"),
        )


def geometries(sizes: Sequence[int | str]) -> list[Geometry]:
    """The size rules that a user's words ask for.

    Raises:
        InputError: If one is none, leaves sizes open, or has as many pixels as another.
    """
    found: dict[int, Geometry] = {}
    for size in sizes:
        geometry = Geometry.asked(size)
        if geometry.rule != "cut":
            raise InputError(
                f"--sizes: what is timed together has one size: N or WxH, comma-separated; "
                f"found {size!r}"
            )
        side = _side(geometry.height, geometry.width)
        if found.setdefault(side, geometry) != geometry:
            raise InputError(
                f"--sizes: {found[side].words} and {size} have as many pixels as each other, which "
                "is what sizes are told apart by; time one of them into another --out"
            )
    return list(found.values())


def _side(height: int, width: int) -> int:
    return round(math.sqrt(height * width))


def write(
    folder: Path,
    source: str,
    masks: str | None,
    sizes: Sequence[int | str],
    names: Sequence[str],
    seed: int,
) -> list[Config]:
    """Write the pairs of all sizes and tiers.

    Photos smaller than a size are enlarged.

    Args:
        folder: Where to.
        source: Folder of photos, or ``bundled``.
        masks: Masks of these photos; holes of `masks.tiers` if None.
        sizes: As `geometries` takes them.
        names: Of the tiers; `OWN` alone if there are masks.
        seed: Of the holes.

    Raises:
        InputError: If no photo, or none with a hole, can be read.
    """
    configs = []
    for number, (geometry, tier) in enumerate(product(geometries(sizes), names)):
        if masks is None:
            pairs = _generated(source, geometry, tier, seed)
        else:
            pairs = _own(source, masks, geometry)
        chosen = [pairs[n % len(pairs)] for n in range(COUNT)]
        cases, photos, holes = zip(*chosen, strict=True)
        config = Config(geometry.height, geometry.width, tier, folder / str(number), cases)
        config.folder.mkdir()
        np.save(config.folder / "photos.npy", np.stack(photos))
        np.save(config.folder / "holes.npy", np.stack(holes))
        configs.append(config)
    return configs


def _generated(source: str, geometry: Geometry, tier: str, seed: int) -> list[_Pair]:
    """Photos in turn, each time with another hole."""
    size = height, width = geometry.height, geometry.width
    photos, pairs = _photos(source, geometry), []
    for number in range(COUNT):
        draw, place = divmod(number, len(photos))
        name, pixels = photos[place]
        hole = tiers.seed_of(seed, "latency", tier, number, height, width)
        key = CaseKey(name, tier, draw, size=size, size_rule=str(geometry))
        pairs.append((key, pixels, tiers.generate(tier, height, width, hole).mask))
    return pairs


def _photos(source: str, geometry: Geometry) -> list[tuple[str, np.ndarray]]:
    """Photos by name."""
    if source == bundled.BUNDLED:
        source = bundled.of_side(max(geometry.height, geometry.width))
    inputs = Inputs()
    asked = Protocol(photos=source, size=geometry.words, limit=COUNT)
    found = [(given.photo.id, given.photo.pixels) for given in read_photos(asked, inputs)]
    return found or _none(source, inputs)


def _own(source: str, masks: str, geometry: Geometry) -> list[_Pair]:
    """Each photo with each of its masks that is not empty."""
    inputs = Inputs()
    asked = Protocol(photos=source, masks=masks, size=geometry.words, limit=COUNT)
    size = geometry.height, geometry.width
    pairs = []
    for given in read_photos(asked, inputs):
        for draw, (file, mask, _) in enumerate(read_masks(given, asked, inputs)):
            name = below(masks, str(file.path))
            key = CaseKey(given.photo.id, OWN, draw, 0, name, size, str(geometry))
            if mask.any():
                pairs.append((key, given.photo.pixels, mask))
    return pairs or _none(source, inputs)


def _none(source: str, inputs: Inputs) -> NoReturn:
    reasons = [row["reason"] for row in inputs.rows if row["reason"]]
    raise InputError(
        f"photos: none in {source} can be timed: {'; '.join(reasons[:3]) or 'none has a hole'}"
    )
