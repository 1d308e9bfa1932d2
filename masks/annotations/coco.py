"""COCO JSON: one file for many photos; polygons, run lengths in both forms, boxes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.errors import InputError
from masks.annotations.shape import Shape, Size, box, interleaved, numbers, runs, size
from masks.annotations.sheet import Annotation, Sheet, add
from masks.raster import Mask


def parse(content: Any, path: Path) -> Annotation | None:
    """Take the content for an annotation; None if it is another kind of file.

    Raises:
        InputError: If it is one but its lists are not what they should be.
    """
    if not isinstance(content, dict) or not {"images", "annotations"} <= content.keys():
        return None
    names = {
        _id(category, "id", path): str(category.get("name", category["id"]))
        for category in _records(content, "categories", path)
    }
    drawn: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in _records(content, "annotations", path):
        drawn[_id(record, "image_id", path)].append(record)
    sheets: dict[str, Sheet] = {}
    for image in _records(content, "images", path):
        name = image.get("file_name")
        where = f"annotation '{path}', photo '{name}'"
        shapes = partial(_shapes, drawn.get(_id(image, "id", path), []), names, where)
        stated = partial(size, image.get("height"), image.get("width"), where)
        add(sheets, name, Sheet(stated, shapes), path)
    return Annotation(sheets, frozenset(names.values()), frozenset(names))


def _records(content: dict[str, Any], key: str, path: Path) -> list[dict[str, Any]]:
    records = content.get(key, [])
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise InputError(f"annotation '{path}': expected a list of objects in '{key}'")
    return records


def _id(record: dict[str, Any], key: str, path: Path) -> str:
    """A number as text, as which some tools write it in one place and not in another."""
    found = record.get(key)
    if not isinstance(found, int | str):
        raise InputError(f"annotation '{path}': expected a number in '{key}' of each record")
    return str(found)


def _shapes(
    records: list[dict[str, Any]], names: dict[str, str], where: str, extent: Size
) -> Iterator[Shape]:
    for number, record in enumerate(records):
        category = str(record.get("category_id"))
        labels = (names[category], category) if category in names else ()
        yield _shape(record, labels, f"{where}, its annotation {number}", extent)


def _shape(record: dict[str, Any], labels: tuple[str, ...], where: str, extent: Size) -> Shape:
    outline = record.get("segmentation")
    if isinstance(outline, dict):
        return Shape(labels, "RLE", bitmap=partial(_bitmap, outline, where, extent))
    if isinstance(outline, list) and outline:
        rings = outline if isinstance(outline[0], list) else [outline]
        return Shape(labels, "polygon", tuple(interleaved(ring, 3, where) for ring in rings))
    return Shape(labels, "box", (box(record.get("bbox"), f"{where}, bbox"),))


def _bitmap(outline: dict[str, Any], where: str, extent: Size) -> Mask:
    """Run lengths go down the columns."""
    stated = numbers(outline.get("size"), f"{where}, size").tolist()
    if stated != list(extent):
        raise InputError(f"{where}: its size is {stated} but the photo's is {list(extent)}")
    counts = outline.get("counts")
    lengths = _decompressed(counts, where) if isinstance(counts, str) else counts
    height, width = extent
    return runs(lengths, height * width, where).reshape(width, height).T


def _decompressed(text: str, where: str) -> Sequence[int]:
    """Lengths from text: 5 bits a character, least first; from the third on differences."""
    counts: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 30:
            raise InputError(f"{where}: {character!r} does not belong into compressed run lengths")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (bits & 16) and 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    if shift:
        raise InputError(f"{where}: compressed run lengths end too early")
    return counts
