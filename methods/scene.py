"""A made-up photo with a hole, to try methods on."""

from __future__ import annotations

import numpy as np


def scene(height: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Make a bright, smooth, coloured photo and a hole in its middle.

    Returns:
        uint8 ``(height, width, 3)`` with values from 102 to 255, and bool ``(height, width)``.
    """
    rng = np.random.default_rng(seed)
    slow = waves(height, width, rng, (1, 4))
    texture = rng.uniform(-0.05, 0.05, slow.shape)
    photo = np.clip(0.7 + 0.25 * slow + texture, 0.4, 1)
    hole = np.zeros((height, width), bool)
    hole[height // 3 : height - height // 3, width // 3 : width - width // 3] = True
    return np.rint(photo * 255).astype(np.uint8), hole


def waves(
    height: int, width: int, rng: np.random.Generator, turns: tuple[float, float]
) -> np.ndarray:
    """Three channels of plane waves, ``(height, width, 3)`` in [-1, 1].

    Args:
        height: In pixels.
        width: Likewise.
        rng: Draws their directions.
        turns: Least and most of them along the longer side, each way.
    """
    y, x = np.mgrid[:height, :width] / max(height, width)
    rows, columns = rng.uniform(*turns, (2, 3))
    phase = rng.uniform(0, 2 * np.pi, 3)
    return np.sin(2 * np.pi * (y[..., None] * rows + x[..., None] * columns) + phase)
