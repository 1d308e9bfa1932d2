"""Rows of pictures drawn as a figure for print: PDF with the pixels as they are, and PNG.

Pictures are embedded without loss and never resampled in the PDF; fonts are embedded as TrueType;
the same rows give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextPath

from bench.text import numbers
from reports.paper.pictures import Picture, Strip
from reports.results.disagreement import Window

DPI = 300
"""Of the PNG."""
_FAMILIES = {"sans": ["DejaVu Sans"], "serif": ["STIXGeneral", "DejaVu Sans"]}
FONTS = tuple(_FAMILIES)
_TITLE, _VALUE = 7.5, 7.0  # points
_LINE = 1.2  # of a title, in heights of its type
_MOST_LINES = 3
_GAP, _INSET_GAP = 0.03, 0.02  # inches
_INSET = 0.44  # of the picture's width
_MARK = "#ffe14d"
_CASING = [patheffects.withStroke(linewidth=1.3, foreground="#1a1a1a")]


@dataclass(frozen=True)
class Sheet:
    """How a figure is drawn.

    Attributes:
        width: Inches.
        font: One of `FONTS`.
        beneath: Whether windows stand enlarged beneath their pictures, not in a corner of them.
        decimals: Of the values under the fills; None without values.
        facts: What the files say of themselves: ``Title`` and ``Subject``.
    """

    width: float
    font: str
    beneath: bool
    decimals: int | None
    facts: Mapping[str, str]

    def cell(self, columns: int) -> float:
        """Width of a picture in inches; below 0 where so many have no room."""
        return (self.width - _GAP * (columns - 1)) / columns


def drawn(rows: Sequence[Strip], sheet: Sheet) -> dict[str, bytes]:
    """The files by their suffix, ``pdf`` and ``png``.

    Args:
        rows: At least one, each with the same columns.
        sheet: How they are laid out.
    """
    settings: Any = {
        "pdf.fonttype": 42,
        "font.family": _FAMILIES[sheet.font],
        # Names of methods are the user's: a dollar sign in one is no formula.
        "text.parse_math": False,
    }
    with matplotlib.rc_context(settings):
        figure = _figure(rows, sheet)
        title, subject = (numbers.printable(sheet.facts[each]) for each in ("Title", "Subject"))
        pdf = {"Title": title, "Subject": subject, "Creator": None, "Producer": None,
               "CreationDate": None}  # fmt: skip
        found = {"pdf": _saved(figure, "pdf", metadata=pdf)}
        for image in (image for axes in figure.axes for image in axes.images):
            image.set_interpolation("auto")  # a screen's pixels are coarser than the picture's
        png = {"Title": title, "Description": subject, "Software": None}
        found["png"] = _saved(figure, "png", dpi=DPI, metadata=png)
    return found


def _saved(figure: Figure, suffix: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=suffix, facecolor="white", **options)
    return stream.getvalue()


def _figure(rows: Sequence[Strip], sheet: Sheet) -> Figure:
    columns = len(rows[0].pictures)
    cell = sheet.cell(columns)
    titles = [_wrapped(picture.title, cell) for picture in rows[0].pictures]
    line = _LINE * _TITLE / 72
    head = line * (max(title.count("\n") for title in titles) + 1) + _GAP
    heights = [cell * row.hole.shape[0] / row.hole.shape[1] for row in rows]
    below = _GAP + (cell + _INSET_GAP if sheet.beneath else 0.0)
    below += 0.0 if sheet.decimals is None else _LINE * _VALUE / 72
    height = head + sum(heights) + below * len(rows) + line * sum(bool(row.head) for row in rows)
    figure = Figure(figsize=(sheet.width, height))
    top = height - head
    for place, title in enumerate(titles):
        x = (place * (cell + _GAP) + cell / 2) / sheet.width
        y = (top + 1.6 * _GAP) / height  # what hangs below a line needs room
        figure.text(x, y, title, size=_TITLE, ha="center", va="baseline",
                    linespacing=_LINE * 0.85)  # fmt: skip
    for row, tall in zip(rows, heights, strict=True):
        if row.head:
            top -= line
            figure.text(0, (top + 1.6 * _GAP) / height, numbers.printable(row.head), size=_TITLE,
                        weight="bold", va="baseline")  # fmt: skip
        for place, picture in enumerate(row.pictures):
            box = _Box(figure, place * (cell + _GAP), top - tall, cell, tall)
            _cell(box, picture, row.window, sheet)
        top -= tall + below
    return figure


@dataclass(frozen=True)
class _Box:
    """A place on a figure: left and lower edge, width and height in inches."""

    figure: Figure
    left: float
    bottom: float
    width: float
    height: float

    def axes(self) -> Axes:
        wide, tall = self.figure.get_size_inches()
        place = (self.left / wide, self.bottom / tall, self.width / wide, self.height / tall)
        axes = self.figure.add_axes(place)
        axes.set_axis_off()
        return axes

    def beneath(self) -> _Box:
        down = self.bottom - _INSET_GAP - self.width
        return _Box(self.figure, self.left, down, self.width, self.width)

    def corner(self, away_from: Window, shape: tuple[int, ...]) -> _Box:
        """The corner that is farthest from a window."""
        side = _INSET * min(self.width, self.height)
        is_left = away_from.left + away_from.side / 2 < shape[1] / 2
        is_top = away_from.top + away_from.side / 2 < shape[0] / 2
        left = self.left + (self.width - side if is_left else 0.0)
        bottom = self.bottom + (0.0 if is_top else self.height - side)
        return _Box(self.figure, left, bottom, side, side)


def _cell(box: _Box, picture: Picture, window: Window | None, sheet: Sheet) -> None:
    axes = box.axes()
    if picture.pixels is None:
        axes.text(0.5, 0.5, picture.problem, size=_VALUE, ha="center", va="center", color="#555555")
        axes.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor="#bbbbbb", linewidth=0.5))
        return
    _show(axes, picture.pixels)
    lower = box
    if window is not None:
        corner = (window.left - 0.5, window.top - 0.5)
        axes.add_patch(_frame(corner, window.side))
        lower = box.beneath() if sheet.beneath else box
        inset = lower if sheet.beneath else box.corner(window, picture.pixels.shape)
        rows = slice(window.top, window.top + window.side)
        part = picture.pixels[rows, window.left : window.left + window.side]
        within = inset.axes()
        _show(within, part)
        within.add_patch(_frame((-0.5, -0.5), window.side))
    if sheet.decimals is not None and not np.isnan(picture.value):
        tall = box.figure.get_size_inches()[1]
        x = (box.left + box.width / 2) / sheet.width
        text = numbers.number(picture.value, sheet.decimals)
        box.figure.text(x, (lower.bottom - 0.02) / tall, text, size=_VALUE, ha="center", va="top")


def _show(axes: Axes, pixels: np.ndarray) -> None:
    axes.imshow(pixels, interpolation="none", aspect="auto")


def _frame(corner: tuple[float, float], side: int) -> Rectangle:
    return Rectangle(corner, side, side, fill=False, edgecolor=_MARK, linewidth=0.6,
                     path_effects=_CASING, clip_on=True)  # fmt: skip


def _wrapped(title: str, width: float) -> str:
    """A title in at most three lines of a width in inches; what has no room gives way to dots."""
    lines = [""]
    for word in numbers.printable(title).split():
        for part in numbers.pieces(word):
            if lines[-1] and _wide(lines[-1] + part) > width:
                lines.append("")
            lines[-1] += part
        lines[-1] += " "
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"{lines[_MOST_LINES - 1]}…"]
    return "\n".join(_shortened(line.rstrip(), width) for line in lines)


def _shortened(line: str, width: float) -> str:
    cut = line
    while len(cut) > 1 and _wide(cut) > width:
        cut = f"{cut.rstrip('…')[:-1]}…"
    return cut


def _wide(text: str) -> float:
    """Inches that a line of a title takes."""
    font = FontProperties(family=matplotlib.rcParams["font.family"], size=_TITLE)
    return float(TextPath((0, 0), text, prop=font).get_extents().width) / 72 if text else 0.0
