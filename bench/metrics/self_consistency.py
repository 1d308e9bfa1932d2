"""Re-inpainting self-consistency: whether a fill bears being taken for the photo.

Chen, Zhang, Hong, Zhang and Zhang, "Assessing image inpainting via re-inpainting self-consistency
evaluation", ECCV 2024: a second network fills patches of what the fill left known, K times, and
the mean LPIPS between the fill and these second fills is the value. Written from summaries of the
paper: `docs/removal.md` says what they leave open.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bench.errors import Declined
from bench.metrics.pair import Pair
from bench.metrics.perceptual import Lpips
from methods import harness
from methods.base import Inpainter

FILLS, SHARE = 10, 0.4
PATCHES = 16  # along the short side of a picture


class SecondFills:
    """A method that fills again, and the distance of its fills from the first one."""

    def __init__(self, method: Inpainter, distance: Lpips) -> None:
        """Keep both, loaded."""
        self._method, self._distance = method, distance

    def far(self, pair: Pair) -> float:
        """Mean distance of the second fills of an output from it.

        Raises:
            Declined: As `second_holes`, or if the method does not take the size.
        """
        first = self._distance.features(pair.output)
        apart = [
            self._distance.distance(
                first,
                self._distance.features(harness.fill(self._method, pair.output, again, 0).picture),
                again.shape,
            )[0]
            for again in second_holes(pair.output, pair.hole)
        ]
        return math.fsum(apart) / len(apart)


def second_holes(
    picture: NDArray[np.uint8], hole: NDArray[np.bool_]
) -> Iterator[NDArray[np.bool_]]:
    """Draw what is filled again, the same for all fills of a case.

    Args:
        picture: uint8 ``(H, W, 3)``; its known pixels and the hole seed the draws.
        hole: bool ``(H, W)``.

    Yields:
        bool ``(H, W)``: of the squares of a grid that hold known pixels 40 %, without the hole.

    Raises:
        Declined: If there is no known pixel, or no other.
    """
    if not hole.any():
        raise Declined("the hole is empty")
    if hole.all():
        raise Declined("the whole picture is hole: nothing is left to be filled again")
    height, width = hole.shape
    side = max(min(height, width) // PATCHES, 1)
    squares = np.arange(height)[:, None] // side * width + np.arange(width) // side
    known = np.unique(squares[~hole])
    seed = zlib.crc32(picture[~hole].tobytes()), zlib.crc32(np.packbits(hole).tobytes())
    stream = np.random.default_rng(seed)
    for _ in range(FILLS):
        drawn = known[np.argsort(stream.random(len(known)))[: math.ceil(SHARE * len(known))]]
        yield np.isin(squares, drawn) & ~hole


def self_consistency_of(pair: Pair, network: SecondFills) -> float:
    """Mean LPIPS between a fill and second fills of what it left known; lower is better."""
    return network.far(pair)
