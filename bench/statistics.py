"""Means with honest intervals, and which cases may be compared.

Pure functions on arrays and data frames. What is resampled is the photo (the *cluster*), not
the case: several holes in one photo, or several tiles cut from one picture, say less than as
many photos would. Methods are compared case by case, on the cases that all of them completed.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from bench.errors import BenchError

CASE = ["photo", "tier", "draw"]
FULL_COVERAGE = 0.95
_MANY_CLUSTERS = 10_000
_BATCH_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence interval.

    Attributes:
        mean: Mean over all values, in their unit; NaN if there is none.
        low: Lower end; NaN if there is no interval.
        high: Upper end; NaN if there is no interval.
        n: Number of values.
        clusters: Number of photos they come from.
        note: Why there is no interval, or which one it is where it is not BCa.
    """

    mean: float
    low: float
    high: float
    n: int
    clusters: int
    note: str = ""

    @property
    def half_width(self) -> float:
        """Half of the interval's width; NaN if there is no interval."""
        return (self.high - self.low) / 2

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero; False if there is none."""
        return bool(self.low > 0 or self.high < 0)


class Headline(NamedTuple):
    """The metric that ranks, and why it is this one."""

    metric: str
    reason: str


def mean_interval(
    values: ArrayLike,
    clusters: ArrayLike,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Mean of the values with a bootstrap interval that resamples whole clusters.

    The interval is BCa (Efron, "Better bootstrap confidence intervals", JASA 1987) of the ratio
    of the resampled clusters' sums and counts. From 10,000 clusters on it is the normal interval
    of that ratio, which then agrees with it.

    Args:
        values: ``(n,)`` finite numbers; cap infinite ones before.
        clusters: ``(n,)`` labels, the same for values that belong to one photo.
        confidence: Coverage of the interval, between 0 and 1.
        resamples: Number of bootstrap resamples.
        seed: Seeds the resampling; the same seed gives the same interval.

    Returns:
        The interval. With one cluster its ends are NaN; where all clusters agree it has no
        width; ``note`` says so.

    Raises:
        BenchError: If lengths differ or a value is not finite.
    """
    sums, counts = _by_cluster(values, clusters)
    if len(sums) == 0:
        return Interval(np.nan, np.nan, np.nan, 0, 0, "no value")
    n = int(counts.sum())
    mean = float(sums.sum() / n)
    if len(sums) == 1:
        return Interval(mean, np.nan, np.nan, n, 1, "one photo only: nothing to resample")
    means = sums / counts
    if np.ptp(means) <= 1e-12 * np.abs(means).max():
        return Interval(mean, mean, mean, n, len(sums), "all photos agree: no spread")
    if len(sums) >= _MANY_CLUSTERS:
        low, high = _normal_interval(sums, counts, confidence)
        return Interval(mean, low, high, n, len(sums), "normal interval, many photos")
    low, high, note = _bootstrap_interval(sums, counts, confidence, resamples, seed)
    return Interval(mean, low, high, n, len(sums), note)


