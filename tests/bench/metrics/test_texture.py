"""Texture and structure in the hole: against two plain forms, and what is known of the values."""

import importlib.util
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.metrics import METRICS, texture
from bench.metrics.meter import Meter
from bench.metrics.pair import Original, Pair
from bench.metrics.texture import cw_ssim_hole_of, swd_hole_of, texture_structure_of
from tests.support import bundled_photos, plain_texture

NAMES = ("swd_hole", "cw_ssim_hole", "texture_structure")
REFERENCE = Path(__file__).parents[4] / "shared/tools/headline_reference.py"
PHOTOS = [photo.pixels for photo in bundled_photos.every(12)]


def filled(photo, hole, fill):
    return np.where(hole[..., None], fill, photo).astype(np.uint8)


def box(shape, top, bottom, left, right):
    hole = np.zeros(shape, np.bool_)
    hole[top:bottom, left:right] = True
    return hole


def cases():
    """Fills of all sorts; odd sizes, holes at the border, thin ones, whole pictures, noise."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (15, 131, 3), dtype=np.uint8)
    for photo in PHOTOS[:2]:
        cut = np.ascontiguousarray(photo[:101, 30:143])
        for hole in (
            box(cut.shape[:2], 20, 70, 30, 60), box(cut.shape[:2], 0, 101, 0, 40),
            box(cut.shape[:2], 50, 52, 5, 100), np.ones(cut.shape[:2], np.bool_),
        ):  # fmt: skip
            for fill in (cv2.GaussianBlur(cut, (0, 0), 3), np.roll(cut, 3, 1), cut.mean((0, 1))):
                yield filled(cut, hole, fill), cut, hole
    yield 255 - noise, noise, np.ones(noise.shape[:2], np.bool_)
    yield np.roll(PHOTOS[0], 90, 0), PHOTOS[0], box(PHOTOS[0].shape[:2], 200, 256, 100, 256)


def values(output, photo, hole):
    return Meter(NAMES).measure(Pair(output, Original(photo), hole)).values


def expected(output, photo, hole, swd, cw):
    apart, alike = swd(output, photo, hole), cw(output, photo, hole)
    return dict(zip(NAMES, (apart, alike, alike * math.exp(-2 * apart)), strict=True))


def test_agrees_with_its_definition_written_plainly():
    for case in cases():
        plain = expected(*case, plain_texture.swd_hole, plain_texture.cw_ssim_hole)
        assert values(*case) == pytest.approx(plain, abs=2e-6)


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference is not beside the project")
def test_agrees_with_the_form_that_was_studied():
    spec = importlib.util.spec_from_file_location("reference", REFERENCE)
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    for case in cases():
        studied = expected(*case, reference.swd_case, reference.cw_ssim_hole)
        assert values(*case) == pytest.approx(studied, abs=1e-6)


def test_large_photos_whose_waves_are_not_kept_have_the_same_values(monkeypatch):
    for case in [*cases()][::5]:
        kept = values(*case)
        with monkeypatch.context() as patch:
            patch.setattr(texture, "KEPT_PIXELS", 0)
            assert values(*case) == pytest.approx(kept, abs=1e-6)


def test_the_photo_itself_is_perfect_whatever_the_hole():
    for _, photo, hole in cases():
        assert list(values(photo, photo, hole).values()) == [0, 1, 1]


def test_what_is_filled_wrongly_far_from_the_hole_does_not_count():
    photo = PHOTOS[0]
    hole = box(photo.shape[:2], 100, 160, 100, 160)
    output = filled(photo, hole, cv2.GaussianBlur(photo, (0, 0), 2))
    darker = output.copy()
    darker[:10] //= 2
    assert values(darker, photo, hole) == pytest.approx(values(output, photo, hole), abs=1e-6)


@pytest.mark.parametrize(
    "hole",
    [
        pytest.param(box((64, 64), 30, 31, 30, 31), id="one pixel"),
        pytest.param(box((64, 64), 0, 1, 0, 64), id="a row at the border"),
        pytest.param(box((64, 64), 0, 1, 0, 1), id="a corner"),
        pytest.param(box((14, 14), 3, 11, 3, 11), id="the smallest picture"),
    ],
)
def test_holes_with_hardly_a_patch_are_measured_and_tell_good_from_bad(hole):
    photo = np.ascontiguousarray(PHOTOS[0][: hole.shape[0], : hole.shape[1]])
    near, far = (filled(photo, hole, photo.astype(int) // n) for n in (1.1, 3))
    near, far = values(near, photo, hole), values(far, photo, hole)
    assert 0 < near["swd_hole"] < far["swd_hole"]
    assert 1 > near["texture_structure"] > far["texture_structure"] > 0


def test_where_there_is_no_value():
    photo, none = np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20), np.bool_)
    for pair in (
        Pair(photo, Original(photo), none),
        Pair(photo[:13], Original(photo[:13]), ~none[:13]),
    ):
        assert math.isnan(swd_hole_of(pair))
        assert math.isnan(texture_structure_of(pair))
    assert math.isnan(cw_ssim_hole_of(Pair(photo, Original(photo), none)))
    assert cw_ssim_hole_of(Pair(photo[:1, :1] + 9, Original(photo[:1, :1]), ~none[:1, :1])) > 0.99
    assert METRICS["swd_hole"].minimum_side == METRICS["texture_structure"].minimum_side == 14


def test_a_flat_photo_has_values():
    photo = np.full((64, 64, 3), 90, np.uint8)
    hole = box((64, 64), 20, 50, 20, 50)
    found = values(filled(photo, hole, 100), photo, hole)
    assert found["swd_hole"] > 0.3
    assert 0 < found["texture_structure"] < 0.5
