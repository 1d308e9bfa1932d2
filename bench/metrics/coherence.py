"""RC-S: whether the patches of a fill look as if they came from around the hole.

Li, You, Hu and others, "PROVE: a perceptual removal coherence benchmark for visual media", ACM MM
2026: DINOv2 features of the patches of a crop around each target, compared inside and outside of
the mask by the maximum mean discrepancy within sliding windows; higher is better. Written from
this description alone; the sizes below are ours, see `docs/removal.md`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.errors import Declined
from bench.metrics.pair import Pair

SIDE = 518  # pixels to which a crop is resized, those of DINOv2's training: 37 x 37 patches
WINDOW, STEP = 9, 4  # patches
LEAST = 8  # patches of either kind that a window must hold
REACH = 8  # of the short side: parts of a hole within a quarter of it share a crop


class PatchNetwork(Protocol):
    """A network that finds features of the patches of a picture."""

    def patches(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Features ``(n * n, d)``, row by row, of a picture, uint8 RGB ``(h, w, 3)``."""


def rc_s_of(pair: Pair, network: PatchNetwork) -> float:
    """Coherence of a fill with what surrounds it; 1 where nothing tells them apart.

    Raises:
        Declined: If no window holds enough of both.
    """
    apart = [
        value
        for rows, columns in crops(pair.hole)
        for value in discrepancies(
            network.patches(pair.output[rows, columns]), pair.hole[rows, columns]
        )
    ]
    if not apart:
        raise Declined(f"no {WINDOW} x {WINDOW} patches hold {LEAST} of fill and of known pixels")
    return 1 - float(np.mean(apart))


def crops(hole: NDArray[np.bool_]) -> Iterator[tuple[slice, slice]]:
    """Find a window of the picture for each part of a hole, twice its size.

    Args:
        hole: bool ``(H, W)``.

    Yields:
        Rows and columns; a square, where the picture is large enough for it.
    """
    reach = max(min(hole.shape) // REACH, 1)
    near = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    count, parts = cv2.connectedComponents(cv2.dilate(hole.astype(np.uint8), near))
    for part in range(1, count):
        places = np.nonzero(hole & (parts == part))
        ends = [(int(along.min()), int(along.max()) + 1) for along in places]
        extent = max(last - first for first, last in ends)
        side = extent + 2 * max(reach, extent // 2)
        yield _centred(ends[0], side, hole.shape[0]), _centred(ends[1], side, hole.shape[1])


def discrepancies(features: NDArray[np.float32], hole: NDArray[np.bool_]) -> list[float]:
    """Unbiased squared MMD of patches in and outside of a hole, of each window that has both.

    The kernel is Gaussian, its width the median distance of the patches of the whole crop
    (Gretton and others, A kernel two-sample test, JMLR 13, 2012).

    Args:
        features: ``(n * n, d)``, row by row; their lengths do not matter.
        hole: bool ``(h, w)``, of the same crop.
    """
    n = math.isqrt(len(features))
    share = cv2.resize(hole.astype(np.float32), (n, n), interpolation=cv2.INTER_AREA)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    squared = np.maximum(2 - 2 * unit @ unit.T, 0)
    median = np.median(squared[np.triu_indices(n * n, 1)])
    kernel = np.exp(-squared / (2 * max(median, np.finfo(np.float32).eps)))
    places = np.arange(n * n).reshape(n, n)
    found = []
    for top in range(0, n - WINDOW + 1, STEP):
        for left in range(0, n - WINDOW + 1, STEP):
            window = np.s_[top : top + WINDOW, left : left + WINDOW]
            inside = places[window][share[window] > 0.5]
            outside = places[window][share[window] == 0]
            if min(len(inside), len(outside)) >= LEAST:
                across = float(kernel[np.ix_(inside, outside)].mean(dtype=np.float64))
                found.append(_within(kernel, inside) + _within(kernel, outside) - 2 * across)
    return found


def _within(kernel: NDArray[np.float32], those: NDArray[np.intp]) -> float:
    """Mean of the kernel over pairs of different patches, where a patch with itself gives 1."""
    n = len(those)
    return float((kernel[np.ix_(those, those)].sum(dtype=np.float64) - n) / (n * (n - 1)))


def _centred(ends: tuple[int, int], side: int, length: int) -> slice:
    """A stretch of a side's length around another, within the picture as far as it fits."""
    side = min(side, length)
    first = min(max((sum(ends) - side) // 2, 0), length - side)
    return slice(first, first + side)
