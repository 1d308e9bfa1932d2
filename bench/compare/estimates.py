"""Estimates of set metrics of several methods as ranks and pairs, or as values alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from bench.statistics import ALPHA, MARKS, Comparison, Facts, Interval, decide, families, joined
from bench.statistics.comparison import PAIRS, by_mean, pairs_of, rank_table, without_places
from bench.statistics.frechet import EXTRAPOLATION_LEAST, fid_extrapolated
from bench.statistics.groups import GROUPS, JACKKNIFE, Estimate
from bench.statistics.notes import reference_note

Features = Mapping[str, np.ndarray]


def ranked(
    tier: str,
    facts: Facts,
    found: Mapping[str, Estimate],
    role_of: Mapping[str, str],
    photos: Mapping[str, int],
    reference: str | None,
) -> Comparison:
    """Ranks and pairs of methods of one run, or pairs with the reference only."""
    marks = [name for name in found if role_of[name] in MARKS and name != reference]
    if reference is None:
        return compare_estimates(tier, facts, found, role_of, photos, marks)
    pairs = pairs_of(found, reference)
    part = compare_estimates(tier, facts, found, role_of, photos, marks, pairs)
    notes = reference_note(tier, facts.name, reference, found)
    return joined([replace(part, ranks=without_places(part.ranks))], notes)


def compare_estimates(
    tier: str,
    facts: Facts,
    found: Mapping[str, Estimate],
    role_of: Mapping[str, str],
    photos: Mapping[str, int],
    marks: Collection[str] = (),
    pairs: Sequence[tuple[str, str]] | None = None,
) -> Comparison:
    """Ranks and pairs of set metrics.

    p-values are Student's with the jackknife's standard error of the difference, adjusted
    (Bonferroni) for the number of pairs given, those with a floor or the ceiling apart; joint
    intervals are those of the same level.

    Args:
        tier: The tier.
        facts: The metric.
        found: Estimate by method; both of a pair of the same cases.
        role_of: Role by method.
        photos: Number of photos by method.
        marks: Floors and the ceiling.
        pairs: Which to compare; all, the better first, if omitted.
    """
    means = pd.Series({name: estimate.value for name, estimate in found.items()})
    order = by_mean(means, facts.higher, role_of)
    wanted = pairs_of(order, None) if pairs is None else pairs
    family_of = families(wanted, marks)
    table = pd.DataFrame(
        [
            _pair_row(a, b, found[a] - found[b], photos[a], family, family_of.count(family))
            for (a, b), family in zip(wanted, family_of, strict=True)
        ]
    )
    if wanted:
        table = decide(table, means, metric=facts.name, higher=facts.higher)
    table = table.assign(tier=tier, metric=facts.name).reindex(columns=PAIRS)
    intervals = {
        name: Interval(estimate.value, *estimate.interval(), estimate.n, photos[name])
        for name, estimate in found.items()
    }
    return Comparison(
        ranks=rank_table(tier, facts, order, role_of, intervals, table),
        pairs=table,
        notes=(
            f"{facts.name}: of all cases at once; intervals by the delete-a-group jackknife "
            f"({GROUPS} groups of photos), p-values by Student's test with its errors, adjusted by "
            "Bonferroni",
        ),
    )


def _pair_row(
    a: str, b: str, gap: Estimate, photos: int, family: str, tests: int
) -> dict[str, object]:
    (low, high), (low90, high90), (low_joint, high_joint) = (
        gap.interval(level) for level in (0.95, 0.9, 1 - ALPHA / tests)
    )
    return {
        "a": a, "b": b, "difference": gap.value, "low": low, "high": high, "low90": low90,
        "high90": high90, "win_rate": np.nan, "n": gap.n, "photos": photos, "p": gap.p,
        "p_adjusted": min(1.0, gap.p * tests), "low_joint": low_joint, "high_joint": high_joint,
        "family": family, "note": JACKKNIFE,
    }  # fmt: skip


def extrapolated(
    tier: str,
    facts: Facts,
    fills: Features,
    photos: np.ndarray,
    role_of: Mapping[str, str],
    clusters: int,
) -> Comparison:
    """FID of infinitely many pictures, as rows of a metric of its own, without ranks.

    Refused below 10 pictures a feature, with a note.
    """
    n, d = photos.shape
    limit = Facts(f"{facts.name}_infinite", facts.higher, facts.unit, facts.scope)
    if n < EXTRAPOLATION_LEAST * d:
        return joined(
            [],
            [
                f"{tier}, {limit.name}: refused: needs {EXTRAPOLATION_LEAST * d} pictures, "
                f"{EXTRAPOLATION_LEAST} a feature, found {n}: with fewer the line in 1/n bends"
            ],
        )
    note = "intercept of a straight line in 1/n"
    intervals = {
        name: Interval(value, np.nan, np.nan, n, clusters, note)
        for name, value in fid_extrapolated(fills, photos).items()
    }
    return unranked(tier, limit, intervals, role_of, f"{limit.name}: {note}")


def unranked(
    tier: str,
    facts: Facts,
    intervals: Mapping[str, Interval],
    role_of: Mapping[str, str],
    note: str,
) -> Comparison:
    """Values that are shown, the best first, and of which nothing is concluded."""
    means = pd.Series({name: interval.mean for name, interval in intervals.items()}, dtype=float)
    order = by_mean(means, facts.higher, role_of)
    nothing = pd.DataFrame(columns=PAIRS)
    unranked = dict.fromkeys(order, "compared")
    return Comparison(
        rank_table(tier, facts, order, unranked, intervals, nothing), nothing, notes=(note,)
    )
