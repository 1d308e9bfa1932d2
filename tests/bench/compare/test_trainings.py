"""Comparison of two groups of trainings, by seed and photo."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.compare.trainings import compare
from bench.errors import BenchError
from bench.folder.read import Run
from tests.support.run_builder import in_memory

FIRST, SECOND = ("a0", "a1", "a2"), ("b0", "b1", "b2")


def made_up(effect: float, seed_noise: float, rng, photos: int = 40, noise: float = 0.1) -> Run:
    rows = []
    scale = rng.normal(0, 1, photos)
    for group, methods in ((0, FIRST), (1, SECOND)):
        for method in methods:
            offset = rng.normal(0, seed_noise)
            for photo in range(photos):
                value = scale[photo] + group * effect + offset + rng.normal(0, noise)
                rows.append((method, f"p{photo}", "large", 0, 0, f"c{photo // 2}", "ok", value))
    columns = ["method", "photo", "tier", "draw", "sample", "cluster", "status", "m"]
    cases = pd.DataFrame(rows, columns=columns)
    cases["l1_hole"] = cases["m"]
    metrics = [
        {"metric": name, "direction": "lower", "status": "ok", "scope": "case"}
        for name in ("m", "l1_hole")
    ]
    return in_memory(plan=cases[["tier"]], cases=cases, metrics=metrics)


def test_means_and_differences_are_those_of_the_table():
    run = made_up(0.5, 0.2, np.random.default_rng(0))
    (found,) = compare(run, FIRST, SECOND, ["m"])
    means = run.cases.groupby("method")["m"].mean()
    assert found.first == pytest.approx(means[list(FIRST)].mean())
    assert found.second == pytest.approx(means[list(SECOND)].mean())
    assert found.photos.mean == pytest.approx(found.second - found.first)
    expected = [means[b] - means[a] for a, b in zip(FIRST, SECOND, strict=True)]
    assert found.by_seed == pytest.approx(expected)
    assert (found.photos.n, found.photos.clusters) == (40, 20)
    assert found.photos.low < found.photos.mean < found.photos.high
    low, high = stats.t.interval(0.95, 2, np.mean(expected), stats.sem(expected))
    assert found.seeds == pytest.approx((high - low) / 2)


def test_the_interval_over_seeds_covers_what_seeds_alone_decide():
    rng = np.random.default_rng(1)
    found = [compare(made_up(0, 0.5, rng, 4), FIRST, SECOND, ["m"])[0] for _ in range(200)]
    misses = sum(abs(each.photos.mean) > each.seeds for each in found)
    assert 2 <= misses <= 22  # 5 % of 200 is 10


def test_swapping_groups_turns_it_round():
    run = made_up(1.0, 0.05, np.random.default_rng(2))
    (found,) = compare(run, FIRST, SECOND, ["m"])
    (swapped,) = compare(run, SECOND, FIRST, ["m"])
    assert found.photos.low > 0.8
    assert swapped.photos.mean == pytest.approx(-found.photos.mean)
    assert swapped.seeds == pytest.approx(found.seeds)


@pytest.mark.parametrize(
    ("effect", "seed_noise", "noise", "metric", "verdict"),
    [
        (0.5, 0.0, 0.1, "m", "first better"),  # lower is better
        (-0.5, 0.0, 0.1, "m", "second better"),
        (5e-4, 0.0, 1e-4, "l1_hole", "first better, negligibly"),
        (0.0, 0.0, 1e-4, "l1_hole", "equivalent"),  # its margin is 0.001
        (0.0, 0.0, 1e-4, "m", "not shown"),  # it has no margin
        (0.0, 0.01, 1e-4, "l1_hole", "not shown"),  # photos agree, seeds do not
    ],
)
def test_the_verdict_is_by_photos_and_seeds_together(effect, seed_noise, noise, metric, verdict):
    run = made_up(effect, seed_noise, np.random.default_rng(7), noise=noise)
    (found,) = compare(run, FIRST, SECOND, [metric])
    assert found.verdict == verdict
    assert found.both.mean == pytest.approx(found.photos.mean)
    assert found.both.half_width > found.photos.half_width


def test_one_seed_has_no_interval_over_seeds():
    (found,) = compare(made_up(0, 0, np.random.default_rng(5)), FIRST[:1], SECOND[:1], ["m"])
    assert np.isnan(found.seeds)
    assert found.verdict == "not shown"


@pytest.mark.parametrize(
    ("key", "value"),
    [("seed", 4), ("pictures", 9), ("crop", 64), ("devices", 2), ("networks", {"vgg19": "12ab"})],
)
def test_trainings_that_were_not_alike_are_not_compared(key, value):
    run = made_up(0, 0, np.random.default_rng(6))
    training = {"pictures": 8, "batch": 4, "crop": 128, "precision": "32-true"}
    cards = [
        {"training": {**training, "seed": seed}, "data": {"sha": "x"}}
        for _ in ("a", "b")
        for seed in range(3)
    ]
    described = [*FIRST, *SECOND]
    table = pd.DataFrame({"method": described, "training": list(map(json.dumps, cards))})
    assert compare(replace(run, methods=table), FIRST, SECOND, ["m"])
    cards[4]["training"][key] = value
    table["training"] = list(map(json.dumps, cards))
    with pytest.raises(BenchError, match=rf"a1 and b1: .*{key} "):
        compare(replace(run, methods=table), FIRST, SECOND, ["m"])


def test_cases_that_not_all_completed_do_not_count():
    run = made_up(0.5, 0.2, np.random.default_rng(3))
    run.cases.loc[(run.cases["method"] == "b1") & (run.cases["photo"] == "p3"), "status"] = "failed"
    assert compare(run, FIRST, SECOND, ["m"])[0].photos.n == 39


@pytest.mark.parametrize(
    ("first", "second", "metric", "words"),
    [
        (FIRST, SECOND[:2], "m", "same size"),
        ((), (), "m", "same size"),
        (FIRST, ("b0", "b1", "nobody"), "m", "nobody"),
        (FIRST, SECOND, "lpips", "lpips"),
    ],
)
def test_what_does_not_fit_is_refused(first, second, metric, words):
    with pytest.raises(BenchError, match=words):
        compare(made_up(0, 0, np.random.default_rng(4)), first, second, [metric])
