"""FID, KID, CMMD: estimates without a group, their errors, and the intercept over 1/n."""

from __future__ import annotations

import hashlib
from functools import partial

import numpy as np
import pytest
from scipy import stats

from bench.metrics.distribution import cmmd, fid, kid
from bench.statistics.frechet import fid_estimates, fid_extrapolated
from bench.statistics.groups import GROUPS, Estimate, group_of
from bench.statistics.kernel import CMMD, kernel_estimates


@pytest.fixture
def features() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    photos = rng.normal(3, 1, (240, 12))
    return {
        "photos": photos.astype(np.float32),
        "near": (photos + rng.normal(0, 0.3, (240, 12))).astype(np.float32),
        "far": (0.8 * photos + rng.normal(0, 0.8, (240, 12))).astype(np.float32),
    }


@pytest.fixture
def groups() -> np.ndarray:
    return group_of(f"photo {i}" for i in range(240))


def test_groups_are_the_same_everywhere_and_even(groups):
    def place(name):
        return hashlib.sha256(name.encode()).digest()

    names = [f"photo {i}" for i in range(240)]
    expected = {name: rank % 20 for rank, name in enumerate(sorted(names, key=place))}
    assert groups.tolist() == [expected[name] for name in names]
    assert np.bincount(groups).tolist() == [12] * GROUPS
    assert group_of(["b", "a", "b"]).tolist() == [0, 1, 0]
    assert sorted(group_of(names[:20])) == list(range(20))


@pytest.mark.parametrize(
    ("estimates", "metric"),
    [(fid_estimates, fid), (kernel_estimates, kid), (partial(kernel_estimates, rule=CMMD), cmmd)],
)
def test_whole_set_and_each_left_out_group_agree_with_the_metric(
    features, groups, estimates, metric
):
    fills = {name: features[name] for name in ("near", "far")}
    found = estimates(fills, features["photos"], groups)
    for name, own in fills.items():
        whole = metric(own, features["photos"]).value
        assert found[name].value == pytest.approx(whole, rel=1e-6)
        kept = [metric(own[groups != g], features["photos"][groups != g]).value for g in range(20)]
        assert found[name].without == pytest.approx(kept, rel=1e-6)
        assert found[name].sizes.tolist() == np.bincount(groups).tolist()


def test_fewer_pictures_than_features_are_no_obstacle():
    rng = np.random.default_rng(1)
    photos, fills = rng.normal(size=(2, 40, 64))
    found = fid_estimates({"m": fills}, photos, np.arange(40) % 20)["m"]
    assert found.value == pytest.approx(fid(fills, photos).value, rel=1e-6)


def test_jackknife_error_of_a_mean_is_that_of_the_group_means():
    values = np.random.default_rng(2).normal(size=(20, 10))
    without = (values.sum() - values.sum(axis=1)) / 190
    found = Estimate(values.mean(), without, np.full(20, 10), 200)
    assert found.error == pytest.approx(stats.sem(values.mean(axis=1)))
    low, high = found.interval(0.95)
    expected = stats.t.interval(0.95, 19, values.mean(), found.error)
    assert (low, high) == pytest.approx(expected)
    assert found.p == pytest.approx(stats.ttest_1samp(values.mean(axis=1), 0).pvalue)


def test_jackknife_of_unequal_groups_covers_a_mean():
    rng = np.random.default_rng(3)
    sizes = rng.integers(3, 30, 20)
    group = np.repeat(np.arange(20), sizes)
    errors, covered = [], 0
    for _ in range(400):
        values = rng.normal(1, 2, len(group))
        sums = np.bincount(group, weights=values)
        found = Estimate(
            values.mean(), (sums.sum() - sums) / (len(group) - sizes), sizes, len(group)
        )
        low, high = found.interval(0.95)
        covered += low <= 1 <= high
        errors.append(found.error)
    assert np.mean(errors) == pytest.approx(2 / np.sqrt(len(group)), rel=0.05)
    assert 0.92 <= covered / 400 <= 0.98


def test_a_difference_is_surer_than_both_its_parts(features, groups):
    rng = np.random.default_rng(4)
    fills = {
        "far": features["far"],
        "also far": features["far"] + rng.normal(0, 0.02, features["far"].shape),
    }
    found = kernel_estimates(fills, features["photos"], groups)
    gap = found["far"] - found["also far"]
    assert gap.value == pytest.approx(found["far"].value - found["also far"].value)
    assert gap.error < 0.3 * found["far"].error


def test_a_method_differs_from_itself_by_nothing(features, groups):
    found = fid_estimates({"m": features["far"]}, features["photos"], groups)["m"]
    gap = found - found
    assert (gap.value, gap.error, gap.p) == (0, 0, 1)
    assert gap.interval() == (0, 0)


def gaussians(rng: np.random.Generator, n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Two sets whose distributions have a Fréchet distance of 0.525."""
    spread, shift = 1 + np.sqrt(0.025 / d), np.sqrt(0.5 / d)
    return rng.normal(shift, spread, (n, d)), rng.normal(size=(n, d))


def test_intercept_is_closer_to_the_truth_than_any_finite_set():
    fills, photos = gaussians(np.random.default_rng(5), 2000, 16)
    found = fid_extrapolated({"m": fills}, photos)["m"]
    at_all = fid(fills, photos).value
    # The standard deviation of this FID is 2 sqrt(0.5) sqrt(2 / n) = 0.045.
    assert abs(found - 0.525) < min(0.12, abs(at_all - 0.525))


def test_subsets_are_seeded(features):
    again = [
        fid_extrapolated({"m": features["far"]}, features["photos"], seed=s)["m"] for s in (0, 0, 1)
    ]
    assert again[0] == again[1] != again[2]


@pytest.mark.nightly
def test_intercepts_of_128_features_and_5000_pictures_are_right_in_the_mean():
    found, whole = [], []
    for seed in range(6):
        fills, photos = gaussians(np.random.default_rng(seed), 5000, 128)
        found.append(fid_extrapolated({"m": fills}, photos)["m"])
        whole.append(fid(fills, photos).value)
    assert min(whole) > 2
    assert np.mean(found) == pytest.approx(0.525, abs=0.04)


@pytest.mark.nightly
@pytest.mark.parametrize("estimates", [fid_estimates, kernel_estimates])
def test_intervals_of_a_difference_cover_what_fresh_photos_give(estimates):
    rng = np.random.default_rng(7)
    gaps, covered, ends = [], 0, []
    for _ in range(200):
        photos = rng.normal(size=(500, 8))
        fills = {"a": photos + rng.normal(0, 0.5, photos.shape),
                 "b": photos + rng.normal(0, 0.6, photos.shape)}  # fmt: skip
        found = estimates(fills, photos, np.arange(500) % 20)
        gap = found["a"] - found["b"]
        gaps.append(gap.value)
        ends.append(gap.interval())
    covered = sum(low <= np.mean(gaps) <= high for low, high in ends)
    # FID's jackknife is known to be on the wide side.
    assert 0.92 <= covered / 200 <= 1
