"""Holes of a fixed pattern, as NTIRE 2022 and RePaint were evaluated with: lines, grids, halves.

What our sources do not state is settled here and nowhere else: lines are rows, the first row and
pixel are known, a half is the right one, and a *centre half* has half of either side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from masks.raster import Mask
from masks.shapes import Parameters


@dataclass(frozen=True)
class Pattern:
    """A hole that depends on the size alone, or is one of a few such.

    Attributes:
        kinds: What draws each, of a height and width, by its name.
    """

    kinds: dict[str, Callable[[int, int], Mask]]

    low, most = 0, 100

    def families(self) -> list[str]:
        """Kinds of shape."""
        return list(self.kinds)

    def draw(
        self, rng: np.random.Generator, height: int, width: int, _: int
    ) -> tuple[Mask, str, Parameters]:
        """Choose one evenly; see `masks.published.generate`."""
        name = self.families()[int(rng.integers(len(self.kinds)))]
        return self.kinds[name](height, width), name, {}


def _every_second_row(height: int, width: int) -> Mask:
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[1::2] = True
    return mask


def _grid(height: int, width: int) -> Mask:
    mask = np.ones((height, width), dtype=np.bool_)
    mask[::2, ::2] = False
    return mask


def _right_half(height: int, width: int) -> Mask:
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[:, width // 2 :] = True
    return mask


def _centre(height: int, width: int, part: int) -> Mask:
    """A centred part of either side."""
    mask = np.zeros((height, width), dtype=np.bool_)
    tall, wide = height // part, width // part
    top, left = (height - tall) // 2, (width - wide) // 2
    mask[top : top + tall, left : left + wide] = True
    return mask


PATTERNS: Final = {
    "every-2-lines": Pattern({"lines": _every_second_row}),
    "nearest-2": Pattern({"grid": _grid}),
    "right-half": Pattern({"right_half": _right_half}),
    "expand": Pattern({
        "centre_kept": lambda height, width: ~_centre(height, width, 2),
        "centre_filled": lambda height, width: _centre(height, width, 2),
    }),
    "expand-64": Pattern({"centre_kept": lambda height, width: ~_centre(height, width, 4)}),
}  # fmt: skip
"""By name of the tier; that of ``expand-64`` is of 64 pixels in 256, a quarter of either side."""
