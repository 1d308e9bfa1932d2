"""What users hold becomes uint8 RGB and a hole, or is refused with what to do."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.errors import InputError
from inpaint_bench import _pictures

LEVELS = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
HOLE = np.zeros((4, 6), bool)
HOLE[1:3, 2:5] = True


@pytest.mark.parametrize(
    "held",
    [
        LEVELS,
        LEVELS / 255,
        (LEVELS / 255).astype(np.float32),
        torch.from_numpy(LEVELS),
        Image.fromarray(LEVELS),
    ],
    ids=["uint8", "float64", "float32", "torch", "Pillow"],
)
def test_all_ways_to_hold_a_photo_give_the_same(held):
    found = _pictures.photo(held)
    assert found.dtype == np.uint8
    assert np.array_equal(found, LEVELS)


@given(st.integers(0, 255), st.sampled_from([np.float32, np.float64]))
def test_levels_as_floats_come_back(level, kind):
    picture = np.full((1, 1, 3), level, np.uint8)
    assert np.array_equal(_pictures.photo((picture / 255).astype(kind)), picture)


def test_a_file_is_read_as_a_run_reads_it(tmp_path):
    Image.fromarray(LEVELS).save(tmp_path / "a.png")
    Image.fromarray(LEVELS[..., 0]).save(tmp_path / "grey.png")
    assert np.array_equal(_pictures.photo(tmp_path / "a.png"), LEVELS)
    assert np.array_equal(_pictures.photo(str(tmp_path / "a.png")), LEVELS)
    assert _pictures.photo(tmp_path / "grey.png").shape == (4, 6, 3)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (LEVELS[..., 0], r"found uint8 \(4, 6\); for a grey picture give np.stack"),
        (np.zeros((4, 6, 4)), r"leave alpha out: image\[..., :3\]"),
        (np.zeros((3, 4, 6)), "channels come last"),
        (LEVELS[None], "one picture at a time"),
        (np.zeros((0, 6, 3)), r"found float64 \(0, 6, 3\)"),
        (LEVELS.astype(np.int64), "expected uint8, or floats"),
        (LEVELS > 3, "expected uint8, or floats"),
        (LEVELS.astype(float), "found 0 to 71; divide by 255"),
        (LEVELS / 255 - 0.5, "found -0.5"),
        (np.full((4, 6, 3), np.nan), "found nan"),
        (None, "a path, found NoneType"),
        ({"a": 1}, "found dict"),
        ("nowhere.png", "nowhere.png"),
        (Image.fromarray(np.full((4, 6), 2, np.float32)), "expected floats from 0 to 1"),
    ],
)
def test_what_could_mean_two_things_is_refused(held, words):
    with pytest.raises(InputError, match=words):
        _pictures.photo(held)


@pytest.mark.parametrize(
    "held",
    [
        HOLE,
        HOLE.astype(np.uint8),
        HOLE.astype(np.float32),
        HOLE.astype(np.int64),
        HOLE * np.uint8(255),
        np.where(HOLE, np.uint8(128), np.uint8(127)),
        torch.from_numpy(HOLE),
        Image.fromarray(HOLE),
        Image.fromarray(HOLE * np.uint8(255)),
    ],
)
def test_all_ways_to_hold_a_mask_give_the_same(held, tmp_path):
    found = _pictures.hole(held, LEVELS.shape)
    assert found.dtype == np.bool_
    assert np.array_equal(found, HOLE)


def test_a_mask_file_is_read_as_a_run_reads_it(tmp_path):
    Image.fromarray(HOLE).save(tmp_path / "mask.png")
    assert np.array_equal(_pictures.hole(tmp_path / "mask.png", LEVELS.shape), HOLE)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (HOLE[..., None], r"take one channel, such as mask\[..., 0\]"),
        (HOLE * 0.5, "found float64 .* with 0 to 0.5; say what is hole, such as mask > 0.5"),
        (HOLE * 255, "found int64"),
        (np.full((4, 6), np.nan), "with nan"),
        (HOLE.T, "expected 6x4 as the photo, found 4x6; a mask is never stretched"),
        (np.zeros((0, 6), bool), r"expected \(H, W\)"),
    ],
)
def test_a_mask_that_could_mean_two_things_is_refused(held, words):
    with pytest.raises(InputError, match=words):
        _pictures.hole(held, LEVELS.shape)
