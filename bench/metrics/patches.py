"""Patches of pictures, as sliced distances compare them.

Karras, Aila, Laine and Lehtinen, "Progressive growing of GANs", ICLR 2018, section 5: patches of
Laplacian pyramids, projected on random directions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.metrics.structure import Planes

PATCH = 7  # side, in pixels
Places = tuple[NDArray[np.intp], ...]  # rows and columns of top left corners


def laplacian(picture: NDArray[np.uint8], levels: int) -> list[Planes]:
    """Laplacian pyramid of a picture ``(H, W, 3)``, fine to coarse, the low-pass rest last."""
    import cv2

    # Fresh memory costs as much as the work, so none is taken that need not be.
    current: Planes = np.divide(picture, np.float32(255), dtype=np.float32)
    bands = []
    for _ in range(levels - 1):
        coarse = cv2.pyrDown(current)
        height, width = current.shape[:2]
        level: Planes = cv2.pyrUp(coarse, dstsize=(width, height))
        bands.append(np.subtract(current, level, out=level))
        current = coarse
    return [*bands, current]


def cut(band: Planes, places: Places) -> Planes:
    """The patches at these places, ``(n, 3, 49)``."""
    windows = np.lib.stride_tricks.sliding_window_view(band, (PATCH, PATCH), axis=(0, 1))
    return windows[places].reshape(len(places[0]), 3, PATCH * PATCH)


def directions(rng: np.random.Generator, count: int) -> Planes:
    """Random unit vectors ``(count, 147)``."""
    drawn = rng.standard_normal((count, 3 * PATCH * PATCH)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn
