"""All pairs of a comparison against SciPy on one of them, on one thread.

Only agreement is asserted.
"""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.statistics import compare_pairs
from bench.statistics.intervals import multiplicities, widened
from tests.support.turns import keep, take_turns

RESAMPLES = 9999
BATCH = 2**20


def scipy_pair(gaps, photos):
    """The same intervals by SciPy, BCa of 95 and 90 %, and the p-value of flipped signs."""
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

    found = {}

    def ours():
        multiplicities.cache_clear()
        found["ours"] = compare_pairs(values, labels, pairs, metric="ssim", higher=True)

    def scipy():
        a, b = pairs[0]
        found["scipy"] = scipy_pair((values[a] - values[b]).to_numpy(), photos)

    forms = {f"all {len(pairs)} pairs": ours, "SciPy on one": scipy}
    turns = take_turns(benchmark, forms, rounds=3)
    (wide, narrow), p = found["scipy"]
    first = found["ours"].iloc[0]
    width = wide.high - wide.low
    assert first[["low", "high"]].tolist() == pytest.approx([wide.low, wide.high], abs=0.05 * width)
    assert [first["low90"], first["high90"]] == pytest.approx(list(narrow), abs=0.05 * width)
    assert first["p"] == pytest.approx(p, abs=6 * np.sqrt(0.25 / RESAMPLES))
    per_pair = len(pairs) * turns.ratio(*forms)
    keep(benchmark, turns, *forms, f"{photos} photos", times_as_fast_for_each_pair=per_pair)
