from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.errors import BenchError
from bench.statistics import (
    MARGINS,
    compare_pairs,
    holm,
    margin,
    rank_ranges,
    sign_flips,
    tie_groups,
    wilcoxon,
)
from bench.statistics.equivalence import is_equivalent, verdict
from bench.statistics.significance import smallest_p


def sign_flip(differences, clusters) -> float:
    """The test of a single column."""
    return sign_flips(np.asarray(differences, float)[:, None], clusters)[0]


def by_scipy(cluster_sums: np.ndarray, flips: int = 9999) -> float:
    """The same test where every cluster is one number."""
    return stats.permutation_test(
        (cluster_sums,), np.sum, permutation_type="samples", n_resamples=flips,
        rng=np.random.default_rng(7), vectorized=True,
    ).pvalue  # fmt: skip


def test_few_photos_are_tested_exactly_as_scipy_does():
    differences = np.random.default_rng(0).normal(0.4, 1, 10)
    assert sign_flip(differences, np.arange(10)) == pytest.approx(by_scipy(differences), abs=1e-12)


def test_exact_p_of_three_photos_counted_by_hand():
    # Sums 3, 2, -1 reach |4| with signs (+ + -) and (+ + +) and their opposites: 4 of 8.
    assert sign_flip([3.0, 2.0, -1.0], ["a", "b", "c"]) == 0.5


def test_many_photos_agree_with_scipy_within_chance():
    differences = np.random.default_rng(1).normal(0.25, 1, 60)
    expected = by_scipy(differences)
    error = np.sqrt(expected * (1 - expected) / 9999)
    assert sign_flip(differences, np.arange(60)) == pytest.approx(expected, abs=6 * error)


def test_signs_flip_by_photo_not_by_case():
    rng = np.random.default_rng(2)
    photos = np.repeat(np.arange(12), 5)
    differences = rng.normal(0.5, 1, 12)[photos] + rng.normal(0, 0.1, 60)
    sums = np.bincount(photos, weights=differences)
    assert sign_flip(differences, photos) == pytest.approx(by_scipy(sums), abs=1e-12)
    assert sign_flip(differences, np.arange(60)) < sign_flip(differences, photos)


@pytest.mark.parametrize("photos", [8, 40])
def test_columns_at_once_are_columns_one_by_one(photos):
    columns = np.random.default_rng(3).normal(0.2, 1, (80, 5))
    clusters = np.arange(80) % photos
    single = [sign_flip(column, clusters) for column in columns.T]
    assert sign_flips(columns, clusters).tolist() == single


@pytest.mark.parametrize("photos", [5, 13, 14, 50])
def test_smallest_p_is_what_the_test_reaches(photos):
    assert sign_flip(np.full(photos, 2.0), np.arange(photos)) == pytest.approx(
        smallest_p(photos), rel=3 if photos == 14 else 1e-9
    )


def test_no_difference_is_p_1_and_no_case_is_nan():
    for test in (sign_flip, wilcoxon):
        assert test(np.zeros(20), np.arange(20)) == 1
        assert np.isnan(test([], []))


def test_swapping_the_methods_leaves_p():
    differences = np.random.default_rng(4).gamma(1, size=30) - 0.7
    assert sign_flip(differences, np.arange(30)) == sign_flip(-differences, np.arange(30))


@pytest.mark.parametrize("test", [sign_flip, wilcoxon])
def test_missing_differences_are_refused(test):
    with pytest.raises(BenchError, match="finite"):
        test([0.1, np.nan], ["a", "b"])
    with pytest.raises(BenchError, match="as many clusters"):
        test([0.1, 0.2], ["a"])


def test_wilcoxon_is_scipys_on_the_photos_means():
    rng = np.random.default_rng(5)
    photos = np.repeat(np.arange(30), 3)
    differences = rng.normal(0.2, 1, 90)
    means = differences.reshape(30, 3).mean(axis=1)
    assert wilcoxon(differences, photos) == pytest.approx(stats.wilcoxon(means).pvalue)


