"""FID and KID of the methods of one tier: estimates from features, ranks, pairs, refusals."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bench.metrics import METRICS
from bench.metrics.distribution import fid, kid
from bench.metrics.record import Metric
from bench.run_tables import Run
from bench.statistics import (
    CASE,
    FULL_COVERAGE,
    Comparison,
    Facts,
    Interval,
    common_cases,
    completed,
    decide,
    joined,
)
from bench.statistics.comparison import (
    PAIRS,
    by_mean,
    coverage_of,
    power_note,
    rank_table,
    roles,
)
from bench.statistics.frechet import EXTRAPOLATION_LEAST, FID_LEAST, fid_estimates, fid_extrapolated
from bench.statistics.groups import GROUPS, Estimate, group_of
from bench.statistics.kernel import KID_LEAST, kid_estimates
from bench.store import records

Features = Mapping[str, np.ndarray]
_PHOTO = "the photo"  # no name of a method has a space


def within(run: Run, facts: Facts, tier: str, expected: int) -> Comparison:
    """Compare the methods of one tier of a run by a metric of sets of fills.

    Like metrics of single cases, it is computed on the cases that all ranked methods completed.

    Args:
        run: The run.
        facts: The metric.
        tier: The tier.
        expected: Number of cases planned for it.
    """
    metric = METRICS[facts.name]
    role_of = roles(run.methods)
    if not has_intervals(metric):
        return _without_interval(run, facts, tier, role_of)
    cases = run.cases[run.cases["tier"] == tier]
    covered = coverage_of(cases, role_of, expected)
    names = [n for n, share in covered.items() if share >= FULL_COVERAGE]
    keys = common_cases(cases, names)[[*CASE, "cluster"]].drop_duplicates(CASE)
    features = run.folder.read_features(metric.network)
    hashes = _pictures(run, names, keys)
    there = _measured(hashes, features)
    clusters = keys["cluster"][there].tolist()
    few = [n for n in covered if n not in names and covered[n] > 0]
    left_out = [f"{tier}, {facts.name}: {n} has too few cases for a set" for n in few]
    why = refusal(metric, clusters)
    if why:
        return joined([], [f"{tier}, {facts.name}: refused: {why}", *left_out])
    fills, photos = _stacked(hashes[there], features)
    found = estimates(metric, fills, photos, clusters)
    n_photos = len(set(clusters))
    parts = [compare_estimates(tier, facts, found, role_of, n_photos)]
    if metric.function is fid:
        parts.append(extrapolated(tier, facts, fills, photos, role_of, n_photos))
    return joined(parts, left_out)


def between(a: Run, b: Run, facts: Facts, tier: str, shared: Sequence[str]) -> Comparison:
    """Compare each method of two runs with itself by a metric of sets of fills.

    Args:
        a: The earlier run.
        b: The later run.
        facts: The metric.
        tier: The tier.
        shared: Methods that both have.
    """
    metric = METRICS[facts.name]
    if not has_intervals(metric):
        return joined(
            [], [f"{tier}, {facts.name}: has no interval, so runs are not compared by it"]
        )
    return joined([_method_between(a, b, metric, facts, tier, name) for name in shared])


def _method_between(
    a: Run, b: Run, metric: Metric, facts: Facts, tier: str, name: str
) -> Comparison:
    done = [
        rows[(rows["method"] == name) & (rows["tier"] == tier)]
        for rows in (completed(run.cases) for run in (a, b))
    ]
    keys = done[0][[*CASE, "cluster"]].merge(done[1][CASE], on=CASE)
    stored = [run.folder.read_features(metric.network) for run in (b, a)]
    hashes = [_pictures(run, [name], keys) for run in (b, a)]
    there = np.logical_and(*map(_measured, hashes, stored))
    clusters = keys["cluster"][there].tolist()
    why = refusal(metric, clusters)
    if why:
        return joined([], [f"{tier}, {facts.name} of {name}: refused: {why}"])
    found = {}
    for side, own, features in zip("BA", hashes, stored, strict=True):
        fills, photos = _stacked(own[there], features)
        found[f"{name} ({side})"] = estimates(metric, fills, photos, clusters)[name]
    role_of = dict.fromkeys(found, "compared")
    return compare_estimates(
        tier, facts, found, role_of, len(set(clusters)), [(f"{name} (B)", f"{name} (A)")]
    )


def _pictures(run: Run, names: Sequence[str], keys: pd.DataFrame) -> pd.DataFrame:
    """Content hash of each method's fill, and of the photo, one row per case of ``keys``."""
    cases = pd.MultiIndex.from_frame(keys[CASE])
    done = completed(run.cases)
    done = done[done["method"].isin(list(names))]
    hashes = done.pivot(index=CASE, columns="method", values="output_sha").reindex(cases)
    return hashes.assign(**{_PHOTO: run.plan.set_index(CASE)["photo_sha"].reindex(cases)})


def _measured(hashes: pd.DataFrame, features: Features) -> np.ndarray:
    """Which cases have features of all fills and of the photo, ``(n,)``."""
    return hashes.isin(features.keys()).all(axis=1).to_numpy()


def _stacked(hashes: pd.DataFrame, features: Features) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Features ``(n, d)`` of each method's fills, and of the photos."""
    arrays = {
        str(name): np.array([features[sha] for sha in column]) for name, column in hashes.items()
    }
    photos = arrays.pop(_PHOTO)
    return arrays, photos


