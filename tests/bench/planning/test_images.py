import csv

import numpy as np
import pytest
from PIL import Image

from bench.errors import InputError
from bench.planning import images


def odd_rows(folder, role):
    with (folder / "odd" / "expected.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["role"] == role]


def test_every_odd_file_is_read_or_refused_as_expected(shared_data):
    rows = odd_rows(shared_data, "image")
    assert len(rows) > 20
    for row in rows:
        path = shared_data / "odd" / row["file"]
        if row["expected"] == "error":
            with pytest.raises(InputError) as caught:
                images.read(path)
            assert row["file"] in str(caught.value)
            continue
        pixels, _ = images.read(path)
        assert pixels.dtype == np.uint8
        assert pixels.shape == (int(row["height"]), int(row["width"]), 3), row["file"]
        for check in filter(None, row["check_pixels"].split("|")):
            place, _, colour = check.partition("=")
            x, y = map(int, place.split(";"))
            expected = np.array(list(map(int, colour.split(","))))
            off = np.abs(pixels[y, x].astype(int) - expected).max()
            assert off <= int(row["tolerance"]), (row["file"], check, pixels[y, x])


def test_sixteen_bits_are_scaled_and_noted(tmp_path):
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(4, axis=0)
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    pixels, note = images.read(tmp_path / "ramp.png")
    assert np.abs(pixels[..., 0].astype(float) - ramp / 257).max() <= 0.5
    assert "16 bits" in note


def test_alpha_is_discarded_with_the_colours_kept(tmp_path):
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[..., 0], rgba[0, 0, 3] = 200, 255
    Image.fromarray(rgba).save(tmp_path / "a.png")
    pixels, note = images.read(tmp_path / "a.png")
    assert (pixels == [200, 0, 0]).all()
    assert note == "alpha discarded"


def test_float_pictures_are_refused_with_advice(tmp_path):
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "f.tif")
    with pytest.raises(InputError, match=r"f\.tif.*save it with 8 or 16 bits"):
        images.read(tmp_path / "f.tif")


def test_folders_are_listed_sorted_without_hidden_files(tmp_path):
    for name in ("b/z.PNG", "a.jpg", ".hidden/x.png", "Thumbs.db", "b/.y.png", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert images.find(tmp_path) == ["a.jpg", "b/z.PNG"]


def test_a_folder_without_pictures_is_an_error_that_names_it(tmp_path):
    with pytest.raises(InputError, match=str(tmp_path)):
        images.find(tmp_path)
    with pytest.raises(InputError, match="nothing at"):
        images.find(tmp_path / "absent")


def test_the_bundled_set_is_fifteen_tiles_of_six_photos():
    photos = list(images.bundled())
    assert len(photos) == 15
    assert len({photo.cluster for photo in photos}) == 6
    assert {photo.pixels.shape for photo in photos} == {(256, 256, 3)}
    assert len({photo.sha for photo in photos}) == 15
