from __future__ import annotations

import hashlib

import numpy as np
import pytest
from PIL import Image

from bench import shown
from reports import pictures
from reports.pictures import Album


@pytest.fixture
def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (90, 200, 3)).astype(np.uint8)


@pytest.fixture
def hole() -> np.ndarray:
    hole = np.zeros((90, 200), bool)
    hole[20:60, 50:120] = True
    return hole


def test_files_are_named_by_their_content(tmp_path, photo):
    album = Album(tmp_path)
    shown = album.lossless(photo)
    data = (tmp_path / shown.path).read_bytes()
    assert (tmp_path / shown.path).stem == hashlib.sha256(data).hexdigest()[:16]
    assert album.lossless(photo) == shown
    assert (shown.width, shown.height) == (200, 90)
    assert (np.array(Image.open(tmp_path / shown.path)) == photo).all()


def test_pictures_of_the_run_are_taken_over_byte_by_byte(tmp_path, photo, hole):
    album = Album(tmp_path / "report")
    for name, pixels in (("photo.png", photo), ("mask.png", hole)):
        path = tmp_path / name
        Image.fromarray(pixels).save(path, "PNG", compress_level=1)
        shown = album.kept(path, pixels)
        assert (tmp_path / "report" / shown.path).read_bytes() == path.read_bytes()
        assert (shown.width, shown.height) == (200, 90)


def test_pictures_of_other_formats_become_png(tmp_path, photo):
    path = tmp_path / "photo.bmp"
    Image.fromarray(photo).save(path)
    shown = Album(tmp_path / "report").kept(path, photo)
    with Image.open(tmp_path / "report" / shown.path) as image:
        assert image.format == "PNG"
        assert (np.array(image) == photo).all()


def test_thumbnails_are_webp_of_at_most_160_pixels(tmp_path, photo):
    shown = Album(tmp_path).thumbnail(photo)
    assert (shown.width, shown.height) == (160, 72)
    with Image.open(tmp_path / shown.path) as image:
        assert image.format == "WEBP"
        assert image.size == (160, 72)


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 160, 3), (40, 30, 3)])
def test_small_pictures_are_not_enlarged(shape):
    pixels = np.zeros(shape, np.uint8)
    assert shown.shrink(pixels).shape == shape


def test_narrow_pictures_keep_at_least_one_pixel():
    assert shown.shrink(np.zeros((2, 2000, 3), np.uint8)).shape == (1, 160, 3)


def test_marking_the_hole_leaves_known_pixels_alone(photo, hole):
    marked = pictures.with_hole(photo, hole)
    assert (marked[~hole] == photo[~hole]).all()
    assert (marked[hole] != photo[hole]).any(axis=1).mean() > 0.99


def test_hole_is_visible_on_its_own_tint_and_on_white(hole):
    for colour in (pictures._TINT.astype(np.uint8), np.full(3, 255, np.uint8)):
        flat = np.broadcast_to(colour, (90, 200, 3)).astype(np.uint8)
        edge = pictures.with_hole(flat, hole)[20, 50:120].astype(int)
        assert np.abs(edge - colour.astype(int)).sum(axis=1).max() > 100


def test_a_hole_of_two_pixels_survives_the_thumbnail(photo):
    thin = np.zeros((640, 640), bool)
    thin[300:304] = True
    grey = np.full((640, 640, 3), 128, np.uint8)
    small = pictures.hole_thumbnail(grey, thin)
    assert small.shape == (160, 160, 3)
    assert (small != 128).any()


def test_error_levels_follow_the_mean_absolute_error(photo, hole):
    other = photo.copy()
    other[hole] = 255 - other[hole]
    levels = pictures.error_levels(photo, other)
    expected = np.abs(photo.astype(int) - other.astype(int)).mean(axis=2) / 255
    assert np.abs(levels / 63 * 0.5 - np.minimum(expected, 0.5)).max() <= 0.5 / 63 / 2 + 1e-6
    assert (levels[~hole] == 0).all()


def test_error_scale_is_fixed_and_saturates():
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert (pictures.error_levels(black, white) == 63).all()
    assert (pictures.error_levels(black, black) == 0).all()


def test_error_map_shows_viridis(tmp_path):
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    shown = Album(tmp_path).error_map(black, white)
    with Image.open(tmp_path / shown.path) as image:
        assert image.mode == "P"
        assert image.convert("RGB").getpixel((0, 0)) == (253, 231, 37)


def test_missing_and_damaged_pictures_read_as_none(tmp_path):
    torn = tmp_path / "torn.png"
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(torn)
    torn.write_bytes(torn.read_bytes()[:60])
    assert pictures.read_rgb(torn) is None
    assert pictures.read_rgb(tmp_path / "none.png") is None
    assert pictures.read_hole(tmp_path) is None


def test_masks_of_one_bit_and_of_eight_read_alike(tmp_path, hole):
    Image.fromarray(hole).save(tmp_path / "one.png")
    Image.fromarray(hole.astype(np.uint8) * 255).save(tmp_path / "eight.png")
    assert (pictures.read_hole(tmp_path / "one.png") == hole).all()
    assert (pictures.read_hole(tmp_path / "eight.png") == hole).all()
