import base64
import csv
import io
import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from bench.errors import InputError
from masks.annotations import read
from masks.files import MaskFile, read_mask, require_size
from masks.pairing import find_masks, pair

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


def annotate(path, shapes, **content):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"imageHeight": 40, "imageWidth": 60, **content}
    content = {key: value for key, value in content.items() if value is not ...}
    path.write_text(json.dumps({"version": "5.7.0", "shapes": shapes, **content}), "utf-8")
    return path


def shape(kind, points, label="thing", **more):
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, **more}


def encoded(array):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


SQUARE = shape("polygon", [[10, 10], [20, 10], [20, 20], [10, 20]])


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


def test_palette_is_read_as_colours_unless_labelme_made_it(tmp_path):
    indices = HOLE * 1
    palette_picture(indices).save(tmp_path / "label.png")
    assert not read_mask(tmp_path / "label.png").any()  # dark red is below the threshold
    (tmp_path / "label_names.txt").write_text("_background_\nthing\n")
    np.testing.assert_array_equal(read_mask(tmp_path / "label.png"), HOLE)


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


def test_floating_point_mask_is_refused(tmp_path):
    path = save(tmp_path / "m.tif", HOLE.astype(np.float32))
    with pytest.raises(InputError, match="floating-point"):
        read_mask(path)


@pytest.mark.parametrize("threshold", [0, 256])
def test_threshold_out_of_range_is_refused(tmp_path, threshold):
    with pytest.raises(InputError, match="from 1 to 255"):
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
        if row["role"] == "image" and row["expected"] == "error":
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


# Pairing


