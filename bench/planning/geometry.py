"""How a photo becomes what is evaluated: its size rule, for photos and holes alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

import numpy as np
from PIL import Image

from bench.errors import InputError
from masks.raster import Mask

SMALLEST, LARGEST = 16, 8192
"""Pixels of a side that can be asked for. SSIM's window is 11; 8192 squared is near the most that
is read of a photo."""

_CUT = re.compile(r"(\d+)[x\u00d7](\d+)")
_BY_RULE = re.compile(r"(fit|pad|stretch|crop):(\d+)")
_GROWN = 1.1  # share of a reduced hole over its share before, from which it is worth a note


class Fitted(NamedTuple):
    """A mask at the evaluated size, the share of its hole that was cut off, and what to say."""

    mask: Mask
    lost: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Geometry:
    """A size rule.

    Attributes:
        rule: ``cut`` scales the photo until it just covers ``width`` x ``height`` and keeps the
            centre; ``fit`` scales it likewise and keeps all; ``native`` leaves it as it is; ``pad``
            scales nothing, mirrors a smaller photo at its lower and right edge, whose pixels are
            not repeated, and keeps the centre; ``stretch`` scales it to that size, whatever its
            shape; ``crop`` scales it as ``fit`` does, and each generated hole has a square of its
            own cut out around it (`masks.published`).
        height: In pixels; 0 for ``native``.
        width: Likewise.
    """

    rule: Literal["cut", "fit", "native", "pad", "stretch", "crop"]
    height: int = 0
    width: int = 0

    @classmethod
    def asked(cls, size: int | str | None) -> Geometry:
        """Make one of a user's words.

        Args:
            size: Side of a square in pixels or its digits, ``WxH``, ``fit:N`` (short side),
                ``pad:N``, ``stretch:N``, ``crop:N``, ``native`` or None.

        Raises:
            InputError: If it is none of these, or too small or large to be meant.
        """
        if size is None or size == "native":
            return cls("native")
        text = str(size).lower()
        if text.isdecimal():
            text = f"{text}x{text}"
        if match := _CUT.fullmatch(text):
            made = cls("cut", height=int(match[2]), width=int(match[1]))
        elif match := _BY_RULE.fullmatch(text):
            made = cls(cast("Any", match[1]), int(match[2]), int(match[2]))
        else:
            raise InputError(
                "--size: expected N (side of the centre square, in pixels), WxH, fit:N (short "
                "side, nothing cut off) or native; or, as published protocols have it, pad:N, "
                f"stretch:N or crop:N; found {size!r}"
            )
        sides = made.height, made.width
        if min(sides) < SMALLEST or max(sides) > LARGEST:
            raise InputError(
                f"--size: expected sides from {SMALLEST} to {LARGEST} pixels, found {size!r}"
            )
        return made

    @property
    def words(self) -> int | str | None:
        """What `asked` makes this rule of, as a `Protocol` holds it."""
        if self.rule == "native":
            return None
        if self.rule != "cut":
            return f"{self.rule}:{self.height}"
        return self.height if self.height == self.width else f"{self.width}x{self.height}"

    def __str__(self) -> str:
        """The rule in one word, for the fingerprint."""
        if self.rule == "native":
            return "native"
        if self.rule != "cut":
            return f"{self.rule}-{self.height}"
        return f"{f'short-{self.height}' if self.height == self.width else self.words}-centre"

    def enlargement(self, height: int, width: int) -> float:
        """How many times as large a photo of this size becomes."""
        if self.rule in ("native", "pad"):
            return 1.0
        return max(self.height / height, self.width / width)

    def remark(self, height: int, width: int) -> str:
        """What must be known of a photo of this size once it is evaluated; mostly nothing."""
        if self.rule == "pad" and min(height, width) < self.height:
            return f"mirrored at its lower and right edge: it is {width}x{height}"
        if (times := self.enlargement(height, width)) > 1:
            return f"enlarged, which flatters every method: {times:.2f} times"
        return ""

    def photo(self, pixels: np.ndarray) -> np.ndarray:
        """Bring a photo, uint8 ``(H, W, 3)``, to the evaluated size.

        It is scaled by Pillow, by Lanczos, and by ``stretch`` and ``crop`` bicubically.

        Raises:
            InputError: If it is so long that it would be too large.
        """
        cut = self._cut(pixels)
        height, width = self.evaluated(*cut.shape[:2])
        if height * width > LARGEST**2:
            raise InputError(
                f"at --size {self.words} it would be {width}x{height}, more than {LARGEST**2} "
                f"pixels; --size {self.height} cuts its centre out"
            )
        if cut.shape[:2] == (height, width):
            return cut
        if self.rule == "pad":
            return _mirrored(cut, height, width)
        ours = self.rule in ("cut", "fit")
        way = Image.Resampling.LANCZOS if ours else Image.Resampling.BICUBIC
        return np.array(Image.fromarray(cut).resize((width, height), way))

    def mask(self, mask: Mask) -> Fitted:
        """Bring the mask of a photo to the evaluated size.

        Reduced, a pixel is hole if the centre of any hole pixel falls into it, so that nothing
        vanishes and thin lines stay whole; enlarged, if its centre falls into a hole pixel.

        Raises:
            InputError: If there is a hole and all of it is cut off; or for ``crop``.
        """
        if self.rule == "crop":
            raise InputError(
                f"--size {self.words} cuts around generated holes; with mask files give --size "
                f"{self.height} or fit:{self.height}"
            )
        cut = self._cut(mask)
        hole, kept = np.count_nonzero(mask), np.count_nonzero(cut)
        shape = "square" if self.height == self.width else f"{self.words}"
        instead = f"of the centre {shape}; --size native or fit:{min(self.height, self.width)}"
        if hole and not kept:
            raise InputError(f"the whole hole is cut off: it lies outside {instead} keeps it")
        height, width = self.evaluated(*cut.shape)
        fitted = (_mirrored if self.rule == "pad" else stretched)(cut, height, width)
        notes = []
        if kept < hole:
            notes.append(
                f"a part of the hole is cut off: {1 - kept / hole:.1%} lies outside {instead} "
                "keeps it"
            )
        before, after = (float(each.mean()) for each in (cut, fitted))
        if after > _GROWN * before and self.rule != "pad":
            notes.append(
                f"the hole grew as it was reduced: from {before:.4f} to {after:.4f} of the picture,"
                f" {cut.shape[1]}x{cut.shape[0]} to {width}x{height}"
            )
        lost = float(1 - kept / hole) if hole else 0.0
        return Fitted(fitted, lost, "; ".join(notes))

    def evaluated(self, height: int, width: int) -> tuple[int, int]:
        """Height and width that a photo of this size comes to, whether its part is cut out or not.

        Of ``crop`` those before its squares are cut out.
        """
        if self.rule in ("cut", "pad", "stretch"):
            return self.height, self.width
        scale = self.enlargement(height, width)
        return max(round(height * scale), 1), max(round(width * scale), 1)

    def _cut(self, array: np.ndarray) -> np.ndarray:
        if self.rule not in ("cut", "pad"):
            return array
        height, width = array.shape[:2]
        tall, wide = self.height, self.width
        if self.rule == "cut":
            tall = max(round(width * self.height / self.width), 1)
            wide = max(round(height * self.width / self.height), 1)
        tall, wide = min(height, tall), min(width, wide)
        top, left = (height - tall) // 2, (width - wide) // 2
        # It is cut first, so that a very long photo takes no more memory than it has.
        return np.ascontiguousarray(array[top : top + tall, left : left + wide])


def _mirrored(array: np.ndarray, height: int, width: int) -> np.ndarray:
    """Go on at the lower and right edge with what lies before it."""
    more = [(0, height - array.shape[0]), (0, width - array.shape[1]), (0, 0)]
    return np.pad(array, more[: array.ndim], "reflect")


def stretched(mask: Mask, height: int, width: int) -> Mask:
    """Bring a mask to a size as `Geometry.mask` does, whatever its shape."""
    resized: Mask = np.ascontiguousarray(_resized(_resized(mask, height).T, width).T)
    return resized


def _resized(mask: Mask, height: int) -> Mask:
    """Change the number of rows."""
    had = mask.shape[0]
    rows: Mask
    if height >= had:
        rows = mask[(2 * np.arange(height) + 1) * had // (2 * height)]
    else:
        fallen_into = (2 * np.arange(had) + 1) * height // (2 * had)
        starts = fallen_into.searchsorted(np.arange(height))
        rows = np.logical_or.reduceat(mask, starts, axis=0)
    return rows
