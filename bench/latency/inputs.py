"""The photos and holes that are filled while the clock runs: files that all processes read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from bench.errors import InputError
from bench.planning import images
from bench.planning.geometry import Geometry
from bench.planning.pairing import Inputs, read_photos
from bench.planning.protocol import Protocol
from masks import tiers

COUNT = 16
"""Different pairs of each size and tier; the same input at every call would measure caches."""


@dataclass(frozen=True)
class Config:
    """A size of the photos and a tier of the holes.

    Attributes:
        side: Of the square photos, in pixels.
        tier: Of the holes.
        folder: Where the pairs lie.
    """

    side: int
    tier: str
    folder: Path

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Photos, uint8 ``(n, side, side, 3)``, and holes, bool ``(n, side, side)``, as on disk."""
        return (
            np.load(self.folder / "photos.npy", mmap_mode="r"),
            np.load(self.folder / "holes.npy", mmap_mode="r"),
        )


def write(
    folder: Path, source: str, sides: Sequence[int], names: Sequence[str], seed: int
) -> list[Config]:
    """Write the pairs of all sizes and tiers.

    Photos smaller than a size are enlarged; holes are those of `masks.tiers`.

    Args:
        folder: Where to.
        source: Folder of photos, or ``bundled``.
        sides: Of the squares, in pixels.
        names: Of the tiers.
        seed: Of the holes.

    Raises:
        InputError: If no photo can be read.
    """
    configs = []
    for side, tier in product(sides, names):
        photos = _squares(source, side)
        holes = [
            tiers.generate(
                tier, side, side, tiers.seed_of(seed, "latency", tier, number, side, side)
            ).mask
            for number in range(COUNT)
        ]
        config = Config(side, tier, folder / f"{side}-{tier}")
        config.folder.mkdir()
        np.save(
            config.folder / "photos.npy",
            np.stack([photos[number % len(photos)] for number in range(COUNT)]),
        )
        np.save(config.folder / "holes.npy", np.stack(holes))
        configs.append(config)
    return configs


def _squares(source: str, side: int) -> list[np.ndarray]:
    square = Geometry("square", side)
    if source == images.BUNDLED and side != images.TILE:
        return [square.photo(pixels) for _, pixels in images.bundled_pictures()]
    refused = Inputs()
    photos = read_photos(Protocol(photos=source, size=side, limit=COUNT), refused)
    found = [square.photo(given.photo.pixels) for given in photos]
    if not found:
        reasons = "; ".join(row["reason"] for row in refused.rows if row["reason"])
        raise InputError(f"photos: none in {source} can be read: {reasons or 'it holds none'}")
    return found
