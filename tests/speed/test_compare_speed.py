"""All pairs of a comparison against one call of SciPy per pair, on one thread.

Run with ``pytest tests/speed --benchmark-enable -s``; the ratio is printed and recorded, and
only agreement is asserted.
"""

import itertools
import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.statistics import compare_pairs, significance
from bench.statistics.intervals import _multiplicities, widened

RESAMPLES = 9999
BATCH = 2**20


def scipy_pair(gaps, photos):
    """The same interval and p-value by SciPy; BCa twice, for 95 and 90 %."""
    batch = max(1, BATCH // photos)
    intervals = [
        stats.bootstrap(
            (gaps,), np.mean, n_resamples=RESAMPLES, batch=batch, rng=0,
            confidence_level=widened(confidence, photos),
        ).confidence_interval
        for confidence in (0.95, 0.9)
    ]  # fmt: skip
    p = stats.permutation_test(
        (gaps,), np.mean, permutation_type="samples", vectorized=True, batch=batch,
        n_resamples=RESAMPLES, rng=0,
    ).pvalue  # fmt: skip
    return intervals, p


@pytest.mark.parametrize(("photos", "methods"), [(100, 7), (1000, 12)])
def test_all_pairs_at_once(benchmark, photos, methods):
    rng = np.random.default_rng(0)
    level = rng.normal(size=(photos, 1))
    values = pd.DataFrame(
        level + 0.5 * rng.normal(size=(photos, methods)), columns=[f"m{i}" for i in range(methods)]
    )
    pairs = list(itertools.combinations(values.columns, 2))
    labels = pd.Series(np.arange(photos))

    def afresh():
        _multiplicities.cache_clear()
        return compare_pairs(values, labels, pairs, metric="ssim", higher=True)

    table = benchmark.pedantic(afresh, rounds=3)
    a, b = pairs[0]
    start = time.perf_counter()
    (wide, narrow), p = scipy_pair((values[a] - values[b]).to_numpy(), photos)
    one_pair = time.perf_counter() - start
    first = table.iloc[0]
    width = wide.high - wide.low
    assert first[["low", "high"]].tolist() == pytest.approx([wide.low, wide.high], abs=0.05 * width)
    assert [first["low90"], first["high90"]] == pytest.approx(list(narrow), abs=0.05 * width)
    assert first["p"] == pytest.approx(p, abs=6 * np.sqrt(0.25 / significance.FLIPS))
    if benchmark.stats is not None:
        ours = benchmark.stats.stats.median
        ratio = one_pair * len(pairs) / ours
        benchmark.extra_info["ratio to SciPy"] = ratio
        print(f"\n{photos} photos, {len(pairs)} pairs: {ours:.2f} s, SciPy {ratio:.0f} times that")
