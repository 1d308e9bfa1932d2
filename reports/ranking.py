"""The ranking of one tier: who is compared on what, and who is best.

Ranked methods are compared on the cases that all of them completed. Floors and the ceiling give
the numbers a scale and never win; methods that completed too few cases are listed apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from bench import statistics
from bench.statistics import CASE, Headline, Interval
from reports.run import Run

CAP_DB = 100.0
MARKS = ("ceiling", "floor")


@dataclass(frozen=True)
class Scores:
    """What one method reached on the cases it is judged by.

    Attributes:
        method: Full name.
        values: Interval of each case metric and set metric, by name.
        capped: By metric, how many infinite values count as 100 dB.
        n: Number of cases.
        seconds: Median seconds of a fill; NaN if not timed.
        peak_bytes: Largest memory of the process; NaN if unknown.
        difference: Headline metric minus that of the best method on shared cases.
    """

    method: str
    values: dict[str, Interval]
    capped: dict[str, int]
    n: int
    seconds: float
    peak_bytes: float
    difference: Interval | None


@dataclass(frozen=True)
class Ranking:
    """One tier's result.

    Attributes:
        tier: Name of the tier.
        headline: The metric that ranks.
        higher_is_better: Direction of that metric.
        ranked: Methods in order, best first.
        marks: Ceiling and floors.
        places: First and last rank that the paired differences leave open to each method of
            ``ranked``: 1 and the number of methods that are better beyond chance, and the same
            from the other end. None without a mean of the headline metric.
        partial: Methods below 95 % coverage, each on its own cases.
        absent: Methods without any completed case, with the reason.
        expected: Number of cases in the tier.
        clusters: Number of photos behind the ranked cases.
    """

    tier: str
    headline: str
    higher_is_better: bool
    ranked: list[Scores]
    places: list[tuple[int, int] | None]
    marks: list[Scores]
    partial: list[Scores]
    absent: list[tuple[str, str]]
    expected: int
    clusters: int

    @property
    def best(self) -> Scores | None:
        """First of the ranking, if the headline metric was measured at all."""
        value = self.ranked[0].values.get(self.headline) if self.ranked else None
        return None if value is None or np.isnan(value.mean) else self.ranked[0]

    @property
    def n(self) -> int:
        """Number of cases that all ranked methods completed."""
        return self.ranked[0].n if self.ranked else 0

    @cached_property
    def tied(self) -> list[Scores]:
        """Methods whose paired difference from the best does not exclude zero."""
        return [
            scores
            for scores in self.ranked[1:]
            if scores.difference is not None and not scores.difference.excludes_zero
        ]

    @property
    def all_scores(self) -> list[Scores]:
        """Everything that has numbers, in the order shown."""
        return [*self.ranked, *self.marks, *self.partial]


def rank(run: Run, tier: str, headline: Headline) -> Ranking:
    """Rank the methods of one tier.

    Args:
        run: The run.
        tier: One of its tiers.
        headline: The metric that decides.
    """
    cases = run.cases[run.cases["tier"] == tier]
    expected = int((run.plan["tier"] == tier).sum())
    done = cases[(cases["status"] == "ok") & (cases["sample"] == 0)]
    # Of the plan, not of the rows there are: an interrupted run has no row for what it missed.
    shares = done.groupby("method").size().reindex(run.methods.index, fill_value=0) / expected
    marked = run.methods["family"].isin(MARKS)
    names = run.methods.index[(shares >= statistics.FULL_COVERAGE) & ~marked]
    common = statistics.common_cases(cases, list(names))
    shared = common[CASE].drop_duplicates() if len(names) else done[CASE].drop_duplicates()
    higher = _higher_is_better(run, headline.metric)
    best = _first(common, names, headline.metric, higher)
    best_rows = common[common["method"] == best]

    def judged(method: str, rows: pd.DataFrame) -> Scores:
        own = rows[rows["method"] == method]
        return _scores(run, tier, method, own, best_rows, headline.metric)

    marks = run.methods.index[marked & (shares > 0)]
    partial = run.methods.index[~marked & (shares > 0) & (shares < statistics.FULL_COVERAGE)]
    ranked = sorted(
        (judged(name, common) for name in names),
        key=lambda s: _sort_key(s, headline.metric, higher),
    )
    return Ranking(
        tier=tier,
        headline=headline.metric,
        higher_is_better=higher,
        ranked=ranked,
        places=_places(ranked, common, headline.metric, higher),
        marks=[judged(name, done.merge(shared, on=CASE)) for name in marks],
        partial=[judged(name, done) for name in partial],
        absent=[(name, _reason(run, cases, name)) for name in shares.index[shares == 0]],
        expected=expected,
        clusters=int(common["cluster"].nunique()),
    )


def finite(values: pd.Series) -> tuple[pd.Series, int]:
    """Leave out missing values and count infinite ones as 100 dB; also say how many."""
    kept = values.astype(float).dropna()
    infinite = np.isinf(kept)
    return kept.where(~infinite, CAP_DB), int(infinite.sum())


def _scores(
    run: Run,
    tier: str,
    method: str,
    rows: pd.DataFrame,
    best_rows: pd.DataFrame,
    headline: str,
) -> Scores:
    values, capped = {}, {}
    for metric in case_metrics(run):
        numbers, infinite = finite(rows[metric])
        values[metric] = statistics.mean_interval(numbers, rows.loc[numbers.index, "cluster"])
        if infinite:
            capped[metric] = infinite
    values |= _set_values(run, tier, method)
    timed = bool(run.methods.loc[method, "timed"])
    return Scores(
        method=method,
        values=values,
        capped=capped,
        n=len(rows),
        seconds=float(rows["seconds"].median()) if timed and len(rows) else float("nan"),
        peak_bytes=float(rows["peak_bytes"].max()) if len(rows) else float("nan"),
        difference=_difference(rows, best_rows, headline),
    )


def case_metrics(run: Run) -> list[str]:
    """Names of the measured case metrics, in the order of the metrics table."""
    table = run.metrics[(run.metrics["scope"] == "case") & (run.metrics["status"] == "ok")]
    return [name for name in table["metric"] if name in run.cases.columns]


def _set_values(run: Run, tier: str, method: str) -> dict[str, Interval]:
    rows = run.sets[(run.sets["tier"] == tier) & (run.sets["method"] == method)]
    return {
        str(row["metric"]): Interval(
            float(row["value"]), float(row["low"]), float(row["high"]), int(row["n"]), 0,
            str(row["note"]),
        )
        for row in rows.to_dict("records")
    }  # fmt: skip


def _difference(rows: pd.DataFrame, best_rows: pd.DataFrame, headline: str) -> Interval | None:
    if (
        headline not in rows
        or len(best_rows) == 0
        or set(rows["method"]) <= set(best_rows["method"])
    ):
        return None
    both = rows.merge(best_rows[[*CASE, headline]], on=CASE, suffixes=("", "_best"))
    both = both.dropna(subset=[headline, f"{headline}_best"])
    own, _ = finite(both[headline])
    other, _ = finite(both[f"{headline}_best"])
    return statistics.paired_interval(own, other, both["cluster"])


def _places(
    ranked: Sequence[Scores], common: pd.DataFrame, metric: str, higher: bool
) -> list[tuple[int, int] | None]:
    """First and last possible rank of each method, from all paired differences."""
    known = [s for s in ranked if metric in s.values and np.isfinite(s.values[metric].mean)]
    rows = {s.method: common[common["method"] == s.method] for s in known}
    better = np.zeros(len(known), int)
    worse = np.zeros(len(known), int)
    for i, j in itertools.combinations(range(len(known)), 2):
        gap = _difference(rows[known[j].method], rows[known[i].method], metric)
        if gap is None or not gap.excludes_zero:
            continue
        ahead, behind = (i, j) if (gap.mean < 0) == higher else (j, i)
        better[behind] += 1
        worse[ahead] += 1
    places = [(1 + int(b), len(known) - int(w)) for b, w in zip(better, worse, strict=True)]
    return [*places, *[None] * (len(ranked) - len(known))]


def _first(
    common: pd.DataFrame, names: Sequence[str] | pd.Index, metric: str, higher: bool
) -> str | None:
    if metric not in common or len(names) == 0:
        return None
    means = {name: finite(common.loc[common["method"] == name, metric])[0].mean() for name in names}
    known = {name: mean for name, mean in means.items() if np.isfinite(mean)}
    if not known:
        return None
    return min(known, key=lambda name: (-known[name] if higher else known[name], name))


def _sort_key(scores: Scores, metric: str, higher: bool) -> tuple[bool, float, str]:
    mean = scores.values[metric].mean if metric in scores.values else float("nan")
    missing = bool(np.isnan(mean))
    return missing, 0.0 if missing else -mean if higher else mean, scores.method


def _higher_is_better(run: Run, metric: str) -> bool:
    direction = run.metrics.loc[run.metrics["metric"] == metric, "direction"]
    return len(direction) > 0 and direction.iloc[0] == "higher"


def _reason(run: Run, cases: pd.DataFrame, method: str) -> str:
    """Why a method has no completed case in this tier."""
    facts = run.methods.loc[method]
    if facts["status"] != "ok":
        return str(facts["reason"])
    rows = cases[cases["method"] == method]
    if len(rows) == 0:
        return "no case of this tier was given to it" if run.complete else "not reached yet"
    counts = (rows["status"] + ": " + rows["reason"]).value_counts()
    return f"{counts.index[0]} ({counts.iloc[0]} of {len(rows)} cases)"
