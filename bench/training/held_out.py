"""How training goes: fills of photos it never sees, one hole of each tier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.metrics import pixel
from bench.metrics.pair import Original, Pair
from bench.planning.geometry import Geometry
from bench.training.photos import TrainingPhoto
from masks.tiers import TIERS, generate, seed_of
from methods import harness
from methods.base import Inpainter

_PHOTOS = 20  # a tier: enough to see a trend, cheap beside a block of steps


def measure(method: Inpainter, photos: Sequence[TrainingPhoto], side: int) -> dict[str, float]:
    """Fill and measure.

    Args:
        method: With the weights of the moment.
        photos: Held out of training; the first few are used.
        side: Of the squares cut from their middle, in pixels.

    Returns:
        Means by name: ``l1_hole_<tier>`` in ``[0, 1]`` and ``ssim_hole_<tier>``.
    """
    figures = {}
    for tier in (tier.name for tier in TIERS):
        l1, ssim = [], []
        for photo in photos[:_PHOTOS]:
            square = Geometry.asked(side).photo(photo.pixels())
            hole = generate(tier, side, side, seed_of(0, photo.name, tier, 0, side, side)).mask
            filled = harness.fill(method, square, hole, 0, broken=True)  # as it is early on
            pair = Pair(filled.picture, Original(square), hole)
            l1.append(pixel.l1_of(pair, "hole"))
            ssim.append(pixel.ssim_of(pair, "hole"))
        figures[f"l1_hole_{tier}"] = float(np.mean(l1))
        figures[f"ssim_hole_{tier}"] = float(np.mean(ssim))
    return figures
