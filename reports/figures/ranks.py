"""Average ranks, with bars over methods that cannot be told apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures import style
from reports.numbers import printable

_WIDTH = 470
_ROW, _BAR = 0.2, 0.1


@dataclass(frozen=True)
class Rank:
    """One method: its name, its family, its average rank."""

    label: str
    family: str
    mean: float


def ranks_size(count: int, bars: int) -> tuple[int, int]:
    """Width and height of a diagram of so many methods and bars, in points."""
    return _WIDTH, round(56 + 90 * (_ROW * math.ceil(count / 2) + _BAR * bars))


def critical_difference(
    ranks: Sequence[Rank], bars: Sequence[tuple[int, int]], scheme: str
) -> bytes:
    """Draw a scale of ranks, the best at the right, names folded to both sides under it.

    Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 2006.

    Args:
        ranks: The best first.
        bars: First place, and the one after the last, of methods that cannot be told apart.
        scheme: ``light`` or ``dark``.

    Returns:
        An SVG document.
    """
    count = len(ranks)
    depth = _ROW * math.ceil(count / 2) + _BAR * len(bars) + 0.12

    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.set_xlim(count + 0.55 * (count - 1), 1 - 0.55 * (count - 1))
        axes.set_ylim(-depth, 0.14)
        axes.set_axis_off()
        _scale(axes, count, scheme)
        for row, (start, stop) in enumerate(bars):
            y = -_BAR * (row + 0.8)
            ends = ranks[start].mean - 0.03 * count, ranks[stop - 1].mean + 0.03 * count
            axes.plot(ends, [y, y], color=style.INK[scheme], linewidth=3.2,
                      solid_capstyle="round", zorder=3)  # fmt: skip
        for place, rank in enumerate(ranks):
            _name(axes, rank, place, count, _BAR * len(bars), scheme)

    return style.drawn(ranks_size(count, len(bars)), fill)


def _scale(axes: Axes, count: int, scheme: str) -> None:
    axes.plot([1, count], [0, 0], color=style.QUIET[scheme], linewidth=1)
    for tick in range(1, count + 1):
        axes.plot([tick, tick], [0, 0.03], color=style.QUIET[scheme], linewidth=1)
        axes.text(tick, 0.05, str(tick), ha="center", va="bottom", color=style.QUIET[scheme])


def _name(axes: Axes, rank: Rank, place: int, count: int, bars: float, scheme: str) -> None:
    """The better half at the right, from the best down; the others at the left, likewise."""
    marker, colour = style.look(rank.family, scheme)
    better = place < (count + 1) // 2
    row = place if better else count - 1 - place
    y = -bars - _ROW * (row + 0.75)
    edge = 1 - 0.06 * (count - 1) if better else count + 0.06 * (count - 1)
    axes.plot([rank.mean, rank.mean, edge], [0, y, y], color=colour, linewidth=1, zorder=1)
    axes.plot([rank.mean], [0], marker=marker, markersize=6, color=colour, zorder=4)
    words = f"{rank.mean:.2f}  {rank.label}" if better else f"{rank.label}  {rank.mean:.2f}"
    gap = 0.02 * (count - 1)
    axes.text(edge - gap if better else edge + gap, y, printable(words), va="center",
              ha="left" if better else "right", color=style.INK[scheme])  # fmt: skip
