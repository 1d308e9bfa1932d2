"""Small multiples: one panel a method, the others behind it in grey."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.text.numbers import printable
from reports.figures import style
from reports.figures.lines import Line
from reports.figures.names import short

_COLUMNS = 3
_LONGEST_TITLE = 26
_BEHIND = 20  # points drawn of a curve behind another


def panels_size(count: int) -> tuple[int, int]:
    """Width and height of so many panels, in points."""
    return 470, 48 + 100 * math.ceil(count / _COLUMNS)


def panels(curves: Sequence[Line], axes_labels: tuple[str, str], *, log: bool = False) -> bytes:
    """Draw a panel for each curve, all on the same axes.

    Args:
        curves: In the order of the panels, row by row.
        axes_labels: Of the horizontal and the vertical axis.
        log: Whether the horizontal axis is logarithmic.

    Returns:
        An SVG document.
    """
    rows = math.ceil(len(curves) / _COLUMNS)

    def fill(figure: Figure) -> None:
        grid = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
        names = short([curve.label for curve in curves], _LONGEST_TITLE)
        for axes, curve, name in zip(grid, curves, names, strict=False):
            _draw(axes, curve, curves)
            axes.set_title(name, fontsize=8.5, color=style.INK, pad=3)
        _ticks(grid[0], log=log)
        for axes in grid[len(curves) :]:
            axes.set_visible(False)
        for above in grid[max(0, len(curves) - _COLUMNS) : len(curves)]:
            above.tick_params(labelbottom=True)  # where nothing is below
        figure.supxlabel(printable(axes_labels[0]), fontsize=9.5, color=style.QUIET)
        figure.supylabel(printable(axes_labels[1]), fontsize=9.5, color=style.QUIET)

    return style.drawn(panels_size(len(curves)), fill)


def _draw(axes: Axes, curve: Line, every: Sequence[Line]) -> None:
    style.plain(axes, ("", ""))
    for other in every:
        step = max(1, len(other.points) // _BEHIND)
        axes.plot(*zip(*other.points[::step], strict=True), color=style.GRID, linewidth=0.8,
                  zorder=1)  # fmt: skip
    _, colour = style.look(curve.family)
    x = [place for place, _ in curve.points]
    if curve.band:
        low, high = zip(*curve.band, strict=True)
        axes.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0, zorder=1.5)
    axes.plot(x, [y for _, y in curve.points], color=colour, linewidth=1.8, zorder=2)


def _ticks(axes: Axes, *, log: bool) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(3))
    if not log:
        axes.xaxis.set_major_locator(MaxNLocator(4))
        return
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    steps = [m * 10.0**e for e in range(-3, 6) for m in (1, 3)]
    style.ticks(axes.xaxis, [step for step in steps if low <= step <= high], "g")
