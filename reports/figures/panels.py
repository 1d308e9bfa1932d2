"""Small multiples: one panel a method, the others behind it in grey."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from reports.figures import style
from reports.numbers import printable

_COLUMNS = 3
_BEHIND = 5  # of the points of a curve behind, one in so many is drawn


@dataclass(frozen=True)
class Shares:
    """One method: its name, its family, and values with the share of cases up to each."""

    label: str
    family: str
    values: Sequence[float]
    shares: Sequence[float]


def panels_size(count: int) -> tuple[int, int]:
    """Width and height of so many panels, in points."""
    return 470, 44 + 100 * math.ceil(count / _COLUMNS)


def distributions(curves: Sequence[Shares], axis_label: str, scheme: str) -> bytes:
    """Draw the share of cases up to each value, one panel a method, all on the same axes.

    Args:
        curves: In the order of the panels, row by row.
        axis_label: Of the values.
        scheme: ``light`` or ``dark``.

    Returns:
        An SVG document.
    """
    rows = math.ceil(len(curves) / _COLUMNS)

    def fill(figure: Figure) -> None:
        grid = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, curve in zip(grid, curves, strict=False):
            style.plain(axes, ("", ""), scheme)
            for other in curves:
                axes.plot(other.values[::_BEHIND], other.shares[::_BEHIND],
                          color=style.GRID[scheme], linewidth=0.8, zorder=1)  # fmt: skip
            _, colour = style.look(curve.family, scheme)
            axes.plot(curve.values, curve.shares, color=colour, linewidth=1.8, zorder=2)
            axes.set_title(printable(curve.label), fontsize=8.5, color=style.INK[scheme], pad=3)
            axes.set_yticks([0, 0.5, 1], ["0", "½", "1"])
            axes.grid(visible=False, axis="x")
        for axes in grid[len(curves) :]:
            axes.set_visible(False)
        figure.supxlabel(printable(axis_label), fontsize=9.5, color=style.QUIET[scheme])
        figure.supylabel("share of cases", fontsize=9.5, color=style.QUIET[scheme])

    return style.drawn(panels_size(len(curves)), fill)
