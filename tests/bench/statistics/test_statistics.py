from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.errors import BenchError
from bench.statistics import (
    cap_infinite,
    column_intervals,
    common_cases,
    headline_metric,
    mean_interval,
)
from bench.statistics.coverage import coverage_of
from bench.statistics.intervals import known_intervals, widened


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(1).gamma(2.0, size=60)


def test_mean_counts_and_order_of_ends(values):
    clusters = np.arange(60) // 4
    found = mean_interval(values, clusters)
    assert found.mean == pytest.approx(values.mean())
    assert (found.n, found.clusters, found.note) == (60, 15, "")
    assert found.low < found.mean < found.high


@pytest.mark.parametrize("photos", [8, 60])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_agrees_with_scipy_at_the_widened_level(values, photos, confidence):
    clusters = np.arange(60) % photos
    sums = np.bincount(clusters, weights=values)
    counts = np.bincount(clusters).astype(float)
    expected = stats.bootstrap(
        (sums, counts), lambda a, b, axis: a.sum(axis) / b.sum(axis), paired=True,
        n_resamples=50_000, method="BCa", rng=np.random.default_rng(5),
        confidence_level=widened(confidence, photos),
    ).confidence_interval  # fmt: skip
    found = mean_interval(values, clusters, confidence=confidence, resamples=50_000)
    width = expected.high - expected.low
    assert found.low == pytest.approx(expected.low, abs=0.03 * width)
    assert found.high == pytest.approx(expected.high, abs=0.03 * width)


@pytest.mark.parametrize("photos", [2, 3, 4, 5])
def test_very_few_photos_have_an_interval_within_their_means_and_a_note(photos):
    sample = np.array([1.0, 4.0, 2.0, 7.0, 3.0])[:photos]
    found = mean_interval(sample, np.arange(photos))
    assert sample.min() <= found.low < found.mean < found.high <= sample.max()
    assert ("less often" in found.note) == (photos < 5)


def test_few_photos_widen_the_level_and_many_do_not():
    assert widened(0.95, 6) > 0.99
    assert 0.95 < widened(0.95, 60) < 0.96
    assert widened(0.95, 9999) == pytest.approx(0.95, abs=1e-4)


def test_columns_at_once_are_columns_one_by_one(values):
    columns = np.column_stack([values, values**2, np.ones(60)])
    clusters = np.arange(60) // 3
    at95, at90 = column_intervals(columns, clusters, confidences=(0.95, 0.9))
    for column, wide, narrow in zip(columns.T, at95, at90, strict=True):
        assert wide == mean_interval(column, clusters)
        assert narrow == mean_interval(column, clusters, confidence=0.9)


def test_infinite_decibels_are_capped_and_counted():
    values, count = cap_infinite(pd.Series([30.0, np.inf, np.nan, -np.inf]))
    assert count == 1
    assert values.fillna(0).tolist() == [30, 100, 0, -np.inf]


def test_agrees_with_student_for_normal_values():
    sample = np.random.default_rng(2).normal(size=400)
    low, high = stats.t.interval(0.95, 399, sample.mean(), stats.sem(sample))
    found = mean_interval(sample, np.arange(400))
    assert found.half_width == pytest.approx((high - low) / 2, rel=0.08)


def test_repeating_a_photo_adds_no_certainty(values):
    once = mean_interval(values, np.arange(60))
    four_times = mean_interval(np.repeat(values, 4), np.repeat(np.arange(60), 4))
    naive = mean_interval(np.repeat(values, 4), np.arange(240))
    assert (four_times.low, four_times.high) == pytest.approx((once.low, once.high))
    assert naive.half_width < 0.6 * once.half_width


def test_unequal_clusters_weigh_by_their_cases():
    found = mean_interval([1.0, 2.0, 2.0, 4.0], ["a", "b", "b", "c"])
    assert found.mean == pytest.approx(2.25)


def test_order_of_rows_and_names_of_photos_do_not_matter(values):
    clusters = np.array([f"p{i // 4:02}" for i in range(60)])
    order = np.random.default_rng(3).permutation(60)
    one, other = mean_interval(values, clusters), mean_interval(values[order], clusters[order])
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_same_seed_same_interval_and_more_confidence_is_wider(values):
    clusters = np.arange(60)
    assert mean_interval(values, clusters) == mean_interval(values, clusters)
    assert mean_interval(values, clusters, seed=1) != mean_interval(values, clusters)
    wide = mean_interval(values, clusters, confidence=0.99)
    assert wide.half_width > mean_interval(values, clusters).half_width


def test_one_photo_has_no_interval_and_says_so():
    found = mean_interval([1.0, 2.0], ["a", "a"])
    assert found.mean == 1.5
    assert np.isnan([found.low, found.high]).all()
    assert "one photo" in found.note


def test_agreeing_photos_give_no_width_and_say_so():
    found = mean_interval([0.1] * 6, list("aabbcc"))
    assert found.low == found.mean == found.high
    assert "no spread" in found.note


def test_no_value_gives_nan():
    found = mean_interval([], [])
    assert np.isnan(found.mean)
    assert found.n == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_values_are_refused(bad):
    with pytest.raises(BenchError, match="1 of 2"):
        mean_interval([0.0, bad], ["a", "b"])


def test_lengths_must_agree():
    with pytest.raises(BenchError, match="as many clusters"):
        mean_interval([1.0, 2.0], ["a"])


