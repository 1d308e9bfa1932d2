"""Polygons to pixels, in whole numbers only, so that every machine draws the same mask.

Coordinates are integers in sub-pixels, `SUB` to a pixel; pixel ``(row, column)`` has its
centre at ``(SUB * column + SUB / 2, SUB * row + SUB / 2)`` and is inside a polygon when its
centre is. The work is done on the edges and on the row spans between them, never on the whole
canvas; all polygons of a mask go through the same few array operations together.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SUB = 16
"""Sub-pixels in a pixel."""

TURN = 128
"""Directions in a full turn, the unit of angles."""

UNIT = 1 << 14
"""Length of the vectors in `COSINE` and `SINE`."""

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

# Rounding to 1 / UNIT hides the last-bit differences between mathematical libraries.
COSINE: Ints = np.array(
    [round(UNIT * math.cos(2 * math.pi * k / TURN)) for k in range(TURN)], dtype=np.int64
)
SINE: Ints = COSINE[np.arange(TURN) - TURN // 4]

_HALF = SUB // 2
_SHIFT = SUB.bit_length() - 1
_FIELD = 20  # bits for a row and for a column in a sort key
_LOW = (1 << _FIELD) - 1
_LONG_SPAN = 30  # mean span, in pixels, above which slices beat index lists


def fill_polygons(x: Ints, y: Ints, height: int, width: int) -> Mask:
    """Draw the union of polygons, each filled by the even-odd rule.

    Args:
        x: Corners of ``P`` polygons of ``V`` corners each, ``(P, V)``, in sub-pixels. A polygon
            with fewer corners repeats one of them. Corners may lie outside.
        y: Likewise.
        height: Of the mask, in pixels.
        width: Of the mask, in pixels.

    Returns:
        ``(height, width)``, True inside.
    """
    starts, ends = _spans(x, y, height, width)
    lengths = ends - starts
    mask = np.zeros(height * width, dtype=np.bool_)
    total = int(lengths.sum())
    if total > _LONG_SPAN * len(starts):
        for start, end in zip(*_merged(starts, ends), strict=True):
            mask[start:end] = True
    else:
        before = lengths.cumsum() - lengths
        mask[np.arange(total) + (starts - before).repeat(lengths)] = True
    return mask.reshape(height, width)


def capsules(x: Ints, y: Ints, x_end: Ints, y_end: Ints, radius: Ints, sides: int) -> tuple[
    Ints, Ints
]:  # fmt: skip
    """Outline thick line segments with round ends.

    Args:
        x: First ends of ``P`` segments, ``(P,)``, in sub-pixels; ``y`` likewise.
        y: See ``x``.
        x_end: Other ends, ``(P,)``; a segment without length becomes a disc.
        y_end: See ``x_end``.
        radius: Half of the thickness, ``(P,)``, in sub-pixels.
        sides: Edges that stand for half a circle; a power of two up to ``TURN / 2``.

    Returns:
        Corners for `fill_polygons`, two arrays ``(P, 2 * sides + 2)``.
    """
    dx, dy = x_end - x, y_end - y
    # The square root is one of the operations that IEEE 754 rounds in one way only.
    norm = np.sqrt((dx * dx + dy * dy).astype(np.float64)).astype(np.int64)
    dx, norm = np.where(norm == 0, 1, dx), np.maximum(norm, 1)
    along_x, along_y = (dx * radius // norm)[:, None], (dy * radius // norm)[:, None]
    quarter, step = TURN // 4, TURN // 2 // sides
    turn = np.arange(-quarter, quarter + 1, step)
    cosine, sine = COSINE[turn], SINE[turn]
    offset_x = (along_x * cosine - along_y * sine) // UNIT
    offset_y = (along_x * sine + along_y * cosine) // UNIT
    return (
        np.concatenate((x_end[:, None] + offset_x, x[:, None] - offset_x), axis=1),
        np.concatenate((y_end[:, None] + offset_y, y[:, None] - offset_y), axis=1),
    )


def _spans(x: Ints, y: Ints, height: int, width: int) -> tuple[Ints, Ints]:
    """Start and end of every row span, as indices into the flattened mask."""
    count, corners = x.shape
    following = np.arange(1, corners + 1) % corners
    dx, dy = (x[:, following] - x).ravel(), (y[:, following] - y).ravel()
    x_from, y_from = x.ravel(), y.ravel()
    # An edge crosses the rows whose centre lies in [upper end, lower end).
    first = (np.minimum(y_from, y_from + dy) + (_HALF - 1)) >> _SHIFT
    last = (np.maximum(y_from, y_from + dy) + (_HALF - 1)) >> _SHIFT
    first = np.minimum(np.maximum(first, 0), height)
    rows = np.minimum(np.maximum(last, 0), height) - first

    # Column of the first pixel centre at or right of the crossing, by exact ceiling division.
    slope = -SUB * dx
    level = (_HALF - x_from) * dy - (_HALF - y_from) * dx
    polygon = np.arange(count * corners) // corners << 2 * _FIELD
    row = np.arange(int(rows.sum())) + (first - rows.cumsum() + rows).repeat(rows)
    column = -((level.repeat(rows) + row * slope.repeat(rows)) // (SUB * dy).repeat(rows))
    np.minimum(np.maximum(column, 0, out=column), width, out=column)

    keys = polygon.repeat(rows) + (row << _FIELD) + column
    keys.sort()
    left, right = keys[0::2], keys[1::2]
    row_start = ((left >> _FIELD) & _LOW) * width
    return row_start + (left & _LOW), row_start + (right & _LOW)


def _merged(starts: Ints, ends: Ints) -> tuple[list[int], list[int]]:
    """Join spans that overlap or touch, so that each pixel is written once."""
    order = starts.argsort()
    starts, reach = starts[order], np.maximum.accumulate(ends[order])
    first = np.flatnonzero(starts[1:] > reach[:-1]) + 1
    return starts[np.append(0, first)].tolist(), reach[np.append(first, len(reach)) - 1].tolist()
