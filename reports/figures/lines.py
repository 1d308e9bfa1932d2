"""Lines, and one figure of each method against another, with names beside the axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures import style
from reports.figures.names import short
from reports.figures.rows import Point

LINES_SIZE = (470, 330)
"""Width and height of a plot of lines, in points."""
SCATTER_SIZE = (470, 320)
"""Width and height of a plot of one figure against another, in points."""
_APART = 0.06  # between names, of the height


@dataclass(frozen=True)
class Line:
    """One line of a plot: a label, its family, its points, and the ends of a band around them."""

    label: str
    family: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float]] = ()


def lines(curves: Sequence[Line], axes_labels: tuple[str, str]) -> bytes:
    """Draw lines with names at the right; those of a family differ by their stroke.

    Args:
        curves: Of different names.
        axes_labels: Of the horizontal and the vertical axis.

    Returns:
        An SVG document.
    """

    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        for line, stroke in zip(curves, style.strokes([c.family for c in curves]), strict=True):
            marker, colour = style.look(line.family)
            axes.plot(*zip(*line.points, strict=True), marker=marker, markersize=3.5, color=colour,
                      linewidth=1.6, linestyle=stroke)  # fmt: skip
        name_ends(axes, [(line.label, *line.points[-1]) for line in curves])
        style.plain(axes, axes_labels)

    return style.drawn(LINES_SIZE, fill)


def scatter(points: Sequence[tuple[float, Point]], axes_labels: tuple[str, str]) -> bytes:
    """Draw one figure of each method against another, names at the right.

    Args:
        points: Horizontal place, and the row with the vertical one.
        axes_labels: Of the horizontal and the vertical axis.

    Returns:
        An SVG document.
    """

    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        for x, point in points:
            marker, colour = style.look(point.family)
            low, high = point.interval.low, point.interval.high
            if math.isfinite(high - low):
                axes.plot([x, x], [low, high], color=colour, linewidth=1.6, zorder=2)
            inside = colour if point.filled else style.PAPER
            axes.plot([x], [point.interval.mean], marker=marker, markersize=7, color=colour,
                      markerfacecolor=inside, zorder=3)  # fmt: skip
        axes.margins(0.08)
        name_ends(axes, [(point.label, x, point.interval.mean) for x, point in points])
        style.plain(axes, axes_labels)

    return style.drawn(SCATTER_SIZE, fill)


def name_ends(axes: Axes, ends: Sequence[tuple[str, float, float]]) -> None:
    """Write names beside the axes, as near to the height of their points as there is room."""
    arrow = {"arrowstyle": "-", "color": style.GRID, "linewidth": 0.8}
    ordered = sorted(ends, key=lambda each: each[2])
    # Through the scale of the axis, which may be logarithmic.
    inside = axes.transAxes.inverted()
    places = [float(inside.transform(axes.transData.transform((x, y)))[1]) for _, x, y in ordered]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + _APART)
    for i in reversed(range(len(places))):
        places[i] = min(places[i], 1 - (len(places) - 1 - i) * _APART)
    names = short([label for label, _, _ in ordered])
    for name, (_, x, y), place in zip(names, ordered, places, strict=True):
        axes.annotate(
            name, (x, y), (1.03, place), textcoords="axes fraction", va="center",
            color=style.INK, zorder=1, annotation_clip=False, arrowprops=arrow,
        )  # fmt: skip
