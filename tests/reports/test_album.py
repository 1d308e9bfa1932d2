from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.folder import thumbnails
from reports.build import build
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


def test_small_pictures_are_webp_of_at_most_256_pixels(tmp_path):
    wide = np.zeros((90, 512, 3), np.uint8)
    shown = Album(tmp_path).whole(wide, small=True)
    assert (shown.width, shown.height) == (256, 128)  # 45, and grey above and below
    with Image.open(tmp_path / shown.path) as image:
        assert (image.format, image.size) == ("WEBP", (256, 128))


def test_a_patch_on_its_photo_is_the_fill(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    hole = np.zeros((300, 300), bool)
    hole[100:200, 50:250] = True
    fill = np.where(hole[..., None], np.uint8(120), photo)
    album = Album(tmp_path)
    for small, side in ((False, 300), (True, 256)):
        shown = album.patch(fill, hole, small=small)
        assert shown.size == (side, side)
        patch = np.array(Image.open(tmp_path / shown.path))
        assert set(np.unique(patch[..., 3])) == {0, 255}
        inner = patch[120:140, 90:180]
        assert np.abs(inner.astype(int) - (120, 120, 120, 255)).max() < 4
    exact = np.array(Image.open(tmp_path / album.patch(fill, hole).path))[..., 3]
    assert ((exact > 0) == hole).all()


def test_a_picture_that_is_small_is_one_file(tmp_path, photo, hole):
    photo, hole, album = photo[:, :160], hole[:, :160], Album(tmp_path)
    assert album.whole(photo, small=True) == album.whole(photo)
    assert album.patch(photo, hole, small=True) == album.patch(photo, hole)


@pytest.mark.parametrize("shape", [(90, 200), (600, 4), (7, 15), (1, 1), (256, 256), (1000, 400)])
def test_the_size_of_a_small_patch_is_known_beforehand(shape):
    fill, hole = np.zeros((*shape, 3), np.uint8), np.ones(shape, bool)
    with Image.open(io.BytesIO(thumbnails.small_patch(fill, hole))) as image:
        assert image.size == thumbnails.small_size(*shape)


def test_patches_of_another_size_or_with_other_bytes_are_not_taken_over(tmp_path, photo, hole):
    data = thumbnails.small_patch(photo, hole)
    path = tmp_path / f"{hashlib.sha256(data).hexdigest()[:16]}.webp"
    path.write_bytes(data)
    ready = Album(tmp_path / "ready").patch(photo[::-1], hole, small=True, made=path)
    assert (tmp_path / "ready" / ready.path).read_bytes() == data
    own = Album(tmp_path / "own").patch(photo[:, :90], hole[:, :90], small=True, made=path)
    assert own.size == (90, 90)
    path.write_bytes(data[:-1])
    for gone in (path, None, tmp_path / "gone.webp"):
        made = Album(tmp_path / "new").patch(photo, hole, small=True, made=gone)
        assert (tmp_path / "new" / made.path).read_bytes() == data


def test_a_hole_of_two_pixels_survives_the_thumbnail():
    thin = np.zeros((640, 640), bool)
    thin[300:304] = True
    assert thumbnails.shrunk_hole(thin).any()


def test_the_colours_of_error_maps_are_those_of_matplotlib():
    colours = matplotlib.colormaps["viridis"](np.linspace(0, 1, 64))[:, :3]
    assert ((255 * colours).round() == pictures.VIRIDIS).all()


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
    assert thumbnails.shrink(np.zeros((2, 2000, 3), np.uint8)).shape == (1, 256, 3)


def test_marking_the_hole_leaves_known_pixels_alone(photo, hole):
    marked = pictures.with_hole(photo, hole)
    assert (marked[~hole] == photo[~hole]).all()
    assert (marked[hole] != photo[hole]).any(axis=1).mean() > 0.99


def test_hole_is_visible_on_its_own_tint_and_on_white(hole):
    for colour in (thumbnails.MARK.astype(np.uint8), np.full(3, 255, np.uint8)):
        flat = np.broadcast_to(colour, (90, 200, 3)).astype(np.uint8)
        edge = pictures.with_hole(flat, hole)[20, 50:120].astype(int)
        assert np.abs(edge - colour.astype(int)).sum(axis=1).max() > 100


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


def test_with_full_pictures_each_fill_of_a_case_is_there_as_it_was_measured(sample, tmp_path):
    index = build(sample, tmp_path / "with", full_pictures=True)
    assert "full picture (PNG)" not in _pages_of_cases(build(sample, tmp_path / "without"))
    named = set(re.findall(r'href="\.\./(pictures/\S+?\.png)" download', _pages_of_cases(index)))
    cases = pd.read_parquet(sample / "cases.parquet")
    cases = cases[(cases["method"] != "original") & (cases["status"] == "ok")]
    wanted = [*cases["output"], *(f"photos/{p.name}" for p in (sample / "photos").iterdir())]
    given = {(index.parent / name).read_bytes() for name in named}
    assert given >= {(sample / name).read_bytes() for name in wanted}
    assert len(wanted) > 20


def _pages_of_cases(index: Path) -> str:
    return "".join(p.read_text("utf-8") for p in (index.parent / "cases").glob("*.html"))
