"""Where within a hole the fills of a case differ most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SIDE = 96


@dataclass(frozen=True)
class Window:
    """A square of a picture: its left and upper edge and its side, in pixels."""

    left: int
    top: int
    side: int


def window(fills: Sequence[np.ndarray], hole: np.ndarray, side: int = SIDE) -> Window | None:
    """The square in which fills vary most, summed over its hole pixels; None without two fills.

    They vary by their standard deviation over methods, mean over the colours. Of equal squares it
    is the uppermost, then the leftmost one.

    Args:
        fills: uint8 RGB, each ``(h, w, 3)``.
        hole: bool, ``(h, w)``, True inside.
        side: Side of the square in pixels; smaller where the picture is.
    """
    if len(fills) < 2 or not hole.any():
        return None
    side = min(side, *hole.shape)
    total, squares = np.zeros((2, *hole.shape, 3), np.float32)
    for fill in fills:
        values = fill.astype(np.float32)
        total += values
        squares += values**2
    variance = squares / len(fills) - (total / len(fills)) ** 2
    spread = np.sqrt(np.maximum(variance, 0)).mean(axis=2) * hole
    sums = np.pad(spread.cumsum(axis=0, dtype=np.float64).cumsum(axis=1), ((1, 0), (1, 0)))
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    # Sums that differ by rounding alone are equal.
    top, left = np.argwhere(inside >= inside.max() * (1 - 1e-9))[0]
    return Window(int(left), int(top), side)
