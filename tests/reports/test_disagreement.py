"""The window of a hole in which fills differ most."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from reports.results.disagreement import Window, window


@pytest.mark.parametrize("shape", [(40, 50), (30, 12), (12, 12)])
@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_the_one_that_a_plain_search_finds(shape, seed):
    rng = np.random.default_rng(seed)
    fills = [rng.integers(0, 256, (*shape, 3)).astype(np.uint8) for _ in range(4)]
    hole = rng.random(shape) < 0.4
    side = min(12, *shape)
    spread = np.std(np.stack(fills).astype(float), axis=0).mean(axis=-1) * hole
    sums = {
        (top, left): spread[top : top + side, left : left + side].sum()
        for top, left in itertools.product(range(shape[0] - side + 1), range(shape[1] - side + 1))
    }
    found = window(fills, hole, side=12)
    assert sums[found.top, found.left] == pytest.approx(max(sums.values()))
    assert found.side == side


def test_differences_of_known_pixels_do_not_count():
    hole = np.zeros((40, 40), bool)
    hole[30:, 30:] = True
    one, other = np.zeros((2, 40, 40, 3), np.uint8)
    other[:10] = 255  # far from the hole
    other[31, 31] = 1
    found = window([one, other], hole, side=8)
    assert found.left <= 31 < found.left + 8
    assert found.top <= 31 < found.top + 8


def test_of_equal_windows_it_is_the_first():
    flat = np.zeros((20, 20, 3), np.uint8)
    assert window([flat, flat], np.ones((20, 20), bool), side=8) == Window(0, 0, 8)


def test_one_fill_or_no_hole_has_none():
    fill, hole = np.zeros((20, 20, 3), np.uint8), np.ones((20, 20), bool)
    assert window([fill], hole) is None
    assert window([fill, fill], ~hole) is None
