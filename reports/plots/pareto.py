"""Quality against time on the overview, one plot a tier, all on the same axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from bench.text import numbers
from reports import figures
from reports.figures import Frame, Spot
from reports.plots import exhibits as plots
from reports.plots.exhibits import Exhibit, Numbers
from reports.results import sentences, tables
from reports.results.ranking import Ranking
from reports.results.tables import Cell, Column
from reports.results.timing import Times, times
from reports.site.site import Site

CAPTION = (
    "Better is up, faster is left; all tiers have the same axes. Filled marks, joined by the "
    "dashed line: no other ranked method is both faster and better, by these means. Vertical "
    "bars: 95 % intervals of the mean."
)


def exhibits(site: Site, rankings: Sequence[Ranking]) -> list[Exhibit]:
    """A plot for each tier with a ranking and times; floors and the ceiling do not take part."""
    parts = []
    for ranking in rankings:
        if ranking.best is not None:
            timed = times(site.run, ranking.tier)
            spots = _spots(site, ranking, timed)
            if spots:
                parts.append((ranking, timed, spots))
    frame = (
        _frame([spots for _, _, spots in parts], parts[0][0].higher_is_better, site.budget)
        if parts
        else None
    )
    return [] if frame is None else [_exhibit(site, *part, frame) for part in parts]


def fronts(points: Sequence[tuple[float, float]], *, higher: bool) -> list[bool]:
    """Whether no other point is at least as fast and as good, and better in one of both.

    Args:
        points: Time and quality.
        higher: Whether higher qualities are better.
    """
    costs = [(time, -quality if higher else quality) for time, quality in points]
    return [
        not any(t <= time and c <= cost and (t, c) != (time, cost) for t, c in costs)
        for time, cost in costs
    ]


def _spots(site: Site, ranking: Ranking, timed: Times) -> dict[str, Spot]:
    scores = [s for s in ranking.ranked if s.method in timed.of and timed.of[s.method].middle > 0]
    means = [s.values[ranking.headline] for s in scores]
    points = [(timed.of[s.method].middle, m.mean) for s, m in zip(scores, means, strict=True)]
    ahead = fronts(points, higher=ranking.higher_is_better)
    return {
        s.method: Spot(
            plots.point(site.run, s, mean, True), time.middle, time.low, time.high, front
        )
        for s, mean, front, time in zip(
            scores, means, ahead, (timed.of[s.method] for s in scores), strict=True
        )
    }


def _frame(parts: Sequence[dict[str, Spot]], higher: bool, budget: float | None) -> Frame:
    spots = [spot for part in parts for spot in part.values()]
    times_shown = [t for s in spots for t in (s.time, s.low, s.high) if math.isfinite(t) and t > 0]
    times_shown += [] if budget is None else [budget]
    intervals = [s.point.interval for s in spots]
    qualities = [
        q for i in intervals for q in (i.mean, i.low, i.high) if math.isfinite(q)
    ]  # fmt: skip
    low, high = min(qualities), max(qualities)
    room = 0.06 * (high - low) or 0.01
    return Frame((min(times_shown) / 2, max(times_shown) * 3), (low - room, high + room), higher)


def _exhibit(
    site: Site, ranking: Ranking, timed: Times, spots: dict[str, Spot], frame: Frame
) -> Exhibit:
    column = tables.columns(site.run, ranking)[0]
    axes = ("milliseconds a fill", f"{column.name}, {column.better}")
    alt = _alt(site, ranking, spots)
    plot = figures.pareto(list(spots.values()), frame, axes, alt, site.budget)
    title = numbers.holes(ranking.tier).capitalize()
    return Exhibit(title, plot, f"{timed.remark}.", _numbers(site, timed, spots, column))


def _alt(site: Site, ranking: Ranking, spots: dict[str, Spot]) -> str:
    front = [s.point.label for s in sorted(spots.values(), key=lambda s: s.time) if s.front]
    return (
        f"Quality against time on {numbers.holes(ranking.tier)}. Not beaten in both, from the "
        f"fastest to the best: {numbers.joined(front)}. {_untimed(site, ranking, spots)}"
    ).strip()


def _untimed(site: Site, ranking: Ranking, spots: Iterable[str]) -> str:
    names = [sentences.title(site.run, s.method) for s in ranking.ranked if s.method not in spots]
    return f"Without a time: {numbers.joined(names)}." if names else ""


def _numbers(site: Site, timed: Times, spots: dict[str, Spot], column: Column) -> Numbers:
    rows = [
        (
            tables.label(site.run, method),
            [
                Cell(timed.of[method].words, timed.of[method].interval, sort=repr(spot.time)),
                tables.value_cell(spot.point.interval, column),
                Cell("yes" if spot.front else "no"),
            ],
        )
        for method, spot in sorted(spots.items(), key=lambda each: each[1].time)
    ]
    return Numbers(
        "Fastest first", ("Milliseconds a fill", f"{column.name}, {column.better}", "Not beaten"),
        rows,
    )  # fmt: skip
