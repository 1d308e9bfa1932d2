"""Every shape of every format against rasterisers that share no code with ours."""

import csv
import io
import json

import numpy as np
import pytest
from matplotlib.path import Path as Outline
from pycocotools import mask as reference
from skimage import draw

from bench.errors import InputError
from masks.annotations import entries, read
from masks.files import MaskFile, Rules
from masks.files import read as read_file
from tests.support.annotation_files import (
    HEIGHT,
    SIZE,
    WIDTH,
    coco,
    cvat,
    cvat_points,
    star,
    via,
    via_polygon,
    write,
)
from tests.support.labelme import annotate, shape

SEEDS = range(4)


def agrees(ours, theirs, least=0.98):
    assert ours.shape == theirs.shape == SIZE
    assert theirs.any()
    share = (ours & theirs).sum() / (ours | theirs).sum()
    assert share >= least, share


def inside(points):
    """By matplotlib: pixels whose centre is in the polygon."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    centres = np.stack((columns.ravel(), rows.ravel()), 1)
    return Outline(points).contains_points(centres).reshape(SIZE)


def disc(x, y, radius_x, radius_y, turn=0.0):
    """By scikit-image, whose angle runs the other way."""
    mask = np.zeros(SIZE, bool)
    mask[draw.ellipse(y - 0.5, x - 0.5, radius_y, radius_x, shape=SIZE, rotation=-turn)] = True
    return mask


def turned(left, top, width, height, degrees):
    """Corners of a box, turned clockwise as seen."""
    centre = np.array((left + width / 2, top + height / 2))
    around = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width / 2, height / 2)
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return centre + around @ np.array([(cosine, sine), (-sine, cosine)])


def of(path, labels=(), photo="p.jpg", size=None):
    return read(entries(path)[photo], labels, size).mask


# COCO


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning:pycocotools")
def test_coco_polygons(tmp_path, seed):
    rings = [star(seed), star(seed + 50, 5)]
    flat = [ring.ravel().tolist() for ring in rings]
    # Some tools write the number of a photo as text here and as a number there.
    path = write(tmp_path / "c.json", coco({"p.jpg": [{"segmentation": flat, "image_id": "0"}]}))
    theirs = reference.decode(reference.merge(reference.frPyObjects(flat, HEIGHT, WIDTH)))
    agrees(of(path), theirs > 0)
    agrees(of(path), inside(rings[0]) | inside(rings[1]), 0.999)


@pytest.mark.parametrize("seed", SEEDS)
def test_coco_run_lengths_in_both_forms_are_exact(tmp_path, seed):
    mask = np.random.default_rng(seed).random(SIZE) < 0.02
    mask[40:90, 30:300] |= True
    mask[0, 0] = seed % 2  # runs may begin with either
    compressed = reference.encode(np.asfortranarray(mask, np.uint8))
    down = mask.T.ravel()
    changes = np.flatnonzero(np.diff(down)) + 1
    lengths = np.diff([0, *changes, down.size]).tolist()
    plain = [0, *lengths] if down[0] else lengths
    for counts in (compressed["counts"].decode(), plain):
        record = {"segmentation": {"size": list(SIZE), "counts": counts}, "iscrowd": 1}
        path = write(tmp_path / "c.json", coco({"p.jpg": [record], "empty.jpg": []}))
        np.testing.assert_array_equal(of(path), mask)


def test_coco_boxes_stand_in_for_missing_outlines(tmp_path):
    records = [{"segmentation": [], "bbox": [10, 20, 30, 40]}, {"bbox": [380, 5, 90, 20]}]
    expected = np.zeros(SIZE, bool)
    expected[20:60, 10:40] = True
    expected[5:25, 380:] = True
    path = write(tmp_path / "c.json", coco({"p.jpg": records}))
    np.testing.assert_array_equal(of(path), expected)


def test_coco_chooses_by_name_or_number(tmp_path):
    records = [
        {"bbox": [0, 0, 10, 10], "category_id": 1},
        {"bbox": [100, 0, 10, 10], "category_id": 2},
    ]
    content = coco({"p.jpg": records, "q.jpg": records[:1]}, ("cat", "dog", "cow"))
    path = write(tmp_path / "c.json", content)
    assert of(path).sum() == 200
    for label in ("dog", "2"):
        mask = of(path, [label])
        assert mask.sum() == mask[:, 100:].sum() == 100
    assert of(path, ["dog", "cow"]).sum() == 100
    rules = Rules(labels=("dog",))
    assert read_file(entries(path)["p.jpg"], rules).mask.sum() == 100
    with pytest.raises(InputError, match=r"no label 'dgo'; it has 'cat', 'cow', 'dog'. Did.*dog"):
        of(path, ["cat", "dgo"])
    with pytest.raises(InputError, match=r"c.json#q.jpg' has no shape labelled 'dog', only 'cat'"):
        of(path, ["dog"], "q.jpg")


def test_an_annotation_of_many_photos_needs_to_know_which(tmp_path):
    path = write(tmp_path / "c.json", coco({"a/p.jpg": [{"bbox": [0, 0, 9, 9]}], "q.jpg": []}))
    assert list(entries(path)) == ["a/p.jpg", "q.jpg"]
    with pytest.raises(InputError, match=r"is on 2 photos; say on which"):
        read(MaskFile(path))
    with pytest.raises(InputError, match=r"lists no photo 'p.jpg'. Did you mean a/p.jpg"):
        read(MaskFile(path, "p.jpg"))
    with pytest.raises(InputError, match=r"q.jpg' has no shape on this photo"):
        of(path, photo="q.jpg")


def test_a_photo_that_is_listed_twice_is_refused_and_no_other(tmp_path):
    content = coco({"p.jpg": [{"bbox": [0, 0, 9, 9]}], "q.jpg": [{"bbox": [0, 0, 9, 9]}]})
    content["images"].append(content["images"][0] | {"id": 7})
    path = write(tmp_path / "c.json", content)
    assert of(path, photo="q.jpg").sum() == 81
    with pytest.raises(InputError, match=r"lists photo 'p.jpg' more than once"):
        of(path)


# labelme and X-AnyLabeling: whole numbers are centres of pixels, outlines count


@pytest.mark.parametrize(
    ("kind", "points", "expected"),
    [
        ("polygon", star(4).tolist(), inside(star(4))),
        ("polygon", star(5, 7).tolist(), inside(star(5, 7))),
        ("rectangle", [[320.2, 40], [30.7, 220]], inside(turned(30.7, 40, 289.5, 180, 0))),
        ("circle", [[180, 140], [180, 240]], disc(180.5, 140.5, 100.5, 100.5)),
        ("rotation", turned(120, 90, 200, 101, 33).tolist(), inside(turned(120, 90, 200, 101, 33))),
        ("quadrilateral", [[20, 30], [370, 60], [300, 280], [40, 200]], ...),
    ],
)
def test_labelme_shapes(tmp_path, kind, points, expected):
    drawn = shape(kind, points, direction=0.57)
    path = annotate(tmp_path / "p.json", [drawn], imageHeight=HEIGHT, imageWidth=WIDTH)
    agrees(of(path, photo="p"), inside(points) if expected is ... else expected)


# VGG Image Annotator


def via_shapes():
    """Shape attributes, and what they cover."""
    x, y = star(1).T.tolist()
    return [
        (via_polygon(star(1)), inside(np.stack((x, y), 1))),
        (rect(20, 30, 200, 101), box(20, 30, 200, 101)),
        ({"name": "circle", "cx": 150, "cy": 99.5, "r": 70.2}, disc(150, 99.5, 70.2, 70.2)),
        ({"name": "ellipse", "cx": 200, "cy": 150, "rx": 120, "ry": 40}, disc(200, 150, 120, 40)),
        (
            {"name": "ellipse", "cx": 200, "cy": 150, "rx": 120, "ry": 40, "theta": 0.5},
            disc(200, 150, 120, 40, 0.5),
        ),
    ]  # fmt: skip


def rect(*sides):
    return {"name": "rect"} | dict(zip(("x", "y", "width", "height"), sides, strict=True))


def box(left, top, width, height):
    mask = np.zeros(SIZE, bool)
    mask[top : top + height, left : left + width] = True
    return mask


def via_table(photos):
    stream = io.StringIO()
    writer = csv.writer(stream)
    shape = ["region_count", "region_id", "region_shape_attributes", "region_attributes"]
    writer.writerow(["filename", "file_size", "file_attributes", *shape])
    for name, regions in photos.items():
        for number, pair in enumerate(regions):
            writer.writerow([name, 1, "{}", len(regions), number, *map(json.dumps, pair)])
        if not regions:
            writer.writerow([name, 1, "{}", 0, 0, "{}", "{}"])
    return stream.getvalue()


@pytest.mark.parametrize(("drawn", "expected"), via_shapes())
def test_via_shapes_in_all_files(tmp_path, drawn, expected):
    photos = {"p.jpg": [(drawn, {"type": "cat"})], "q.jpg": []}
    content = via(photos)
    numbered = json.loads(json.dumps(content))
    for record in numbered.values():
        record["regions"] = {str(at): each for at, each in enumerate(record["regions"])}
    for path in (
        write(tmp_path / "annotation.json", content),
        write(tmp_path / "version1.json", numbered),
        write(tmp_path / "project.json", {"_via_settings": {}, "_via_img_metadata": content}),
        write(tmp_path / "table.csv", via_table(photos)),
        write(tmp_path / "old.csv", "#" + via_table(photos)),
    ):
        assert set(entries(path)) == {"p.jpg", "q.jpg"}
        agrees(of(path, size=SIZE), expected)
        with pytest.raises(InputError, match=r"no shape on this photo"):
            of(path, photo="q.jpg", size=SIZE)


def test_via_chooses_by_the_values_of_attributes(tmp_path):
    regions = [
        (rect(0, 0, 10, 10), {"type": "cat"}),
        (rect(100, 0, 10, 10), {"type": "dog", "state": "wet"}),
        (rect(200, 0, 10, 10), {"kind": {"dog": True, "cow": False}}),
        (rect(300, 0, 10, 10), {}),
        ({"name": "point", "cx": 1, "cy": 1}, {"type": "dog"}),
    ]
    for path in (
        write(tmp_path / "a.json", via({"p.jpg": regions})),
        write(tmp_path / "a.csv", via_table({"p.jpg": regions})),
    ):
        assert of(path, size=SIZE).sum() == 400
        assert of(path, ["dog"], size=SIZE).nonzero()[1].tolist()[:1] == [100]
        assert of(path, ["dog"], size=SIZE).sum() == 200
        assert of(path, ["wet"], size=SIZE).sum() == 100
        with pytest.raises(InputError, match=r"no label 'cow'; it has 'cat', 'dog', 'wet'"):
            of(path, ["cow"], size=SIZE)
    with pytest.raises(InputError, match=r"states no size"):
        of(path)


# CVAT


def cvat_shapes():
    outline = star(2)
    bitmap = inside(star(3))[50:250, 60:320]
    changes = np.flatnonzero(np.diff(bitmap.ravel())) + 1
    lengths = np.diff([0, *changes, bitmap.size]).tolist()
    lengths = [0, *lengths] if bitmap[0, 0] else lengths
    placed = np.zeros(SIZE, bool)
    placed[50:250, 60:320] = bitmap
    rle = ", ".join(map(str, lengths))
    return [
        (f'<polygon label="cat" points="{cvat_points(outline)}"/>', inside(outline)),
        (
            '<box label="cat" xtl="20.0" ytl="30.00" xbr="220" ybr="131"/>',
            box(20, 30, 200, 101),
        ),
        (
            '<box label="cat" xtl="120" ytl="90" xbr="320" ybr="191" rotation="33.0"/>',
            inside(turned(120, 90, 200, 101, 33)),
        ),
        ('<ellipse label="cat" cx="200" cy="150" rx="120" ry="40"/>', disc(200, 150, 120, 40)),
        (
            '<ellipse label="cat" cx="200" cy="150" rx="120" ry="40" rotation="30"/>',
            disc(200, 150, 120, 40, np.pi / 6),
        ),
        (
            f'<mask label="cat" rle="{rle}" left="60" top="50" width="260" height="200">'
            '<attribute name="a">b</attribute></mask>',
            placed,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(("drawn", "expected"), cvat_shapes())
def test_cvat_shapes(tmp_path, drawn, expected):
    flat = '<polyline label="cat" points="1,1;9,9"/><points label="cat" points="1,1"/>'
    path = write(tmp_path / "a.xml", cvat({"p.jpg": [drawn, flat, '<tag label="cat"/>']}))
    mask, note = read(entries(path)["p.jpg"])
    agrees(mask, expected)
    assert note == "left out without an area: 1 points, 1 polyline"


def test_cvat_chooses_by_labels_and_refuses_lines_alone(tmp_path):
    element = '<box label="{}" xtl="{}" ytl="0" xbr="{}" ybr="10"/>'.format
    drawn = [element("cat", 0, 10), element("dog", 100, 120), element("spot", 300, 330)]
    path = write(tmp_path / "a.xml", cvat({"p.jpg": drawn, "q.jpg": drawn[:1]}))
    assert of(path).sum() == 600
    assert of(path, ["dog", "spot"]).sum() == 500
    with pytest.raises(
        InputError, match=r"no label 'sport'; it has 'cat', 'dog', 'spot'.*mean spot"
    ):
        of(path, ["sport"])
    with pytest.raises(InputError, match=r"no shape labelled 'dog', only 'cat'"):
        of(path, ["dog"], "q.jpg")
    lines = write(tmp_path / "b.xml", cvat({"p.jpg": ['<polyline label="a" points="1,1;9,9"/>']}))
    with pytest.raises(InputError, match=r"no areas, only 1 polyline; draw polygons"):
        of(lines)


# YOLO


def shares(points):
    return " ".join(f"{value:.6f}" for value in (np.asarray(points) / (WIDTH, HEIGHT)).ravel())


@pytest.mark.parametrize("seed", SEEDS)
def test_yolo_polygons_and_boxes(tmp_path, seed):
    outline = star(seed)
    path = write(tmp_path / "p.txt", f"3 {shares(outline)}\n\n")
    agrees(of(path, photo="p", size=SIZE), inside(outline))
    sides = (120 / WIDTH, 80 / HEIGHT, 200 / WIDTH, 101 / HEIGHT)
    write(path, "0 {:.6f} {:.6f} {:.6f} {:.6f}".format(*sides))
    agrees(of(path, photo="p", size=SIZE), inside(turned(20, 29.5, 200, 101, 0)))
    with pytest.raises(InputError, match=r"states no size"):
        of(path, photo="p")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("data.yaml", "path: x\nnames:\n  0: cat\n  1: dog\n"),
        ("../data.yaml", "nc: 2\nnames: ['cat', dog]\n"),
        ("../../data.yaml", "names:\n- cat\n- dog\n"),
        ("classes.txt", "cat\ndog\n"),
        ("obj.names", "cat\r\ndog"),
    ],
)
def test_yolo_chooses_by_name_or_number(tmp_path, file, text):
    folder = tmp_path / "labels" / "train"
    folder.mkdir(parents=True)
    path = write(folder / "p.txt", "0 .1 .1 .1 .1\n1 .5 .5 .2 .2\n")
    assert of(path, ["1"], "p", SIZE).sum() == 80 * 60
    with pytest.raises(InputError, match=r"no shape labelled 'dog', only '0', '1'"):
        of(path, ["dog"], "p", SIZE)
    path.write_text(path.read_text() + "\n")
    write(folder / file, text)
    for label in ("dog", "1"):
        assert of(path, [label], "p", SIZE).sum() == 80 * 60
    with pytest.raises(InputError, match=r"no label 'dgo'; it has 'cat', 'dog'. Did you mean dog"):
        of(path, ["dgo"], "p", SIZE)


def test_yolo_file_without_shapes_is_refused_by_name(tmp_path):
    path = write(tmp_path / "p.txt", "")
    with pytest.raises(InputError, match=r"p.txt' has no shape on this photo"):
        of(path, photo="p", size=SIZE)


# All


def test_other_texts_and_tables_are_no_annotations(tmp_path):
    for name, text in {
        "README.txt": "Masks of our photos\n0 1 2",
        "classes.txt": "cat\ndog",
        "pairs.csv": "photo,mask\na.jpg,b.png\n",
        "empty.csv": "\n",
    }.items():
        assert entries(write(tmp_path / name, text)) is None


def test_the_content_decides_what_json_is(tmp_path):
    for name, content in {
        "coco": coco({"p.jpg": [{"bbox": [0, 0, 9, 9]}]}),
        "via": via({"p.jpg": [(rect(0, 0, 9, 9), {})]}),
    }.items():
        assert of(write(tmp_path / f"{name}.json", content), size=SIZE).sum() == 81


def test_a_file_is_parsed_once_and_again_when_it_changes(tmp_path, monkeypatch):
    path = write(
        tmp_path / "c.json", coco({f"{n}.jpg": [{"bbox": [0, 0, 9, 9]}] for n in range(9)})
    )
    calls = []
    loads = json.loads
    monkeypatch.setattr(json, "loads", lambda *given: calls.append(1) or loads(*given))
    for name in entries(path):
        assert of(path, photo=name).sum() == 81
    assert len(calls) == 1
    write(path, coco({"n.jpg": [{"bbox": [0, 0, 9, 10]}]}))
    assert of(path, photo="n.jpg").sum() == 90
    assert len(calls) == 2


def test_inverting_an_annotation(tmp_path):
    path = write(tmp_path / "c.json", coco({"p.jpg": [{"bbox": [0, 0, 9, 9]}]}))
    mask = read_file(entries(path)["p.jpg"], Rules(invert=True)).mask
    assert (~mask).sum() == 81
