import numpy as np
import pytest

import methods
from methods.floors import Original
from methods.harness import fill


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


@pytest.fixture
def hole():
    hole = np.zeros((20, 30), bool)
    hole[4:15, 6:27] = True
    return hole


def test_mean_fills_with_the_rounded_mean_of_the_known_pixels(photo, hole):
    out = fill(methods.get("mean"), photo, hole, seed=0).picture
    assert (out[hole] == np.rint(photo[~hole].mean(0))).all()


def test_noise_is_uniform_and_decided_by_the_seed(photo):
    hole = np.ones((20, 30), bool)
    hole[0, 0] = False
    method = methods.get("noise")
    raw = fill(method, photo, hole, seed=0).raw[hole]
    assert 0 <= raw.min() < 0.01
    assert 0.99 < raw.max() <= 1
    assert raw.mean() == pytest.approx(0.5, abs=0.03)
    assert raw.std() == pytest.approx(12**-0.5, abs=0.02)
    again = fill(method, photo, hole, seed=0).raw[hole]
    assert np.array_equal(again, raw)
    assert not np.array_equal(fill(method, photo, hole, seed=1).raw[hole], raw)


@pytest.mark.parametrize("share", ["part", "all"])
def test_the_ceiling_is_the_photo_whatever_the_hole(photo, hole, share):
    filled = fill(methods.get("original"), photo, hole if share == "part" else hole | True, seed=0)
    assert np.array_equal(filled.picture, photo)


def test_the_ceiling_under_another_name_sees_black(photo, hole):
    out = fill(Original("peek"), photo, hole, seed=0, broken=True).picture
    assert (out[hole] == 0).all()
