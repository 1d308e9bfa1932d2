"""Shapes of annotations: checked numbers, areas in pixels, and drawing them.

Coordinates are those of the tools: x to the right, y down, the corner of the picture at 0, the
centre of its first pixel at 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bench.errors import InputError
from masks.picture import refuse_large
from masks.raster import SUB, Mask, fill_polygons

Size = tuple[int, int]
"""Height and width."""

Numbers = NDArray[np.float64]

_FURTHEST = 1_000_000  # pixels; no photo is so large, and drawing stays exact
_TURN = np.linspace(0, 2 * math.pi, 128, endpoint=False)
_TOGETHER = 256  # rings that are drawn at once
_CORNERS = 1 << 20  # of all these, likewise
# What takes some seconds of one photo, far beyond what anybody draws:
_CROSSINGS = 50_000_000  # rows that edges cross
_LOOKS = 100_000_000  # looks of labelme's way of drawing, which tries each edge at each row
_COVERED = 2_000_000_000  # pixels of bitmaps, which lie on each other


@dataclass(frozen=True)
class Shape:
    """One shape that somebody drew.

    Attributes:
        labels: All names that it can be chosen by.
        kind: What its tool calls it.
        rings: Outlines, each ``(N, 2)`` in pixels; what lies in any of them is inside.
        bitmap: Gives what is inside, where outlines do not say.
        corner: Left and top of the bitmap, in whole pixels.
    """

    labels: tuple[str, ...]
    kind: str
    rings: tuple[Numbers, ...] = ()
    bitmap: Callable[[], Mask] | None = None
    corner: tuple[int, int] = (0, 0)

    @property
    def has_area(self) -> bool:
        """Tell lines and points from the rest."""
        return bool(self.rings) or self.bitmap is not None


def hull(shape: Shape) -> Shape:
    """The convex hull of all outlines of a shape; of a bitmap that of its pixels."""
    if shape.bitmap is None:
        points = np.concatenate(shape.rings) if shape.rings else np.empty((0, 2))
    else:
        rows, columns = np.nonzero(shape.bitmap())
        corners = [(columns + x, rows + y) for x in (0, 1) for y in (0, 1)]
        points = np.concatenate([np.stack(each, axis=1) for each in corners]).astype(np.float64)
        points += shape.corner
    if not len(points):
        return Shape(shape.labels, shape.kind)
    ring = cv2.convexHull(points.astype(np.float32)).reshape(-1, 2).astype(np.float64)
    return Shape(shape.labels, "convex hull", (ring,))


def numbers(values: Any, where: str) -> Numbers:
    """Check that values are finite numbers and not beyond any picture.

    Raises:
        InputError: If they are not.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{where}: expected numbers only ({error})"[:300]) from error
    if not (np.abs(array) <= _FURTHEST).all():
        raise InputError(f"{where}: expected finite numbers below {_FURTHEST:,}")
    return array


def whole(value: Any, where: str) -> int:
    """Check a whole number that is not negative, given as a number or as text.

    Raises:
        InputError: If it is none.
    """
    number = numbers(value, where)
    if number.ndim or number < 0 or number != np.rint(number):
        raise InputError(f"{where}: expected a whole number from 0 on")
    return int(number)


def size(height: Any, width: Any, where: str) -> Size | None:
    """Check a stated size; None if either is not there.

    Raises:
        InputError: If it is none, or larger than any mask.
    """
    if height is None or width is None:
        return None
    found = whole(height, f"{where}, height"), whole(width, f"{where}, width")
    refuse_large(*found, where)
    return found


def corners(values: Any, least: int, where: str) -> Numbers:
    """Check the points of a shape, ``(N, 2)``.

    Raises:
        InputError: If they are no pairs of numbers, or too few.
    """
    array = numbers(values, f"{where}, points")
    if array.ndim != 2 or array.shape[1] != 2 or len(array) < least:
        found = "x".join(map(str, array.shape))
        raise InputError(f"{where}: expected at least {least} pairs of numbers, found {found}")
    return array


def interleaved(values: Any, least: int, where: str) -> Numbers:
    """As `corners`, of a flat list x, y, x, y, ..."""
    array = numbers(values, f"{where}, points")
    if array.ndim != 1 or len(array) % 2:
        raise InputError(f"{where}: expected a flat list of x, y, x, y, ...")
    return corners(array.reshape(-1, 2), least, where)


def box(sides: Any, where: str, degrees: Any = 0) -> Numbers:
    """Corners of a rectangle (left, top, width, height), turned clockwise about its centre."""
    x, y, wide, tall = _measures(sides, where)
    unit = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float64) / 2
    return _placed(unit * (wide, tall), (x + wide / 2, y + tall / 2), degrees, where)


