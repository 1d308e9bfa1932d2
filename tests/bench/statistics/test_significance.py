from __future__ import annotations

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.errors import BenchError
from bench.statistics import (
    ALPHA,
    MARGINS,
    compare_pairs,
    differences_tested,
    margin,
    rank_ranges,
    significance,
    tie_groups,
    tied_sets,
)
from bench.statistics.equivalence import is_equivalent, verdict
from bench.statistics.significance import FEW, smallest_p


def single(differences, clusters):
    """The test of a single column: its p-value and interval."""
    found = differences_tested(np.asarray(differences, float)[:, None], clusters)
    assert found.p == pytest.approx(found.p_adjusted, nan_ok=True)
    return float(found.p[0]), float(found.low[0]), float(found.high[0])


def by_hand(columns, labels, draws=4000, seed=5):
    """p alone and of the family, photo by photo, from the definition of the ratio's error."""
    names = np.unique(labels)
    photos = [columns[labels == name] for name in names]

    def ratio(chosen, about):
        n = sum(len(each) for each in chosen)
        mean = sum(each.sum(axis=0) for each in chosen) / n
        apart = np.array([(each - mean).sum(axis=0) for each in chosen])
        k = len(chosen)
        return np.abs(mean - about) / np.sqrt(k / (k - 1) * (apart**2).sum(axis=0)) * n

    rng = np.random.default_rng(seed)
    whole = columns.mean(axis=0)
    drawn = np.array(
        [
            ratio([photos[i] for i in rng.integers(0, len(photos), len(photos))], whole)
            for _ in range(draws)
        ]
    )
    seen = ratio(photos, 0)
    return (drawn >= seen).mean(axis=0), (drawn.max(axis=1)[:, None] >= seen).mean(axis=0)


@pytest.mark.parametrize("cases", [1, 4])
def test_p_values_are_those_of_the_definition(cases):
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(25), rng.integers(1, cases + 1, 25))
    photos = rng.gamma(1, size=(25, 4)) - 1
    columns = photos[labels] + 0.3 * rng.normal(size=(len(labels), 4)) + [0, 0.2, 0.4, 0.6]
    alone, family = by_hand(columns, labels)
    found = differences_tested(columns, labels)
    assert found.p == pytest.approx(alone, abs=0.035)
    assert found.p_adjusted == pytest.approx(family, abs=0.035)
    assert (found.p_adjusted >= found.p).all()


def test_of_many_photos_it_is_students_test():
    differences = np.random.default_rng(1).normal(0.14, 1, 200)
    p, low, high = single(differences, np.arange(200))
    assert p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.01)
    own = stats.ttest_1samp(differences, 0).confidence_interval()
    assert (low, high) == pytest.approx((own.low, own.high), abs=0.01)


def test_of_very_many_photos_normal_draws_give_the_same(monkeypatch):
    rng = np.random.default_rng(8)
    columns = rng.normal(size=(900, 1)) + rng.normal(size=(900, 5)) + 0.07
    drawn = differences_tested(columns, np.arange(900))
    monkeypatch.setattr(significance, "MANY_CLUSTERS", 900)
    normal = differences_tested(columns, np.arange(900))
    assert normal.p == pytest.approx(drawn.p, abs=0.02)
    assert normal.p_adjusted == pytest.approx(drawn.p_adjusted, abs=0.02)
    assert normal.low == pytest.approx(drawn.low, abs=0.01)


def test_few_photos_get_the_larger_of_both_tests():
    differences = np.random.default_rng(0).normal(0.8, 1, 8)
    p, _, _ = single(differences, np.arange(8))
    flipped = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    drawn, _ = by_hand(differences[:, None], np.arange(8))
    assert p == pytest.approx(max(flipped, drawn[0]), abs=0.03)
    assert p >= flipped - 1e-12


def test_exact_p_of_three_photos_counted_by_hand():
    # Sums 3, 2, -1 reach |4| with signs (+ + -) and (+ + +) and their opposites: 4 of 8.
    assert single([3.0, 2.0, -1.0], ["a", "b", "c"])[0] >= 0.5


def test_photos_count_not_cases():
    rng = np.random.default_rng(2)
    photos = np.repeat(np.arange(12), 5)
    differences = rng.normal(0.5, 1, 12)[photos] + rng.normal(0, 0.1, 60)
    sums = np.bincount(photos, weights=differences)
    assert single(differences, photos)[0] == single(sums, np.arange(12))[0]
    assert single(differences, np.arange(60))[0] < single(differences, photos)[0]


@pytest.mark.parametrize("photos", [1, 2, 5, 6, 9, 10, 50])
def test_smallest_p_is_what_the_test_reaches(photos):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p, low, high = single(np.full(photos, 2.0), np.arange(photos))
    assert p == pytest.approx(smallest_p(photos))
    assert (p < ALPHA) == (low == high == 2)
    assert (p >= ALPHA) == np.isnan([low, high]).all()


def test_no_difference_is_p_1_and_no_case_is_nan():
    assert single(np.zeros(20), np.arange(20)) == (1, 0, 0)
    assert np.isnan(single([], [])).all()
    assert np.isnan(single([np.nan, np.nan], ["a", "b"])).all()


def test_swapping_the_methods_swaps_the_interval():
    differences = np.random.default_rng(4).gamma(1, size=30) - 0.7
    p, low, high = single(differences, np.arange(30))
    assert single(-differences, np.arange(30)) == (p, -high, -low)


def test_scale_does_not_matter():
    differences = np.random.default_rng(4).normal(0.3, 1, 30)
    assert single(1e-9 * differences, np.arange(30))[0] == single(differences, np.arange(30))[0]


