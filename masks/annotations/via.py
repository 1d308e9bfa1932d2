"""VGG Image Annotator: projects and annotations as JSON, annotations as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import InputError
from masks.annotations.shape import Numbers, Shape, Size, box, corners, ellipse, numbers
from masks.annotations.sheet import Annotation, Sheet, add


def parse(content: Any, path: Path) -> Annotation | None:
    """Take JSON for a project or an annotation; None if it is another kind of file.

    Raises:
        InputError: If it is one but its records are not what they should be.
    """
    if not isinstance(content, dict):
        return None
    records = content.get("_via_img_metadata", content)
    if not isinstance(records, dict) or not any(
        isinstance(record, dict) and {"filename", "regions"} <= record.keys()
        for record in records.values()
    ):
        return None
    return _annotation(
        ((_object(record).get("filename"), _regions(record)) for record in records.values()), path
    )


def parse_table(text: str, path: Path) -> Annotation | None:
    """As `parse`, of CSV."""
    try:
        reader = csv.DictReader(io.StringIO(text.replace("#filename", "filename", 1)))
        rows = list(reader)
    except csv.Error as error:
        raise InputError(f"table '{path}' cannot be read: {error}") from error
    shape, attributes = "region_shape_attributes", "region_attributes"
    if not {"filename", shape, attributes} <= set(reader.fieldnames or ()):
        return None
    regions: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        drawn = _object(row[shape])
        here = regions[row["filename"]]
        if drawn or row[shape] != "{}":  # a photo without regions has one row
            here.append({"shape_attributes": drawn, "region_attributes": _object(row[attributes])})
    return _annotation(regions.items(), path)


def _annotation(photos: Iterable[tuple[Any, list[Any]]], path: Path) -> Annotation:
    sheets: dict[str, Sheet] = {}
    labels: set[str] = set()
    for name, regions in photos:
        where = f"annotation '{path}', photo '{name}'"
        add(sheets, name, Sheet(lambda: None, partial(_shapes, regions, where)), path)
        labels.update(label for region in regions for label in _labels(_object(region)))
    return Annotation(sheets, frozenset(labels))


def _object(value: Any) -> dict[str, Any]:
    """An object, also one that is written as text; empty if it is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _regions(record: Any) -> list[Any]:
    """Version 1 numbers them."""
    regions = _object(record).get("regions")
    found = list(regions.values()) if isinstance(regions, dict) else regions
    return found if isinstance(found, list) else [None]


def _labels(region: dict[str, Any]) -> tuple[str, ...]:
    """Values of all attributes; of boxes to tick the names of those that are."""
    found: list[str] = []
    for value in _object(region.get("region_attributes")).values():
        if isinstance(value, dict):
            found += [name for name, ticked in value.items() if ticked]
        elif isinstance(value, str | int | float) and str(value):
            found.append(str(value))
    return tuple(found)


def _shapes(regions: list[Any], where: str, _: Size) -> Iterator[Shape]:
    for number, region in enumerate(map(_object, regions)):
        drawn = _object(region.get("shape_attributes"))
        kind = str(drawn.get("name"))[:40]
        spot = f"{where}, region {number}"
        if kind in ("polyline", "point"):
            yield Shape(_labels(region), kind)
        else:
            yield Shape(_labels(region), kind, (_ring(kind, drawn, spot),))


def _ring(kind: str, drawn: dict[str, Any], where: str) -> Numbers:
    def get(*keys: str) -> list[Any]:
        return [drawn.get(key) for key in keys]

    if kind == "rect":
        return box(get("x", "y", "width", "height"), where)
    if kind == "circle":
        return ellipse(get("cx", "cy", "r", "r"), where)
    if kind == "ellipse":
        turn = np.degrees(numbers(drawn.get("theta", 0), where))
        return ellipse(get("cx", "cy", "rx", "ry"), where, turn)
    if kind == "polygon":
        x, y = (numbers(axis, where).ravel() for axis in get("all_points_x", "all_points_y"))
        if len(x) != len(y):
            raise InputError(f"{where}: expected as many x as y, found {len(x)} and {len(y)}")
        return corners(list(zip(x, y, strict=True)), 3, where)
    raise InputError(
        f"{where}: its shape {kind!r} is none of polygon, rect, circle, ellipse, polyline, point"
    )
