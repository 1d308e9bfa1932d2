"""Masks that users bring, read by stated rules.

Nothing is stretched to fit: a mask of another size than its photo is refused.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bench.errors import InputError
from masks import classes
from masks.annotations import SUFFIXES as ANNOTATIONS
from masks.annotations import labelme_export
from masks.annotations import read as read_annotation
from masks.classes import THRESHOLD as THRESHOLD
from masks.kinds import PICTURES as PICTURES
from masks.mask_file import MaskFile as MaskFile
from masks.mask_file import ReadMask as ReadMask
from masks.picture import decode, explained, read_bytes
from masks.raster import Mask


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
            raise InputError(f"--mask-threshold: expected 1 to 255, found {self.threshold}")


def read(file: MaskFile, rules: Rules, size: tuple[int, int] | None = None) -> ReadMask:
    """Read a mask from a picture, an array, an annotation or a folder that labelme exported.

    EXIF orientation is applied. What of a picture is hole: see `masks.classes`. The ``label.png``
    of a labelme export holds class numbers in place of colours: there all but 0 is hole.

    Args:
        file: Where it is.
        rules: What of it is hole.
        size: Height and width of the photo, for annotations that state none.

    Returns:
        bool, ``(H, W)``, True in the hole, may be empty or full; with what was taken for granted.

    Raises:
        InputError: If it cannot be read, naming the file and the reason.
    """
    with explained(str(file)):
        return _read(file, rules, size)


def _read(file: MaskFile, rules: Rules, size: tuple[int, int] | None) -> ReadMask:
    path = file.path
    if os.path.isdir(path) or path.suffix.lower() in ANNOTATIONS:
        mask, note = read_annotation(file, rules.labels, size)
    elif path.name == "label.png" and labelme_export.is_export(path.parent):
        mask, note = labelme_export.read_classes(path) > 0, ""
    else:
        decoded = decode(read_bytes(path), str(path))
        mask, note = classes.hole(decoded, rules.threshold, rules.labels, str(path))
    if rules.invert:
        return ReadMask(~mask, f"{note}; then inverted" if note else "")
    return ReadMask(mask, note)


def require_size(
    mask: Mask, path: Path, height: int, width: int, photo: str, *, turned: bool = False
) -> None:
    """Refuse a mask that does not have the size of its photo.

    Args:
        mask: As read.
        path: Where it is.
        height: Of the photo.
        width: Likewise.
        photo: What to call it.
        turned: Whether it is shown otherwise than it is stored.

    Raises:
        InputError: If the sizes differ.
    """
    if mask.shape == (height, width):
        return
    advice = "draw it on that photo or resize one of them with nearest neighbour"
    if turned and mask.shape == (width, height):
        advice = (
            "EXIF turns the photo, and the mask was drawn on what is stored; turn the mask "
            "likewise, or draw it on the photo as it is shown"
        )
    raise InputError(
        f"mask '{path}' is {mask.shape[1]}x{mask.shape[0]} but photo '{photo}' is "
        f"{width}x{height}; {advice}"
    )
