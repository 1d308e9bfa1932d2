"""Metrics of sets of features of each method in two runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bench.compare.estimates import Features, compare_estimates
from bench.compare.sets import (
    PHOTO,
    dimension,
    estimates,
    features_metric,
    features_of,
    lacking,
    measured,
    photos_of,
    pictures,
    refusal,
)
from bench.folder.read import Run
from bench.metrics.record import FeatureMetric
from bench.statistics import CASE, MARKS, Comparison, Facts, completed, joined
from bench.statistics.coverage import roles
from bench.statistics.groups import Estimate, rows_of, same_cases

Photos = tuple[tuple[str, ...], tuple[str, ...]]  # content hash and cluster of each case


def between(a: Run, b: Run, facts: Facts, tier: str, shared: Sequence[str]) -> Comparison:
    """Compare each method of two runs with itself by a metric of sets of fills.

    Args:
        a: The earlier run.
        b: The later run.
        facts: The metric.
        tier: The tier.
        shared: Methods that both have.
    """
    metric = features_metric(facts.name)
    if metric is None:
        found, photos, notes = _as_stored(a, b, facts, tier, shared)
        return _compared(a, facts, tier, shared, found, photos, notes)
    stored = {"A": a.store.read_features(metric.network)}
    stored["B"] = b.store.read_features(metric.network)
    sets: dict[Photos, dict[str, np.ndarray]] = {}
    photos, notes = {}, []
    for name in shared:
        keys, hashes = _pictures_of_both(a, b, tier, name)
        there = np.logical_and(*(measured(hashes[side], stored[side]) for side in "AB"))
        clusters = keys["cluster"][there].tolist()
        notes += [f"{tier}, {facts.name} of {name}: {said}" for said in lacking(there)]
        why = refusal(metric, clusters, dimension(stored["A"]))
        if why:
            notes.append(f"{tier}, {facts.name} of {name}: refused: {why}")
            continue
        for side in "AB":
            own = hashes[side][there]
            label, same = f"{name} ({side})", (tuple(own[PHOTO]), tuple(clusters))
            sets.setdefault(same, {})[label] = features_of(own[name], stored[side])
            photos[label] = len(set(clusters))
    found = _estimated(metric, sets, stored["A"] | stored["B"])
    return _compared(a, facts, tier, shared, found, photos, notes)


def _compared(
    a: Run,
    facts: Facts,
    tier: str,
    shared: Sequence[str],
    found: Mapping[str, Estimate],
    photos: Mapping[str, int],
    notes: Sequence[str],
) -> Comparison:
    """Each method in B against itself in A; the ceiling is the photo in both and is not tested."""
    if not found:
        return joined([], notes)
    kept = [name for name in shared if f"{name} (A)" in found]
    role = roles(a.methods)
    marks = [f"{name} ({side})" for name in kept if role[name] in MARKS for side in "AB"]
    compared = [(f"{n} (B)", f"{n} (A)") for n in kept if role[n] != "ceiling"]
    everyone = dict.fromkeys(found, "compared")
    return joined([compare_estimates(tier, facts, found, everyone, photos, marks, compared)], notes)


def _as_stored(
    a: Run, b: Run, facts: Facts, tier: str, shared: Sequence[str]
) -> tuple[dict[str, Estimate], dict[str, int], list[str]]:
    """What both runs kept of the jackknife of a metric of pictures, as far as the cases agree."""
    found, photos, notes = {}, {}, []
    sides = {side: rows_of(run.sets, tier, facts.name) for side, run in (("A", a), ("B", b))}
    for name in shared:
        own = {side: rows[name] for side, rows in sides.items() if name in rows}
        if len(same_cases(own, "AB")) < 2:
            notes.append(
                f"{tier}, {facts.name} of {name}: refused: needs intervals of the same cases in "
                "both runs"
            )
            continue
        for side, run in (("A", a), ("B", b)):
            label = f"{name} ({side})"
            found[label] = Estimate.stored(own[side])
            photos[label] = photos_of(run, tier, [name])[name]
    return found, photos, notes


def _estimated(
    metric: FeatureMetric, sets: Mapping[Photos, Features], features: Features
) -> dict[str, Estimate]:
    """The metric of all sets; the work on the photos is done once for those of the same."""
    found: dict[str, Estimate] = {}
    for (shas, clusters), fills in sets.items():
        photos = np.array([features[sha] for sha in shas])
        found |= estimates(metric, fills, photos, clusters)
    return found


def _pictures_of_both(
    a: Run, b: Run, tier: str, name: str
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Cases that a method completed in both runs, and its pictures of them by run."""
    done = [
        rows[(rows["method"] == name) & (rows["tier"] == tier)]
        for rows in (completed(run.cases) for run in (a, b))
    ]
    keys = done[0][[*CASE, "cluster"]].merge(done[1][CASE], on=CASE)
    return keys, {"A": pictures(a, [name], keys), "B": pictures(b, [name], keys)}
