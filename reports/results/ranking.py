"""The ranking of one tier: who is compared on what, and who is best.

Ranks, ties and differences are those of `bench.statistics.compare_methods` by the headline
metric. Floors and the ceiling give the numbers a scale and never win; methods that completed too
few cases are listed apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from bench import statistics
from bench.folder.header import UNKNOWN
from bench.folder.read import Run
from bench.folder.store import records
from bench.statistics import CASE, FULL_COVERAGE, Facts, Headline, Interval
from bench.statistics.comparison import NEEDED
from bench.statistics.coverage import coverage_of
from bench.statistics.floors import Outranked, outranked
from bench.statistics.notes import most_frequent, out_of_reach, photos_tested, powerless
from bench.statistics.pairs import METHODS
from reports.results.gaps import Gap, from_base


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
        gap: Difference from the best, or the reference; None for that itself, or if there is none.
        place: First and last possible rank; None if unranked.
        group: Letters; methods that share one do not differ significantly; empty if unranked.
    """

    method: str
    values: dict[str, Interval]
    capped: dict[str, int]
    n: int
    seconds: float
    peak_bytes: float
    gap: Gap | None = None
    place: tuple[int, int] | None = None
    group: str = ""


@dataclass(frozen=True)
class Ranking:
    """One tier's result.

    Attributes:
        tier: Name of the tier.
        headline: The metric that ranks; empty if none can, since the truth is unknown or nothing
            was measured that orders fills as the eye does.
        higher_is_better: Direction of that metric.
        ranked: Methods in order, best first; without a headline in that of the run.
        marks: Ceiling and floors.
        partial: Methods below 95 % coverage, each on its own cases.
        absent: Methods without any completed case, with the reason.
        expected: Number of cases in the tier.
        clusters: Number of photos behind the ranked cases.
        pairs: All pairs by the headline metric, as `bench.statistics.compare_methods` gives them.
        values: The headline metric of the ranked methods (columns, the best first) on the cases
            that all of them completed (rows, sorted by their keys).
        photo_of: Photo of each of these cases.
        powerless: Why no difference can be significant, however large; empty if one can.
        outranked: The floors with a better mean than a ranked method.
        equivalence: Where equivalence is out of reach, and of how many photos not; may be empty.
        reference: The method that all are compared with instead of the best; empty if none was
            asked for.
    """

    tier: str
    headline: str
    higher_is_better: bool
    ranked: list[Scores]
    marks: list[Scores]
    partial: list[Scores]
    absent: list[tuple[str, str]]
    expected: int
    clusters: int
    pairs: pd.DataFrame
    values: pd.DataFrame
    photo_of: pd.Series
    powerless: str
    outranked: list[Outranked]
    equivalence: str = ""
    reference: str = ""

    @property
    def base(self) -> Scores | None:
        """What differences are from: the best, or the reference; None if that has no numbers."""
        if not self.reference:
            return self.best
        return next((s for s in self.all_scores if s.method == self.reference), None)

    @property
    def best(self) -> Scores | None:
        """First of the ranking, if the headline metric was measured at all."""
        value = self.ranked[0].values.get(self.headline) if self.ranked else None
        return None if value is None or np.isnan(value.mean) else self.ranked[0]

    @property
    def n(self) -> int:
        """Number of cases that all ranked methods completed."""
        return self.ranked[0].n if self.ranked else 0

    @property
    def margin(self) -> float:
        """Difference of the headline metric below which nothing matters; NaN if none is stated."""
        return statistics.margin(self.headline)

    @cached_property
    def tied(self) -> list[Scores]:
        """Methods that are not significantly worse than the best, or other than the reference."""
        return [s for s in self.ranked if s.gap is not None and not s.gap.significant]

    @cached_property
    def shared_lead(self) -> bool:
        """Whether those tied with the best are not told apart, and each beats all others."""
        leaders = {s.method for s in (*self.ranked[:1], *self.tied)}
        if not self.tied or self.reference or len(leaders) == len(self.ranked):
            return False
        apart = self.pairs[self.pairs["family"] == METHODS]
        crosses = apart["a"].isin(leaders) != apart["b"].isin(leaders)
        within = apart["a"].isin(leaders) & apart["b"].isin(leaders)
        significant = apart["significant"].astype(bool)
        return bool(significant[crosses].all() and not significant[within].any())

    @property
    def won(self) -> bool:
        """Whether the best is significantly ahead of all others, and not only within the margin."""
        gaps = [s.gap for s in self.ranked[1:]]
        if self.best is None or self.reference or not gaps or gaps[0] is None:
            return False
        return not gaps[0].equivalent and all(gap and gap.significant for gap in gaps)

    @cached_property
    def photos_tested(self) -> int:
        """Number of photos behind the tests of ranked methods, of the pair with most of them."""
        return photos_tested(self.pairs)

    @property
    def sign(self) -> int:
        """1 where higher values are better, -1 where lower ones are."""
        return 1 if self.higher_is_better else -1

    @property
    def all_scores(self) -> list[Scores]:
        """Everything that has numbers, in the order shown."""
        return [*self.ranked, *self.marks, *self.partial]


