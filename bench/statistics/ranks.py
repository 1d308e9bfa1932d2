"""Average ranks of methods over photos, and whether they differ at all (Friedman's test)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

LEAST_METHODS = 3  # of two, a rank says no more than who is ahead


@dataclass(frozen=True)
class RankTest:
    """Average ranks, the best first, and what Friedman's test says of them.

    Attributes:
        means: Average rank by method, 1 is best; equal values share their ranks.
        photos: Number of photos.
        statistic: Friedman's chi-square, corrected for ties; NaN if there was nothing to test.
        p: Its p-value by Iman and Davenport's F, less conservative than chi-square; NaN likewise.
        critical: Nemenyi's critical difference of two average ranks at 5 %.
    """

    means: pd.Series
    photos: int
    statistic: float
    p: float
    critical: float


def photo_means(values: pd.DataFrame, clusters: pd.Series) -> pd.DataFrame:
    """Mean of each method over the cases of each photo: several holes of one are one witness.

    Args:
        values: One row per case, one column per method; rows that lack a value are left out.
        clusters: Photo of each case, with the index of ``values``.
    """
    whole = values.dropna()
    return whole.groupby(clusters[whole.index]).mean()


def friedman(means: pd.DataFrame, *, higher: bool) -> RankTest:
    """Rank methods on each photo and test whether all have the same average rank.

    Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 2006.

    Args:
        means: One row per photo, one column per method, no gaps.
        higher: Whether higher values are better.
    """
    from scipy import stats  # half a second, for which a run has no use

    n, k = means.shape
    ranks = means.rank(axis=1, ascending=not higher).mean().sort_values(kind="stable")
    statistic = p = critical = np.nan
    if n > 1 and k >= LEAST_METHODS:
        critical = float(stats.studentized_range.ppf(0.95, k, np.inf) / np.sqrt(2))
        critical *= np.sqrt(k * (k + 1) / (6 * n))
        if np.ptp(means.to_numpy(float), axis=1).any():
            statistic, p = _tested(means.to_numpy(float))
    return RankTest(ranks, n, statistic, p, critical)


def _tested(means: np.ndarray) -> tuple[float, float]:
    from scipy import stats

    n, k = means.shape
    statistic = float(stats.friedmanchisquare(*means.T).statistic)
    rest = n * (k - 1) - statistic
    f = (n - 1) * statistic / rest if rest > 1e-9 else np.inf  # every photo ranks them alike
    return statistic, float(stats.f.sf(f, k - 1, (k - 1) * (n - 1)))
