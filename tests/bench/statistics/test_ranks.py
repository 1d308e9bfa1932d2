"""Average ranks, Friedman's test, Nemenyi's difference."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.statistics import friedman, photo_means

# Demsar (JMLR 2006), table 6: areas under the curve of four classifiers on 14 data sets. The
# two equal values of the last but one are ranked apart there, so they were equal in print only.
DEMSAR = pd.DataFrame(
    [
        (0.763, 0.768, 0.771, 0.798), (0.599, 0.591, 0.590, 0.569), (0.954, 0.971, 0.968, 0.967),
        (0.628, 0.661, 0.654, 0.657), (0.882, 0.888, 0.886, 0.898), (0.936, 0.931, 0.916, 0.931),
        (0.661, 0.668, 0.609, 0.685), (0.583, 0.583, 0.563, 0.625), (0.775, 0.838, 0.866, 0.875),
        (1.000, 1.000, 1.000, 1.000), (0.940, 0.962, 0.965, 0.962), (0.619, 0.666, 0.614, 0.669),
        (0.972, 0.981, 0.9751, 0.975), (0.957, 0.978, 0.946, 0.970),
    ],
    columns=["plain", "m", "cf", "both"],
)  # fmt: skip


def test_the_ranks_of_the_published_example():
    found = friedman(DEMSAR, higher=True)
    assert list(found.means.index) == ["both", "m", "cf", "plain"]
    assert found.means.round(3).to_dict() == {
        "both": 1.964, "m": 2.000, "cf": 2.893, "plain": 3.143,
    }  # fmt: skip
    assert found.photos == 14
    assert found.critical == pytest.approx(1.25, abs=0.005)


def test_the_test_counts_ties_where_the_published_example_does_not():
    found = friedman(DEMSAR, higher=True)
    k, n = 4, 14
    squares = float((found.means**2).sum())
    plain = 12 * n / (k * (k + 1)) * (squares - k * (k + 1) ** 2 / 4)
    assert plain == pytest.approx(9.28, abs=0.005)  # as published
    ties = sum(
        count**3 - count
        for row in DEMSAR.to_numpy()
        for count in np.unique(row, return_counts=True)[1]
    )
    corrected = plain / (1 - ties / (n * k * (k**2 - 1)))
    assert found.statistic == pytest.approx(corrected)
    f = (n - 1) * corrected / (n * (k - 1) - corrected)
    assert found.p == pytest.approx(stats.f.sf(f, 3, 39))
    assert 0.005 < found.p < 0.02


@pytest.mark.parametrize("k", [3, 5])
def test_chance_is_called_significant_as_often_as_stated(k):
    rng = np.random.default_rng(k)
    found = [friedman(pd.DataFrame(rng.normal(size=(20, k))), higher=True).p for _ in range(400)]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_methods_that_all_photos_rank_alike_differ_for_certain():
    table = pd.DataFrame(np.arange(30)[:, None] + [0.0, 0.1, 0.2], columns=list("abc"))
    found = friedman(table, higher=False)
    assert found.means.to_dict() == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert found.statistic == pytest.approx(60)
    assert found.p == 0


@pytest.mark.parametrize("shape", [(1, 4), (9, 2)])
def test_of_one_photo_or_two_methods_nothing_is_tested(shape):
    found = friedman(pd.DataFrame(np.random.default_rng(0).normal(size=shape)), higher=True)
    assert np.isnan([found.statistic, found.p]).all()
    assert len(found.means) == shape[1]


def test_methods_that_are_equal_everywhere_are_not_tested():
    found = friedman(pd.DataFrame(np.ones((9, 3))), higher=True)
    assert found.means.tolist() == [2, 2, 2]
    assert np.isnan(found.p)


def test_several_cases_of_a_photo_are_one_witness():
    values = pd.DataFrame({"a": [1.0, 3.0, 5.0, 7.0], "b": [2.0, 2.0, np.nan, 6.0]})
    clusters = pd.Series(["x", "x", "y", "y"])
    assert photo_means(values, clusters).to_dict("index") == {
        "x": {"a": 2, "b": 2}, "y": {"a": 7, "b": 6},
    }  # fmt: skip
