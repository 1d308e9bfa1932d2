"""Quality against difficulty: bins with bands, and where two methods cross."""

import itertools

import numpy as np
import pandas as pd
import pytest

from bench.statistics import binned, crossings, mean_interval


def made(n, seed=0, photos=None, noise=0.02):
    """Cases of growing difficulty x; ``flat`` is 0.5, ``steep`` 1 - x: they cross at 0.5."""
    rng = np.random.default_rng(seed)
    x = pd.Series(rng.permutation(np.linspace(0, 1, n)))
    level = rng.normal(0, 0.3, n)  # of the case, which pairs take out
    values = pd.DataFrame(
        {
            "flat": 0.5 + level + rng.normal(0, noise, n),
            "steep": 1 - x + level + rng.normal(0, noise, n),
            "low": -1 + level + rng.normal(0, noise, n),
        }
    )
    clusters = pd.Series(np.arange(n) % (photos or n))
    return values, x, clusters


@pytest.mark.parametrize(("n", "bins"), [(23, 0), (24, 3), (79, 9), (80, 10), (2000, 10)])
def test_bins_are_as_many_as_there_are_cases_for(n, bins):
    found = binned(*made(n))
    assert len(found) == bins
    assert sum(b.intervals["flat"].n for b in found) == (n if bins else 0)


def test_bins_are_ordered_apart_and_about_equally_full():
    values, x, clusters = made(203)
    found = binned(values, x, clusters)
    assert all(a.high < b.low for a, b in itertools.pairwise(found))
    assert all(b.low <= b.centre <= b.high for b in found)
    sizes = [b.intervals["flat"].n for b in found]
    assert max(sizes) - min(sizes) <= 1


def test_a_bin_is_the_mean_of_its_cases_with_the_usual_interval():
    values, x, clusters = made(100, photos=25)
    second = binned(values, x, clusters)[1]
    inside = (x >= second.low) & (x <= second.high)
    expected = mean_interval(values.loc[inside, "steep"], clusters[inside], resamples=1999)
    found = second.intervals["steep"]
    assert (found.n, found.clusters) == (expected.n, expected.clusters)
    assert [found.mean, found.low, found.high] == pytest.approx(
        [expected.mean, expected.low, expected.high]
    )


def test_equal_difficulties_are_never_torn_apart():
    values, _, clusters = made(100)
    x = pd.Series(np.repeat([1.0, 2.0, 3.0, 4.0], [40, 30, 20, 10]))
    found = binned(values, x, clusters)
    assert [(b.low, b.high) for b in found] == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert not binned(values, pd.Series(np.repeat([1.0, 2.0], 50)), clusters)


def test_cases_that_lack_a_value_are_left_out():
    values, x, clusters = made(100)
    values.loc[x < 0.2, "low"] = np.nan
    found = binned(values, x, clusters)
    assert found[0].low >= 0.2
    assert sum(b.intervals["flat"].n for b in found) == int((x >= 0.2).sum())


@pytest.mark.parametrize("higher", [True, False])
def test_a_crossing_is_found_named_and_placed(higher):
    values, x, clusters = made(300)
    (found,) = crossings(values if higher else -values, x, clusters, higher=higher)
    assert (found.easy, found.hard) == ("steep", "flat")
    assert 0.35 < found.low <= 0.5 <= found.high < 0.65
    assert found.high - found.low < 0.15
    assert found.p < 0.01


def test_no_crossing_is_named_where_one_method_is_ahead_throughout():
    values, x, clusters = made(300)
    assert not crossings(values[["flat", "low"]], x, clusters, higher=True)
    assert not crossings(values[["steep"]], x, clusters, higher=True)


def test_no_crossing_is_named_where_few_photos_support_it():
    assert crossings(*made(60), higher=True)
    assert not crossings(*made(60, photos=6), higher=True)


def test_chance_rarely_makes_a_crossing():
    rng = np.random.default_rng(3)
    found = 0
    for seed in range(60):
        _, x, clusters = made(60, seed)
        values = pd.DataFrame(rng.normal(size=(60, 6)), columns=list("abcdef"))
        found += bool(crossings(values, x, clusters, higher=True))
    assert found <= 1
