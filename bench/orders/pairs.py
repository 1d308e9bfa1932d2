"""Sixteen pairs of fills of which people would hardly disagree which is better.

They are made of the truth and of fills of four methods. Seven set a sharp fill or a slightly
harmed truth against blur, three something against a flat colour; in four the sharper fill is the
wrong one, so that sharpness alone does not pass; two are of coding.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from methods.harness import paste_back

Picture = np.ndarray  # uint8 RGB, (H, W, 3)
Hole = NDArray[np.bool_]
METHODS = ("telea", "patchmatch", "mean", "lama:small")


class Order(NamedTuple):
    """Two fills by name, as `fills` makes them; the first ought to win.

    Attributes:
        better: Name of the fill that ought to win.
        worse: Name of the other.
        why: Why hardly anybody would disagree.
    """

    better: str
    worse: str
    why: str

    @property
    def name(self) -> str:
        """Both, such as ``patchmatch > mean``."""
        return f"{self.better} > {self.worse}"


SHIFTED = "truth shifted 3 px"
ORDERS = (
    Order(SHIFTED, "truth blurred 4", "nobody sees a shift of 3 pixels, everybody such a blur"),
    Order("patchmatch", "patchmatch blurred 2", "the same content, out of focus"),
    Order(SHIFTED, "telea", "a smear against the scene itself"),
    Order("truth blurred 1", "truth blurred 4", "the same content, more blurred"),
    Order("truth turned by 2", "truth blurred 4", "hardly seen but at the edge against no detail"),
    Order("truth with noise 6", "truth blurred 4", "noise as of a poor camera against no detail"),
    Order("truth warmer by 6", "truth blurred 4", "a cast that is hard to see against no detail"),
    Order("patchmatch", "mean", "texture of the photo against a flat patch"),
    Order("lama:small", "mean", "the photo's lines and shades go on against a flat patch"),
    Order(SHIFTED, "truth with a flat quarter", "whole against with a flat patch in its middle"),
    Order("telea", "another photo", "a smear of the right colours against another scene"),
    Order("patchmatch", "another photo", "the right texture against another scene"),
    Order("telea", "noise", "a smear of the right colours against confetti"),
    Order(SHIFTED, "truth upside down", "in place against upside down"),
    Order("truth as jpeg 50", "truth as jpeg 5", "coding that is hard to see against blocks"),
    Order(SHIFTED, "truth in tiles of 8", "in place against a mosaic of one colour a tile"),
)


def fills(
    photo: Picture, hole: Hole, other: Picture, filled: Callable[[str], Picture]
) -> dict[str, Picture]:
    """All fills of one hole that `ORDERS` names, with the photo around it.

    Args:
        photo: uint8 RGB, ``(H, W, 3)``.
        hole: bool, ``(H, W)``, True in the hole; not all of it.
        other: A photo of something else, of any size.
        filled: Gives the fill of one of `METHODS` by its name, shaped like the photo.
    """
    height, width = hole.shape
    rng = np.random.default_rng(0)
    known = photo[~hole]
    own = {name: filled(name) for name in METHODS}
    made = {
        **own,
        SHIFTED: _shifted(photo, 3),
        "truth blurred 1": _blurred(photo, 1),
        "truth blurred 4": _blurred(photo, 4),
        "patchmatch blurred 2": _blurred(own["patchmatch"], 2),
        "truth turned by 2": _turned(photo, 2),
        "truth with noise 6": _rounded(photo + rng.normal(0, 6, photo.shape)),
        "truth warmer by 6": _rounded(photo + np.array([6.0, 0.0, -6.0])),
        "truth with a flat quarter": _flat_quarter(photo, hole, known.mean(0)),
        "another photo": cv2.resize(other, (width, height), interpolation=cv2.INTER_AREA),
        "noise": known[rng.integers(len(known), size=hole.shape)],
        "truth upside down": photo[::-1, ::-1],
        "truth as jpeg 50": _coded(photo, 50),
        "truth as jpeg 5": _coded(photo, 5),
        "truth in tiles of 8": _tiled(photo, 8),
    }
    return {name: paste_back(np.ascontiguousarray(p), photo, hole) for name, p in made.items()}


def _rounded(values: NDArray[np.floating]) -> Picture:
    rounded: Picture = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded


def _shifted(photo: Picture, pixels: int) -> Picture:
    """To the right; at the left edge the photo is reflected."""
    shifted: Picture = np.pad(photo, ((0, 0), (pixels, 0), (0, 0)), mode="reflect")[:, :-pixels]
    return shifted


def _turned(photo: Picture, degrees: float) -> Picture:
    """About its middle; what comes from outside is the photo reflected."""
    height, width = photo.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    turned: Picture = cv2.warpAffine(
        photo, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return turned


def _blurred(picture: Picture, sigma: float) -> Picture:
    blurred: Picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    return blurred


def _flat_quarter(photo: Picture, hole: Hole, colour: NDArray[np.floating]) -> Picture:
    """The quarter of the hole that is nearest to its middle in one colour."""
    places = np.argwhere(hole)
    apart = ((places - np.median(places, axis=0)) ** 2).sum(1)
    rows, columns = places[np.argsort(apart, kind="stable")[: len(places) // 4]].T
    flat = photo.copy()
    flat[rows, columns] = _rounded(colour)
    return flat


def _coded(photo: Picture, quality: int) -> Picture:
    file = BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file, formats=["JPEG"]))


def _tiled(photo: Picture, side: int) -> Picture:
    """Mean colours of tiles; those at the lower and right edge are what is left."""
    height, width = photo.shape[:2]
    size = (-(-width // side), -(-height // side))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    tiled: Picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    return tiled
