"""The methods of one tier by one metric: ranks, pairs, and who could not be ranked."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bench.errors import BenchError
from bench.statistics.coverage import (
    CAP_DB,
    CASE,
    FULL_COVERAGE,
    cap_infinite,
    common_cases,
    completed,
    coverage_of,
    roles,
)
from bench.statistics.intervals import Interval, known_intervals, mean_interval
from bench.statistics.notes import absence_notes, pair_notes, reference_note, shared_note
from bench.statistics.pairs import COLUMNS, compare_pairs
from bench.statistics.ties import rank_ranges, tie_groups

RANKS = [
    "tier", "metric", "better", "method", "role", "rank_first", "rank_last", "group", "mean",
    "low", "high", "n", "photos", "note",
]  # fmt: skip
NEEDED = (*CASE, "method", "sample", "cluster", "status", "reason")
"""Columns of the cases that a comparison needs besides the metric."""
PAIRS = ["tier", "metric", *COLUMNS]
PARTIAL = [
    "tier", "metric", "method", "coverage", "mean", "low", "high", "n", "photos", "reference",
    "difference", "difference_low", "difference_high", "n_paired",
]  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What a comparison must know of a metric: a row of the table ``metrics``.

    Attributes:
        name: Column of the table ``cases``, or metric of the table ``sets``.
        higher: Whether higher values are better.
        unit: ``dB`` allows infinite values, which count as 100.
        scope: ``case`` or ``set``.
    """

    name: str
    higher: bool
    unit: str = ""
    scope: str = "case"


@dataclass(frozen=True)
class Comparison:
    """Tables of one or more tiers and metrics.

    Attributes:
        ranks: One row per method, the best first: ``role`` (``ranked``, ``floor``,
            ``ceiling``; ``compared`` where nothing is ranked), ``rank_first`` to ``rank_last``
            and letters ``group`` for the ranked, ``mean`` with its 95 % interval, ``n`` cases
            of so many ``photos``; ``better`` says which means are.
        pairs: One row per pair; columns as `compare_pairs` gives them.
        partial: Methods with a value on less than 95 % of the cases: values on their own cases,
            and the difference from the best ranked method, or the one given (``reference``), on
            ``n_paired`` of them.
        notes: What a reader must know.
    """

    ranks: pd.DataFrame
    pairs: pd.DataFrame
    partial: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PARTIAL))
    notes: tuple[str, ...] = ()


def joined(parts: Sequence[Comparison], notes: Sequence[str] = ()) -> Comparison:
    """One comparison of several, equal notes said once; ``notes`` come first."""
    every = [*notes, *itertools.chain.from_iterable(part.notes for part in parts)]
    return Comparison(
        ranks=_stacked([part.ranks for part in parts], RANKS),
        pairs=_stacked([part.pairs for part in parts], PAIRS),
        partial=_stacked([part.partial for part in parts], PARTIAL),
        notes=tuple(dict.fromkeys(every)),
    )


def compare_methods(
    cases: pd.DataFrame,
    methods: pd.DataFrame,
    facts: Facts,
    tier: str,
    *,
    expected: int | None = None,
    reference: str | None = None,
) -> Comparison:
    """Compare all methods of one tier by one metric of single cases.

    A case counts as completed only if the metric has a value there. Methods that completed at
    least 95 % of the tier are ranked, all on the same cases: those that all of them completed.
    Floors and the ceiling are compared on these cases but not ranked. Pairs of ranked methods are
    one family, pairs with a floor or the ceiling another.

    Args:
        cases: The table ``cases`` of a run.
        methods: Its table ``methods``.
        facts: The metric.
        tier: One of the tiers.
        expected: Number of cases planned for the tier; those that occur if omitted.
        reference: A method: only pairs with it are compared, as the other minus this one, which
            tells smaller differences apart; there are then no ranges of ranks and no letters.

    Raises:
        BenchError: If a value is infinite that is not in decibels.
    """
    needed = [name for name in (*NEEDED, facts.name) if name in cases]
    cases = cases.loc[cases["tier"] == tier, needed]
    expected = expected or len(cases[CASE].drop_duplicates())
    role_of = roles(methods)
    started = coverage_of(cases, role_of, expected)
    done, notes = finite_values(completed(cases), facts, tier)
    done = done.dropna(subset=[facts.name])
    covered = coverage_of(done, role_of, expected)
    ranked = [n for n in covered if role_of[n] == "ranked" and covered[n] >= FULL_COVERAGE]
    shared = (common_cases(done, ranked) if ranked else done)[CASE].drop_duplicates()
    on_shared = done.merge(shared, on=CASE)
    marks = [n for n, share in started.items() if role_of[n] != "ranked" and share > 0]
    values, clusters = wide(on_shared, facts.name)
    means = values.mean().reindex([*ranked, *marks])
    order = by_mean(means, facts.higher, role_of)
    known = [name for name in order if np.isfinite(means[name])]
    pairs = compare_pairs(
        values, clusters, pairs_of(known, reference), metric=facts.name, higher=facts.higher,
        marks=[name for name in marks if name != reference],
    )  # fmt: skip
    intervals = known_intervals(values.reindex(columns=order), clusters)
    ranks = rank_table(tier, facts, order, role_of, intervals, pairs)
    partial = [n for n in started if role_of[n] == "ranked" and started[n] > 0 and n not in ranked]
    base = reference or next((name for name in known if name in ranked), None)
    best = base if base in known else None
    if reference is not None:
        ranks = without_places(ranks)
        notes += reference_note(tier, facts.name, reference, known)
    notes += absence_notes(tier, cases, [n for n, share in started.items() if share == 0])
    notes += shared_note(tier, facts.name, len(shared), expected, len(ranked))
    notes += pair_notes(tier, facts.name, pairs)
    return Comparison(
        ranks=ranks,
        pairs=pairs.assign(tier=tier, metric=facts.name)[PAIRS],
        partial=_partial_table(tier, facts, done, covered, partial, best),
        notes=tuple(notes),
    )


