"""A bar a row on a logarithmic axis, with what it stands for in words at its end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.figures.names import short
from reports.figures.shapes import Chart, Scale, axes, coloured, line, marker, shape, width

_WIDTH, _ROW, _TOP, _WORDS = 720, 24, 6, 130


@dataclass(frozen=True)
class Bar:
    """A row: label, family, value, ends of its interval (NaN for none), words at its end."""

    label: str
    family: str
    value: float
    low: float
    high: float
    words: str
    filled: bool


def bars(rows: Sequence[Bar], axis_label: str, alt: str) -> Chart:
    """Draw positive values, one a row.

    Args:
        rows: From top to bottom.
        axis_label: Of the values.
        alt: What a reader who does not see it is told.
    """
    names = short([row.label for row in rows])
    left, bottom = max(map(width, names)) + 12, _TOP + _ROW * len(rows)
    known = [v for r in rows for v in (r.value, r.low, r.high) if math.isfinite(v)]
    # A bar has no zero to stand on here: it begins at the power of ten below the least.
    low = 10.0 ** math.floor(math.log10(min(known) / 1.01))
    x = Scale(low, max(known) * 1.2, left, _WIDTH - _WORDS, log=True)
    drawn = [*axes(x, Scale(0, 1, bottom, _TOP), (axis_label, ""))]
    for place, (row, name) in enumerate(zip(rows, names, strict=True)):
        y = _TOP + _ROW * (place + 0.5)
        end = x(row.value)
        parts = [line("rate", (left, end), (y, y)), marker("", end, y, filled=row.filled)]
        if math.isfinite(row.low + row.high):
            parts.append(line("bar", (x(row.low), x(row.high)), (y, y)))
        drawn.append(coloured(row.family, *parts))
        drawn.append(shape("text", "row", text=name, x=left - 8, y=y + 4, text_anchor="end"))
        drawn.append(shape("text", "", text=row.words, x=_WIDTH, y=y + 4, text_anchor="end"))
    return Chart(_WIDTH, int(bottom) + 42, alt, drawn)
