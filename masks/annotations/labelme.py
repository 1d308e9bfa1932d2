"""JSON of labelme and X-AnyLabeling: one file a photo, of any version.

Written from the description of the formats; areas include their outline, as labelme draws them.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import InputError
from masks.annotations.shape import Numbers, Shape, Size, box, corners, ellipse, size
from masks.annotations.sheet import Annotation, Sheet
from masks.picture import open_picture, picture_size, read_bytes
from masks.raster import Mask

IGNORED = "__ignore__"
"""Label of regions that are not to be used."""

_POINTS = {
    "polygon": (3, math.inf),
    "rectangle": (2, 4),  # X-AnyLabeling writes all four corners
    "oriented_rectangle": (4, 4),
    "rotation": (4, 4),
    "quadrilateral": (4, 4),
    "circle": (2, 2),
    "mask": (2, 2),
}
_NO_AREA = ("line", "linestrip", "point", "points", "cuboid")


def parse(content: Any, path: Path) -> Annotation | None:
    """Take the content for an annotation; None if it is another kind of file."""
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        return None
    if content.get("imageHeight") and content.get("imageWidth"):
        content.pop("imageData", None)  # the photo itself, which may be large
    sheet = Sheet(partial(_size, content, path), partial(_shapes, content["shapes"], path))
    return Annotation({path.stem: sheet}, outlined=True)


def _size(content: dict[str, Any], path: Path) -> Size | None:
    """As stated, else of the embedded picture, else of the one beside it."""
    where = f"annotation '{path}'"
    if stated := size(content.get("imageHeight"), content.get("imageWidth"), where):
        return stated
    if content.get("imageData"):
        where = f"{path}, imageData"
        return picture_size(_decoded(content["imageData"], where), where)
    name = content.get("imagePath")
    if not isinstance(name, str):
        return None
    picture = path.parent / name.replace("\\", "/")
    return picture_size(read_bytes(picture), str(picture)) if _is_picture(picture, path) else None


def _is_picture(picture: Path, annotation: Path) -> bool:
    try:
        return picture != annotation and picture.is_file()
    except (OSError, ValueError):  # a name that no file system takes
        return False


def _shapes(items: list[Any], path: Path, _: Size) -> Iterator[Shape]:
    for number, item in enumerate(items):
        where = f"annotation '{path}', shape {number}"
        if not isinstance(item, dict) or not isinstance(item.get("label"), str):
            raise InputError(f"{where}: expected an object with a label")
        if item["label"] != IGNORED:
            yield _shape(item, where)


def _shape(item: dict[str, Any], where: str) -> Shape:
    labels, kind = (item["label"],), item.get("shape_type") or "polygon"
    if kind in _NO_AREA:
        return Shape(labels, kind)
    if not isinstance(kind, str) or kind not in _POINTS:
        known = ", ".join((*_POINTS, *_NO_AREA))
        raise InputError(f"{where}: shape_type {kind!r:.40} is none of {known}")
    least, most = _POINTS[kind]
    points = corners(item.get("points"), least, where)
    if len(points) > most:
        raise InputError(f"{where}: a {kind} has {most} points, found {len(points)}")
    if kind == "mask":
        return _bitmap(labels, points, item.get("mask"), where)
    return Shape(labels, kind, (_ring(kind, points, where),))


def _ring(kind: str, points: Numbers, where: str) -> Numbers:
    if kind == "circle":
        centre, rim = points
        radius = math.dist(centre, rim)
        return ellipse((*centre, radius, radius), where) + 0.5  # to the nearest, not the lower
    if kind == "rectangle":
        low, high = points.min(axis=0), points.max(axis=0)
        return box((*low, *(high - low)), where)
    return points


def _bitmap(labels: tuple[str, ...], points: Numbers, encoded: Any, where: str) -> Shape:
    """A bitmap at its box."""
    ends = np.floor(points + 0.5).astype(int)
    (left, top), (right, bottom) = ends.min(axis=0).tolist(), ends.max(axis=0).tolist()

    def inside() -> Mask:
        picture = open_picture(_decoded(encoded, where), where)
        expected = right - left + 1, bottom - top + 1
        if picture.size != expected:
            raise InputError(
                f"{where}: the bitmap is {picture.width}x{picture.height} but its box is "
                f"{expected[0]}x{expected[1]}"
            )
        return np.asarray(np.atleast_3d(np.asarray(picture)).any(axis=2))

    return Shape(labels, "mask", bitmap=inside, corner=(left, top))


def _decoded(encoded: Any, where: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: expected a picture in base64: {error}") from error
