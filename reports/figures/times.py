"""Time: samples of each method on a line, and time against size or share of the hole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures import style
from reports.figures.lines import Line, name_ends
from reports.figures.rows import dress

TIMES_SIZE = (470, 330)
"""Width and height of a plot of time against something, in points."""
MOST_SAMPLES = 400  # of a method drawn
_STEPS = [m * 10.0**e for e in range(-3, 7) for m in (1, 2, 5)]


@dataclass(frozen=True)
class Samples:
    """One row of a plot of samples.

    Attributes:
        label: Name.
        family: Its family.
        times: Milliseconds, any number.
        marks: Times that are marked by a tick, such as percentiles; NaN for none.
    """

    label: str
    family: str
    times: np.ndarray
    marks: Sequence[float]


def samples_size(count: int) -> tuple[int, int]:
    """Width and height of so many rows, in points."""
    return 470, 46 + 26 * max(1, count)


def samples(rows: Sequence[Samples], axis_label: str) -> bytes:
    """Draw every sample as a faint dot, the middle half as a box, marks as ticks.

    Args:
        rows: From top to bottom.
        axis_label: Of the horizontal axis, which is logarithmic.

    Returns:
        An SVG document; the dots are a bitmap in it.
    """

    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            _draw(axes, place, row)
        dress(axes, [row.label for row in rows], axis_label)
        _logarithmic(axes, "x")

    return style.drawn(samples_size(len(rows)), fill)


def against(
    curves: Sequence[Line],
    axes_labels: tuple[str, str],
    *,
    doublings: bool = False,
    gone: Sequence[tuple[str, str, float]] = (),
) -> bytes:
    """Draw time on a logarithmic axis against something, names at the right.

    Args:
        curves: Milliseconds by place.
        axes_labels: Of the horizontal and the vertical axis.
        doublings: Whether places are sides in pixels: the axis is then logarithmic too, and a
            dashed guide shows time that grows with the number of pixels.
        gone: Label, family and place of what could not be timed, a cross at the upper edge.

    Returns:
        An SVG document.
    """

    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        for line, stroke in zip(curves, style.strokes([c.family for c in curves]), strict=True):
            marker, colour = style.look(line.family)
            axes.plot(*zip(*line.points, strict=True), marker=marker, markersize=4, color=colour,
                      linewidth=1.6, linestyle=stroke, zorder=2)  # fmt: skip
        style.plain(axes, axes_labels)
        _logarithmic(axes, "y")
        if doublings:
            places = sorted({place for line in curves for place, _ in line.points})
            axes.set_xscale("log")
            style.ticks(axes.xaxis, places, ".0f")
            _guide(axes, places, min(y for line in curves for _, y in line.points))
        top = axes.get_ylim()[1]
        for _, family, place in gone:
            axes.plot([place], [top], marker="x", markersize=8, markeredgewidth=2, clip_on=False,
                      color=style.look(family)[1], zorder=3)  # fmt: skip
        name_ends(axes, [(line.label, *line.points[-1]) for line in curves])

    return style.drawn(TIMES_SIZE, fill)


def _draw(axes: Axes, place: int, row: Samples) -> None:
    _, colour = style.look(row.family)
    step = max(1, math.ceil(len(row.times) / MOST_SAMPLES))
    shown = row.times[::step]
    # Spread by the golden ratio: even, and the same in every build.
    heights = place + 0.34 * (2 * ((np.arange(len(shown)) * 0.618034) % 1) - 1)
    axes.plot(shown, heights, linestyle="", marker=".", markersize=3, color=colour, alpha=0.3,
              rasterized=True, zorder=1)  # fmt: skip
    low, high = np.quantile(row.times, (0.25, 0.75))
    axes.barh(place, high - low, left=low, height=0.5, color="none", edgecolor=colour,
              linewidth=1.4, zorder=2)  # fmt: skip
    for mark in row.marks:
        if math.isfinite(mark):
            axes.plot([mark, mark], [place - 0.38, place + 0.38], color=style.INK, linewidth=1.6,
                      zorder=3)  # fmt: skip


def _logarithmic(axes: Axes, which: str) -> None:
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    inside = [step for step in _STEPS if low <= step <= high]
    if len(inside) > 6:
        inside = [step for step in inside if f"{step:e}"[0] == "1"]
    style.ticks(axis, inside, ",g")


def _guide(axes: Axes, places: Sequence[float], start: float) -> None:
    """Time that grows with the number of pixels, from the fastest point on."""
    grown = [start * (place / places[0]) ** 2 for place in places]
    axes.plot(places, grown, color=style.QUIET, linewidth=1, linestyle=(0, (4, 2)), zorder=1)
