"""Quality against time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures import labels, style
from reports.figures.rows import Point

PARETO_SIZE = (390, 370)
"""Width and height, in points."""


@dataclass(frozen=True)
class Spot:
    """One method: its quality, its time with the ends of a bar (NaN for none), its standing.

    Attributes:
        point: Name, family and quality.
        time: Milliseconds.
        low: Left end of the bar.
        high: Right end.
        front: Whether no other method is both faster and better.
    """

    point: Point
    time: float
    low: float
    high: float
    front: bool


@dataclass(frozen=True)
class Frame:
    """What the panels of several tiers share: limits of time and quality, and the better end."""

    times: tuple[float, float]
    qualities: tuple[float, float]
    higher: bool


def pareto(
    spots: Sequence[Spot],
    frame: Frame,
    axes_labels: tuple[str, str],
    budget: float | None = None,
) -> bytes:
    """Draw quality against time, better upwards, with a step line through those not beaten.

    Args:
        spots: The methods.
        frame: Limits, so that several plots can be compared.
        axes_labels: Of the horizontal and the vertical axis.
        budget: Milliseconds at which a line stands; None for no line.

    Returns:
        An SVG document.
    """

    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        _set(axes, frame)
        style.plain(axes, axes_labels)
        front = sorted((s for s in spots if s.front), key=lambda s: s.time)
        times = [*(s.time for s in front), frame.times[1]]
        means = [s.point.interval.mean for s in front]
        axes.step(times, [*means, *means[-1:]], where="post", color=style.QUIET,
                  linewidth=1, linestyle=(0, (4, 2)), zorder=1)  # fmt: skip
        if budget is not None:
            axes.axvline(budget, color=style.INK, linewidth=1.2, zorder=1)
            axes.annotate(f"{budget:g} ms", (budget, 1), xycoords=("data", "axes fraction"),
                          xytext=(3, -3), textcoords="offset points", va="top",
                          color=style.INK)  # fmt: skip
        for spot in spots:
            _draw(axes, spot)
        ordered = [*front, *(s for s in spots if not s.front)]
        places = [(s.time, s.point.interval.mean) for s in ordered]
        labels.put(axes, [s.point.label for s in ordered], places)

    return style.drawn(PARETO_SIZE, fill)


def _set(axes: Axes, frame: Frame) -> None:
    low, high = frame.qualities
    axes.set_ylim((low, high) if frame.higher else (high, low))
    axes.set_xscale("log")
    axes.set_xlim(*frame.times)
    powers = [10.0**e for e in range(-3, 8)]
    style.ticks(axes.xaxis, [p for p in powers if frame.times[0] <= p], ",g")


def _draw(axes: Axes, spot: Spot) -> None:
    marker, colour = style.look(spot.point.family)
    strength = 1.0 if spot.front else 0.65
    y = spot.point.interval
    bars = (((spot.low, spot.high), (y.mean, y.mean)), ((spot.time, spot.time), (y.low, y.high)))
    for (x0, x1), (y0, y1) in bars:
        if all(map(math.isfinite, (x0, x1, y0, y1))):
            axes.plot([x0, x1], [y0, y1], color=colour, linewidth=1.2, alpha=0.45 * strength,
                      zorder=2)  # fmt: skip
    inside = colour if spot.front else style.PAPER
    axes.plot([spot.time], [y.mean], marker=marker, markersize=7, color=colour, zorder=3,
              markerfacecolor=inside)  # fmt: skip
