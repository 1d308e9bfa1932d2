"""Size rules: what becomes of a photo and its hole."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.errors import InputError
from bench.planning.geometry import Geometry


def test_the_evaluated_picture_is_the_centre_square_of_the_given_side():
    wide = np.zeros((50, 200, 3), np.uint8)
    wide[:, 75:125] = 255
    assert Geometry.asked(25).photo(wide).shape == (25, 25, 3)
    assert (Geometry.asked("50").photo(wide) == 255).all()
    assert Geometry.asked("native").photo(wide) is wide


@pytest.mark.parametrize(
    ("asked", "words", "shown"),
    [
        (256, 256, "short-256-centre"), ("256", 256, "short-256-centre"),
        ("256x256", 256, "short-256-centre"), ("640x480", "640x480", "640x480-centre"),
        ("640X480", "640x480", "640x480-centre"), ("fit:512", "fit:512", "fit-512"),
        ("native", None, "native"), (None, None, "native"), ("pad:512", "pad:512", "pad-512"),
        ("stretch:64", "stretch:64", "stretch-64"), ("crop:256", "crop:256", "crop-256"),
    ],
)  # fmt: skip
def test_words_make_the_rule_again_and_the_fingerprint_shows_it(asked, words, shown):
    geometry = Geometry.asked(asked)
    assert (geometry.words, str(geometry)) == (words, shown)
    assert Geometry.asked(geometry.words) == geometry


@pytest.mark.parametrize(
    "asked", ["", "big", "fit", "fit:", "fit:x", "640x", "1.5", "-256", True, "pad", "crop:1x2"]
)
def test_words_that_say_no_size_are_refused_with_those_that_do(asked):
    with pytest.raises(InputError, match=r"size: expected N .*WxH, fit:N .*native"):
        Geometry.asked(asked)


@pytest.mark.parametrize("asked", [4, "0", "15", "fit:4", "640x4", 100_000, "pad:9000", "9000x16"])
def test_sizes_that_nobody_means_are_refused(asked):
    with pytest.raises(InputError, match=f"16 to 8192 pixels, found '?{asked}'?"):
        Geometry.asked(asked)


def test_a_rectangle_is_cut_from_the_centre_without_distortion():
    photo = np.zeros((300, 200, 3), np.uint8)
    photo[100:200, 50:150] = 255
    assert Geometry.asked("40x20").photo(photo).shape == (20, 40, 3)
    square = Geometry.asked("40x20").photo(photo)[10, :, 0] > 127
    assert square.sum() == 20  # half of the width, as in the photo


def test_fit_keeps_the_whole_photo_and_its_proportions():
    assert Geometry.asked("fit:64").photo(np.zeros((300, 200, 3), np.uint8)).shape == (96, 64, 3)
    assert Geometry.asked("fit:64").photo(np.zeros((20, 1000, 3), np.uint8)).shape == (64, 3200, 3)
    mask = np.zeros((300, 200), bool)
    mask[-4:] = True
    fitted = Geometry.asked("fit:100").mask(mask)
    assert (fitted.mask[-1].all(), fitted.mask.sum(), fitted.lost) == (True, 200, 0)


def test_a_photo_too_long_to_be_fitted_is_refused():
    with pytest.raises(InputError, match="1024000x1024, more than 67108864 pixels; --size 1024"):
        Geometry.asked("fit:1024").photo(np.zeros((1, 1000, 3), np.uint8))


@pytest.mark.parametrize("size", [64, "96x64", "fit:64", "native", "pad:64", "stretch:64"])
def test_a_mask_gets_the_size_of_its_photo(size):
    for height, width in ((64, 64), (100, 130), (131, 97), (30, 47)):
        photo, mask = np.zeros((height, width, 3), np.uint8), np.ones((height, width), bool)
        geometry = Geometry.asked(size)
        fitted = geometry.mask(mask)
        assert fitted.mask.shape == geometry.photo(photo).shape[:2]
        assert fitted.mask.all()
        assert fitted.mask.dtype == np.bool_


@given(st.integers(16, 90), st.integers(16, 90), st.integers(0, 2**32))
def test_a_reduced_hole_is_where_centres_of_hole_pixels_fall(height, width, seed):
    mask = np.random.default_rng(seed).random((height, width)) < 0.02
    fitted = Geometry.asked("fit:16").mask(mask).mask
    tall, wide = fitted.shape
    expected = np.zeros_like(fitted)
    for row, column in zip(*mask.nonzero(), strict=True):
        expected[int((row + 0.5) * tall / height), int((column + 0.5) * wide / width)] = True
    np.testing.assert_array_equal(fitted, expected)


@pytest.mark.parametrize("side", [16, 37, 100, 299])
def test_a_scratch_of_one_pixel_survives_unbroken(side):
    mask = np.zeros((300, 300), bool)
    mask[:, 131] = True
    fitted = Geometry.asked(side).mask(mask)
    assert (fitted.mask.any(axis=1)).all()
    assert fitted.mask.sum() == side
    if side < 200:
        assert "the hole grew as it was reduced: from 0.0033 to" in fitted.note


def test_what_the_cut_takes_from_a_hole_is_told():
    mask = np.zeros((100, 200), bool)
    mask[40:60, 30:70] = True  # the square begins at column 50
    fitted = Geometry.asked(50).mask(mask)
    assert fitted.lost == 0.5
    assert fitted.note.startswith("a part of the hole is cut off: 50.0% lies outside of the centre")
    assert Geometry.asked("fit:50").mask(mask)[1:] == (0, "")
    assert Geometry.asked("native").mask(mask)[1:] == (0, "")
    assert Geometry.asked(50).mask(np.zeros((100, 200), bool))[1:] == (0, "")


def test_a_hole_that_is_cut_off_wholly_is_refused():
    mask = np.zeros((100, 200), bool)
    mask[:, 180:] = True
    with pytest.raises(InputError, match="outside of the centre square; --size native or fit:50"):
        Geometry.asked(50).mask(mask)


def test_enlarged_masks_follow_the_nearest_pixel():
    mask = np.eye(16, dtype=bool)
    np.testing.assert_array_equal(
        Geometry.asked(32).mask(mask).mask, np.kron(mask, np.ones((2, 2)))
    )
    assert Geometry.asked(24).enlargement(16, 16) == 1.5
    assert Geometry.asked(24).enlargement(48, 96) == 0.5
    assert Geometry.asked("native").enlargement(1, 1) == 1


@pytest.mark.parametrize(("height", "width"), [(700, 520), (80, 300), (90, 70), (128, 128)])
def test_pad_scales_nothing_mirrors_below_and_right_and_keeps_the_centre(height, width):
    rng = np.random.default_rng(0)
    photo = rng.integers(256, size=(height, width, 3), dtype=np.uint8)
    mask = rng.random((height, width)) < 0.1
    more = max(128 - height, 0), max(128 - width, 0)
    expected = cv2.copyMakeBorder(photo, 0, more[0], 0, more[1], cv2.BORDER_REFLECT_101)
    top, left = (expected.shape[0] - 128) // 2, (expected.shape[1] - 128) // 2
    expected = expected[top : top + 128, left : left + 128]
    geometry = Geometry.asked("pad:128")
    np.testing.assert_array_equal(geometry.photo(photo), expected)
    fitted = geometry.mask(mask)
    assert fitted.mask.shape == (128, 128)
    inside = fitted.mask[: min(height, 128), : min(width, 128)]
    top, left = max(height - 128, 0) // 2, max(width - 128, 0) // 2
    np.testing.assert_array_equal(inside, mask[top : top + 128, left : left + 128])
    assert fitted.lost == pytest.approx(1 - inside.sum() / mask.sum())
    assert geometry.remark(height, width).startswith("mirrored") == (more != (0, 0))


def test_stretch_distorts_by_bicubic_scaling():
    photo = np.random.default_rng(1).integers(256, size=(60, 200, 3), dtype=np.uint8)
    expected = Image.fromarray(photo).resize((96, 96), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(Geometry.asked("stretch:96").photo(photo), expected)
    mask = np.zeros((60, 200), bool)
    mask[:30, 100:] = True
    fitted = Geometry.asked("stretch:96").mask(mask).mask
    assert fitted[:48, 48:].all()
    assert fitted.sum() == 48 * 48


def test_crop_scales_the_whole_photo_bicubically_and_takes_no_mask_files():
    photo = np.random.default_rng(2).integers(256, size=(60, 90, 3), dtype=np.uint8)
    expected = Image.fromarray(photo).resize((48, 32), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(Geometry.asked("crop:32").photo(photo), expected)
    with pytest.raises(InputError, match=r"cuts around generated holes; .* --size 32 or fit:32"):
        Geometry.asked("crop:32").mask(np.ones((60, 90), bool))
