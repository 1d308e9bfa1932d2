"""How, and where most, several fills of a case differ."""

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


def spread(fills: Sequence[np.ndarray]) -> np.ndarray:
    """Standard deviation over fills of each pixel, mean over the colours.

    Args:
        fills: uint8 RGB, each ``(h, w, 3)``; at least one.

    Returns:
        float32, ``(h, w)``, from 0 to 127.5.
    """
    total, squares = np.zeros((2, *fills[0].shape), np.float32)
    for fill in fills:
        values = fill.astype(np.float32)
        total += values
        squares += values**2
    variance = squares / len(fills) - (total / len(fills)) ** 2
    found: np.ndarray = np.sqrt(np.maximum(variance, 0)).mean(axis=2)
    return found


def window(fills: Sequence[np.ndarray], hole: np.ndarray, side: int = SIDE) -> Window | None:
    """The square in which fills vary most, summed over its hole pixels; None without two fills.

    They vary by their `spread`. Of equal squares it is the uppermost, then the leftmost one.

    Args:
        fills: uint8 RGB, each ``(h, w, 3)``.
        hole: bool, ``(h, w)``, True inside.
        side: Side of the square in pixels; smaller where the picture is.
    """
    if len(fills) < 2 or not hole.any():
        return None
    side = min(side, *hole.shape)
    each = spread(fills) * hole
    sums = np.pad(each.cumsum(axis=0, dtype=np.float64).cumsum(axis=1), ((1, 0), (1, 0)))
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    # Sums that differ by rounding alone are equal.
    top, left = np.argwhere(inside >= inside.max() * (1 - 1e-9))[0]
    return Window(int(left), int(top), side)
