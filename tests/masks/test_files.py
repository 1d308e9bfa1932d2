import csv
import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from bench.errors import InputError
from masks.files import require_size
from tests.support.mask_files import read_mask

HOLE = np.zeros((10, 14), dtype=bool)
HOLE[2:6, 3:9] = True


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def white_hole():
    return HOLE.astype(np.uint8) * 255


def palette_picture(indices):
    picture = Image.fromarray(indices.astype(np.uint8)).convert("L")
    picture = Image.frombytes("P", picture.size, picture.tobytes())
    picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    return picture


# Pictures


@pytest.mark.parametrize(
    "array",
    [
        white_hole(),
        HOLE.astype(np.uint8),
        HOLE,
        np.stack([white_hole()] * 3, axis=2),
        np.stack([white_hole(), np.zeros_like(white_hole())], axis=2),
        np.stack([white_hole()] * 3 + [255 - white_hole()], axis=2),
        HOLE.astype(np.uint16) * 65535,
        HOLE.astype(np.uint16),
        HOLE.astype(np.uint16) * 255,
    ],
    ids=[
        "grey",
        "0 and 1",
        "one bit",
        "RGB",
        "grey, alpha",
        "RGBA",
        "16 bit",
        "16 bit 0 and 1",
        "16 bit 0 and 255",
    ],
)
def test_white_is_hole_in_every_mode(tmp_path, array):
    np.testing.assert_array_equal(read_mask(save(tmp_path / "m.png", array)), HOLE)


def test_threshold_is_the_least_value_that_is_hole(tmp_path):
    path = save(tmp_path / "m.png", np.arange(256, dtype=np.uint8)[None])
    assert read_mask(path).argmax() == 128
    assert read_mask(path, threshold=10).argmax() == 10


def test_16_bit_values_are_scaled_and_not_clipped(tmp_path):
    levels = (np.arange(256) * 257).astype(np.uint16)[None]
    assert read_mask(save(tmp_path / "m.png", levels)).argmax() == 128


def test_inversion_swaps_hole_and_known(tmp_path):
    path = save(tmp_path / "m.png", white_hole())
    np.testing.assert_array_equal(read_mask(path, invert=True), ~HOLE)


def test_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "m.png", white_hole(), exif=exif)
    np.testing.assert_array_equal(read_mask(path), np.rot90(HOLE, -1))


def test_palette_with_transparency_is_read_without_it(tmp_path):
    picture = palette_picture(HOLE * 1)
    picture.putpalette([0, 0, 0, 250, 250, 250])
    picture.save(tmp_path / "m.png", transparency=bytes([255, 0]))
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), HOLE)


@pytest.mark.parametrize("value", [0, 255])
def test_no_hole_and_nothing_but_hole_are_read(tmp_path, value):
    path = save(tmp_path / "m.png", np.full((5, 7), value, np.uint8))
    assert read_mask(path).mean() == value / 255


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb():
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")


def large():
    """Between Pillow's two limits, where it only warns."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")


def png():
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(stream, "PNG")
    return stream.getvalue()


def flipped():
    data = bytearray(png())
    data[len(data) // 2] ^= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"no picture at all", "not a picture"),
        (png()[:2000], "damaged"),
        (png()[:20], "damaged|not a picture"),
        (flipped(), "damaged"),
        (bomb(), "too large"),
        (large(), "announces 10000x10000"),
    ],
    ids=["empty", "text", "cut off", "cut in the header", "bit flip", "bomb", "large"],
)
def test_broken_files_are_refused_by_name_with_the_reason(tmp_path, content, reason):
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason) as caught:
        read_mask(path)
    assert "bad.png" in str(caught.value)


def test_absent_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"gone\.png' cannot be read: No such file"):
        read_mask(tmp_path / "gone.png")


def test_floats_of_a_mask_are_from_0_to_1(tmp_path):
    path = save(tmp_path / "m.tif", HOLE.astype(np.float32))
    np.testing.assert_array_equal(read_mask(path), HOLE)
    with pytest.raises(InputError, match="from 0 to 255; expected floats from 0 to 1"):
        read_mask(save(tmp_path / "m.tif", HOLE.astype(np.float32) * 255))


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "m.png")
    with pytest.raises(InputError, match=r"m\.png' is no file"):
        read_mask(tmp_path / "m.png")


@pytest.mark.parametrize("threshold", [0, 256])
def test_threshold_out_of_range_is_refused(tmp_path, threshold):
    with pytest.raises(InputError, match="expected 1 to 255"):
        read_mask(tmp_path / "m.png", threshold=threshold)


def test_wrong_size_is_refused_with_both_sizes(tmp_path):
    require_size(HOLE, tmp_path / "a.png", 10, 14, "a.jpg")
    with pytest.raises(InputError, match=r"a\.png' is 14x10 but photo 'a\.jpg' is 96x64"):
        require_size(HOLE, tmp_path / "a.png", 64, 96, "a.jpg")


def test_odd_files_are_read_or_refused_as_listed(shared_data):
    with (shared_data / "odd" / "expected.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) > 20
    for row in rows:
        path = shared_data / "odd" / row["file"]
        if row["role"] == "image" and (
            row["expected"] == "error" or "=200," in row["check_pixels"]
        ):
            with pytest.raises(InputError):
                read_mask(path)
            continue
        mask = read_mask(path)
        if row["role"] == "mask" and row["expected"] == "error":
            with pytest.raises(InputError, match="70x50"):
                require_size(mask, path, 64, 96, "photo.png")
        else:
            require_size(mask, path, int(row["height"]), int(row["width"]), "photo.png")


def test_odd_masks_hold_the_holes_that_were_drawn(shared_data):
    grey = read_mask(shared_data / "odd" / "mask_gray_levels.png")
    np.testing.assert_array_equal(grey, np.broadcast_to(np.arange(96) >= 48, (64, 96)))
    box = np.zeros((64, 96), bool)
    box[16:48, 32:64] = True
    np.testing.assert_array_equal(read_mask(shared_data / "odd" / "mask_rgb.png"), box)
    assert read_mask(shared_data / "odd" / "mask_full.png").all()
    assert not read_mask(shared_data / "odd" / "mask_empty.png").any()


def test_real_masks_have_the_share_that_is_listed(shared_data):
    with (shared_data / "masks" / "masks.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["family"] != "hires"]
    for row in rows:
        mask = read_mask(shared_data / row["path"])
        assert mask.mean() == pytest.approx(float(row["hole_fraction"]), abs=1e-4)
