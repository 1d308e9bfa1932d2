"""Metrics of sets of the methods of one tier: what they are computed of, and when they are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from bench.compare.estimates import Features, extrapolated, ranked, unranked
from bench.folder.read import Run
from bench.metrics import METRICS
from bench.metrics.record import FeatureMetric
from bench.statistics import (
    CASE,
    FULL_COVERAGE,
    Comparison,
    Facts,
    Interval,
    common_cases,
    completed,
    joined,
)
from bench.statistics.coverage import coverage_of, roles
from bench.statistics.frechet import fid_estimates
from bench.statistics.groups import GROUPS, Estimate, group_of, rows_of, same_cases
from bench.statistics.kernel import CMMD, KERNEL_LEAST, kernel_estimates

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
    left_out += [f"{tier}, {facts.name}: {said}" for said in lacking(there)]
    why = refusal(metric, clusters, dimension(features))
    if why:
        return joined([], [f"{tier}, {facts.name}: refused: {why}", *left_out])
    fills, photos = _stacked(hashes[there], features)
    found = estimates(metric, fills, photos, clusters)
    n_photos = len(set(clusters))
    photos_of_each = dict.fromkeys(found, n_photos)
    parts = [ranked(tier, facts, found, role_of, photos_of_each, reference)]
    if _ESTIMATORS[metric.statistic].extrapolates:
        parts.append(extrapolated(tier, facts, fills, photos, role_of, n_photos))
    return joined(parts, left_out)


def pictures(run: Run, names: Sequence[str], keys: pd.DataFrame) -> pd.DataFrame:
    """Content hash of each method's fill, and of the photo, one row per case of ``keys``."""
    cases = pd.MultiIndex.from_frame(keys[CASE])
    done = completed(run.cases)
    done = done[done["method"].isin(list(names))]
    hashes = done.pivot(index=CASE, columns="method", values="output_sha").reindex(cases)
    hashes = hashes.set_axis(list(map(str, hashes)), axis=1)  # of categories they cannot be more
    return hashes.assign(**{PHOTO: run.plan.set_index(CASE)["photo_sha"].reindex(cases)})


def measured(hashes: pd.DataFrame, features: Features) -> np.ndarray:
    """Which cases have features of all fills and of the photo, ``(n,)``."""
    return hashes.isin(features.keys()).all(axis=1).to_numpy()


def lacking(there: np.ndarray) -> list[str]:
    """In words, if some cases have no features, as where a file of them is damaged."""
    if there.all():
        return []
    return [
        f"{(~there).sum():,} of {len(there):,} cases lack features, as where their files are "
        "damaged, and are left out; the run's command makes them anew"
    ]


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
    of = rows_of(run.sets, tier, facts.name)
    there = {n: row for n, row in of.items() if shares[n] >= FULL_COVERAGE}
    kept = same_cases(there, [name for name in there if role_of[name] == "ranked"])
    if not kept:
        return _without_interval(run, facts, tier, role_of, of)
    found = {n: Estimate.stored(of[n]) for n in kept}
    others = [n for n in of if n not in found]
    notes = [
        f"{tier}, {facts.name}: not compared, as its value is of other cases than that of most "
        f"methods: {n}"
        for n in others
    ]
    photos = photos_of(run, tier, found)
    return joined([ranked(tier, facts, found, role_of, photos, reference)], notes)


def photos_of(run: Run, tier: str, names: Iterable[str]) -> dict[str, int]:
    """Number of photos of each method in a tier."""
    done = completed(run.cases)
    photos = done[done["tier"] == tier].groupby("method")["cluster"].nunique()
    return {name: int(photos[name]) for name in names}


def _without_interval(
    run: Run, facts: Facts, tier: str, role_of: Mapping[str, str], of: Mapping[str, Any]
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
    return unranked(tier, facts, intervals, role_of, note)