def test_intervals_of_several_columns_are_those_of_each_without_its_gaps():
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.normal(size=(90, 4)), columns=list("abcd"))
    table.loc[table.index % 7 == 0, ["b", "d"]] = np.nan
    table["empty"] = np.nan
    photos = pd.Series(np.arange(90) // 2)
    found = known_intervals(table, photos)
    assert list(found) == [*"abcd", "empty"]
    for name, interval in found.items():
        own = table[name].dropna()
        alone = mean_interval(own, photos[own.index])
        assert (interval.n, interval.clusters, interval.note) == (
            alone.n, alone.clusters, alone.note
        )  # fmt: skip
        ends = [interval.mean, interval.low, interval.high]
        expected = pytest.approx([alone.mean, alone.low, alone.high], rel=1e-12, nan_ok=True)
        assert ends == expected


def test_many_photos_use_the_normal_interval():
    sample = np.random.default_rng(4).normal(3, 1, size=10_000)
    found = mean_interval(sample, np.arange(10_000))
    reach = 1.959964 * stats.sem(sample)
    assert found.half_width == pytest.approx(reach, rel=1e-6)
    assert "normal" in found.note


def test_an_interval_of_differences_sees_a_difference_that_the_means_hide():
    rng = np.random.default_rng(6)
    level = rng.normal(0, 10, size=30)
    better = level + 0.1 + rng.normal(0, 0.02, size=30)
    clusters = np.arange(30)
    paired = mean_interval(better - level, clusters)
    assert paired.low > 0
    assert paired.mean == pytest.approx((better - level).mean())
    one, other = mean_interval(better, clusters), mean_interval(level, clusters)
    assert one.low < other.high


def test_an_interval_turns_round_with_its_values(values):
    other = values[::-1]
    there = mean_interval(values - other * 0.5, np.arange(60))
    back = mean_interval(other * 0.5 - values, np.arange(60))
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), rel=1e-3)


@pytest.fixture
def cases() -> pd.DataFrame:
    rows = [
        ("a", "p", 0, "ok"), ("a", "q", 0, "ok"), ("a", "r", 0, "ok"),
        ("b", "p", 0, "ok"), ("b", "q", 0, "failed"), ("b", "r", 0, "ok"),
        ("c", "p", 0, "ok"), ("c", "p", 1, "ok"), ("c", "r", 1, "ok"),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["method", "photo", "sample", "status"])
    return table.assign(tier="small", draw=0)


def test_common_cases_are_those_that_all_completed(cases):
    both = common_cases(cases, ["a", "b"])
    assert set(both["photo"]) == {"p", "r"}
    assert len(both) == 4
    assert list(common_cases(cases, ["a"])["photo"]) == ["p", "q", "r"]


def test_only_sample_0_counts(cases):
    assert list(common_cases(cases, ["c"])["photo"]) == ["p"]
    assert set(common_cases(cases, ["a", "b", "c"])["photo"]) == {"p"}


def test_coverage_counts_against_all_cases_of_the_tier(cases):
    shares = coverage_of(cases, "abc", expected=3)
    assert shares == pytest.approx({"a": 1.0, "b": 2 / 3, "c": 1 / 3})


OK, NO_WEIGHTS = ("ok", "", "1"), ("absent", "no weights; fetch them", "1")
OWN = ("ok", "", "2 code 0123abcd")


@pytest.mark.parametrize(
    ("rows", "metric", "words"),
    [
        ({"lpips": OK, "lpips_hole": OK}, "lpips_hole", ["published weights"]),
        ({"texture_structure": OK, "lpips": OK}, "lpips", ["(--metrics lpips_hole)"]),
        (
            {"lpips_untrained_hole": OK, "lpips_hole": NO_WEIGHTS, "texture_structure": OK},
            "texture_structure", ["need no weights", "lpips_hole is absent: no weights; fetch"],
        ),
        (
            {"ssim_hole": OK, "lpips_untrained": OK},
            "lpips_untrained", ["(--metrics lpips_hole)", "(--metrics texture_structure)"],
        ),
        ({"mine": OWN, "swd_hole": OK}, "swd_hole", ["(--metrics texture_structure)"]),
        (
            {"ssim_hole": OK, "mine": OWN, "lpips": NO_WEIGHTS},
            "mine", ["your own", "inpaint-bench orders --metrics", "texture_structure"],
        ),
        (
            {"psnr_hole_db": OK, "ssim_hole": OK, "gmsd": OK, "lpips_hole": NO_WEIGHTS},
            "", ["nothing ranks", "fetch them", "--metrics texture_structure"],
        ),
        ({}, "", ["nothing ranks"]),
    ],
)  # fmt: skip
def test_the_best_measured_of_the_headlines_ranks_and_it_is_said_why_not_a_better_one(
    rows, metric, words
):
    table = pd.DataFrame(
        [(name, *row) for name, row in rows.items()],
        columns=["metric", "status", "reason", "version"],
    )
    found = headline_metric(table.assign(scope="case"))
    assert found.metric == metric
    for word in words:
        assert word in found.reason


def test_a_metric_of_sets_never_ranks():
    row = {"metric": "texture_structure", "status": "ok", "reason": "", "version": "1"}
    assert headline_metric(pd.DataFrame([row | {"scope": "set"}])).metric == ""
