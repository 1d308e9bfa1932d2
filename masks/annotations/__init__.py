"""Holes drawn with annotation tools.

labelme and X-AnyLabeling (JSON a photo, exported folders), COCO (JSON), VGG Image Annotator (JSON
and CSV), CVAT for images (XML), YOLO (text a photo), BrushBench's list (JSON). The content decides
what a file is.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path

from bench.errors import InputError, did_you_mean
from masks.annotations import brushbench, coco, cvat, labelme, labelme_export, via, yolo
from masks.annotations.photo_names import match as match
from masks.annotations.shape import Shape, draw, hull
from masks.annotations.sheet import Annotation, Sheet, require
from masks.mask_file import MaskFile, ReadMask
from masks.picture import explained, read_bytes

SUFFIXES = frozenset({".json", ".xml", ".txt", ".csv"})
"""What annotations end in; other files may end so too."""

KNOWN = "labelme, X-AnyLabeling, COCO, VGG Image Annotator, CVAT for images, YOLO"
"""What can be read."""


def entries(path: Path) -> dict[str, MaskFile] | None:
    """What photos a file has shapes for.

    Args:
        path: A file with one of `SUFFIXES`.

    Returns:
        Its photos by their names as the tool wrote them, with or without folders; of a file on
        one photo its own stem. None if it is text or a table of another kind.

    Raises:
        InputError: If it is damaged, or JSON or XML that no annotation tool known here writes.
    """
    with explained(str(path)):
        annotation = _parsed(path)
    if annotation is None:
        return None
    if list(annotation.sheets) == [path.stem]:
        return {path.stem: MaskFile(path)}
    return {name: MaskFile(path, name) for name in annotation.sheets}


def read(
    file: MaskFile, labels: Collection[str] = (), size: tuple[int, int] | None = None
) -> ReadMask:
    """Draw the areas that a file has on a photo.

    Args:
        file: An annotation and, if it is on several photos, which of them; or a folder that
            labelme exported.
        labels: Which labels are hole, by name or number; all if empty.
        size: Height and width of the photo, for files that state none.

    Returns:
        bool, ``(H, W)``, True in the hole, never empty; and what was left out.

    Raises:
        InputError: If it cannot be read, its size is unknown, a shape is malformed, or no area
            has one of the labels.
    """
    if os.path.isdir(file.path):
        if (mask := labelme_export.read(file.path, labels)) is not None:
            return ReadMask(mask, "")
        file = MaskFile(labelme_export.annotation(file.path))
    annotation = _parsed(file.path)
    if annotation is None:
        raise InputError(_unknown(file.path))
    if annotation.labels is not None:
        named = [label for label in labels if label not in annotation.numbers]
        require(named, annotation.labels, file.path)
    sheet = _sheet(annotation, file)
    extent = sheet.size() or size
    if extent is None:
        raise InputError(f"annotation '{file}' states no size, and its photo is not there to tell")
    shapes = list(sheet.shapes(extent))
    if file.hull is not None:
        shapes = [hull(shapes[file.hull])] if file.hull < len(shapes) else []
    areas, note = _areas(shapes, labels, file)
    if annotation.labels is None:
        note = "; ".join(filter(None, (note, *_misspelt(labels, shapes))))
    mask = draw(areas, *extent, outlined=annotation.outlined)
    if not mask.any():
        height, width = extent
        raise InputError(f"'{file}': its shapes cover no pixel of the {width}x{height} photo")
    return ReadMask(mask, note)


def labels_of(file: MaskFile) -> list[str]:
    """The first label of each shape that a file has on a photo whose size it states.

    Raises:
        InputError: If it cannot be read, or states no size.
    """
    annotation = _parsed(file.path)
    sheet = None if annotation is None else _sheet(annotation, file)
    if sheet is None or (extent := sheet.size()) is None:
        raise InputError(f"annotation '{file}' states no size")
    return ["".join(shape.labels[:1]) for shape in sheet.shapes(extent)]


def _areas(shapes: list[Shape], labels: Collection[str], file: MaskFile) -> tuple[list[Shape], str]:
    """Shapes with one of the labels and an area, and what was left out."""
    if not shapes:
        raise InputError(f"'{file}' has no shape on this photo")
    chosen = [each for each in shapes if not labels or not set(labels).isdisjoint(each.labels)]
    present = {each.labels[0] for each in shapes if each.labels}
    if not chosen:
        wanted = " or ".join(map(repr, labels))
        here = ", ".join(map(repr, sorted(present)[:50])) or "shapes without labels"
        guess = "".join(did_you_mean(label, present) for label in labels)
        raise InputError(f"'{file}' has no shape labelled {wanted}, only {here}.{guess}")
    areas = [each for each in chosen if each.has_area]
    flat = Counter(each.kind for each in chosen if not each.has_area)
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(flat.items()))
    if not areas:
        raise InputError(f"'{file}' has no areas, only {listed}; draw polygons around what is hole")
    return areas, f"left out without an area: {listed}" if flat else ""


def _misspelt(labels: Collection[str], shapes: list[Shape]) -> Iterator[str]:
    """Labels that are not here, while one much like them is."""
    present = {label for each in shapes for label in each.labels}
    for label in labels:
        if label not in present and (guess := did_you_mean(label, present)):
            yield f"no label {label!r} here.{guess}"


def _sheet(annotation: Annotation, file: MaskFile) -> Sheet:
    sheets = annotation.sheets
    if not file.entry and len(sheets) == 1:
        return next(iter(sheets.values()))
    if not file.entry:
        raise InputError(f"'{file}' is on {len(sheets)} photos; say on which")
    if file.entry not in sheets:
        guess = did_you_mean(file.entry, sheets)
        raise InputError(f"'{file.path}' lists no photo '{file.entry}'.{guess}")
    return sheets[file.entry]


def _parsed(path: Path) -> Annotation | None:
    try:
        stat = path.stat()
    except OSError as error:
        raise InputError(f"mask '{path}' cannot be read: {error.strerror}") from error
    return _parse(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(64)
def _parse(path: Path, _modified: int, length: int) -> Annotation | None:
    """What a file is, kept for the next photo."""
    suffix = path.suffix.lower()
    if suffix == ".txt" and not length:
        return yolo.parse("", path)
    data = read_bytes(path)
    if suffix == ".xml":
        found = cvat.parse(data, path)
    elif suffix == ".txt":
        return yolo.parse(data.decode("utf-8-sig", "replace"), path)
    elif suffix == ".csv":
        return via.parse_table(data.decode("utf-8-sig", "replace"), path)
    else:
        content = _json(data, path)
        readers = (labelme.parse, coco.parse, brushbench.parse, via.parse)
        found = next(filter(None, (parse(content, path) for parse in readers)), None)
    if found is None:
        raise InputError(_unknown(path))
    return found


def _json(data: bytes, path: Path) -> object:
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"annotation '{path}' is not JSON in UTF-8: {error}") from error


def _unknown(path: Path) -> str:
    return f"'{path}' is no annotation that can be read; these are: {KNOWN}"
