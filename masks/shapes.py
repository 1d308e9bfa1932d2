"""Shapes that cover an area: boxes, blobs, polygons, borders, half a picture; one hole each.

Every function takes a seeded generator, the size of the mask and the area wanted, and returns
the mask and the numbers it chose. The area is aimed at, not promised: overlaps and the edge of
the picture take some away; `masks.tiers` repeats until the share is right. Lengths are given in
pixels at a short side of 256 and scale with it, but nothing becomes thinner than a pixel.

Ideas: boxes and borders after LaMa (Suvorov et al., WACV 2022), half a picture after EdgeConnect
(Nazeri et al., 2019), polygons after annotations drawn with labelme.
"""

from __future__ import annotations

import math

import numpy as np

from masks.raster import COSINE, SINE, SUB, TURN, UNIT, Ints, Mask, fill_polygons

Parameters = dict[str, int | str | list[int]]
Drawn = tuple[Mask, Parameters]

_PIXEL = SUB * SUB  # area of a pixel in sub-pixels


def boxes(
    rng: np.random.Generator, height: int, width: int, area: int, *, most: int, side: int
) -> Drawn:
    """Draw upright rectangles that may overlap.

    Args:
        rng: Source of randomness.
        height: Of the mask, in pixels.
        width: Of the mask, in pixels.
        area: Hole pixels wanted.
        most: Greatest number of boxes, unless ``side`` asks for more.
        side: Greatest side of a box, in pixels at 256.

    Returns:
        The mask, ``(height, width)``, True in the hole, and the numbers chosen.
    """
    limit = max(side * min(height, width) // 256, 1)
    area = before_overlap(area, height * width)
    count = max(int(rng.integers(1, most + 1)), -(-area * 3 // (2 * limit * limit)))
    mask = np.zeros((height, width), dtype=np.bool_)
    corners: list[int] = []
    for share in _parts(rng, area, count):
        tall = math.isqrt(share * int(rng.integers(6, 41)) // 16)
        tall = min(max(tall, -(-share // width), 1), height)
        wide = min(max(share // tall, 1), width)
        if side < 256:
            tall, wide = min(tall, limit), min(wide, limit)
        top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
        mask[top : top + tall, left : left + wide] = True
        corners += [top, left, tall, wide]
    return mask, {"boxes": count, "top_left_height_width": corners[:80]}


def blobs(rng: np.random.Generator, height: int, width: int, area: int, *, most: int) -> Drawn:
    """Draw compact shapes with a smooth irregular outline, like silhouettes of objects.

    Args:
        rng: Source of randomness.
        height: Of the mask, in pixels.
        width: Of the mask, in pixels.
        area: Hole pixels wanted.
        most: Greatest number of blobs.

    Returns:
        The mask, ``(height, width)``, True in the hole, and the numbers chosen.
    """
    count = int(rng.integers(1, most + 1))
    angle = np.arange(TURN)
    outlines = []
    for share in _parts(rng, area, count):
        radius = np.full(TURN, UNIT)
        for wave in range(2, 7):
            strength = int(rng.integers(0, UNIT // (wave + 1)))
            phase = int(rng.integers(TURN))
            radius += strength * COSINE[(wave * angle + phase) % TURN] // UNIT
        # Waves may dig through the centre together; an outline keeps a core.
        radius = np.maximum(radius, UNIT // 4)
        outlines.append(_outline(rng, angle, radius, share, height, width))
    mask = _filled(outlines, height, width)
    return mask, {"blobs": count}


def polygons(rng: np.random.Generator, height: int, width: int, area: int, *, most: int) -> Drawn:
    """Draw polygons with few corners, as an annotator clicks them around an object.

    Args, returns: as in `blobs`.
    """
    count = int(rng.integers(1, most + 1))
    outlines, corners = [], []
    for share in _parts(rng, area, count):
        points = int(rng.integers(5, 13))
        sector = TURN // points
        # One corner in each sector: the polygon never crosses itself.
        angle = np.arange(points) * TURN // points + rng.integers(0, sector * 3 // 4 + 1, points)
        radius = rng.integers(UNIT * 9 // 20, UNIT + 1, points)
        spare = np.full(12 - points, points - 1)
        order = np.append(np.arange(points), spare)
        outlines.append(_outline(rng, angle[order] % TURN, radius[order], share, height, width))
        corners.append(points)
    return _filled(outlines, height, width), {"polygons": count, "corners": corners}


def border(rng: np.random.Generator, height: int, width: int, area: int) -> Drawn:
    """Leave only an inner window known, as in outpainting; two to four sides are hole.

    Args, returns: as in `half`.
    """
    # Top, bottom, left, right; a third are whole frames.
    sides = [1, 1, 1, 1] if rng.integers(3) == 0 else [0, 0, 0, 0]
    while sum(sides) < 2:
        sides = rng.integers(0, 2, 4).tolist()
    top, bottom, left, right = sides
    known = height * width - area
    if not (left or right):
        inner_width = width
    elif not (top or bottom):
        inner_width = known // height
    else:
        # Both directions lose something: at least a sixteenth of the side each.
        least = -(-known * 17 // (16 * height))
        inner_width = int(rng.integers(least, max(width * 15 // 16, least) + 1))
    inner_width = min(max(inner_width, 1), width)
    inner_height = min(max(known // inner_width, 1), height)
    first_row = _margin(rng, height - inner_height, top, bottom)
    first_column = _margin(rng, width - inner_width, left, right)
    mask = np.ones((height, width), dtype=np.bool_)
    mask[first_row : first_row + inner_height, first_column : first_column + inner_width] = False
    known_box = [first_row, first_column, inner_height, inner_width]
    return mask, {"sides": sides, "known_top_left_height_width": known_box}


def half(rng: np.random.Generator, height: int, width: int, area: int) -> Drawn:
    """Take one side of the picture away, up to a straight edge that may be slanted.

    Args:
        rng: Source of randomness.
        height: Of the mask, in pixels.
        width: Of the mask, in pixels.
        area: Hole pixels wanted.

    Returns:
        The mask, ``(height, width)``, True in the hole, and the numbers chosen.
    """
    side = int(rng.integers(4))
    across, along = (width, height) if side < 2 else (height, width)
    middle = area * SUB // along
    room = min(middle, across * SUB - middle, across * SUB // 3)
    slant = int(rng.integers(-room, room + 1)) if rng.integers(3) else 0
    x = np.array([[0, middle + slant, middle - slant, 0]])
    y = np.array([[0, 0, along * SUB, along * SUB]])
    mask = fill_polygons(x, y, along, across)
    if side % 2:
        mask = mask[:, ::-1]
    mask = np.ascontiguousarray(mask if side < 2 else mask.T)
    return mask, {"side": ("left", "right", "top", "bottom")[side], "slant": slant // SUB}


def before_overlap(area: int, pixels: int) -> int:
    """Sum of areas whose union is ``area`` if they fall at random: -ln(1 - share), to the cube."""
    return area + area * area // (2 * pixels) + area * area // pixels * area // (3 * pixels)


def _parts(rng: np.random.Generator, area: int, count: int) -> list[int]:
    """Cut an area into parts of which the greatest is at most three times the least."""
    weights = rng.integers(100, 301, count).tolist()
    total = sum(weights)
    return [max(area * weight // total, 1) for weight in weights]


def _outline(
    rng: np.random.Generator, angle: Ints, radius: Ints, area: int, height: int, width: int
) -> tuple[Ints, Ints]:
    """Stretch, turn, scale to the area and place a star-shaped outline; in sub-pixels."""
    stretch, turn = int(rng.integers(10, 25)), int(rng.integers(TURN))
    x = radius * COSINE[angle] // UNIT
    y = radius * SINE[angle] // UNIT * stretch // 16
    x, y = (x * COSINE[turn] - y * SINE[turn]) // UNIT, (x * SINE[turn] + y * COSINE[turn]) // UNIT
    twice = abs(int((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()))
    scale = math.isqrt((2 * area * _PIXEL << 32) // twice)
    x, y = x * scale >> 16, y * scale >> 16
    tall, wide = int(np.ptp(y)) + 1, int(np.ptp(x)) + 1
    # What is too tall or too wide for the picture is squeezed there and stretched across.
    fit_tall, fit_wide = height * SUB * 15 // 16, width * SUB * 15 // 16
    if tall > fit_tall:
        x, y = x * tall // fit_tall, y * fit_tall // tall
    elif wide > fit_wide:
        x, y = x * fit_wide // wide, y * wide // fit_wide
    tall, wide = int(np.ptp(y)), int(np.ptp(x))
    x += place(rng, wide, width * SUB, wide // 8) - int(x.min())
    y += place(rng, tall, height * SUB, tall // 8) - int(y.min())
    return x, y


def place(rng: np.random.Generator, length: int, size: int, overhang: int = 0) -> int:
    """Choose where a length begins within a size, or centre it if it is too long."""
    spare = size - length
    if spare < 0:
        return spare // 2
    return int(rng.integers(-overhang, spare + overhang + 1))


def _margin(rng: np.random.Generator, spare: int, before: int, after: int) -> int:
    """Split what is left over between the two ends that are hole."""
    if before and after:
        return spare * int(rng.integers(4, 13)) // 16
    return spare if before else 0


def _filled(outlines: list[tuple[Ints, Ints]], height: int, width: int) -> Mask:
    x, y = (np.stack(axis) for axis in zip(*outlines, strict=True))
    return fill_polygons(x, y, height, width)
