"""Two ways to train, several seeds each, compared by seed and photo on the cases of one run."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.compare.asked import facts
from bench.errors import BenchError, did_you_mean
from bench.folder.read import Run
from bench.statistics import (
    CASE,
    Facts,
    Interval,
    cap_infinite,
    crossed_interval,
    margin,
    mean_interval,
)
from bench.statistics.equivalence import is_equivalent
from bench.statistics.intervals import student_reach

_ALIKE = ("pictures", "batch", "crop", "precision", "devices", "networks", "start")


@dataclass(frozen=True)
class Difference:
    """The second group minus the first, in one metric and tier.

    Attributes:
        tier: Name of the tier.
        metric: Name of the metric.
        first: Mean of the first group.
        second: Mean of the second.
        photos: Second minus first, mean over seeds and cases, with an interval that resamples
            photos: what other photos would say of these very networks.
        by_seed: The difference for each pair of seeds.
        seeds: Half the width of the t interval over seeds: what other seeds would say on these
            photos. With three seeds it is wide (4.3 standard errors), and rightly so.
        both: Interval over photos and seeds at once, which the verdict is by: a claim about two
            ways to train is one about other seeds and other photos.
        verdict: ``first better`` or ``second better`` where that interval leaves out 0;
            ``equivalent`` where its 90 % one lies within the metric's margin; ``, negligibly``
            where both hold, ``not shown`` where neither does.
            Not adjusted for the number of rows.
    """

    tier: str
    metric: str
    first: float
    second: float
    photos: Interval
    by_seed: tuple[float, ...]
    seeds: float
    both: Interval
    verdict: str


def compare(
    run: Run, first: Sequence[str], second: Sequence[str], metrics: Sequence[str]
) -> list[Difference]:
    """Compare two groups of methods, the first of one with the first of the other, and so on.

    Args:
        run: A run of all of them.
        first: Methods of the first group, in the order of their seeds.
        second: Likewise; as many.
        metrics: Names of metrics of cases.

    Raises:
        BenchError: If the groups differ in size, a method or metric is not in the run, or two
            trainings that are compared had other seeds, photos or budgets.
    """
    if len(first) != len(second) or not first:
        raise BenchError(
            f"seeds: expected two groups of the same size, found {len(first)} and {len(second)}"
        )
    asked = facts(run, metrics)
    unknown = sorted({*first, *second} - set(run.cases["method"]))
    if unknown:
        meant = did_you_mean(unknown[0], set(run.cases["method"]))
        raise BenchError(f"{run.folder}: the run has no {', '.join(unknown)}.{meant}")
    _check_alike(run, list(zip(first, second, strict=True)))
    return [_difference(run, tier, metric, first, second) for tier in run.tiers for metric in asked]


def _check_alike(run: Run, pairs: Sequence[tuple[str, str]]) -> None:
    """Refuse pairs of trainings of this project that differ in more than what is compared."""
    cards = dict(zip(run.methods["method"], run.methods["training"], strict=True))
    for one, other in pairs:
        if not (cards.get(one) and cards.get(other)):
            continue
        a, b = (json.loads(cards[name]) for name in (one, other))
        given = [
            {"devices": 1, "networks": {}, "start": {}}
            | card["training"]
            | {"photos": card["data"]["sha"]}
            for card in (a, b)
        ]
        unlike = [key for key in (*_ALIKE, "seed", "photos") if given[0][key] != given[1][key]]
        if unlike:
            details = ", ".join(f"{key} {given[0][key]} and {given[1][key]}" for key in unlike)
            raise BenchError(
                f"{one} and {other}: expected trainings alike but for the network, found {details}"
            )


def _difference(
    run: Run, tier: str, metric: Facts, first: Sequence[str], second: Sequence[str]
) -> Difference:
    rows = run.cases[(run.cases["tier"] == tier) & (run.cases["status"] == "ok")]
    rows = rows[(rows["sample"] == 0) & rows["method"].isin([*first, *second])]
    values = rows[[*CASE, "cluster", "method"]].assign(value=cap_infinite(rows[metric.name])[0])
    wide = values.pivot(index=[*CASE, "cluster"], columns="method", values="value").dropna()
    ours, theirs = (wide.reindex(columns=list(names)).to_numpy() for names in (first, second))
    gaps = theirs - ours  # (cases, seeds)
    if not len(gaps):
        nan = math.nan
        nothing = Interval(nan, nan, nan, 0, 0, "no case was completed by all of them")
        none = (nan,) * len(first)
        return Difference(
            tier, metric.name, nan, nan, nothing, none, nan, nothing, "not shown"
        )  # fmt: skip
    clusters = wide.index.get_level_values("cluster").to_numpy()
    by_seed = gaps.mean(0)
    means = float(ours.mean()), float(theirs.mean())
    both, narrower = (crossed_interval(gaps, clusters, confidence=c) for c in (0.95, 0.9))
    best = max(means) if metric.higher else min(means)
    equivalent = is_equivalent(
        narrower.low, narrower.high, margin(metric.name, best), narrower.clusters
    )
    return Difference(
        tier, metric.name, *means, mean_interval(gaps.mean(1), clusters),
        tuple(map(float, by_seed)), student_reach(by_seed), both,
        _verdict(both, equivalent, metric.higher),
    )  # fmt: skip


def _verdict(both: Interval, equivalent: bool, higher: bool) -> str:
    if both.low > 0 or both.high < 0:
        better = "second better" if (both.low > 0) == higher else "first better"
        return f"{better}, negligibly" if equivalent else better
    return "equivalent" if equivalent else "not shown"
