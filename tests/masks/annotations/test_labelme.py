import csv

import numpy as np
import pytest
from PIL import Image

from bench.errors import InputError
from masks.annotations import read
from masks.files import MaskFile
from tests.masks.test_files import HOLE, palette_picture, save, white_hole
from tests.support.labelme import SQUARE, annotate, encoded, shape
from tests.support.mask_files import read_mask


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


LINES = [
    shape("line", [[0, 0], [30, 30]]),
    shape("linestrip", [[0, 0], [30, 30], [50, 0]]),
    shape("point", [[5, 5]]),
    shape("points", [[5, 5]]),
]


def test_lines_and_points_are_left_out_aloud(tmp_path):
    path = annotate(tmp_path / "a.json", [*LINES, SQUARE, LINES[0]])
    mask, note = read(MaskFile(path))
    np.testing.assert_array_equal(mask, BOX)
    assert note == "left out without an area: 2 line, 1 linestrip, 1 point, 1 points"


@pytest.mark.parametrize(
    ("drawn", "reason"),
    [
        (LINES, "no areas, only 1 line, 1 linestrip, 1 point, 1 points; draw polygons"),
        ([], "no shape on this photo"),
        ([shape("rectangle", [[0, 0], [59, 39]], label="__ignore__")], "no shape on this photo"),
        ([shape("rectangle", [[70, 10], [90, 20]])], "cover no pixel of the 60x40 photo"),
    ],
)
def test_no_hole_is_empty(tmp_path, drawn, reason):
    with pytest.raises(InputError, match=reason):
        read_mask(annotate(tmp_path / "a.json", drawn))


def test_shapes_of_x_anylabeling_are_areas(tmp_path):
    corners = SQUARE["points"]
    for drawn in (
        shape("rectangle", corners, difficult=False, kie_linking=[], attributes={}),
        shape("rotation", corners, direction=0.0),
        shape("quadrilateral", corners),
    ):
        path = annotate(tmp_path / f"{drawn['shape_type']}.json", [drawn], checked=False)
        np.testing.assert_array_equal(read_mask(path), BOX)
    turned = shape("rotation", [[30, 5], [45, 20], [30, 35], [15, 20]], direction=0.785)
    rows, columns = np.mgrid[:40, :60]
    expected = np.abs(rows - 20) + np.abs(columns - 30) <= 15
    np.testing.assert_array_equal(read_mask(annotate(tmp_path / "r.json", [turned])), expected)


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
    with pytest.raises(
        InputError, match=r"labelled 'think', only 'other', 'thing'\. Did you mean thing"
    ):
        read(MaskFile(path), ["think"])


def test_one_misspelt_label_of_several_is_noted(tmp_path):
    path = annotate(tmp_path / "a.json", [SQUARE, shape("rectangle", [[0, 0], [5, 5]], "other")])
    mask, note = read(MaskFile(path), ["thing", "ohter", "else"])
    np.testing.assert_array_equal(mask, BOX)
    assert note == "no label 'ohter' here. Did you mean other?"


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


def test_size_is_that_of_the_photo_where_nothing_else_tells(tmp_path):
    path = annotate(tmp_path / "a.json", [SQUARE], imageHeight=..., imagePath="gone.jpg")
    np.testing.assert_array_equal(read(MaskFile(path), size=(40, 60)).mask, BOX)
    stated = annotate(tmp_path / "b.json", [SQUARE])
    assert read(MaskFile(stated), size=(400, 600)).mask.shape == (40, 60)


def test_size_follows_the_orientation_of_the_photo(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    save(tmp_path / "p.jpg", np.zeros((60, 40), np.uint8), exif=exif)
    unknown = {"imageHeight": ..., "imageWidth": ..., "imagePath": "p.jpg"}
    assert read_mask(annotate(tmp_path / "a.json", [SQUARE], **unknown)).shape == (40, 60)


@pytest.mark.parametrize(
    ("drawn", "content", "reason"),
    [
        ([shape("polygon", [[1, 1], [2, 2]])], {}, "at least 3 pairs of numbers, found 2x2"),
        ([shape("rectangle", [[1, 1]] * 5)], {}, "has 4 points, found 5"),
        ([shape("star", [[1, 1]])], {}, "shape_type 'star' is none of polygon"),
        ([shape("polygon", [[1, 1], [2], [3, 3]])], {}, "expected numbers only"),
        (
            [shape("polygon", [[1, 1], [2, float("nan")], [3, 3]])],
            {},
            "expected finite numbers",
        ),
        (
            [shape("polygon", [[1, 1], [2, 1e9], [3, 3]])],
            {},
            "expected finite numbers",
        ),
        ([{"points": []}], {}, "expected an object with a label"),
        ([shape("mask", [[1, 1], [3, 3]])], {}, "in base64"),
        ([shape("mask", [[1, 1], [3, 3]], mask="abcd")], {}, "not a picture"),
        ([shape("mask", [[1, 1], [3, 3]], mask=encoded(BOX))], {}, "60x40 but its box is 3x3"),
        ([], {"imageHeight": 10**6, "imageWidth": 10**6}, "announces"),
        ([], {"imageHeight": 0}, "announces"),
        ([], {"imageHeight": 40.5}, "a whole number from 0 on"),
        ([], {"imageHeight": [40]}, "a whole number from 0 on"),
        ([shape(["polygon"], [[1, 1]])], {}, "shape_type .* is none of polygon"),
        ([], {"imageHeight": None}, "states no size"),
        ([], {"imageHeight": None, "imagePath": "gone.jpg"}, "states no size"),
        ([], {"imageHeight": None, "imagePath": "a.json"}, "states no size"),
        ([], {"imageHeight": None, "imagePath": "a\0b"}, "states no size"),
        ([], {"imageHeight": None, "imageData": "abcd"}, "not a picture"),
        ("none", {}, "no annotation that can be read; these are: labelme, X-AnyLabeling, COCO"),
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
    palette_picture((classes == 2) * 2).save(folder / "label.png")
    with pytest.raises(InputError, match=r"x_json' has no pixel of car"):
        read(MaskFile(folder), ["car"])
    with pytest.raises(InputError, match=r"no label 'tram'; it has .*'bus', 'car'"):
        read(MaskFile(folder), ["tram"])
