"""Quality against time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.figures import labels
from reports.figures.names import LONGEST, short
from reports.figures.rows import Point
from reports.figures.shapes import Chart, Scale, Shape, axes, coloured, line, marker, path, shape

_SIZE = (640, 420)
_MANY, _SHORTEST = 15, 18  # methods up to which names are long; letters of names beyond
_LEFT, _TOP, _BOTTOM = 58, 8, 376


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
    alt: str,
    budget: float | None = None,
) -> Chart:
    """Draw quality against time, better upwards, with a step line through those not beaten.

    Args:
        spots: The methods.
        frame: Limits, so that several plots can be compared.
        axes_labels: Of the horizontal and the vertical axis.
        alt: What a reader who does not see it is told.
        budget: Milliseconds at which a line stands; None for no line.
    """
    width, height = _SIZE
    worst, best = frame.qualities if frame.higher else frame.qualities[::-1]
    x = Scale(*frame.times, _LEFT, width - 8, log=True)
    y = Scale(worst, best, _BOTTOM, _TOP)
    front = sorted((s for s in spots if s.front), key=lambda s: s.time)
    ordered = [*front, *(s for s in spots if not s.front)]
    places = [(x(s.time), y(s.point.interval.mean)) for s in ordered]
    drawn = [*axes(x, y, axes_labels)]
    drawn.append(shape("path", "front", d=path(_steps(places[: len(front)], width - 8))))
    if budget is not None:
        drawn.append(line("budget", (x(budget), x(budget)), (_TOP, _BOTTOM)))
        drawn.append(shape("text", "", text=f"{budget:g} ms", x=x(budget) + 4, y=_TOP + 10))
    drawn += [_drawn(spot, x, y) for spot in ordered]
    titles = [s.point.label for s in ordered]
    names = short(titles, LONGEST if len(spots) <= _MANY else _SHORTEST)
    drawn += labels.beside(names, places, (_LEFT, _TOP, width, _BOTTOM))
    return Chart(width, height, alt, drawn)


def _steps(places: Sequence[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for place, after in zip(places, [*(p[0] for p in places[1:]), end], strict=True):
        found += [place, (after, place[1])]
    return found


def _drawn(spot: Spot, x: Scale, y: Scale) -> Shape:
    mean = spot.point.interval
    at = x(spot.time), y(mean.mean)
    bars = []
    if math.isfinite(spot.low + spot.high) and spot.low > 0:
        bars.append(line("bar", (x(spot.low), x(spot.high)), (at[1], at[1])))
    if math.isfinite(mean.low + mean.high):
        bars.append(line("bar", (at[0], at[0]), (y(mean.low), y(mean.high))))
    family = spot.point.family
    return coloured(family, *bars, marker(family, *at, filled=spot.front))
