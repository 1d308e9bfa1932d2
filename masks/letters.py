"""A small alphabet of straight strokes, for holes that look like text."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from masks.raster import Ints

# Each word is a polyline of (x, y) digits on a grid 4 wide and 6 high, y downwards.
_SHAPES = {
    "A": "062046 1434",
    "C": "4130100105163645",
    "D": "00062644422000",
    "E": "40000646 0333",
    "F": "400006 0333",
    "H": "0006 4046 0343",
    "I": "2026",
    "K": "0006 400346",
    "L": "000646",
    "M": "0600234046",
    "N": "06004640",
    "O": "103041453616050110",
    "P": "06003041423303",
    "R": "06003041423303 2346",
    "S": "41301001024445361605",
    "T": "0040 2026",
    "U": "000516364540",
    "V": "002640",
    "W": "0016233640",
    "X": "0046 4006",
    "Y": "002340 2326",
    "Z": "00400646",
}

INK = 15
"""Mean length of the strokes of a letter, in grid units."""


class Alphabet(NamedTuple):
    """All letters as one list of segments.

    Attributes:
        segments: ``x, y, x_end, y_end`` on the grid, ``(S, 4)``.
        first: Index of each letter's first segment.
        pieces: Number of segments of each letter.
    """

    segments: Ints
    first: Ints
    pieces: Ints


def _alphabet() -> Alphabet:
    segments: list[tuple[int, ...]] = []
    counts = []
    for polylines in _SHAPES.values():
        before = len(segments)
        for line in polylines.split():
            segments += [tuple(map(int, line[i : i + 4])) for i in range(0, len(line) - 2, 2)]
        counts.append(len(segments) - before)
    count = np.array(counts, dtype=np.int64)
    return Alphabet(np.array(segments, dtype=np.int64), count.cumsum() - count, count)


LETTERS = _alphabet()