def test_wilcoxon_and_mean_may_disagree():
    # Better on most photos by a little, worse on few by a lot: no gain of the mean.
    differences = np.array([0.1 + 0.001 * i for i in range(27)] + [-1.0, -1.05, -1.1])
    assert wilcoxon(differences, np.arange(30)) < 0.01
    assert sign_flip(differences, np.arange(30)) > 0.5


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.02, 0.02, 0.02, 0.5], [0.08, 0.08, 0.08, 0.5]),
        ([0.5, 0.6, 0.9], [1, 1, 1]),
        ([0.01, np.nan, 0.04], [0.02, np.nan, 0.04]),
        ([np.nan, np.nan], [np.nan, np.nan]),
        ([0.03], [0.03]),
        ([], []),
    ],
)
def test_holm_by_hand(p, adjusted):
    assert holm(p) == pytest.approx(adjusted, nan_ok=True)


def test_holm_rejects_what_the_step_down_rule_rejects():
    rng = np.random.default_rng(6)
    for _ in range(50):
        p = rng.uniform(0, 0.05, 8).round(3)
        order = np.argsort(p, kind="stable")
        passed = p[order] * np.arange(8, 0, -1) < 0.05
        steps = 8 if passed.all() else int(np.argmin(passed))
        assert set(np.flatnonzero(holm(p) < 0.05)) == set(order[:steps])


@pytest.mark.parametrize(
    ("p", "gain", "equivalent", "said"),
    [
        (0.01, 0.5, False, "a better"),
        (0.01, -0.5, False, "b better"),
        (0.01, 0.001, True, "a better"),
        (0.3, 0.001, True, "equivalent"),
        (0.3, 0.5, False, "cannot tell"),
        (np.nan, 0.5, False, "cannot tell"),
        (0.05, 0.5, False, "cannot tell"),
    ],
)
def test_verdict(p, gain, equivalent, said):
    assert verdict(p, gain, equivalent) == said


def test_equivalence_needs_the_whole_interval_within_the_margin():
    assert is_equivalent(-0.09, 0.05, 0.1, 30)
    assert not is_equivalent(-0.11, 0.05, 0.1, 30)
    assert not is_equivalent(-0.1, 0.05, 0.1, 30)
    assert not is_equivalent(np.nan, np.nan, 0.1, 30)
    assert not is_equivalent(0.0, 0.0, margin("no such metric"), 30)


@pytest.mark.parametrize(("photos", "said"), [(2, "cannot tell"), (4, "cannot tell"),
                                              (5, "equivalent"), (12, "equivalent")])  # fmt: skip
def test_equivalence_needs_five_photos_not_five_cases(photos, said):
    near = np.random.default_rng(9).normal(0, 1e-4, 60)
    values = pd.DataFrame({"a": 30 + near, "b": np.full(60, 30.0)})
    labels = pd.Series(np.arange(60) % photos)
    table = compare_pairs(values, labels, [("a", "b")], metric="psnr_db", higher=True)
    assert not table["significant"].item()
    assert table["verdict"].item() == said


def test_margins():
    assert margin("psnr_db") == 0.1
    assert margin("fid", 5.0) == 0.5
    assert margin("fid", 60.0) == pytest.approx(1.2)
    assert np.isnan(margin("swd"))
    assert all(stated.absolute > 0 for stated in MARGINS.values())


def test_every_metric_of_single_fills_has_a_margin():
    from bench.metrics import METRICS

    assert {name for name, m in METRICS.items() if m.scope == "case"} <= MARGINS.keys()


def pairs_of(names: str, *different: str) -> pd.DataFrame:
    """Pairs of methods named by letters, those given differing, the first being better."""
    rows = []
    for a, b in itertools.combinations(names, 2):
        said = "a better" if a + b in different else "cannot tell"
        said = "b better" if b + a in different else said
        rows.append({"a": a, "b": b, "significant": said != "cannot tell", "verdict": said})
    return pd.DataFrame(rows, columns=["a", "b", "significant", "verdict"])


def test_rank_ranges_count_who_is_better_and_worse():
    pairs = pairs_of("wxyz", "wy", "wz", "xz")
    assert rank_ranges("wxyz", pairs) == {"w": (1, 2), "x": (1, 3), "y": (2, 4), "z": (3, 4)}
    assert rank_ranges("yx", pairs_of("xy", "yx")) == {"y": (1, 1), "x": (2, 2)}
    assert rank_ranges("wx", pairs) == {"w": (1, 2), "x": (1, 2)}
    assert rank_ranges("w", pairs) == {"w": (1, 1)}


