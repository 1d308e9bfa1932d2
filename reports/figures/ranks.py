"""Average ranks, with bars that join methods without a significant difference."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from reports.figures import style
from reports.figures.rows import Point, dress, size

_APART = 0.35  # of the bars, in ranks


def critical_difference(
    points: Sequence[Point], bars: Sequence[Sequence[int]], axis_label: str
) -> bytes:
    """Draw average ranks, one method a row, the best on top and at the right, bars beside them.

    A diagram of critical differences (Demsar, "Statistical comparisons of classifiers over
    multiple data sets", JMLR 2006) on its side, so that names of any length can be read.

    Args:
        points: The best first.
        bars: Places of methods without a significant difference, rising; each gets a dot.
        axis_label: Of the ranks.

    Returns:
        An SVG document.
    """

    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        for row, point in enumerate(points):
            marker, colour = style.look(point.family)
            axes.plot([1, point.interval.mean], [row, row], color=style.GRID, linewidth=1, zorder=1)
            axes.plot([point.interval.mean], [row], marker=marker, markersize=7, color=colour,
                      zorder=3)  # fmt: skip
        dress(axes, [point.label for point in points], axis_label)
        axes.set_xlim(len(points) + 0.3, 0.7 - _APART * len(bars))
        axes.set_xticks(range(1, len(points) + 1, 1 + len(points) // 12))
        for number, places in enumerate(bars):
            x = 0.6 - _APART * number
            axes.plot([x] * len(places), places, color=style.INK, linewidth=1.4, marker="o",
                      markersize=5)  # fmt: skip

    return style.drawn(size(len(points)), fill)