def rank(run: Run, tier: str, headline: Headline, reference: str | None = None) -> Ranking:
    """Rank the methods of one tier.

    Args:
        run: The run.
        tier: One of its tiers.
        headline: The metric that decides.
        reference: A method that all others are compared with, instead of each with each.
    """
    facts = _facts(run, headline.metric)
    # Of the plan, not of the rows there are: an interrupted run has no row for what it missed.
    expected = int((run.plan["tier"] == tier).sum())
    judged_by = [*case_metrics(run), "seconds", "peak_bytes"]
    cases = run.cases.loc[run.cases["tier"] == tier, [*NEEDED, *judged_by]]
    if facts.name not in judged_by:
        cases = cases.assign(**{facts.name: np.nan})
    found = statistics.compare_methods(
        cases, run.methods, facts, tier, expected=expected, reference=reference
    )
    places = {row["method"]: row for row in records(found.ranks)}
    ranked = [name for name, row in places.items() if row["role"] == "ranked"]
    if not facts.name:  # nothing ranks: whoever completed enough stands beside the others
        covered = coverage_of(cases, found.partial["method"], expected)
        ranked = [name for name, share in covered.items() if share >= FULL_COVERAGE]
    done = statistics.completed(cases)
    valued = done.loc[done[facts.name].notna(), [*NEEDED]] if facts.name else done[[*NEEDED]]
    shared = statistics.common_cases(valued, ranked) if ranked else valued
    on_shared = done.merge(shared[CASE].drop_duplicates(), on=CASE)
    gaps = from_base(found, reference)

    def judged(names: Iterable[str], rows: pd.DataFrame) -> list[Scores]:
        return [_scores(run, tier, name, rows, places.get(name), gaps.get(name)) for name in names]

    marks = [
        name for name, row in places.items()
        if name not in ranked and (run.header.truth != UNKNOWN or row["role"] != "ceiling")
    ]  # fmt: skip
    partial = [name for name in found.partial["method"] if name not in ranked]
    known = {*places, *ranked, *partial}
    return Ranking(
        tier=tier,
        headline=facts.name,
        higher_is_better=facts.higher,
        ranked=judged(ranked, on_shared),
        marks=judged(marks, on_shared),
        partial=judged(partial, done),
        absent=[(n, _reason(run, cases, n)) for n in run.methods.index if n not in known],
        expected=expected,
        clusters=int(shared["cluster"].nunique()),
        pairs=found.pairs,
        **_by_case(on_shared, ranked, facts.name),
        powerless=powerless(found.pairs),
        equivalence=out_of_reach(found.pairs),
        outranked=outranked(found.ranks, found.pairs),
        reference=reference or "",
    )


def _by_case(rows: pd.DataFrame, methods: list[str], metric: str) -> dict[str, Any]:
    """Values by case and method, and the photo of each case."""
    known = rows.assign(**{metric: statistics.cap_infinite(rows[metric])[0]})
    values = known.pivot(index=CASE, columns="method", values=metric).reindex(columns=methods)
    photos = known.drop_duplicates(CASE).set_index(CASE)["cluster"].reindex(values.index)
    return {"values": values, "photo_of": photos}


def _facts(run: Run, metric: str) -> Facts:
    rows = run.metrics[run.metrics["metric"] == metric]
    if len(rows) == 0:
        return Facts(metric, higher=False)
    return Facts(metric, rows["direction"].iloc[0] == "higher", str(rows["unit"].iloc[0]))


def _scores(
    run: Run,
    tier: str,
    method: str,
    rows: pd.DataFrame,
    place: dict[str, Any] | None,
    gap: Gap | None,
) -> Scores:
    own = rows[rows["method"] == method]
    metrics = own[case_metrics(run)].astype(float)
    infinite = np.isposinf(metrics).sum()
    values = statistics.known_intervals(metrics.replace(np.inf, statistics.CAP_DB), own["cluster"])
    values |= _set_values(run, tier, method)
    timed = bool(run.methods.loc[method, "timed"])
    has_place = place is not None and not pd.isna(place["rank_first"])
    return Scores(
        method=method,
        values=values,
        capped={str(name): int(count) for name, count in infinite.items() if count},
        n=len(own),
        seconds=float(own["seconds"].median()) if timed and len(own) else float("nan"),
        peak_bytes=float(own["peak_bytes"].max()) if len(own) else float("nan"),
        gap=gap,
        place=(int(place["rank_first"]), int(place["rank_last"])) if place and has_place else None,
        group=place["group"] if place else "",
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


def _reason(run: Run, cases: pd.DataFrame, method: str) -> str:
    """Why a method has no completed case in this tier."""
    facts = run.methods.loc[method]
    if facts["status"] != "ok":
        return str(facts["reason"])
    rows = cases[cases["method"] == method]
    if len(rows) == 0:
        return "no case of this tier was given to it" if run.complete else "not reached yet"
    why, count = most_frequent(rows)
    return f"{why} ({count} of {len(rows)} cases)"
