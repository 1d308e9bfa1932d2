"""Values gathered by cluster, the unit of all resampling."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bench.errors import BenchError


def by_cluster(
    columns: ArrayLike, clusters: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum of each column, and number of rows, of each cluster; clusters sorted by label.

    Args:
        columns: ``(n, p)`` finite numbers.
        clusters: ``(n,)`` labels.

    Returns:
        Sums ``(k, p)`` and counts ``(k,)``.

    Raises:
        BenchError: If lengths differ or a value is not finite.
    """
    numbers = np.asarray(columns, float)
    labels = clusters if isinstance(clusters, pd.Series) else np.asarray(clusters)
    if numbers.ndim != 2 or labels.ndim != 1 or len(numbers) != len(labels):
        raise BenchError(
            f"expected as many clusters as values, found {labels.shape} and {numbers.shape}"
        )
    wrong = int((~np.isfinite(numbers)).sum())
    if wrong:
        raise BenchError(
            f"expected finite values, found {wrong} of {numbers.size} that are not; "
            "cap infinite ones and leave out missing ones before averaging"
        )
    # Of categories, which large tables have, no text is looked at.
    index, names = pd.factorize(labels, sort=True, use_na_sentinel=False)
    sums = np.zeros((len(names), numbers.shape[1]))
    np.add.at(sums, index, numbers)
    return sums, np.bincount(index, minlength=len(names)).astype(float)


def effective(counts: ArrayLike) -> NDArray[np.float64]:
    """How many clusters of equal size are worth as much as these: ``(sum n)^2 / sum n^2``.

    Args:
        counts: Sizes ``(k, ...)``; those without a member do not count.

    Returns:
        ``(...)``, 0 where there is no member at all.
    """
    sizes = np.asarray(counts, float)
    squares = np.square(sizes).sum(axis=0)
    return np.divide(
        np.square(sizes.sum(axis=0)), squares, out=np.zeros_like(squares), where=squares > 0
    )