def ellipse(radii: Any, where: str, degrees: Any = 0) -> Numbers:
    """Outline of an ellipse (centre x, y, radius x, y), turned clockwise about its centre."""
    x, y, wide, tall = _measures(radii, where)
    unit = np.stack((np.cos(_TURN), np.sin(_TURN)), axis=1)
    return _placed(unit * (wide, tall), (x, y), degrees, where)


def runs(counts: Any, pixels: int, where: str) -> NDArray[np.bool_]:
    """Expand lengths of runs, of which the first is outside and the next inside.

    Raises:
        InputError: If they are no lengths, or do not add up to the pixels.
    """
    try:
        lengths = np.asarray(counts)
    except ValueError as error:
        raise InputError(f"{where}: expected a flat list of run lengths") from error
    if lengths.ndim != 1 or lengths.dtype.kind != "i" or lengths.min() < 0:
        raise InputError(f"{where}: expected a flat list of run lengths from 0 on")
    if lengths.max() > pixels or lengths.sum() != pixels:
        total = lengths.sum(dtype=np.float64)
        raise InputError(f"{where}: expected runs of {pixels} pixels in all, found {total:.0f}")
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)


def draw(shapes: Iterable[Shape], height: int, width: int, *, outlined: bool = False) -> Mask:
    """Draw the union of shapes.

    Args:
        shapes: What lies beyond the picture is cut off.
        height: Of the mask, in pixels.
        width: Of the mask, in pixels.
        outlined: As labelme draws: whole numbers are centres of pixels, and the outline belongs to
            the area. Otherwise a pixel is inside when its centre is.

    Returns:
        bool, ``(height, width)``.

    Raises:
        InputError: If the mask, outlines or bitmaps are beyond what can be drawn.
    """
    refuse_large(height, width, "annotation")
    if max(height, width) > _FURTHEST:
        raise InputError(f"expected sides up to {_FURTHEST:,} pixels, found {width}x{height}")
    shapes = list(shapes)
    rings = sorted((ring for shape in shapes for ring in shape.rings), key=len, reverse=True)
    _refuse_endless(rings, height, outlined)
    mask = _outlined(rings, height, width) if outlined else np.zeros((height, width), np.bool_)
    while rings and not outlined:
        several = min(_TOGETHER, _CORNERS // len(rings[0]) + 1)
        mask |= _filled(rings[:several], height, width)
        rings = rings[several:]
    covered = 0
    for shape in shapes:
        if shape.bitmap is not None:
            bitmap = shape.bitmap()
            covered += bitmap.size
            if covered > _COVERED:
                raise InputError(f"bitmaps have more than {_COVERED:,} pixels; expected fewer")
            _paste(mask, bitmap, *shape.corner)
    return mask


def _refuse_endless(rings: Iterable[Numbers], height: int, outlined: bool) -> None:
    """Refuse outlines that take minutes or all memory, before any is drawn."""
    work, most, what = 0.0, _LOOKS if outlined else _CROSSINGS, "tries" if outlined else "rows"
    for ring in rings:
        rows = ring[:, 1].clip(0, height)
        work += len(rows) * np.ptp(rows) if outlined else np.abs(np.diff(rows)).sum() + len(rows)
        if work > most:
            raise InputError(f"outlines cross more than {most:,} {what}; expected simpler ones")


def _measures(values: Any, where: str) -> list[float]:
    """Position and sides of a box or an ellipse."""
    found = numbers(values, where)
    if found.shape != (4,) or (found[2:] < 0).any():
        raise InputError(f"{where}: expected a position and two sides or radii from 0 on")
    return found.tolist()


def _placed(points: Numbers, centre: tuple[float, float], degrees: Any, where: str) -> Numbers:
    turn = np.radians(numbers(degrees, f"{where}, rotation"))
    if turn.ndim:
        raise InputError(f"{where}: expected one number as its rotation")
    cosine, sine = np.cos(turn), np.sin(turn)
    x, y = points.T
    return np.stack((x * cosine - y * sine, x * sine + y * cosine), axis=1) + centre


def _filled(rings: list[Numbers], height: int, width: int) -> Mask:
    most = max(map(len, rings))
    padded = np.stack([np.pad(r, ((0, most - len(r)), (0, 0)), mode="edge") for r in rings])
    fine = np.rint(padded * SUB).astype(np.int64)
    return fill_polygons(fine[..., 0], fine[..., 1], height, width)


def _outlined(rings: list[Numbers], height: int, width: int) -> Mask:
    canvas = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(canvas)
    for ring in rings:
        pen.polygon(list(map(tuple, ring.tolist())), fill=1, outline=1)
    return np.asarray(canvas) > 0


def _paste(mask: Mask, bitmap: Mask, left: int, top: int) -> None:
    height, width = mask.shape
    inside = bitmap[max(-top, 0) : max(height - top, 0), max(-left, 0) : max(width - left, 0)]
    top, left = max(top, 0), max(left, 0)
    mask[top : top + inside.shape[0], left : left + inside.shape[1]] |= inside
