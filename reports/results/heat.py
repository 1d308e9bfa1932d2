"""Tables in which a cell's shade tells its standing, and its number is always printed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from scipy.stats import rankdata

from bench.folder.read import Run
from bench.text import numbers
from reports.results import tables
from reports.results.ranking import Ranking
from reports.results.tables import Column, Label

STEPS = 10
"""Shades run from 0, the weakest, to this."""


@dataclass(frozen=True)
class Shaded:
    """A number, and its shade; None for none."""

    text: str
    step: int | None


@dataclass(frozen=True)
class Standings:
    """Methods by metrics and tiers."""

    columns: list[Column]
    tiers: list[str]
    rows: list[tuple[Label, list[Shaded]]]


def standings(run: Run, rankings: Sequence[Ranking], only: Sequence[str]) -> Standings | None:
    """Means of every ranked method, shaded by its rank in the column; None with less than two.

    Args:
        run: The run.
        rankings: One per tier.
        only: Case metrics to show besides the headline and the set metrics.
    """
    shown = [r for r in rankings if r.best is not None]
    methods = list(dict.fromkeys(s.method for r in shown for s in r.ranked))
    if len(methods) < 2:
        return None
    of_tier = [{c.metric: c for c in tables.columns(run, r, only=only)} for r in shown]
    metrics = list(dict.fromkeys(name for columns in of_tier for name in columns))
    cells: dict[str, list[Shaded]] = {method: [] for method in methods}
    for metric in metrics:
        for ranking, columns in zip(shown, of_tier, strict=True):
            column = columns.get(metric)
            values = _means(ranking, metric)
            steps = _by_rank(values, column.higher if column else True)
            for method in methods:
                value = values.get(method, math.nan)
                text = numbers.number(value, column.decimals if column else 0)
                cells[method].append(Shaded(text, steps.get(method)))
    return Standings(
        [next(columns[m] for columns in of_tier if m in columns) for m in metrics],
        [r.tier for r in shown],
        [(tables.label(run, method), row) for method, row in cells.items()],
    )


def wins(run: Run, pairs: pd.DataFrame, ordered: Sequence[str]) -> list[tuple[Label, list[Shaded]]]:
    """Share of cases in which the row's method is better than the column's, in percent.

    Args:
        run: The run.
        pairs: Columns ``a``, ``b``, ``win_rate``.
        ordered: Methods of rows and columns.
    """
    rate = {(a, b): float(r) for a, b, r in zip(pairs["a"], pairs["b"], pairs["win_rate"],
                                                strict=True)}  # fmt: skip
    rate |= {(b, a): 1 - r for (a, b), r in rate.items()}
    return [
        (tables.label(run, row), [_win(rate.get((row, column))) for column in ordered])
        for row in ordered
    ]


def _win(rate: float | None) -> Shaded:
    if rate is None or math.isnan(rate):
        return Shaded("", None)
    return Shaded(numbers.number(100 * rate, 0), round(STEPS * rate))


def _means(ranking: Ranking, metric: str) -> dict[str, float]:
    means = {s.method: s.values[metric].mean for s in ranking.ranked if metric in s.values}
    return {method: mean for method, mean in means.items() if math.isfinite(mean)}


def _by_rank(means: dict[str, float], higher: bool) -> dict[str, int]:
    """Shade of each method: the best has all, the worst none, equal means the same."""
    if len(set(means.values())) < 2:
        return {}
    ranks = rankdata([mean if higher else -mean for mean in means.values()])
    return {
        method: round(STEPS * (rank - 1) / (len(means) - 1))
        for method, rank in zip(means, ranks, strict=True)
    }
