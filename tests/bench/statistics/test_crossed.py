"""The interval over photos and seeds: what it is by hand, and how often it covers."""

import numpy as np
import pytest
from scipy import stats

from bench.errors import BenchError
from bench.statistics import crossed_interval


def drawn(rng, photos, seeds, of_photos, of_seeds, of_both):
    """A table of differences whose true mean is 0."""
    table = rng.normal(0, of_photos, (photos, 1)) + rng.normal(0, of_seeds, (1, seeds))
    return table + rng.normal(0, of_both, (photos, seeds))


def test_squared_half_widths_of_photos_and_of_seeds_add_up():
    table = drawn(np.random.default_rng(0), 30, 5, 1, 0.2, 0.5)
    found = crossed_interval(table, np.arange(30))
    halves = [
        stats.t.ppf(0.975, len(means) - 1) * stats.sem(means)
        for means in (table.mean(0), table.mean(1))
    ]
    assert found.mean == pytest.approx(table.mean())
    assert found.half_width == pytest.approx(np.hypot(*halves))
    assert (found.n, found.clusters) == (30, 30)


@pytest.mark.parametrize("axis", [0, 1])
def test_where_only_one_of_the_two_varies_it_is_students(axis):
    along = np.random.default_rng(1).normal(0, 1, 6)
    table = np.broadcast_to(np.expand_dims(along, 1 - axis), (6, 6))
    found = crossed_interval(table, np.arange(6))
    expected = stats.t.interval(0.95, 5, along.mean(), stats.sem(along))
    assert (found.low, found.high) == pytest.approx(expected)


def test_cases_of_one_photo_count_as_one():
    table = drawn(np.random.default_rng(2), 20, 4, 1, 0.3, 0.5)
    once = crossed_interval(table, np.arange(20))
    thrice = crossed_interval(np.repeat(table, 3, 0), np.repeat(np.arange(20), 3))
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))
    assert (thrice.n, thrice.clusters) == (60, 20)


@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
@pytest.mark.parametrize(
    ("of_photos", "of_seeds", "of_both"), [(1, 0.02, 0.3), (1, 0.1, 0.3), (0.3, 0.3, 0.3)]
)
def test_it_covers_the_mean_as_often_as_it_says(seeds, of_photos, of_seeds, of_both):
    rng = np.random.default_rng(seeds)
    draws = 1000
    tables = [drawn(rng, 100, seeds, of_photos, of_seeds, of_both) for _ in range(draws)]
    found = [crossed_interval(table, np.arange(100)) for table in tables]
    covered = sum(each.low <= 0 <= each.high for each in found) / draws
    assert 0.94 <= covered <= 0.995


def test_intervals_over_photos_alone_do_not():
    rng = np.random.default_rng(5)
    tables = [drawn(rng, 100, 5, 1, 0.2, 0.3).mean(1) for _ in range(1000)]
    covered = sum(abs(each.mean()) <= 1.984 * stats.sem(each) for each in tables) / 1000
    assert covered < 0.88


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (0, 3)])
def test_one_photo_or_seed_has_no_interval(shape):
    found = crossed_interval(np.ones(shape), np.arange(shape[0]))
    assert np.isnan(found.low)
    assert "expected two of each" in found.note


def test_what_agrees_has_no_spread():
    found = crossed_interval(np.full((4, 3), 0.5), np.arange(4))
    assert (found.low, found.mean, found.high) == (0.5, 0.5, 0.5)


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(BenchError, match="finite"):
        crossed_interval([[1.0, np.nan], [1, 2]], [0, 1])
