"""Plots with one method a row: means, and differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.statistics import Interval
from reports.figures import style
from reports.figures.names import short


@dataclass(frozen=True)
class Point:
    """One row of a plot: a label, its family, a mean and whether its marker is filled."""

    label: str
    family: str
    interval: Interval
    filled: bool


def size(count: int) -> tuple[int, int]:
    """Width and height of a plot with so many rows, in points."""
    return 410, 46 + 22 * max(1, count)


def point_range(points: Sequence[Point], axis_label: str) -> bytes:
    """Draw means with their 95 % intervals, one method a row, best on top.

    Args:
        points: Rows from top to bottom; those without a finite mean are left out.
        axis_label: Metric, unit and direction.

    Returns:
        An SVG document.
    """
    shown = [p for p in points if math.isfinite(p.interval.mean)]

    def draw(axes: Axes) -> None:
        if shown:
            colour = style.QUIET
            axes.axvline(shown[0].interval.mean, color=colour, linestyle=":", linewidth=1)

    return _rows(shown, axis_label, draw)


def paired_differences(points: Sequence[Point], margin: float, axis_label: str) -> bytes:
    """Draw differences from the best method, with a line at zero and the margin as a band.

    Args:
        points: Rows from top to bottom; those without a finite mean are left out.
        margin: Half the width of the band; none is drawn for NaN.
        axis_label: What is subtracted from what.

    Returns:
        An SVG document.
    """

    def draw(axes: Axes) -> None:
        if math.isfinite(margin):
            axes.axvspan(-margin, margin, color=style.BAND, linewidth=0, zorder=0)
        axes.axvline(0, color=style.INK, linewidth=1, zorder=1)

    return _rows([p for p in points if math.isfinite(p.interval.mean)], axis_label, draw)


def _rows(shown: Sequence[Point], axis_label: str, draw: Callable[[Axes], None]) -> bytes:
    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        draw(axes)
        for row, point in enumerate(shown):
            _draw(axes, row, point)
        dress(axes, [point.label for point in shown], axis_label)
        axes.margins(x=0.04)

    return style.drawn(size(len(shown)), fill)


def _draw(axes: Axes, row: int, point: Point) -> None:
    marker, colour = style.look(point.family)
    interval = point.interval
    if math.isfinite(interval.half_width):
        axes.plot([interval.low, interval.high], [row, row], color=colour, linewidth=2.2,
                  solid_capstyle="round", zorder=2)  # fmt: skip
    axes.plot([interval.mean], [row], marker=marker, markersize=7, color=colour, zorder=3,
              markerfacecolor=colour if point.filled else style.PAPER)  # fmt: skip


def dress(axes: Axes, names: Sequence[str], axis_label: str) -> None:
    """Names at the left, a grid, no frame."""
    style.plain(axes, (axis_label, ""))
    axes.grid(visible=False, axis="y")
    axes.set_yticks(range(len(names)), short(names))
    axes.set_ylim(max(len(names), 1) - 0.4, -0.6)
    axes.tick_params(axis="y", colors=style.INK, pad=8)
