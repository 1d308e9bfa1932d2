"""A made-up photo with a hole, to try methods on."""

from __future__ import annotations

import numpy as np


def scene(height: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Make a bright, smooth, coloured photo and a hole in its middle.

    Returns:
        uint8 ``(height, width, 3)`` with values from 102 to 255, and bool ``(height, width)``.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(height, width)
    turns, phase = rng.uniform(1, 4, (2, 3)), rng.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * (y[..., None] * turns[0] + x[..., None] * turns[1]) + phase)
    texture = rng.uniform(-0.05, 0.05, waves.shape)
    photo = np.clip(0.7 + 0.25 * waves + texture, 0.4, 1)
    hole = np.zeros((height, width), bool)
    hole[height // 3 : height - height // 3, width // 3 : width - width // 3] = True
    return np.rint(photo * 255).astype(np.uint8), hole