@pytest.mark.parametrize(
    ("different", "letters"),
    [
        ([], ["a", "a", "a", "a"]),
        (["wx", "wy", "wz", "xy", "xz", "yz"], ["a", "b", "c", "d"]),
        (["wy", "wz", "xz"], ["a", "ab", "bc", "c"]),
        (["wz"], ["a", "ab", "ab", "b"]),
        (["wx"], ["a", "b", "b", "b"]),
    ],
)
def test_tie_groups_are_maximal_runs_without_a_difference(different, letters):
    assert list(tie_groups("wxyz", pairs_of("wxyz", *different)).values()) == letters


def test_tie_groups_of_none_and_of_very_many():
    assert tie_groups([], pairs_of("")) == {}
    names = [f"m{i}" for i in range(54)]
    pairs = pd.DataFrame(itertools.combinations(names, 2), columns=["a", "b"])
    letters = tie_groups(names, pairs.assign(significant=True))
    assert len(set(letters.values())) == 54


@pytest.fixture
def values() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    level = rng.normal(30, 4, 80)
    return pd.DataFrame(
        {
            "good": level + 1 + rng.normal(0, 0.3, 80),
            "plain": level,
            "same": level + rng.normal(0, 0.01, 80),
            "slight": level + 0.02 + rng.normal(0, 0.01, 80),
        }
    )


def test_pairs_hold_each_fact_once(values):
    photos = pd.Series(np.arange(80) // 2)
    asked = [("good", "plain"), ("plain", "same"), ("slight", "plain")]
    table = compare_pairs(values, photos, asked, metric="psnr_db", higher=True)
    assert table["verdict"].tolist() == ["a better", "equivalent", "a better"]
    assert table["significant"].tolist() == [True, False, True]
    assert table["equivalent"].tolist() == [False, True, True]
    assert table["n"].tolist() == [80] * 3
    assert table["photos"].tolist() == [40] * 3
    gaps = values["good"] - values["plain"]
    first = table.iloc[0]
    assert first["difference"] == pytest.approx(gaps.mean())
    assert first["win_rate"] == pytest.approx((gaps > 0).mean())
    assert first["p"] == sign_flip(gaps, photos)
    assert first["p_wilcoxon"] == wilcoxon(gaps, photos)
    assert table["p_holm"].tolist() == holm(table["p"]).tolist()
    assert first["low"] < first["low90"] < first["difference"] < first["high90"] < first["high"]


def test_lower_may_be_better(values):
    photos = pd.Series(np.arange(80))
    pair = [("good", "plain")]
    table = compare_pairs(values, photos, pair, metric="l1", higher=False).iloc[0]
    assert table["verdict"] == "b better"
    assert table["win_rate"] < 0.05


def test_equal_cases_count_half_as_wins():
    values = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [0.0, 2.0, 3.0, 5.0]})
    table = compare_pairs(values, pd.Series(range(4)), [("a", "b")], metric="l1", higher=True)
    assert table["win_rate"].item() == 0.5


def test_missing_values_cost_only_the_pairs_they_are_in(values):
    holed = values.copy()
    holed.loc[:9, "good"] = np.nan
    photos = pd.Series(np.arange(80))
    asked = [("good", "plain"), ("plain", "same")]
    table = compare_pairs(holed, photos, asked, metric="psnr_db", higher=True)
    assert table["n"].tolist() == [70, 80]
    rest = values.iloc[10:]
    alone = compare_pairs(rest, photos.iloc[10:], asked[:1], metric="psnr_db", higher=True)
    for column in ("difference", "low", "high", "p", "p_wilcoxon", "win_rate"):
        assert table.loc[0, column] == alone.loc[0, column]


def test_no_shared_case_is_no_verdict(values):
    values["never"] = np.nan
    table = compare_pairs(
        values, pd.Series(np.arange(80)), [("never", "plain")], metric="ssim", higher=True
    ).iloc[0]
    assert (table["n"], table["verdict"]) == (0, "cannot tell")
    assert np.isnan(table["p_holm"])


def test_no_pair_is_an_empty_table(values):
    table = compare_pairs(values, pd.Series(np.arange(80)), [], metric="ssim", higher=True)
    assert len(table) == 0
    assert "verdict" in table