def test_masks_pair_with_photos_by_name(tmp_path):
    for name in ("a/b.png", "c_mask.PNG", "d-mask.png", "e_mask001.png", "e_mask000.png",
                 "e_mask010.png", "f_crop000_mask000.png", "stray.png"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(white_hole()).save(tmp_path / name, "PNG")
    found = pair(
        ["a/b.jpg", "c.png", "d.JPG", "e.jpg", "f_crop000.png", "b.jpg", "g.png"], tmp_path
    )
    names = {
        photo: [path.relative_to(tmp_path).as_posix() for path in paths]
        for photo, paths in found.masks.items()
    }
    assert names == {
        "a/b.jpg": ["a/b.png"],
        "c.png": ["c_mask.PNG"],
        "d.JPG": ["d-mask.png"],
        "e.jpg": ["e_mask000.png", "e_mask001.png", "e_mask010.png"],
        "f_crop000.png": ["f_crop000_mask000.png"],
    }
    assert found.missing == ("b.jpg", "g.png")
    assert found.unused == (tmp_path / "stray.png",)


def test_photos_and_masks_may_share_a_folder(tmp_path):
    for name in ("x.png", "x_mask.png"):
        save(tmp_path / name, white_hole())
    found = pair(["x.png"], tmp_path)
    assert found.masks == {"x.png": (tmp_path / "x_mask.png",)}
    assert found.unused == (tmp_path / "x.png",)


def test_hidden_files_and_other_types_are_no_masks(tmp_path):
    for name in (".hidden.png", "._a.png", "Thumbs.db", "notes.txt", ".cache/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert find_masks(tmp_path) == {}


def test_masks_are_listed_in_order(tmp_path):
    for name in ("z.png", "b/a.png", "a.tif", "A1.bmp"):
        save(tmp_path / name, white_hole())
    assert list(find_masks(tmp_path)) == sorted(["z", "b/a", "a", "A1"])


def test_annotations_and_exports_are_masks_and_not_their_photos(tmp_path):
    save(tmp_path / "one.jpg", white_hole())
    annotate(tmp_path / "one.json", [SQUARE])
    annotate(tmp_path / "two.v1.json", [SQUARE])
    save(tmp_path / "two_v1_json" / "label.png", white_hole())
    save(tmp_path / "three" / "mask.png", white_hole())
    save(tmp_path / "three" / "img.png", white_hole())
    found = pair(["one.jpg", "two.v1.jpg", "three.jpg"], tmp_path)
    assert found.masks["one.jpg"] == (tmp_path / "one.json",)
    assert found.masks["three.jpg"] == (tmp_path / "three",)
    assert found.missing == ()
    assert read_mask(found.masks["two.v1.jpg"][0]).any()


def test_two_masks_that_differ_by_extension_are_refused(tmp_path):
    for name in ("a.png", "a.bmp"):
        save(tmp_path / name, white_hole())
    with pytest.raises(InputError, match="both belong to photo 'a'"):
        find_masks(tmp_path)


def test_absent_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a folder of masks"):
        pair(["a.png"], tmp_path / "gone")


# labelme


def test_reference_annotations_are_reproduced(shared_data):
    table = shared_data / "masks" / "labelme" / "labelme.csv"
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 4
    for row in rows:
        listed = row["labels_in_mask"]
        labels = [] if listed == "all area shapes" else listed.split("|")
        ours = read(MaskFile(shared_data / row["annotation"]), labels).mask
        reference = read_mask(shared_data / row["reference_mask"])
        assert (ours & reference).sum() / (ours | reference).sum() >= 0.98


BOX = np.zeros((40, 60), bool)
BOX[10:21, 10:21] = True


@pytest.mark.parametrize(
    "drawn",
    [
        SQUARE,
        shape(None, SQUARE["points"]),
        shape("rectangle", [[20, 10], [10, 20]]),
        shape("oriented_rectangle", SQUARE["points"]),
        shape("mask", [[10, 10], [20, 20]], mask=encoded(np.full((11, 11), 255, np.uint8))),
        shape("mask", [[20.4, 19.6], [9.7, 10]], mask=encoded(np.ones((11, 11), bool))),
    ],
    ids=["polygon", "no type", "rectangle", "oriented", "mask", "mask, turned corners"],
)
def test_areas_include_their_outline(tmp_path, drawn):
    mask = read_mask(annotate(tmp_path / "a.json", [drawn]))
    np.testing.assert_array_equal(mask, BOX)


def test_circle_is_a_disc_around_its_centre(tmp_path):
    mask = read_mask(annotate(tmp_path / "a.json", [shape("circle", [[30, 20], [30, 30]])]))
    rows, columns = np.mgrid[:40, :60]
    disc = np.hypot(rows - 20, columns - 30) <= 10.5
    assert (mask & disc).sum() / (mask | disc).sum() > 0.93


def test_lines_and_points_contribute_nothing(tmp_path):
    drawn = [
        shape("line", [[0, 0], [30, 30]]),
        shape("linestrip", [[0, 0], [30, 30], [50, 0]]),
        shape("point", [[5, 5]]),
    ]
    assert not read_mask(annotate(tmp_path / "a.json", drawn)).any()


def test_shapes_are_united_and_cut_at_the_picture(tmp_path):
    drawn = [
        SQUARE,
        shape("rectangle", [[50, -20], [90, 3]]),
        shape("mask", [[-5, 35], [4, 44]], mask=encoded(np.full((10, 10), 1, np.uint8))),
    ]
    expected = BOX.copy()
    expected[:4, 50:] = True
    expected[35:, :5] = True
    mask = read_mask(annotate(tmp_path / "a.json", drawn))
    np.testing.assert_array_equal(mask, expected)


def test_labels_choose_and_ignored_regions_never_count(tmp_path):
    other = shape("rectangle", [[40, 0], [59, 39]], label="other")
    ignored = shape("rectangle", [[0, 0], [59, 39]], label="__ignore__")
    path = annotate(tmp_path / "a.json", [SQUARE, other, ignored])
    np.testing.assert_array_equal(read(MaskFile(path), ["thing"]).mask, BOX)
    assert read_mask(path).sum() == BOX.sum() + 800
    with pytest.raises(InputError, match="no label 'think'; it has '__ignore__', 'other', 'thing'"):
        read(MaskFile(path), ["think"])


def test_size_is_stated_or_embedded_or_beside(tmp_path):
    unknown = {"imageHeight": ..., "imageWidth": None}
    picture = np.zeros((40, 60, 3), np.uint8)
    paths = [
        annotate(tmp_path / "stated.json", [SQUARE]),
        annotate(tmp_path / "in.json", [SQUARE], **unknown, imageData=encoded(picture)),
        annotate(tmp_path / "by.json", [SQUARE], **unknown, imagePath="photos\\p.png"),
    ]
    save(tmp_path / "photos" / "p.png", picture)
    for path in paths:
        np.testing.assert_array_equal(read_mask(path), BOX)


def test_size_follows_the_orientation_of_the_photo(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    save(tmp_path / "p.jpg", np.zeros((60, 40), np.uint8), exif=exif)
    unknown = {"imageHeight": ..., "imageWidth": ..., "imagePath": "p.jpg"}
    assert read_mask(annotate(tmp_path / "a.json", [SQUARE], **unknown)).shape == (40, 60)


@pytest.mark.parametrize(
    ("drawn", "content", "reason"),
    [
        ([shape("polygon", [[1, 1], [2, 2]])], {}, "at least 3 points, found 2"),
        ([shape("rectangle", [[1, 1]] * 3)], {}, "has 2 points, found 3"),
        ([shape("star", [[1, 1]])], {}, "shape_type 'star' is none of polygon"),
        ([shape("polygon", [[1, 1], [2], [3, 3]])], {}, "pairs of finite numbers"),
        ([shape("polygon", [[1, 1], [2, float("nan")], [3, 3]])], {}, "pairs of finite"),
        ([shape("polygon", [[1, 1], [2, 1e9], [3, 3]])], {}, "pairs of finite"),
        ([{"points": []}], {}, "expected an object with a label"),
        ([shape("mask", [[1, 1], [3, 3]])], {}, "in base64"),
        ([shape("mask", [[1, 1], [3, 3]], mask="abcd")], {}, "not a picture"),
        ([shape("mask", [[1, 1], [3, 3]], mask=encoded(BOX))], {}, "60x40 but its box is 3x3"),
        ([], {"imageHeight": 10**6, "imageWidth": 10**6}, "announces"),
        ([], {"imageHeight": 0}, "announces"),
        ([], {"imageHeight": "40"}, "must be integers"),
        ([], {"imageHeight": None}, "names no picture"),
        ([], {"imageHeight": None, "imagePath": "gone.jpg"}, "is not there"),
        ([], {"imageHeight": None, "imagePath": "a.json"}, "is not there"),
        ([], {"imageHeight": None, "imageData": "abcd"}, "not a picture"),
        ("none", {}, "no labelme annotation"),
    ],
)
def test_malformed_annotations_are_refused(tmp_path, drawn, content, reason):
    with pytest.raises(InputError, match=reason) as caught:
        read_mask(annotate(tmp_path / "a.json", drawn, **content))
    assert "a.json" in str(caught.value)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\xfa", b"[1]", b"", b"[" * 200_000])
def test_files_that_are_no_annotation_are_refused(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json"):
        read_mask(tmp_path / "a.json")


def test_export_prefers_the_mask_then_the_labels_then_the_annotation(tmp_path):
    folder = tmp_path / "x_json"
    save(folder / "label_viz.png", np.full((10, 14), 255, np.uint8))
    save(folder / "mask.png", HOLE.astype(np.uint8) * 7)
    palette_picture(~HOLE * 2).save(folder / "label.png")
    annotate(tmp_path / "x.json", [SQUARE])
    np.testing.assert_array_equal(read_mask(folder), HOLE)
    (folder / "mask.png").unlink()
    np.testing.assert_array_equal(read_mask(folder), ~HOLE)
    (folder / "label.png").unlink()
    np.testing.assert_array_equal(read_mask(folder), BOX)
    (tmp_path / "x.json").unlink()
    with pytest.raises(InputError, match="found 0 annotations; label_viz"):
        read_mask(folder)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_label_picture_of_old_versions_holds_the_classes_as_values(tmp_path, dtype):
    save(tmp_path / "x_json" / "label.png", (HOLE * 3).astype(dtype))
    np.testing.assert_array_equal(read_mask(tmp_path / "x_json"), HOLE)


def test_export_knows_labels_by_their_names(tmp_path):
    folder = tmp_path / "x_json"
    folder.mkdir()
    classes = HOLE * 1
    classes[0] = 2
    classes[9] = 3
    palette_picture(classes).save(folder / "label.png")
    save(folder / "mask.png", white_hole())
    (folder / "label_names.txt").write_text("_background_\ncar\nbus\n__ignore__\n")
    np.testing.assert_array_equal(read(MaskFile(folder), ["car"]).mask, HOLE)
    (folder / "mask.png").unlink()
    np.testing.assert_array_equal(read_mask(folder), (classes == 1) | (classes == 2))
    with pytest.raises(InputError, match="no label 'tram'"):
        read(MaskFile(folder), ["tram"])
