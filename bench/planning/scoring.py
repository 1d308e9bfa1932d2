"""Which picture is scored: what of a fill is joined to the photo, and how levels become bytes.

The picture that is scored is also the one that is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import cv2
import numpy as np
from PIL import Image

from bench.errors import InputError

_WIDEST: Final = 255  # pixels of a blend's Gaussian


@dataclass(frozen=True)
class Scoring:
    """How the scored picture is made of a fill.

    Attributes:
        paste: ``known`` pastes known pixels back, bit for bit; ``raw`` leaves the picture as the
            method returned it; ``blended-N`` joins both along the hole's edge: outside of the hole
            the fill weighs as much as the mask, 1 in the hole, blurred by a Gaussian of N x N whose
            deviation is ``0.3 * ((N - 1) / 2 - 1) + 0.8``; in it there is nothing but the fill, so
            that nothing of what was hidden comes back.
        quantise: ``round`` rounds levels, half to even; ``truncate`` cuts their fraction off;
            ``jpeg-Q`` rounds, then takes the joined picture through a JPEG of quality Q with
            halved colour planes, by Pillow, whose library decides the last levels.

    Raises:
        InputError: If either is none of these.
    """

    paste: str = "known"
    quantise: str = "round"

    def __post_init__(self) -> None:
        """Refuse what is neither."""
        if self.paste not in ("known", "raw") and not (3 <= self._blend <= _WIDEST):
            raise InputError(
                f"paste: expected known, raw, or blended-N with an odd N from 3 to {_WIDEST}, "
                f"found {self.paste!r}"
            )
        if self.quantise not in ("round", "truncate") and not (1 <= self._quality <= 100):
            raise InputError(
                "quantise: expected round, truncate, or jpeg-Q with Q from 1 to 100, "
                f"found {self.quantise!r}"
            )

    def __str__(self) -> str:
        """Both in one word, for the fingerprint."""
        bytes_ = {"round": "8bit", "truncate": "truncated"}.get(self.quantise, self.quantise)
        return f"{self.paste}-{bytes_}"

    @property
    def keeps(self) -> bool:
        """Whether known pixels are those of the photo, bit for bit."""
        return self.paste == "known" and not self._quality

    @property
    def _blend(self) -> int:
        found = re.fullmatch(r"blended-([1-9]\d*[13579]|[3579])", self.paste, re.ASCII)
        return int(found[1]) if found else 0

    @property
    def _quality(self) -> int:
        found = re.fullmatch(r"jpeg-([1-9]\d*)", self.quantise, re.ASCII)
        return int(found[1]) if found else 0

    def picture(self, raw: np.ndarray, photo: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """The picture that is scored, uint8 ``(H, W, 3)``.

        Args:
            raw: What the method returned, float32 ``(H, W, 3)``; clipped to ``[0, 1]``.
            photo: uint8 ``(H, W, 3)``.
            hole: bool ``(H, W)``, True in the hole.
        """
        levels = np.clip(raw, 0, 1)
        if self.quantise == "truncate":
            filled = (levels * np.float32(255)).astype(np.uint8)
        else:
            filled = cv2.convertScaleAbs(levels, alpha=255)
        joined = self.joined(filled, photo, hole)
        return _through_jpeg(joined, self._quality) if self._quality else joined

    def joined(self, filled: np.ndarray, photo: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """A fill joined to the photo, before any JPEG; all as `picture` has them, in bytes."""
        if self.paste == "raw":
            return filled
        inside = hole.view(np.uint8)
        if not self._blend:
            return cv2.copyTo(filled, inside, photo.copy())
        window = self._blend, self._blend
        sigma = 0.3 * ((self._blend - 1) / 2 - 1) + 0.8  # OpenCV's own choice for a window
        weight = cv2.GaussianBlur(hole.astype(np.float32), window, sigma)[..., None]
        # Not both times their weights: pixels that agree stay as they are.
        blended = photo + weight * (filled.astype(np.float32) - photo)
        return cv2.copyTo(filled, inside, cv2.convertScaleAbs(blended))


USUAL: Final = Scoring()
"""As `methods.harness.fill` leaves a picture."""


def _through_jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    with BytesIO() as file:
        Image.fromarray(picture).save(file, "jpeg", quality=quality, subsampling="4:2:0")
        return np.array(Image.open(file, formats=["JPEG"]))
