import csv

import cv2
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


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("colour", [False, True])
def test_data_of_fewer_bits_in_16_are_noted(tmp_path, bits, colour):
    ramp = np.linspace(0, 2**bits - 1, 64).astype(np.uint16)[None].repeat(4, axis=0)
    if colour:
        cv2.imwrite(str(tmp_path / "a.png"), np.dstack([ramp] * 3))
        np.save(tmp_path / "a.npy", np.dstack([ramp] * 3))
    else:
        Image.fromarray(ramp).save(tmp_path / "a.png")
        np.save(tmp_path / "a.npy", ramp)
    for name in ("a.png", "a.npy"):
        note = images.read(tmp_path / name)[1]
        assert f"as those of {bits} bits do" in note
        assert f"{2**bits / 65536:.1%} of the range" in note


def test_colours_of_16_bits_are_scaled_and_noted(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((4, 5, 3), 0x8055, np.uint16))
    pixels, note = images.read(tmp_path / "a.png")
    assert (pixels == 0x80).all()
    assert note == "16 bits reduced to 8"


@pytest.mark.parametrize(
    ("array", "level"),
    [
        (np.full((4, 5, 3), 200, np.uint8), 200),
        (np.full((4, 5), 200, np.uint8), 200),
        (np.full((4, 5, 1), True), 255),
        (np.full((4, 5, 3), 200 * 257, np.uint16), 200),
        (np.full((4, 5), 200 / 255, np.float32), 200),
    ],
)
def test_arrays_are_photos(tmp_path, array, level):
    np.save(tmp_path / "a.npy", array)
    pixels, _ = images.read(tmp_path / "a.npy")
    assert pixels.shape == (4, 5, 3)
    assert (pixels == level).all()


@pytest.mark.parametrize("suffix", ["jfif", "JPE", "avif", "tga", "jp2", "pgm", "gif", "webp"])
def test_whatever_pillow_reads_is_a_photo(tmp_path, suffix):
    Image.new("L", (9, 7), 77).save(tmp_path / f"a.{suffix}")
    assert images.find(tmp_path) == [f"a.{suffix}"]
    assert np.abs(images.read(tmp_path / f"a.{suffix}")[0].astype(int) - 77).max() <= 2


def test_drawings_under_the_name_of_a_picture_are_not_run(tmp_path):
    """Pillow would give this to Ghostscript."""
    Image.new("L", (9, 7)).save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.png")
    with pytest.raises(InputError, match="not a picture of a known kind"):
        images.read(tmp_path / "a.png")


def test_heic_is_read_where_its_package_is(tmp_path):
    pytest.importorskip("pillow_heif")
    Image.new("RGB", (64, 64), (200, 30, 30)).save(tmp_path / "a.heic")
    assert images.find(tmp_path) == ["a.heic"]
    assert np.abs(images.read(tmp_path / "a.heic")[0].astype(int) - (200, 30, 30)).max() <= 6


def test_alpha_is_discarded_with_the_colours_kept(tmp_path):
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[..., 0], rgba[0, 0, 3] = 200, 255
    Image.fromarray(rgba).save(tmp_path / "a.png")
    pixels, note = images.read(tmp_path / "a.png")
    assert (pixels == [200, 0, 0]).all()
    assert note == "alpha discarded"


def test_floats_of_a_picture_are_from_0_to_1(tmp_path):
    Image.fromarray(np.full((4, 4), 200 / 255, np.float32)).save(tmp_path / "f.tif")
    assert (images.read(tmp_path / "f.tif")[0] == 200).all()
    Image.fromarray(np.full((4, 4), 200, np.float32)).save(tmp_path / "f.tif")
    with pytest.raises(InputError, match=r"f\.tif.*from 200 to 200; expected floats from 0 to 1"):
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
