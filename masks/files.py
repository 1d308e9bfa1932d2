"""Masks that users bring: reading them and pairing them with photos.

Nothing is stretched to fit: a mask of another size than its photo is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bench.errors import InputError
from masks import classes, kinds, labelme
from masks.classes import THRESHOLD
from masks.picture import decode, read_bytes
from masks.raster import Mask

_MARKED = re.compile(r"(?P<photo>.+)[_-]mask[_-]?(?P<draw>\d*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class MaskFile:
    """Where the mask of one photo is.

    Attributes:
        path: A picture, an annotation, or a folder that labelme exported.
        entry: Name of the photo within an annotation of many photos; empty in other files.
    """

    path: Path
    entry: str = ""

    def __str__(self) -> str:
        """As it is shown."""
        return f"{self.path}#{self.entry}" if self.entry else str(self.path)


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


class ReadMask(NamedTuple):
    """A mask and what reading it took for granted, or an empty note."""

    mask: Mask
    note: str


def read(file: MaskFile, rules: Rules, size: tuple[int, int] | None = None) -> ReadMask:
    """Read a mask from a picture, an array, a labelme annotation or a folder that labelme exported.

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
    path, note = file.path, ""
    if path.is_dir():
        mask = labelme.read_export(path, rules.labels or None)
    elif path.suffix.lower() == ".json":
        mask = labelme.read_annotation(path, rules.labels or None)
    elif path.name == "label.png" and labelme.is_export(path.parent):
        mask = labelme.read_classes(path) > 0
    else:
        decoded = decode(read_bytes(path), str(path))
        mask, note = classes.hole(decoded, rules.threshold, rules.labels, str(path))
    return ReadMask(~mask if rules.invert else mask, note)


def read_mask(path: Path, *, threshold: int = THRESHOLD, invert: bool = False) -> Mask:
    """As `read`, without what was taken for granted."""
    return read(MaskFile(path), Rules(threshold, invert)).mask


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


def find_masks(folder: Path) -> dict[str, Path]:
    """List the masks below a folder.

    Pictures, labelme annotations and exported folders count; hidden files and other types do
    not, nor do the files inside an exported folder. Where one photo has an export, an annotation
    and a picture of the same name, the export is taken before the annotation, and that before
    the picture, which is then the annotated photo.

    Returns:
        Path relative to the folder without extension, with ``/``, to the file or folder; sorted.
        An export ``b_json`` is listed as ``b``.

    Raises:
        InputError: If there is no such folder, or two pictures differ by their extension only.
    """
    if not folder.is_dir():
        raise InputError(f"expected a folder of masks at '{folder}', found none")
    found: dict[str, Path] = {}
    for path in sorted(_candidates(folder), key=_precedence):
        key = _stem(path.relative_to(folder).as_posix(), is_folder=path.is_dir())
        if key not in found:
            found[key] = path
        elif _precedence(found[key])[0] == _precedence(path)[0]:
            raise InputError(
                f"masks '{found[key]}' and '{path}' would both belong to photo '{key}'; remove one "
                f"or number them '{PurePosixPath(key).name}_mask000', '..._mask001'"
            )
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Pairing:
    """Which masks belong to which photos.

    Attributes:
        masks: For each photo that has any, its masks in the order of draws.
        missing: Photos without a mask.
        unused: Masks without a photo.
    """

    masks: dict[str, tuple[Path, ...]]
    missing: tuple[str, ...]
    unused: tuple[Path, ...]


def pair(photo_ids: Sequence[str], folder: Path) -> Pairing:
    """Find the masks of each photo by name.

    Photo ``a/b.jpg`` has the masks ``a/b_mask.png`` (or ``b-mask``) or ``a/b_mask000.png``,
    ``a/b_mask001.png`` and so on, in the order of their numbers. Without such, ``a/b.png`` is its
    mask. So photos and masks may share a folder.

    Args:
        photo_ids: Paths of photos relative to their folder, with ``/``.
        folder: Folder of masks, laid out like that of the photos.

    Raises:
        InputError: If the folder cannot be used, see `find_masks`.
    """
    found = find_masks(folder)
    marked: dict[str, list[tuple[int, str]]] = {}
    for key in found:
        match = _MARKED.fullmatch(key)
        if match:
            marked.setdefault(match["photo"], []).append((int(match["draw"] or 0), key))
    masks: dict[str, tuple[Path, ...]] = {}
    used: set[str] = set()
    for photo in photo_ids:
        stem = _stem(photo, is_folder=False)
        # The export of annotation "b.v1.json" is the folder "b_v1_json".
        plain = [key for key in (stem, _undotted(stem)) if key in found][:1]
        keys = [key for _, key in sorted(marked.get(stem, []))] or plain
        if keys:
            masks[photo] = tuple(found[key] for key in keys)
            used.update(keys)
    return Pairing(
        masks,
        tuple(photo for photo in photo_ids if photo not in masks),
        tuple(path for key, path in found.items() if key not in used),
    )


def _candidates(folder: Path) -> list[Path]:
    found: list[Path] = []
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            found += [path] if labelme.is_export(path) else _candidates(path)
        elif kinds.is_readable(path.name) or path.suffix.lower() == ".json":
            found.append(path)
    return found


def _precedence(path: Path) -> tuple[int, str]:
    if path.is_dir():
        return 0, path.as_posix()
    return 1 if path.suffix.lower() == ".json" else 2, path.as_posix()


def _stem(name: str, *, is_folder: bool) -> str:
    if is_folder:
        return name.removesuffix("_json")
    return PurePosixPath(name).with_suffix("").as_posix()


def _undotted(stem: str) -> str:
    path = PurePosixPath(stem)
    return path.with_name(path.name.replace(".", "_")).as_posix()
