"""Metrics of sets of the methods of one tier: estimates, ranks, pairs, refusals."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from bench.folder.read import Run
from bench.folder.store import records
from bench.metrics import METRICS
from bench.metrics.record import FeatureMetric
from bench.statistics import (
    ALPHA,
    CASE,
    FULL_COVERAGE,
    MARKS,
    Comparison,
    Facts,
    Interval,
    common_cases,
    completed,
    decide,
    families,
    joined,
)
from bench.statistics.comparison import (
    PAIRS,
    against,
    by_mean,
    coverage_of,
    rank_table,
    roles,
    without_places,
)
from bench.statistics.frechet import EXTRAPOLATION_LEAST, fid_estimates, fid_extrapolated
from bench.statistics.groups import GROUPS, JACKKNIFE, Estimate, group_of, same_cases
from bench.statistics.kernel import CMMD, KERNEL_LEAST, kernel_estimates
from bench.statistics.notes import reference_note

Features = Mapping[str, np.ndarray]
PHOTO = "the photo"  # no name of a method has a space


@dataclass(frozen=True)
class _Estimator:
    """How a statistic of features gets its interval.

    Attributes:
        compute: The statistic of each method's fills, and without each group of photos; None to
            compute the metric itself again without each.
        least: Fewest pictures that it is computed of; as many as features if 0.
        why: Why not of fewer.
        extrapolates: Whether it is also given for infinitely many pictures.
    """

    compute: Callable[[Features, np.ndarray, np.ndarray], dict[str, Estimate]] | None
    least: int = 0
    why: str = ""
    extrapolates: bool = False


_ESTIMATORS = {
    "frechet": _Estimator(
        fid_estimates,
        why=", as many as features: with fewer their covariance is singular and the bias, which "
        "differs by method, is large; compare a kernel distance (kid, cmmd) instead",
        extrapolates=True,
    ),
    "cubic kernel": _Estimator(kernel_estimates, KERNEL_LEAST),
    "gaussian kernel": _Estimator(partial(kernel_estimates, rule=CMMD), KERNEL_LEAST),
    "discriminative": _Estimator(
        None, why=", as many as features: with fewer the SVM tells any fills apart"
    ),
}


def features_metric(name: str) -> FeatureMetric | None:
    """The metric of that name if it can be computed again without a group of photos."""
    metric = METRICS.get(name)
    return metric if isinstance(metric, FeatureMetric) else None


def within(
    run: Run, facts: Facts, tier: str, expected: int, reference: str | None = None
) -> Comparison:
    """Compare the methods of one tier of a run by a metric of sets of fills.

    Like metrics of single cases, it is computed on the cases that all ranked methods completed.

    Args:
        run: The run.
        facts: The metric.
        tier: The tier.
        expected: Number of cases planned for it.
        reference: A method, if only pairs with it are compared.
    """
    metric = features_metric(facts.name)
    role_of = roles(run.methods)
    cases = run.cases[run.cases["tier"] == tier]
    covered = coverage_of(cases, role_of, expected)
    if metric is None:
        return _as_stored(run, facts, tier, role_of, covered, reference)
    names = [n for n, share in covered.items() if share >= FULL_COVERAGE]
    keys = common_cases(cases, names)[[*CASE, "cluster"]].drop_duplicates(CASE)
    features = run.store.read_features(metric.network)
    hashes = pictures(run, names, keys)
    there = measured(hashes, features)
    clusters = keys["cluster"][there].tolist()
    few = [n for n in covered if n not in names and covered[n] > 0]
    left_out = [f"{tier}, {facts.name}: {n} has too few cases for a set" for n in few]
    why = refusal(metric, clusters, dimension(features))
    if why:
        return joined([], [f"{tier}, {facts.name}: refused: {why}", *left_out])
    fills, photos = _stacked(hashes[there], features)
    found = estimates(metric, fills, photos, clusters)
    n_photos = len(set(clusters))
    photos_of_each = dict.fromkeys(found, n_photos)
    parts = [_ranked(tier, facts, found, role_of, photos_of_each, reference)]
    if _ESTIMATORS[metric.statistic].extrapolates:
        parts.append(extrapolated(tier, facts, fills, photos, role_of, n_photos))
    return joined(parts, left_out)


def pictures(run: Run, names: Sequence[str], keys: pd.DataFrame) -> pd.DataFrame:
    """Content hash of each method's fill, and of the photo, one row per case of ``keys``."""
    cases = pd.MultiIndex.from_frame(keys[CASE])
    done = completed(run.cases)
    done = done[done["method"].isin(list(names))]
    hashes = done.pivot(index=CASE, columns="method", values="output_sha").reindex(cases)
    return hashes.assign(**{PHOTO: run.plan.set_index(CASE)["photo_sha"].reindex(cases)})


def measured(hashes: pd.DataFrame, features: Features) -> np.ndarray:
    """Which cases have features of all fills and of the photo, ``(n,)``."""
    return hashes.isin(features.keys()).all(axis=1).to_numpy()


def _stacked(hashes: pd.DataFrame, features: Features) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Features ``(n, d)`` of each method's fills, and of the photos."""
    arrays = {str(name): features_of(column, features) for name, column in hashes.items()}
    photos = arrays.pop(PHOTO)
    return arrays, photos