def has_intervals(metric: Metric) -> bool:
    """Whether a set metric can be computed again without a group of photos."""
    return metric.function in (fid, kid)


def refusal(metric: Metric, clusters: Sequence[str]) -> str:
    """Why so few pictures do not make a number to compare; empty if there are enough."""
    n = len(clusters)
    if metric.function is fid and n < FID_LEAST:
        return (
            f"needs at least {FID_LEAST} cases with features of all fills, found {n}: with fewer "
            "the covariance of its 2048 features is singular and the bias, which differs by "
            "method, is large; compare KID instead"
        )
    if metric.function is kid and n < KID_LEAST:
        return f"needs at least {KID_LEAST} cases with features of all fills, found {n}"
    groups = len(set(group_of(clusters).tolist()))
    if groups < GROUPS:
        return (
            f"needs photos in all {GROUPS} groups of the jackknife, found {len(set(clusters))} "
            f"photos in {groups}"
        )
    return ""


def estimates(
    metric: Metric, fills: Features, photos: np.ndarray, clusters: Sequence[str]
) -> dict[str, Estimate]:
    """The metric of each method, with what the jackknife needs.

    Args:
        metric: FID or KID.
        fills: Features ``(n, d)`` by method, in one order of cases.
        photos: Features of the photos of these cases.
        clusters: Photo of each case.
    """
    compute = fid_estimates if metric.function is fid else kid_estimates
    return compute(fills, photos, group_of(clusters))


def compare_estimates(
    tier: str,
    facts: Facts,
    found: Mapping[str, Estimate],
    role_of: Mapping[str, str],
    photos: int,
    pairs: Sequence[tuple[str, str]] | None = None,
) -> Comparison:
    """Ranks and pairs of set metrics.

    p-values are Student's with the jackknife's standard error of the difference.

    Args:
        tier: The tier.
        facts: The metric.
        found: Estimate by method, all of the same cases.
        role_of: Role by method.
        photos: Number of photos.
        pairs: Which to compare; all, the better first, if omitted.
    """
    means = pd.Series({name: estimate.value for name, estimate in found.items()})
    order = by_mean(means, facts.higher, role_of)
    rows = pd.DataFrame(
        [
            _pair_row(a, b, found[a] - found[b], photos)
            for a, b in pairs or itertools.combinations(order, 2)
        ]
    )
    table = decide(rows, means, metric=facts.name, higher=facts.higher) if len(rows) else rows
    table = table.assign(tier=tier, metric=facts.name).reindex(columns=PAIRS)
    intervals = {
        name: Interval(estimate.value, *estimate.interval(), estimate.n, photos)
        for name, estimate in found.items()
    }
    return Comparison(
        ranks=rank_table(tier, facts, order, role_of, intervals, table),
        pairs=table,
        notes=(
            f"{facts.name}: of all cases at once; intervals by the delete-a-group jackknife "
            f"({GROUPS} groups of photos), p-values by Student's test with its errors",
            *power_note(tier, facts.name, table),
        ),
    )


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
    lines = fid_extrapolated(fills, photos)
    means = pd.Series({name: line.intercept for name, line in lines.items()})
    unranked = dict.fromkeys(role_of, "compared")
    order = by_mean(means, facts.higher, role_of)
    intervals = {
        name: Interval(float(means[name]), np.nan, np.nan, n, clusters, note) for name in order
    }
    nothing = pd.DataFrame(columns=PAIRS)
    return Comparison(
        ranks=rank_table(tier, limit, order, unranked, intervals, nothing),
        pairs=nothing,
        notes=(f"{limit.name}: {note}",),
    )


def _pair_row(a: str, b: str, gap: Estimate, photos: int) -> dict[str, object]:
    low, high = gap.interval(0.95)
    low90, high90 = gap.interval(0.9)
    return {
        "a": a, "b": b, "difference": gap.value, "low": low, "high": high, "low90": low90,
        "high90": high90, "win_rate": np.nan, "n": gap.n, "photos": photos, "p": gap.p,
        "p_wilcoxon": np.nan, "note": "jackknife",
    }  # fmt: skip


def _without_interval(run: Run, facts: Facts, tier: str, role_of: Mapping[str, str]) -> Comparison:
    """A set metric without interval: its values are shown, and nothing is concluded."""
    rows = run.sets[(run.sets["tier"] == tier) & (run.sets["metric"] == facts.name)]
    done = completed(run.cases)
    photos = done[done["tier"] == tier].groupby("method")["cluster"].nunique()
    intervals = {
        str(row["method"]): Interval(
            float(row["value"]),
            np.nan,
            np.nan,
            int(row["n"]),
            int(photos[row["method"]]),
            str(row["note"]),
        )
        for row in records(rows)
    }
    means = pd.Series({name: interval.mean for name, interval in intervals.items()}, dtype=float)
    order = by_mean(means, facts.higher, role_of)
    unranked = dict.fromkeys(order, "compared")
    nothing = pd.DataFrame(columns=PAIRS)
    return Comparison(
        ranks=rank_table(tier, facts, order, unranked, intervals, nothing),
        pairs=nothing,
        notes=(f"{facts.name}: one number of all fills, without interval: not ranked",),
    )
