"""Two ways to train, several seeds each, compared by seed and photo on the cases of one run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bench.errors import BenchError
from bench.run_tables import Run
from bench.statistics import CASE, cap_infinite

_DRAWS = 10_000


@dataclass(frozen=True)
class Difference:
    """The second group minus the first, in one metric and tier.

    Attributes:
        tier: Name of the tier.
        metric: Name of the metric.
        first: Mean of the first group.
        second: Mean of the second.
        difference: Second minus first, mean over seeds and cases.
        low: Lower end of the 95 % interval.
        high: Upper end.
        by_seed: The difference for each pair of seeds.
        cases: Number of cases that all of them completed.
        photos: Number of photos (clusters) among them.
    """

    tier: str
    metric: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    by_seed: tuple[float, ...]
    cases: int
    photos: int


def compare(
    run: Run, first: Sequence[str], second: Sequence[str], metrics: Sequence[str]
) -> list[Difference]:
    """Compare two groups of methods, the first of one with the first of the other, and so on.

    The interval resamples photos and seeds at once (the pigeonhole bootstrap, Owen 2007), so it
    speaks of other photos and of other seeds, as far as a few seeds can.

    Args:
        run: A run of all of them.
        first: Methods of the first group, in the order of their seeds.
        second: Likewise; as many.
        metrics: Names of metrics of cases.

    Raises:
        BenchError: If the groups differ in size, or a method or metric is not in the run.
    """
    if len(first) != len(second) or not first:
        raise BenchError(
            f"seeds: expected two groups of the same size, found {len(first)} and {len(second)}"
        )
    unknown = sorted({*first, *second} - set(run.cases["method"]))
    unknown += [f"metric {name}" for name in metrics if name not in run.cases]
    if unknown:
        raise BenchError(f"{run.folder.path}: the run has no {', '.join(unknown)}")
    return [
        _difference(run, tier, metric, first, second) for tier in run.tiers for metric in metrics
    ]


def _difference(
    run: Run, tier: str, metric: str, first: Sequence[str], second: Sequence[str]
) -> Difference:
    rows = run.cases[(run.cases["tier"] == tier) & (run.cases["status"] == "ok")]
    rows = rows[(rows["sample"] == 0) & rows["method"].isin([*first, *second])]
    values = rows[[*CASE, "cluster", "method"]].assign(value=cap_infinite(rows[metric])[0])
    wide = values.pivot(index=[*CASE, "cluster"], columns="method", values="value").dropna()
    if wide.empty:
        nan = math.nan
        return Difference(tier, metric, nan, nan, nan, nan, nan, (nan,) * len(first), 0, 0)
    ours, theirs = wide[list(first)].to_numpy(), wide[list(second)].to_numpy()
    gaps = theirs - ours  # (cases, seeds)
    clusters = pd.factorize(wide.index.get_level_values("cluster"))[0]
    low, high = _interval(gaps, clusters)
    return Difference(
        tier, metric, float(ours.mean()), float(theirs.mean()), float(gaps.mean()), low, high,
        tuple(float(gap) for gap in gaps.mean(0)), len(gaps), int(clusters.max()) + 1,
    )  # fmt: skip


def _interval(gaps: np.ndarray, clusters: np.ndarray) -> tuple[float, float]:
    """Percentiles of the mean under resampling of clusters (rows) and of seeds (columns)."""
    count, seeds = clusters.max() + 1, gaps.shape[1]
    sums = np.zeros((count, seeds))
    np.add.at(sums, clusters, gaps)
    sizes = np.bincount(clusters)
    rng = np.random.default_rng(0)
    rows = rng.multinomial(count, np.full(count, 1 / count), _DRAWS)  # how often each is drawn
    columns = rng.multinomial(seeds, np.full(seeds, 1 / seeds), _DRAWS)
    totals = np.einsum("dc,cs,ds->d", rows, sums, columns)
    means = totals / ((rows @ sizes) * seeds)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
