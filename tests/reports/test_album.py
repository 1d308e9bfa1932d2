from __future__ import annotations

import hashlib
import io

import matplotlib
import numpy as np
import pytest
from PIL import Image

from bench.folder import thumbnails
from reports.site import album as pictures
from reports.site.album import Album


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
    path = tmp_path / "photo.webp"
    Image.fromarray(photo).save(path, lossless=True)
    shown = Album(tmp_path / "report").kept(path, photo)
    with Image.open(tmp_path / "report" / shown.path) as image:
        assert image.format == "PNG"
        assert (np.array(image) == photo).all()


def test_thumbnails_are_webp_of_at_most_160_pixels(tmp_path, photo):
    shown = Album(tmp_path).thumbnail(photo)
    assert (shown.width, shown.height) == (160, 80)  # 72, and grey above and below
    with Image.open(tmp_path / shown.path) as image:
        assert image.format == "WEBP"
        assert image.size == (160, 80)


def test_four_views_lie_side_by_side(tmp_path, hole):
    photo = np.full((90, 160, 3), 100, np.uint8)
    hole = hole[:, :160]
    fill = photo.copy()
    fill[hole] = 120
    shown = Album(tmp_path).views(fill, photo, hole)
    assert (shown.width, shown.height) == (640, 90)
    strip = np.array(Image.open(tmp_path / shown.path).convert("RGB")).astype(int)
    result, outlined, error, difference = np.split(strip, 4, axis=1)
    inner = np.zeros_like(hole)
    inner[30:50, 70:100] = True  # away from edges, which lossy pictures blur
    assert np.abs(result[inner] - 120).mean() < 3
    assert np.abs(result[5:15] - 100).mean() < 3
    edge = np.s_[20, 50:120]
    assert np.ptp(outlined[edge].mean(axis=1)) > 100  # light and dark dashes
    assert np.ptp(result[edge].mean(axis=1)) < 40
    level = pictures.error_levels(photo, fill)[inner][0]
    assert np.abs(error[inner].mean(axis=0) - thumbnails.VIRIDIS[level]).max() < 12
    assert np.abs(difference[inner] - 80).mean() < 4
    assert np.abs(difference[5:15]).mean() < 4


def test_views_without_photo_and_hole_are_grey(tmp_path, photo):
    shown = Album(tmp_path).views(photo, None, None)
    strip = np.array(Image.open(tmp_path / shown.path).convert("RGB"))
    assert np.abs(strip[:, 170:].astype(int) - 128).max() < 6


def test_the_colours_of_error_maps_are_those_of_matplotlib():
    colours = matplotlib.colormaps["viridis"](np.linspace(0, 1, 64))[:, :3]
    assert ((255 * colours).round() == thumbnails.VIRIDIS).all()


@pytest.mark.parametrize("shape", [(90, 200), (600, 4), (7, 15), (1, 1), (256, 256), (1000, 400)])
def test_the_size_of_views_is_known_beforehand(shape):
    fill = np.zeros((*shape, 3), np.uint8)
    with Image.open(io.BytesIO(thumbnails.views(fill, None, None))) as image:
        assert image.size == thumbnails.views_size(*shape)


def test_views_of_another_size_or_with_other_bytes_are_not_taken_over(tmp_path, photo):
    data = thumbnails.views(photo, photo, None)
    path = tmp_path / f"{hashlib.sha256(data).hexdigest()[:16]}.webp"
    path.write_bytes(data)
    album = Album(tmp_path / "report")
    assert album.ready_views(path, photo) == album.views(photo, photo, None)
    assert album.ready_views(path, photo[:, :90]) is None
    path.write_bytes(data[:-1])
    assert album.ready_views(path, photo) is None
    assert album.ready_views(None, photo) is None
    assert album.ready_views(tmp_path / "gone.webp", photo) is None


@pytest.mark.parametrize("shape", [(4, 600, 3), (600, 4, 3), (50, 100, 3), (7, 15, 3), (1, 1, 3)])
def test_long_pictures_get_grey_sides_until_they_are_twice_as_long_as_wide(shape):
    found = thumbnails.squared(np.zeros(shape, np.uint8))
    height, width = found.shape[:2]
    assert max(height, width) == max(shape[:2])
    assert max(height, width) // 2 <= min(height, width)
    assert (found == 0).all(axis=2).sum() == shape[0] * shape[1]


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 160, 3), (40, 30, 3)])
def test_small_pictures_are_not_enlarged(shape):
    pixels = np.zeros(shape, np.uint8)
    assert thumbnails.shrink(pixels).shape == shape


def test_narrow_pictures_keep_at_least_one_pixel():
    assert thumbnails.shrink(np.zeros((2, 2000, 3), np.uint8)).shape == (1, 160, 3)


def test_marking_the_hole_leaves_known_pixels_alone(photo, hole):
    marked = pictures.with_hole(photo, hole)
    assert (marked[~hole] == photo[~hole]).all()
    assert (marked[hole] != photo[hole]).any(axis=1).mean() > 0.99


def test_hole_is_visible_on_its_own_tint_and_on_white(hole):
    for colour in (thumbnails.MARK.astype(np.uint8), np.full(3, 255, np.uint8)):
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
