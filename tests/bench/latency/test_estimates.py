"""What samples of time allow to say: percentiles, ratios, verdicts."""

import math

import numpy as np
import pytest
from scipy import stats

from bench.latency import estimates
from bench.latency.estimates import Ratio


@pytest.mark.parametrize(
    ("n", "share", "place"),
    [(63, 0.9, 0), (64, 0.9, 1), (100, 0.9, 3), (200, 0.9, 10), (500, 0.9, 34), (1000, 0.9, 78),
     (10, 0.5, 0), (11, 0.5, 1), (129, 0.95, 0), (130, 0.95, 1), (661, 0.99, 0), (662, 0.99, 1)],
)  # fmt: skip
def test_the_t_th_largest_sample_stands_for_a_percentile(n, share, place):
    """The places are those that MLPerf's rule gives, worked out by hand."""
    times = np.random.default_rng(n).permutation(n) + 1.0
    found = estimates.percentile(times, share)
    assert math.isnan(found) if place == 0 else found == n + 1 - place


def test_a_percentile_is_seldom_too_small():
    rng = np.random.default_rng(0)
    true = stats.lognorm(0.5).ppf(0.9)
    found = [estimates.percentile(rng.lognormal(0, 0.5, 100), 0.9) for _ in range(1000)]
    assert np.mean(np.array(found) < true) <= 0.015


def test_the_middle_is_a_median_that_few_samples_do_not_have():
    assert estimates.middle(np.arange(11)) == 5
    assert math.isnan(estimates.middle(np.arange(10)))
    assert math.isnan(estimates.percentile([], 0.9))


def noisy(rng, rounds=60, blocks=6):
    """A method and an anchor on a machine that slows both down together, by as much as tenfold."""
    drift = np.exp(np.cumsum(rng.normal(0, 0.3, rounds)).clip(-2, 2))
    return (
        1.3 * drift * rng.lognormal(0, 0.05, rounds),
        drift * rng.lognormal(0, 0.05, rounds),
        np.repeat(np.arange(blocks), rounds // blocks),
    )


def test_drifts_that_meet_both_leave_the_ratio_as_it_is():
    found = [estimates.ratio(*noisy(np.random.default_rng(seed))) for seed in range(200)]
    assert np.median([each.value for each in found]) == pytest.approx(1.3, rel=0.01)
    covered = np.mean([each.low <= 1.3 <= each.high for each in found])
    assert covered > 0.8  # six blocks are few, and the median's bootstrap is rough
    assert all(each.half_width < 0.05 for each in found)


def test_few_blocks_give_no_interval():
    times, anchor, _ = noisy(np.random.default_rng(0))
    found = estimates.ratio(times, anchor, np.repeat(np.arange(4), 15))
    assert found.value == pytest.approx(1.3, rel=0.05)
    assert math.isnan(found.low)
    assert math.isnan(found.half_width)
    assert estimates.ratio([], [], []).n == 0


def test_the_same_samples_give_the_same_interval():
    samples = noisy(np.random.default_rng(1))
    assert estimates.ratio(*samples) == estimates.ratio(*samples)


def around(value, half=0.01):
    return Ratio(value, value * math.exp(-half), value * math.exp(half), 60)


@pytest.mark.parametrize(
    ("now", "expected"),
    [(around(2.4), "slower"), (around(1.6), "faster"), (around(2.01), "same"),
     (around(2.1), "cannot tell"), (around(2.0, half=0.3), "cannot tell"),
     (Ratio(9.0, math.nan, math.nan, 3), "cannot tell")],
)  # fmt: skip
def test_verdicts_on_a_ratio_of_2(now, expected):
    said, change = estimates.verdict(around(2.0), now, 0.05)
    assert said == expected
    assert change.value == pytest.approx(now.value / 2)


def test_the_margin_grows_with_the_anchors_own_noise():
    assert estimates.margin("dedicated", around(1.001)) == 0.05
    assert estimates.margin("shared", around(1.001)) == 0.15
    assert estimates.margin("dedicated", around(1.04)) == pytest.approx(3 * math.log(1.04))


def test_an_anchor_that_disagrees_with_itself_is_not_trusted():
    assert estimates.trusted(around(1.04))
    assert not estimates.trusted(around(1.06))
    assert not estimates.trusted(around(0.94))
    assert not estimates.trusted(Ratio(math.nan, math.nan, math.nan, 0))


@pytest.mark.parametrize(
    ("basis", "busy", "anchor_busy", "expected"),
    [
        ("cpu", 1.0, 1.0, "cpu"), ("cpu", 0.6, 1.0, "cpu"), ("cpu", 0.01, 1.0, "wall"),
        ("cpu", 0.3, 0.4, "cpu"),  # a busy machine holds both up
        ("cpu", 1.9, 1.0, "wall"),  # several threads work
        ("wall", 0.01, 1.0, "wall"), ("device", 0.01, 1.0, "device"),
    ],
)  # fmt: skip
def test_the_clock_of_a_method_that_waits_is_wall_time(basis, busy, anchor_busy, expected):
    times, anchor = ([(share * wall, wall) for wall in (1.0, 2.0)] for share in (busy, anchor_busy))
    assert estimates.clock(basis, times, anchor) == expected
    assert estimates.clock(basis, [], anchor) == basis


def test_a_call_that_the_system_held_up_makes_no_method_one_that_waits():
    times = [(0.001, 0.001)] * 10 + [(0.001, 0.1)]
    assert estimates.clock("cpu", times, [(1.0, 1.0)]) == "cpu"