def paired_interval(
    a: ArrayLike,
    b: ArrayLike,
    clusters: ArrayLike,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Mean of ``a - b`` over the same cases, with the interval of `mean_interval`.

    Args:
        a: ``(n,)`` values of one method.
        b: ``(n,)`` values of the other, case by case the same.
        clusters: ``(n,)`` labels of the photos.
        confidence: Coverage of the interval, between 0 and 1.
        resamples: Number of bootstrap resamples.
        seed: Seeds the resampling.

    Raises:
        BenchError: If lengths differ or a difference is not finite.
    """
    first, second = np.asarray(a, float), np.asarray(b, float)
    if first.shape != second.shape:
        raise BenchError(
            f"paired values: expected two of one length, found {first.shape} and {second.shape}"
        )
    return mean_interval(
        first - second, clusters, confidence=confidence, resamples=resamples, seed=seed
    )


def common_cases(cases: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Rows of the cases that every one of the methods completed.

    Only sample 0 counts: with more samples a stochastic method would weigh more than others,
    and the best of several would not be comparable with a single fill.

    Args:
        cases: The table ``cases`` of a run.
        methods: Full names of the methods to compare.

    Returns:
        The rows of these methods with status ``ok``, in the order of ``cases``.
    """
    rows = cases[cases["method"].isin(list(methods)) & _completed(cases)]
    completed_by = rows.groupby(CASE)["method"].transform("nunique")
    return rows[completed_by == len(set(methods))]


def coverage(cases: pd.DataFrame) -> pd.DataFrame:
    """Which share of each tier's cases each method completed (sample 0, status ``ok``).

    Args:
        cases: The table ``cases`` of a run.

    Returns:
        One row per method and tier: ``method``, ``tier``, ``expected``, ``completed``, ``share``
        (0 to 1). A tier's expected cases are all that occur in it for any method.
    """
    expected = cases[CASE].drop_duplicates().groupby("tier").size()
    completed = cases[_completed(cases)].groupby(["method", "tier"]).size()
    pairs = pd.MultiIndex.from_product(
        [sorted(cases["method"].unique()), sorted(expected.index)], names=["method", "tier"]
    )
    table = completed.reindex(pairs, fill_value=0).rename("completed").reset_index()
    table["expected"] = table["tier"].map(expected)
    table["share"] = table["completed"] / table["expected"]
    return table[["method", "tier", "expected", "completed", "share"]]


def headline_metric(metrics: pd.DataFrame) -> Headline:
    """The metric that ranks: LPIPS if it was measured with its weights, else SSIM in the hole.

    LPIPS with untrained features never ranks: it does not measure what the published one does.

    Args:
        metrics: The table ``metrics`` of a run.
    """
    row = metrics[metrics["metric"] == "lpips"]
    if len(row) == 0:
        why = "LPIPS was not among the metrics of this run"
    elif row["status"].iloc[0] == "ok":
        return Headline("lpips", "LPIPS was measured with its published weights")
    else:
        why = f"LPIPS is absent: {row['reason'].iloc[0]}"
    return Headline("ssim_hole", why)


def _completed(cases: pd.DataFrame) -> pd.Series:
    return (cases["status"] == "ok") & (cases["sample"] == 0)


def _by_cluster(
    values: ArrayLike, clusters: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum and count of the values of each cluster, clusters sorted by label."""
    numbers, labels = np.asarray(values, float), np.asarray(clusters)
    if numbers.ndim != 1 or numbers.shape != labels.shape:
        raise BenchError(
            f"expected as many clusters as values, found {labels.shape} and {numbers.shape}"
        )
    wrong = int((~np.isfinite(numbers)).sum())
    if wrong:
        raise BenchError(
            f"expected finite values, found {wrong} of {len(numbers)} that are not; "
            "cap infinite ones and leave out missing ones before averaging"
        )
    _, index = np.unique(labels, return_inverse=True)
    return (
        np.bincount(index, weights=numbers).astype(float),
        np.bincount(index).astype(float),
    )


def _normal_interval(
    sums: NDArray[np.float64], counts: NDArray[np.float64], confidence: float
) -> tuple[float, float]:
    """Interval of the ratio of means by its linearised variance."""
    mean = sums.sum() / counts.sum()
    residuals = sums - mean * counts
    k = len(sums)
    error = np.sqrt(k / (k - 1) * np.square(residuals).sum()) / counts.sum()
    reach = float(stats.norm.ppf(0.5 + confidence / 2) * error)
    return float(mean) - reach, float(mean) + reach


def _bootstrap_interval(
    sums: NDArray[np.float64],
    counts: NDArray[np.float64],
    confidence: float,
    resamples: int,
    seed: int,
) -> tuple[float, float, str]:
    def ratio(
        total: NDArray[np.float64], number: NDArray[np.float64], axis: int = -1
    ) -> NDArray[np.float64]:
        return total.sum(axis=axis) / number.sum(axis=axis)

    def interval(method: str) -> tuple[float, float]:
        with warnings.catch_warnings():
            # A degenerate BCa comes back as NaN, which the caller handles.
            warnings.simplefilter("ignore", stats.DegenerateDataWarning)
            found = stats.bootstrap(
                (sums, counts), ratio, paired=True, vectorized=True, method=method,
                n_resamples=resamples, confidence_level=confidence,
                batch=max(1, _BATCH_BYTES // (16 * len(sums))), rng=np.random.default_rng(seed),
            ).confidence_interval  # fmt: skip
        return float(found.low), float(found.high)

    low, high = interval("BCa")
    if np.isfinite(low) and np.isfinite(high):
        return low, high, ""
    return (*interval("percentile"), "percentile bootstrap: BCa is undefined here")