def test_infinite_differences_and_lost_labels_are_refused():
    with pytest.raises(BenchError, match="finite"):
        single([0.1, np.inf], ["a", "b"])
    with pytest.raises(BenchError, match="as many clusters"):
        single([0.1, 0.2], ["a"])


@st.composite
def tables(draw):
    """Differences of several pairs, some equal, some without spread, some without all cases."""
    photos, columns = draw(st.integers(1, 30)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = np.repeat(np.arange(photos), rng.integers(1, draw(st.integers(2, 6)), photos))
    values = rng.normal(size=(len(labels), columns)) + draw(st.sampled_from([0, 0.5, 3]))
    kinds = draw(st.lists(st.sampled_from(["normal", "flat", "zero", "half", "sparse"]),
                          min_size=columns, max_size=columns))  # fmt: skip
    for column, kind in enumerate(kinds):
        if kind in ("flat", "zero"):
            values[:, column] = kind == "flat"
        elif kind == "half":
            values[labels % 2 == 0, column] = np.nan
        elif kind == "sparse":
            values[rng.random(len(labels)) < 0.8, column] = 0
    families = draw(st.lists(st.sampled_from("ab"), min_size=columns, max_size=columns))
    return values, labels, families


@settings(max_examples=150, deadline=None)
@given(tables())
def test_a_joint_interval_leaves_out_0_if_and_only_if_p_adjusted_is_below_5_percent(table):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = differences_tested(*table, resamples=999)
    outside = (found.low > 0) | (found.high < 0)
    assert outside.tolist() == (found.p_adjusted < ALPHA).tolist()
    known = ~np.isnan(found.p)
    assert (found.p_adjusted[known] >= found.p[known] - 1e-12).all()
    assert ((found.p[known] > 0) & (found.p_adjusted[known] <= 1)).all()


def test_families_do_not_cost_each_other():
    columns = np.random.default_rng(3).normal(0.3, 1, (40, 6))
    photos = np.arange(40)
    both = differences_tested(columns, photos, list("aabbbb"))
    alone = differences_tested(columns[:, :2], photos)
    assert both.p_adjusted[:2].tolist() == alone.p_adjusted.tolist()
    assert (both.p_adjusted[:2] < differences_tested(columns, photos).p_adjusted[:2]).all()


def test_a_pair_of_few_photos_does_not_spoil_the_others():
    rng = np.random.default_rng(3)
    columns = rng.normal(0.6, 1, (60, 3))
    columns[FEW - 3 :, 2] = np.nan
    found = differences_tested(columns, np.arange(60))
    alone = differences_tested(columns[:, :2], np.arange(60))
    assert found.p_adjusted[:2] == pytest.approx(1.5 * alone.p_adjusted)  # Bonferroni of the parts
    assert found.p_adjusted[2] == pytest.approx(min(1, 3 * found.p[2]))


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


def test_every_metric_of_single_fills_has_a_margin_but_those_whose_is_unknown():
    from bench.metrics import METRICS

    assert {name for name, m in METRICS.items() if m.scope == "case"} - MARGINS.keys() == {
        "rc_s", "rc_s_vitl", "self_consistency", "self_consistency_untrained",
        "swd_hole", "cw_ssim_hole", "mse_kept", "grad_misato", "clip_similarity",
    }  # fmt: skip


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
        (["wx"], ["a", "b", "ab", "ab"]),  # not told apart across one that is
        (["wx", "xy", "yz", "zw"], ["a", "b", "a", "b"]),
        (["xw", "yx"], ["a", "b", "a", "ab"]),
    ],
)
def test_letters_by_hand(different, letters):
    assert list(tie_groups("wxyz", pairs_of("wxyz", *different)).values()) == letters


@settings(deadline=None)
@given(st.data())
def test_two_methods_share_a_letter_if_and_only_if_they_do_not_differ(data):
    names = [f"m{i}" for i in range(data.draw(st.integers(1, 9)))]
    asked = list(itertools.combinations(names, 2))
    flags = data.draw(st.lists(st.booleans(), min_size=len(asked), max_size=len(asked)))
    pairs = pd.DataFrame(asked, columns=["a", "b"]).assign(significant=flags)
    letters = tie_groups(names, pairs)
    for (a, b), differs in zip(asked, flags, strict=True):
        assert bool({*letters[a]} & {*letters[b]}) != differs
    assert all(letters.values())
    groups = [{*places} for places in tied_sets(names, pairs)]
    for group in groups:  # each letter is needed
        others = [other for other in groups if other != group]
        joins = list(itertools.combinations(group, 2)) or [tuple(group)]
        assert not all(any({*pair} <= other for other in others) for pair in joins)


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
    assert first["p"] == single(gaps, photos)[0]
    assert (table["p_adjusted"] >= table["p"]).all()
    assert first["low_joint"] < first["low"] < first["high"] < first["high_joint"]
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
    for column in ("difference", "low", "high", "win_rate"):
        assert table.loc[0, column] == alone.loc[0, column]
    for column in ("p", "low_joint", "high_joint"):  # the draws are those of all photos
        assert table.loc[0, column] == pytest.approx(alone.loc[0, column], rel=0.15)


def test_no_shared_case_is_no_verdict(values):
    values["never"] = np.nan
    table = compare_pairs(
        values, pd.Series(np.arange(80)), [("never", "plain")], metric="ssim", higher=True
    ).iloc[0]
    assert (table["n"], table["verdict"]) == (0, "cannot tell")
    assert np.isnan(table["p_adjusted"])


def test_no_pair_is_an_empty_table(values):
    table = compare_pairs(values, pd.Series(np.arange(80)), [], metric="ssim", higher=True)
    assert len(table) == 0
    assert "verdict" in table
