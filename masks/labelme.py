"""Masks drawn with labelme: its JSON annotations and the folders it exports.

Written from the description of the format; areas include their outline, as labelme draws them.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bench.errors import InputError
from masks.picture import open_picture, picture_size, read_bytes, refuse_large
from masks.raster import Mask

IGNORED = "__ignore__"
"""Label of regions that are not to be used."""

_FURTHEST = 1_000_000  # pixels; Pillow draws nothing sensible beyond
_COMPANIONS = ("label_viz.png", "label_names.txt", "info.yaml", "img.png")
_NO_AREA = ("line", "linestrip", "point")
_CORNERS = {"polygon": 3, "rectangle": 2, "oriented_rectangle": 4, "circle": 2, "mask": 2}

Point = tuple[float, float]


def read_annotation(path: Path, labels: Collection[str] | None = None) -> Mask:
    """Draw the areas of an annotation.

    Polygons, rectangles, circles and bitmaps count; lines and points have no area. Annotations
    of old versions without shape types and sizes are read as well.

    Args:
        path: A JSON file of labelme.
        labels: Which labels are hole; all if omitted. `IGNORED` never is.

    Returns:
        bool, ``(H, W)``, True in the hole.

    Raises:
        InputError: If the file is no annotation, its size cannot be found, a shape is malformed
            or no shape has one of the labels.
    """
    try:
        content = json.loads(read_bytes(path).decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"annotation '{path}' is not JSON in UTF-8: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise InputError(f"'{path}' is no labelme annotation: expected an object with 'shapes'")
    height, width = _size(content, path)
    shapes = [_checked(shape, number, path) for number, shape in enumerate(content["shapes"])]
    _require_labels({shape["label"] for shape in shapes}, labels, path)
    canvas = Image.new("L", (width, height), 0)
    for number, shape in enumerate(shapes):
        if shape["label"] != IGNORED and (labels is None or shape["label"] in labels):
            _draw(canvas, shape, f"{path}, shape {number}")
    return np.asarray(canvas) > 0


def is_export(folder: Path) -> bool:
    """Tell whether labelme made this folder, or an author filled it in that manner."""
    if not any((folder / name).is_file() for name in ("mask.png", "label.png")):
        return False
    return folder.name.endswith("_json") or any((folder / name).is_file() for name in _COMPANIONS)


def read_export(folder: Path, labels: Collection[str] | None = None) -> Mask:
    """Read an exported folder: ``mask.png``, else ``label.png``, else the annotation.

    Args:
        folder: Made by labelme's export; ``label_viz.png`` in it is never read.
        labels: Which labels are hole, from ``label_names.txt``; all if omitted. ``mask.png``
            knows no labels and is left aside if some are asked for.

    Returns:
        bool, ``(H, W)``, True in the hole.

    Raises:
        InputError: If nothing usable is there.
    """
    if labels is None and (folder / "mask.png").is_file():
        return read_classes(folder / "mask.png") > 0
    names = _names(folder / "label_names.txt")
    if (folder / "label.png").is_file() and (names or labels is None):
        classes = read_classes(folder / "label.png")
        _require_labels(set(names), labels, folder)
        left_out = [
            number
            for number, name in enumerate(names)
            if name == IGNORED or (labels is not None and name not in labels)
        ]
        return (classes > 0) & ~np.isin(classes, left_out)
    beside = folder.with_name(folder.name.removesuffix("_json") + ".json")
    annotations = sorted(folder.glob("*.json")) or [beside] * beside.is_file()
    if len(annotations) != 1:
        raise InputError(
            f"labelme folder '{folder}': expected mask.png, label.png or one annotation, "
            f"found {len(annotations)} annotations; label_viz.png is for looking only"
        )
    return read_annotation(annotations[0], labels)


def read_classes(path: Path) -> NDArray[np.integer]:
    """Read a picture of class numbers: palette indices, or the values of a grey picture.

    Returns:
        ``(H, W)``, 0 is background.

    Raises:
        InputError: If it cannot be read.
    """
    picture = open_picture(read_bytes(path), str(path))
    if picture.mode == "P" or picture.mode.startswith("I"):
        return np.asarray(picture)
    if picture.mode in ("LA", "RGBA"):
        picture = picture.convert(picture.mode[:-1])
    levels = np.atleast_3d(np.asarray(picture))
    return levels.max(axis=2).astype(np.int64)


def _size(content: dict[str, Any], path: Path) -> tuple[int, int]:
    """Height and width: as stated, else of the embedded picture, else of the one beside it."""
    height, width = content.get("imageHeight"), content.get("imageWidth")
    if height is not None and width is not None:
        if type(height) is not int or type(width) is not int:
            raise InputError(f"annotation '{path}': imageHeight and imageWidth must be integers")
        refuse_large(height, width, str(path))
        return height, width
    if content.get("imageData"):
        return picture_size(_decoded(content["imageData"], f"{path}, imageData"), f"{path}")
    name = content.get("imagePath")
    if not isinstance(name, str) or not name:
        raise InputError(
            f"annotation '{path}' states no imageHeight and imageWidth and names no picture; "
            "save it again with a newer labelme"
        )
    picture = path.parent / name.replace("\\", "/")
    if picture == path or not picture.is_file():
        raise InputError(
            f"annotation '{path}' states no imageHeight and imageWidth, and its picture "
            f"'{name}' is not there; put it at '{picture}'"
        )
    return picture_size(read_bytes(picture), str(picture))


def _checked(shape: Any, number: int, path: Path) -> dict[str, Any]:
    """Refuse a shape that is not as the format says."""
    where = f"annotation '{path}', shape {number}"
    if not isinstance(shape, dict) or not isinstance(shape.get("label"), str):
        raise InputError(f"{where}: expected an object with a label")
    kind = shape.get("shape_type") or "polygon"
    if kind not in _CORNERS and kind not in _NO_AREA:
        known = ", ".join((*_CORNERS, *_NO_AREA))
        raise InputError(f"{where}: shape_type {kind!r} is none of {known}")
    points = shape.get("points")
    if not isinstance(points, list) or not all(map(_is_point, points)):
        raise InputError(f"{where}: points must be pairs of finite numbers below {_FURTHEST:,}")
    needed = _CORNERS.get(kind, 1)
    exact = kind not in ("polygon", *_NO_AREA)
    if len(points) < needed or (exact and len(points) != needed):
        expected = f"{needed} points" if exact else f"at least {needed} points"
        raise InputError(f"{where}: a {kind} has {expected}, found {len(points)}")
    pairs = [(float(x), float(y)) for x, y in points]
    return {"label": shape["label"], "kind": kind, "points": pairs, "mask": shape.get("mask")}


def _is_point(point: Any) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(type(v) in (int, float) and abs(v) <= _FURTHEST for v in point)
    )


def _draw(canvas: Image.Image, shape: dict[str, Any], where: str) -> None:
    pen = ImageDraw.Draw(canvas)
    kind, points = shape["kind"], shape["points"]
    if kind in ("polygon", "oriented_rectangle"):
        pen.polygon(points, fill=1, outline=1)
    elif kind == "rectangle":
        (x, y), (x_end, y_end) = points
        corners = (min(x, x_end), min(y, y_end), max(x, x_end), max(y, y_end))
        pen.rectangle(corners, fill=1, outline=1)
    elif kind == "circle":
        (x, y), rim = points
        radius = math.dist((x, y), rim)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1, outline=1)
    elif kind == "mask":
        _paste_bitmap(canvas, points, shape["mask"], where)


def _paste_bitmap(canvas: Image.Image, points: list[Point], encoded: Any, where: str) -> None:
    """Add a bitmap at its box; what reaches beyond the picture is cut off."""
    bitmap = open_picture(_decoded(encoded, where), where)
    xs, ys = ([math.floor(value + 0.5) for value in axis] for axis in zip(*points, strict=True))
    expected = abs(xs[1] - xs[0]) + 1, abs(ys[1] - ys[0]) + 1
    if bitmap.size != expected:
        raise InputError(
            f"annotation '{where}': the bitmap is {bitmap.width}x{bitmap.height} but its box "
            f"is {expected[0]}x{expected[1]}"
        )
    inside = np.atleast_3d(np.asarray(bitmap)).any(axis=2)
    canvas.paste(1, (min(xs), min(ys)), Image.fromarray(inside))


def _decoded(encoded: Any, where: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=False)
    except (TypeError, ValueError, binascii.Error) as error:
        raise InputError(f"annotation '{where}': expected a picture in base64: {error}") from error


def _names(path: Path) -> list[str]:
    return read_bytes(path).decode("utf-8", "replace").splitlines() if path.is_file() else []


def _require_labels(present: set[str], labels: Collection[str] | None, where: Path) -> None:
    """A label that occurs nowhere is a typing error, not an empty hole."""
    unknown = sorted(set(labels or ()) - present)
    if unknown:
        raise InputError(
            f"'{where}' has no label {', '.join(map(repr, unknown))}; "
            f"it has {', '.join(map(repr, sorted(present))) or 'none'}"
        )
