"""The plots of a tier that compare its methods beyond means: ranks, wins, distributions."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from bench import statistics
from bench.statistics import ALPHA, Interval, RankTest
from bench.statistics.pairs import METHODS
from bench.statistics.significance import FEW
from bench.text import numbers
from reports import figures
from reports.figures import Line, Point
from reports.plots import exhibits
from reports.plots.exhibits import Exhibit, Numbers
from reports.results import heat, sentences, tables
from reports.results.heat import Shaded
from reports.results.ranking import Ranking
from reports.results.tables import Cell, Column, Label
from reports.site.site import Site

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_STEPS = 100
_LEAST_CASES = 10


def average_ranks(ranking: Ranking) -> RankTest | None:
    """Average ranks over photos with Friedman's test; None for less than three, or a reference."""
    if ranking.best is None or len(ranking.ranked) < 3 or ranking.values.empty:
        return None
    if ranking.reference:  # who beats whom among the others was not asked
        return None
    means = statistics.photo_means(ranking.values, ranking.photo_of)
    return statistics.friedman(means, higher=ranking.higher_is_better)


def level(ranking: Ranking, test: RankTest) -> list[tuple[int, ...]]:
    """Places in the order of ranks that a bar joins: the methods that share a letter."""
    names = list(map(str, test.means.index))
    return [tied for tied in statistics.tied_sets(names, ranking.pairs) if len(tied) > 1]


def ranks(site: Site, ranking: Ranking, test: RankTest) -> Exhibit:
    """A diagram of critical differences."""
    names = [str(name) for name in test.means.index]
    labels = [tables.label(site.run, name) for name in names]
    means = [float(mean) for mean in test.means]
    bars = level(ranking, test)
    shown = [
        Point(label.title, label.family, Interval(mean, math.nan, math.nan, test.photos, 0), True)
        for label, mean in zip(labels, means, strict=True)
    ]
    said = _said(ranking, test, bars)
    alt = f"{labels[0].title} has the best average rank, {means[0]:.2f} of {len(names)}. {said}"
    plot = exhibits.written(
        site, f"{numbers.slug(ranking.tier)}-ranks",
        figures.size(len(names)), alt,
        figures.critical_difference(shown, bars, "average rank, 1 is best"),
    )  # fmt: skip
    caption = (
        f"Rank of each method, averaged over {numbers.counted(test.photos, 'photo')}; 1 is best. "
        f"{said}"
    )
    if math.isfinite(test.critical):
        caption += (
            " Nemenyi's critical difference, which knows neither pairs nor margin, would be "
            f"{numbers.number(test.critical, 2)} ranks."
        )
    rows = [
        (label, [Cell(numbers.number(mean, 2)), Cell(_joined(place, bars))])
        for place, (label, mean) in enumerate(zip(labels, means, strict=True))
    ]
    table = Numbers("Average ranks", ("Average rank", "Bars it is on"), rows)
    return Exhibit("Average ranks", plot, caption, table)


def _said(ranking: Ranking, test: RankTest, bars: list[tuple[int, ...]]) -> str:
    found = f"Friedman's test of equal ranks: {numbers.p_value(test.p) or 'nothing to test'}."
    if test.photos < FEW:  # its distribution is that of many photos
        found = f"Friedman's test of equal ranks takes {FEW} photos or more."
    elif (test.p < ALPHA) != ranking.pairs["significant"][ranking.pairs["family"] == METHODS].any():
        found += " It is of ranks, all at once; letters are of means, pair by pair: both can hold."
    if not bars:
        return f"{found} Every pair differs significantly, so there is no bar."
    return (
        f"{found} A bar joins methods that share a letter: no significant difference between any "
        "two of its dots, by their means."
    )


def _joined(place: int, bars: list[tuple[int, ...]]) -> str:
    """Numbers of the bars that join a method."""
    return ", ".join(str(i) for i, tied in enumerate(bars, start=1) if place in tied) or "none"


def wins(site: Site, ranking: Ranking, test: RankTest) -> list[tuple[Label, list[Shaded]]]:
    """Who beats whom on which share of the cases, ordered by average rank."""
    return heat.wins(site.run, ranking.pairs, list(map(str, test.means.index)))


def distributions(site: Site, ranking: Ranking, head: Column) -> Exhibit | None:
    """Shares of cases up to each value, a panel a method; None with too few cases."""
    if ranking.best is None or len(ranking.values) < _LEAST_CASES:
        return None
    curves, rows = [], []
    for scores in ranking.ranked:
        label = tables.label(site.run, scores.method)
        own = ranking.values[scores.method].dropna()
        curves.append(_shares(label, own))
        cells = [
            Cell(numbers.number(float(own.quantile(share)), head.decimals + 1))
            for share in _QUANTILES
        ]
        rows.append((label, cells))
    alt = (
        f"Distribution of {head.label} over the cases, a panel a method; medians from "
        f"{_medians(site, ranking, head)}. The table has more quantiles."
    )
    plot = exhibits.written(
        site, f"{numbers.slug(ranking.tier)}-distributions", figures.panels_size(len(curves)), alt,
        figures.panels(curves, (f"{head.name}, {head.better}", "share of cases")),
    )  # fmt: skip
    caption = (
        f"Share of the {len(ranking.values)} cases with a value up to that on the axis; the other "
        "methods in grey. A steep curve is an even method, a long foot or shoulder its outliers."
    )
    table = Numbers(
        f"{head.name} below which so many cases lie",
        [f"{100 * share:.0f} %" for share in _QUANTILES], rows,
    )  # fmt: skip
    return Exhibit("Distribution over cases", plot, caption, table)


def _shares(label: Label, own: pd.Series) -> Line:
    """At most 101 points of the curve: the values at even shares."""
    shares = np.linspace(0, 1, _STEPS + 1)
    values = np.quantile(own.to_numpy(float), shares, method="inverted_cdf")
    return Line(label.title, label.family, list(zip(values.tolist(), shares.tolist(), strict=True)))


def _medians(site: Site, ranking: Ranking, head: Column) -> str:
    medians = ranking.values.median().sort_values(kind="stable")
    ends = [
        f"{numbers.number(float(medians.iloc[i]), head.decimals)} "
        f"({sentences.title(site.run, str(medians.index[i]))})"
        for i in (0, -1)
    ]
    return " to ".join(ends)
