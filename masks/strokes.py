"""Shapes made of lines: brush strokes, scratches, text; one hole each.

The rules of `masks.shapes` hold: a seeded generator in, a mask and its numbers out, the area
aimed at. Lengths are given in pixels at a short side of 256 and scale with it, but nothing
becomes thinner than a pixel. Brush strokes follow LaMa (Suvorov et al., WACV 2022).
"""

from __future__ import annotations

import numpy as np

from masks.letters import INK, LETTERS
from masks.raster import COSINE, SINE, SUB, TURN, UNIT, Ints, capsules, fill_polygons
from masks.shapes import Drawn, before_overlap, place

Range = tuple[int, int]

_PIXEL = SUB * SUB  # area of a pixel in sub-pixels


def strokes(
    rng: np.random.Generator, height: int, width: int, area: int, *, widths: Range, lengths: Range
) -> Drawn:
    """Draw free-form brush strokes: chains of thick segments that turn at random.

    Args:
        rng: Source of randomness.
        height: Of the mask, in pixels.
        width: Of the mask, in pixels.
        area: Hole pixels wanted.
        widths: Least and greatest thickness, in pixels at 256.
        lengths: Least and greatest length of a segment, in pixels at 256.

    Returns:
        The mask, ``(height, width)``, True in the hole, and the numbers chosen.
    """
    thin, thick = _scaled(widths, height, width)
    short, long = _scaled(lengths, height, width)
    goal = before_overlap(area, height * width) * _PIXEL
    most = goal // (thin * short) + 1
    length = rng.integers(short, long + 1, most)
    begins = rng.integers(0, 3, most) == 0
    begins[0] = True
    stroke = begins.cumsum() - 1
    thickness = rng.integers(thin, thick + 1, most)[stroke]
    drawn = (length * thickness + begins * thickness * thickness * 3 // 4).cumsum()
    count = int(drawn.searchsorted(goal)) + 1
    length, begins, thickness = length[:count], begins[:count], thickness[:count]
    length[-1] -= min(int(length[-1]), max(0, int(drawn[count - 1] - goal)) // int(thickness[-1]))

    turns = rng.integers(-TURN * 5 // 16, TURN * 5 // 16 + 1, count)
    heading = (turns + begins * rng.integers(0, TURN, count)).cumsum() % TURN
    starts = np.flatnonzero(begins)[stroke[:count]]
    ends = []
    for unit, size in ((COSINE, width * SUB), (SINE, height * SUB)):
        step = length * unit[heading] // UNIT
        start = rng.integers(0, size, count)
        path = step.cumsum()
        end = path - (path - step)[starts] + start[starts]
        ends += [_folded(end - step, size), _folded(end, size)]
    x, x_end, y, y_end = ends
    sides = 4 if thick < 12 * SUB else 16
    mask = fill_polygons(*capsules(x, y, x_end, y_end, thickness // 2, sides), height, width)
    return mask, {
        "strokes": int(begins.sum()),
        "segments": count,
        "widths": _range_in_pixels(thickness),
    }


def scratches(rng: np.random.Generator, height: int, width: int, area: int) -> Drawn:
    """Draw long thin scratches that run roughly one way, and specks of dust.

    Args, returns: as in `strokes`.
    """
    pieces = 4
    thin, thick = _scaled((1, 4), height, width)
    short, long = _scaled((50, 260), height, width)
    goal = before_overlap(area, height * width) * _PIXEL
    length = rng.integers(short, long + 1, goal // (thin * short) + 1)
    # Mostly thin ones: the smaller of two draws.
    thickness = rng.integers(thin, thick + 1, (2, len(length), 1)).min(axis=0)
    count = int((length * thickness[:, 0]).cumsum().searchsorted(goal)) + 1
    length, thickness = length[:count, None] // pieces, thickness[:count]
    main = int(rng.integers(0, TURN))
    spread = int(rng.integers(2, 12))
    heading = main + rng.integers(-spread, spread + 1, (count, 1))
    heading = (heading + rng.integers(-2, 3, (count, pieces)).cumsum(axis=1)) % TURN
    step_x, step_y = length * COSINE[heading] // UNIT, length * SINE[heading] // UNIT
    middle_x = rng.integers(0, width * SUB, (count, 1))
    middle_y = rng.integers(0, height * SUB, (count, 1))
    x_end = step_x.cumsum(axis=1) + middle_x - step_x.sum(axis=1, keepdims=True) // 2
    y_end = step_y.cumsum(axis=1) + middle_y - step_y.sum(axis=1, keepdims=True) // 2
    # The thickness wavers along a scratch; it never falls below the least.
    half = np.maximum(thickness - rng.integers(0, thick // 3 + 1, (count, pieces)), thin) // 2

    lines = np.stack((x_end - step_x, y_end - step_y, x_end, y_end, half)).reshape(5, -1)

    specks = int(rng.integers(count + 1))
    speck_x = rng.integers(0, width * SUB, specks)
    speck_y = rng.integers(0, height * SUB, specks)
    speck_radius = rng.integers(thin, thick + 1, specks) // 2
    dots = np.stack((speck_x, speck_y, speck_x, speck_y, speck_radius))
    x, y, x_end, y_end, radius = np.concatenate((lines, dots), axis=1)
    mask = fill_polygons(*capsules(x, y, x_end, y_end, radius, sides=2), height, width)
    return mask, {"scratches": count, "specks": specks, "direction": main, "spread": spread}


def text(rng: np.random.Generator, height: int, width: int, area: int) -> Drawn:
    """Draw lines of letters, as a caption or a watermark.

    Args, returns: as in `strokes`.
    """
    smallest, tallest = _scaled((14, 44), height, width)
    letter = max(int(rng.integers(smallest, tallest + 1)), 7 * SUB)
    thickness = max(letter // int(rng.integers(4, 8)), SUB * 5 // 4)
    advance, pitch = letter * 11 // 12, letter * 3 // 2
    columns, lines = max(width * SUB // advance, 1), max(height * SUB // pitch, 1)
    wanted = area * _PIXEL * 6 // (INK * letter * thickness) + 1
    glyphs = min(wanted + wanted // 6, columns * lines)  # every seventh place is a blank
    columns = int(rng.integers(max(min(glyphs, columns) // 2, -(-glyphs // lines)), columns + 1))
    columns = min(columns, glyphs)
    lines = -(-glyphs // columns)

    kinds = rng.integers(0, len(LETTERS.pieces), glyphs)
    shown = rng.integers(0, 7, glyphs) > 0
    shown[0] = True
    spot, kinds = np.flatnonzero(shown), kinds[shown]
    pieces = LETTERS.pieces[kinds]
    glyph = np.arange(len(kinds)).repeat(pieces)
    piece = np.arange(len(glyph)) - (pieces.cumsum() - pieces - LETTERS.first[kinds])[glyph]
    ends = LETTERS.segments[piece] * letter // 6
    left = (spot % columns * advance)[glyph] + place(rng, columns * advance, width * SUB)
    top = (spot // columns * pitch)[glyph] + place(rng, lines * pitch, height * SUB) + letter // 4
    slant = int(rng.integers(-6, 7))
    x, x_end = ends[:, 0] + left, ends[:, 2] + left
    middle = width * SUB // 2
    y = ends[:, 1] + top + (x - middle) * slant // 64
    y_end = ends[:, 3] + top + (x_end - middle) * slant // 64
    radius = np.full(len(x), thickness // 2)
    mask = fill_polygons(*capsules(x, y, x_end, y_end, radius, sides=2), height, width)
    return mask, {
        "letters": len(kinds),
        "lines": lines,
        "letter_height": letter // SUB,
        "thickness": thickness // SUB,
        "slant": slant,
    }


def _scaled(pixels: Range, height: int, width: int) -> Range:
    """Bring lengths at 256 to this size, in sub-pixels; at least a little over one pixel."""
    low, high = (max(SUB * p * min(height, width) // 256, SUB * 5 // 4) for p in pixels)
    return low, high


def _folded(position: Ints, size: int) -> Ints:
    """Mirror a path at both edges so that it stays inside."""
    return size - abs(position % (2 * size) - size)


def _range_in_pixels(lengths: Ints) -> list[int]:
    return [int(lengths.min()) // SUB, int(lengths.max()) // SUB]