def pairs_of(names: Collection[str], reference: str | None) -> list[tuple[str, str]]:
    """All pairs, or each other method with the reference; none if that is not among them."""
    if reference is None:
        return list(itertools.combinations(names, 2))
    return [(name, reference) for name in names if name != reference and reference in names]


def without_places(ranks: pd.DataFrame) -> pd.DataFrame:
    """Without ranges of ranks and letters, which only all pairs give."""
    return ranks.assign(group="", rank_first=None, rank_last=None).astype(ranks.dtypes)


def wide(rows: pd.DataFrame, metric: str) -> tuple[pd.DataFrame, pd.Series]:
    """Values by case (rows) and method (columns), and the cluster of each case."""
    values = rows.pivot(index=CASE, columns="method", values=metric)
    clusters = rows.drop_duplicates(CASE).set_index(CASE)["cluster"].reindex(values.index)
    return values, clusters


def by_mean(means: pd.Series, higher: bool, role_of: Mapping[str, str]) -> list[str]:
    """Methods by their mean, the best first; unranked ones last, unknown means last of all."""

    def place(name: str) -> tuple[bool, bool, float, str]:
        mean = float(means[name])
        unknown = not np.isfinite(mean)
        signed = 0.0 if unknown else -mean if higher else mean
        return unknown, role_of[name] != "ranked", signed, name

    return sorted(map(str, means.index), key=place)


def rank_table(
    tier: str,
    facts: Facts,
    order: Sequence[str],
    role_of: Mapping[str, str],
    intervals: Mapping[str, Interval],
    pairs: pd.DataFrame,
) -> pd.DataFrame:
    """One row per method in the order given; ranks and letters for the ranked with a mean."""
    contenders = [
        n for n in order if role_of[n] == "ranked" and np.isfinite(intervals[n].mean)
    ]  # fmt: skip
    ranges = rank_ranges(contenders, pairs)
    letters = tie_groups(contenders, pairs)
    rows = [
        (
            tier, facts.name, "higher" if facts.higher else "lower", name, role_of[name],
            *ranges.get(name, (None, None)), letters.get(name, ""), own.mean, own.low, own.high,
            own.n, own.clusters, own.note,
        )
        for name, own in ((name, intervals[name]) for name in order)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=RANKS)
    return table.astype({"rank_first": "Int64", "rank_last": "Int64"})


def finite_values(done: pd.DataFrame, facts: Facts, tier: str) -> tuple[pd.DataFrame, list[str]]:
    """Cap infinite decibels, refuse other infinite values, count what is missing."""
    values, _ = cap_infinite(done[facts.name])
    infinite = np.isinf(done[facts.name].astype(float))
    if infinite.any() and (facts.unit != "dB" or np.isinf(values).any()):
        row = done[infinite].iloc[0]
        raise BenchError(
            f"{facts.name} of {row['method']} on {row['photo']} ({tier}): expected a finite "
            f"number, found {row[facts.name]}; only PSNR of equal pictures may be infinite"
        )
    notes = []
    for name, count in done.loc[infinite, "method"].astype(str).value_counts().items():
        notes.append(
            f"{tier}, {facts.name}: {name} equals the photo in {count} cases; "
            f"infinite values count as {CAP_DB:.0f} dB"
        )
    for name, count in done.loc[values.isna(), "method"].astype(str).value_counts().items():
        notes.append(f"{tier}, {facts.name}: {name} has no value in {count} completed cases")
    return done.assign(**{facts.name: values}), notes


def method_interval(rows: pd.DataFrame, method: str, metric: str) -> Interval:
    """Mean of a method over the cases where it has a value."""
    own = rows[rows["method"] == method].dropna(subset=[metric])
    return mean_interval(own[metric], own["cluster"])


def _partial_table(
    tier: str,
    facts: Facts,
    done: pd.DataFrame,
    covered: Mapping[str, float],
    names: Sequence[str],
    best: str | None,
) -> pd.DataFrame:
    rows = []
    for name in names:
        own = method_interval(done, name, facts.name)
        gap = Interval(np.nan, np.nan, np.nan, 0, 0)
        if best is not None:
            values, clusters = wide(done[done["method"].isin([name, best])], facts.name)
            values = values.reindex(columns=[name, best])
            both = (values[name] - values[best]).dropna()
            gap = mean_interval(both, clusters[both.index])
        rows.append(
            {
                "tier": tier, "metric": facts.name, "method": name, "coverage": covered[name],
                "mean": own.mean, "low": own.low, "high": own.high, "n": own.n,
                "photos": own.clusters, "reference": best or "", "difference": gap.mean,
                "difference_low": gap.low, "difference_high": gap.high, "n_paired": gap.n,
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=PARTIAL)


def _stacked(tables: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    full = [table for table in tables if len(table)]
    if not full:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(full, ignore_index=True)
