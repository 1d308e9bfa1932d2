"""How a photo becomes what is evaluated: its size rule, for photos and holes alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from bench.errors import BenchError
from masks.raster import Mask


@dataclass(frozen=True)
class Geometry:
    """A size rule.

    Attributes:
        rule: ``square`` cuts the centre square and scales it to ``side``; ``native`` keeps the
            photo as it is.
        side: In pixels; 0 where the rule has none.
    """

    rule: Literal["square", "native"]
    side: int = 0

    @classmethod
    def asked(cls, size: int | str | None) -> Geometry:
        """Make one of a user's words: a number of pixels or its digits, ``native`` or None.

        Raises:
            BenchError: If it is none of these.
        """
        if size is None or size == "native":
            return cls("native")
        if not str(size).isdigit() or int(size) < 1:
            raise BenchError(f"--size: expected a number of pixels or 'native', found {size!r}")
        return cls("square", int(size))

    @property
    def words(self) -> int | str | None:
        """What `asked` makes this rule of, as a `Protocol` holds it."""
        return None if self.rule == "native" else self.side

    def __str__(self) -> str:
        """The rule in one word, for the fingerprint."""
        return "native" if self.rule == "native" else f"short-{self.side}-centre"

    def photo(self, pixels: np.ndarray) -> np.ndarray:
        """Bring a photo, uint8 ``(H, W, 3)``, to the evaluated size, scaled by Lanczos."""
        square = self._cut(pixels)
        if self.rule == "native" or square.shape[0] == self.side:
            return square
        size = (self.side, self.side)
        return np.array(Image.fromarray(square).resize(size, Image.Resampling.LANCZOS))

    def mask(self, mask: Mask) -> Mask:
        """Bring the mask of a photo to the evaluated size, by nearest neighbour."""
        square = self._cut(mask)
        if self.rule == "native" or square.shape[0] == self.side:
            return square
        image = Image.fromarray(square.astype(np.uint8) * 255)
        return np.array(image.resize((self.side, self.side), Image.Resampling.NEAREST)) > 127

    def _cut(self, array: np.ndarray) -> np.ndarray:
        if self.rule == "native":
            return array
        height, width = array.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        # The square is cut first, so that a very long photo takes no more memory than it has.
        return np.ascontiguousarray(array[top : top + side, left : left + side])
