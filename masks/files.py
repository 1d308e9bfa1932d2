"""Masks that users bring, read by stated rules.

White is hole: a value of 128 or more. See `read_mask` for the exceptions. Nothing is stretched
to fit: a mask of another size than its photo is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.errors import InputError
from masks.annotations import SUFFIXES as ANNOTATIONS
from masks.annotations import labelme_export
from masks.annotations import read as read_annotation
from masks.mask_file import MaskFile as MaskFile
from masks.mask_file import ReadMask as ReadMask
from masks.picture import open_picture, read_bytes
from masks.raster import Mask

THRESHOLD = 128
"""Least 8-bit value that is hole."""

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif"}


@dataclass(frozen=True)
class Rules:
    """What of a file is hole.

    Attributes:
        threshold: Least 8-bit value that is hole, 1 to 255.
        invert: Swap hole and known, for masks in which black is hole.
        labels: Which labels, classes or colours are hole; all but the background if empty.
    """

    threshold: int = THRESHOLD
    invert: bool = False
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a threshold that no value or every value reaches."""
        if not 1 <= self.threshold <= 255:
            raise InputError(f"expected a mask threshold from 1 to 255, found {self.threshold}")


def read(file: MaskFile, rules: Rules, size: tuple[int, int] | None = None) -> ReadMask:
    """As `read_mask`, by stated rules and with what was taken for granted.

    Args:
        file: Where it is.
        rules: What of it is hole.
        size: Height and width of the photo, for annotations that state none.
    """
    if file.path.is_dir() or file.path.suffix.lower() in ANNOTATIONS:
        mask, note = read_annotation(file, rules.labels, size)
        return ReadMask(~mask if rules.invert else mask, note)
    return ReadMask(_read_picture(file.path, rules), "")


def read_mask(path: Path, *, threshold: int = THRESHOLD, invert: bool = False) -> Mask:
    """Read a mask from a picture, a labelme annotation or a folder that labelme exported.

    Colours are turned to grey, transparency is ignored, 16-bit values are scaled to 8 bits, EXIF
    orientation is applied. A picture whose values are only 0 and 1 looks black but was meant as
    a mask: there 1 is hole; likewise a deeper file with 8-bit values only is read as 8 bits. The
    ``label.png`` of a labelme export holds class numbers in place of colours: there all but 0 is
    hole.

    Args:
        path: Picture, ``.json`` file or exported folder.
        threshold: Least 8-bit value that is hole, 1 to 255.
        invert: Swap hole and known, for masks in which black is hole.

    Returns:
        bool, ``(H, W)``, True in the hole; may be empty or full.

    Raises:
        InputError: If it cannot be read, naming the file and the reason.
    """
    return read(MaskFile(path), Rules(threshold, invert)).mask


def _read_picture(path: Path, rules: Rules) -> Mask:
    if path.name == "label.png" and labelme_export.is_export(path.parent):
        mask = labelme_export.read_classes(path) > 0
    else:
        mask = binary(open_picture(read_bytes(path), str(path)), rules.threshold, str(path))
    return ~mask if rules.invert else mask


def require_size(mask: Mask, path: Path, height: int, width: int, photo: str) -> None:
    """Refuse a mask that does not have the size of its photo.

    Raises:
        InputError: If the sizes differ.
    """
    if mask.shape != (height, width):
        raise InputError(
            f"mask '{path}' is {mask.shape[1]}x{mask.shape[0]} but photo '{photo}' is "
            f"{width}x{height}; draw it on that photo or resize one of them with nearest neighbour"
        )


def binary(picture: Image.Image, threshold: int, name: str) -> Mask:
    """As `read_mask`, of a picture that is open already and called so in messages."""
    if picture.mode == "F":
        raise InputError(f"mask '{name}' holds floating-point values; save it with 8 bits")
    levels = _grey(picture)
    greatest = int(levels.max())
    if greatest <= 1:
        return levels > 0
    return levels >= (threshold * 257 if greatest > 255 else threshold)


def _grey(picture: Image.Image) -> NDArray[np.integer]:
    """Grey values in the depth of the file, without transparency."""
    if picture.mode.startswith("I"):  # 16 bits, sometimes held in 32
        return np.asarray(picture)
    if picture.mode in ("L", "LA"):
        return np.asarray(picture.getchannel("L"))
    if picture.mode == "P" and "transparency" in picture.info:
        picture = picture.convert("RGBA")
    if picture.mode == "RGBA":
        picture = picture.convert("RGB")
    return np.asarray(picture.convert("L"))