def features_of(hashes: pd.Series, features: Features) -> np.ndarray:
    """Features ``(n, d)`` of pictures given by their hashes."""
    return np.array([features[sha] for sha in hashes])


def dimension(features: Features) -> int:
    """How many features a picture has; 0 if there are none of any."""
    return next((len(each) for each in features.values()), 0)


def refusal(metric: FeatureMetric, clusters: Sequence[str], d: int) -> str:
    """Why so few pictures of d features do not make a number to compare; empty if enough."""
    n, estimator = len(clusters), _ESTIMATORS[metric.statistic]
    least = estimator.least or d
    if not d:
        return "the run folder holds no features of its pictures"
    if n < least:
        return f"needs at least {least} cases with features of all fills, found {n}{estimator.why}"
    if len(set(clusters)) < GROUPS:
        return (
            f"needs photos in all {GROUPS} groups of the jackknife, found {len(set(clusters))} "
            "photos"
        )
    return ""


def estimates(
    metric: FeatureMetric, fills: Features, photos: np.ndarray, clusters: Sequence[str]
) -> dict[str, Estimate]:
    """The metric of each method, with what the jackknife needs.

    Args:
        metric: The metric.
        fills: Features ``(n, d)`` by method, in one order of cases.
        photos: Features of the photos of these cases.
        clusters: Photo of each case.
    """
    groups = group_of(clusters)
    compute = _ESTIMATORS[metric.statistic].compute
    if compute is not None:
        return compute(fills, photos, groups)
    sizes = np.bincount(groups)
    found = {}
    for name, own in fills.items():
        kept = (groups != group for group in range(len(sizes)))
        without = [metric.function(own[keep], photos[keep]).value for keep in kept]
        value = metric.function(own, photos).value
        found[name] = Estimate(value, np.array(without), sizes, len(photos))
    return found


def estimate_at_once(
    metric: FeatureMetric, fills: np.ndarray, photos: np.ndarray, clusters: Sequence[str]
) -> Estimate | None:
    """The metric of one method with its jackknife, where there are enough pictures.

    None also where the metric would have to be computed once a group, which takes long.
    """
    slow = _ESTIMATORS[metric.statistic].compute is None
    if slow or refusal(metric, clusters, photos.shape[1]):
        return None
    return estimates(metric, {"": fills}, photos, clusters)[""]


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
    asked = list(itertools.combinations(order, 2) if pairs is None else pairs)
    family_of = families(asked, marks)
    table = pd.DataFrame(
        [
            _pair_row(a, b, found[a] - found[b], photos[a], family, family_of.count(family))
            for (a, b), family in zip(asked, family_of, strict=True)
        ]
    )
    if asked:
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
    intervals = {
        name: Interval(float(line.intercept), np.nan, np.nan, n, clusters, note)
        for name, line in lines.items()
    }
    return _unranked(tier, limit, intervals, role_of, f"{limit.name}: {note}")


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


def _ranked(
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
    asked = against(found, reference)
    part = compare_estimates(tier, facts, found, role_of, photos, marks, asked)
    notes = reference_note(tier, facts.name, reference, found)
    return joined([replace(part, ranks=without_places(part.ranks))], notes)


def _as_stored(
    run: Run,
    facts: Facts,
    tier: str,
    role_of: Mapping[str, str],
    shares: Mapping[str, float],
    reference: str | None,
) -> Comparison:
    """A metric of pictures that are not read again: by what the run kept of its jackknife.

    Where that is nothing, as in older runs and of few photos, its values are shown, and nothing is
    concluded.
    """
    rows = run.sets[(run.sets["tier"] == tier) & (run.sets["metric"] == facts.name)]
    of = {str(row["method"]): row for row in records(rows)}
    there = {n: str(row["jackknife"]) for n, row in of.items() if shares[n] >= FULL_COVERAGE}
    kept = same_cases(there, [name for name in there if role_of[name] == "ranked"])
    if not kept:
        return _without_interval(run, facts, tier, role_of, of)
    found = {n: Estimate.stored(float(of[n]["value"]), there[n]) for n in kept}
    others = [n for n in of if n not in found]
    notes = [
        f"{tier}, {facts.name}: not compared, as its value is of other cases than that of most "
        f"methods: {n}"
        for n in others
    ]
    photos = photos_of(run, tier, found)
    return joined([_ranked(tier, facts, found, role_of, photos, reference)], notes)


def photos_of(run: Run, tier: str, names: Iterable[str]) -> dict[str, int]:
    """Number of photos of each method in a tier."""
    done = completed(run.cases)
    photos = done[done["tier"] == tier].groupby("method")["cluster"].nunique()
    return {name: int(photos[name]) for name in names}


def _without_interval(
    run: Run, facts: Facts, tier: str, role_of: Mapping[str, str], of: Mapping[str, dict[str, Any]]
) -> Comparison:
    """A set metric without interval: its values are shown, and nothing is concluded."""
    photos = photos_of(run, tier, of)
    intervals = {
        name: Interval(
            float(row["value"]), np.nan, np.nan, int(row["n"]), photos[name], str(row["note"])
        )
        for name, row in of.items()
    }
    note = (
        f"{facts.name}: one number of all fills, without interval, which takes {GROUPS} photos and "
        "a run of today: not ranked"
    )
    return _unranked(tier, facts, intervals, role_of, note)


def _unranked(
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
