"""Damaged, hostile and mistaken annotations: one kind of error, and it names the file."""

import faulthandler
import json
import math
import os
import random
import time
import tracemalloc

import numpy as np
import pytest

from bench.errors import InputError
from masks import files
from masks.annotations import entries, read
from tests.support.annotation_files import (
    SIZE,
    coco,
    cvat,
    cvat_points,
    star,
    via,
    via_polygon,
    write,
)
from tests.support.labelme import SQUARE, encoded, shape

BOX = {"name": "rect", "x": 3, "y": 4, "width": 50, "height": 60}
RLE = {"size": list(SIZE), "counts": [100, 200, 119_700]}
GOOD = {
    "labelme.json": {
        "version": "5",
        "imageHeight": 300,
        "imageWidth": 400,
        "imagePath": "p.jpg",
        "shapes": [
            SQUARE,
            shape("circle", [[30, 20], [30, 30]]),
            shape("rotation", [[30, 5], [45, 20], [30, 35], [15, 20]], direction=0.7),
            shape("mask", [[10, 10], [12, 12]], mask=encoded(np.ones((3, 3), np.uint8))),
        ],
    },
    "coco.json": coco(
        {
            "p.jpg": [
                {"segmentation": [star(0).ravel().tolist()], "bbox": [1, 2, 30, 40]},
                {"segmentation": RLE},
                {"segmentation": RLE | {"counts": "T3X6le0b1RYc3"}},
            ]
        }
    ),
    "via.json": via(
        {
            "p.jpg": [
                (via_polygon(star(1)), {"type": "cat"}),
                (BOX, {"type": {"dog": True}}),
                ({"name": "ellipse", "cx": 90, "cy": 80, "rx": 7, "ry": 8, "theta": 0.3}, {}),
            ]
        }
    ),
    "cvat.xml": cvat(
        {
            "p.jpg": [
                f'<polygon label="cat" points="{cvat_points(star(2))}"/>',
                '<box label="dog" xtl="1" ytl="2" xbr="30" ybr="40" rotation="9"/>',
                '<ellipse label="dog" cx="90" cy="80" rx="7" ry="8" rotation="9"/>',
                '<mask label="a" rle="1, 2, 3" left="3" top="4" width="3" height="2"/>',
            ]
        }
    ),
    "yolo.txt": "0 .1 .1 .2 .2\n1 .1 .1 .5 .1 .5 .5 .2 .6\n",
    "via.csv": "filename,region_shape_attributes,region_attributes\n"
    + 'p.jpg,"{""name"":""rect"",""x"":1,""y"":2,""width"":9,""height"":9}","{""a"":""b""}"\n',
}


def drawn(path):
    """All holes of a file, by photo."""
    found = entries(path) or {}
    return {name: read(file, (), SIZE).mask for name, file in found.items()}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_damaged_below_was_readable(tmp_path, name):
    (mask,) = drawn(write(tmp_path / name, GOOD[name])).values()
    assert mask.any()


def leaves(content, path=()):
    """Paths to every value within lists and objects, the longest lists cut short."""
    inside = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in list(inside)[:8]:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, key))


def changed(content, path, value):
    copy = json.loads(json.dumps(content))
    place = copy
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copy


ODD = (
    *(..., None, True, -1, 0, 2.5, 1e300, math.nan, math.inf, 10**400, 99_999_999, "", "x", "\0"),
    *([], {}, [[]], [None], [1, [2]], {"a": 1}, ["1", "2"]),
)


@pytest.mark.parametrize("name", [name for name in GOOD if name.endswith(".json")])
def test_every_field_missing_or_of_another_kind_is_read_or_refused(tmp_path, name):
    path, reasons, tried = tmp_path / name, [], 0
    for number, place in enumerate(leaves(GOOD[name])):
        for odd in ODD[number % 3 :: 3]:  # a third of them at each place, all at every third
            write(path, changed(GOOD[name], place, odd))
            os.utime(path, ns=(tried, tried))
            tried += 1
            try:
                assert all(mask.any() for mask in drawn(path).values())
            except InputError as error:
                reasons.append(str(error))
    assert tried / 4 < len(reasons) < tried
    assert all(name in reason for reason in reasons)


def record(**changes):
    return coco({"p.jpg": [{"segmentation": [[1, 1, 9, 1, 9, 9]]} | changes]})


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", record(segmentation=[[1, 1, 9, 1]]), "at least 3 pairs"),
        ("a.json", record(segmentation=[[1, 1, 9, 1, 5]]), "flat list of x, y"),
        ("a.json", record(segmentation=[[1, 1, 9, 1, 9, math.nan]]), "finite numbers"),
        ("a.json", record(segmentation=[[1, 1, 9, 1, 9, 2e6]]), "finite numbers below 1,000,000"),
        ("a.json", record(segmentation=RLE | {"counts": [100, 200]}), "runs of 120000 pixels"),
        ("a.json", record(segmentation=RLE | {"counts": [2**62, 2**62]}), "runs of 120000"),
        ("a.json", record(segmentation=RLE | {"counts": [120_001, -1]}), "run lengths from 0"),
        ("a.json", record(segmentation=RLE | {"counts": []}), "run lengths from 0"),
        ("a.json", record(segmentation=RLE | {"counts": "T3X6"}), "runs of 120000 pixels"),
        ("a.json", record(segmentation=RLE | {"counts": "T3X6Tee"}), "end too early"),
        ("a.json", record(segmentation=RLE | {"counts": "T3 X6"}), "does not belong into"),
        ("a.json", record(segmentation=RLE | {"counts": "o" * 1000}), "does not belong into"),
        ("a.json", record(segmentation=RLE | {"size": [400, 300]}), "its size is"),
        ("a.json", record(segmentation=[], bbox=[1, 2, -3, 4]), "sides or radii from 0 on"),
        ("a.json", record(segmentation=None), "bbox"),
        ("a.json", record() | {"images": 3}, "list of objects in 'images'"),
        ("a.json", record() | {"annotations": [3]}, "list of objects in 'annotations'"),
        ("a.json", record(image_id=[0]), "number in 'image_id'"),
        ("a.json", {"some": "thing"}, "no annotation that can be read; these are: labelme"),
        ("a.json", "[" * 100_000, "is not JSON"),
        ("a.json", '{"shapes": ' + "[" * 900 + "]" * 900 + "}", "expected an object with a label"),
        ("a.json", '{"shapes": ' + "9" * 5000 + "}", "is not JSON"),
        ("a.xml", cvat({"p": ['<box xtl="1" ytl="2" xbr="3"/>']}), "finite numbers"),
        ("a.xml", cvat({"p": ['<box xtl="9" ytl="2" xbr="3" ybr="8"/>']}), "from 0 on"),
        ("a.xml", cvat({"p": ['<polygon points="1,2;3,4"/>']}), "at least 3 pairs"),
        ("a.xml", cvat({"p": ['<polygon points="1,2;3;4,5"/>']}), "expected numbers only"),
        ("a.xml", cvat({"p": ["<star/>"]}), "expected box, polygon"),
        (
            "a.xml",
            cvat({"p": ['<mask rle="1,2" left="0" top="0" width="9" height="9"/>']}),
            "runs of 81",
        ),
        (
            "a.xml",
            cvat({"p": ['<mask rle="a" left="0" top="0" width="9" height="9"/>']}),
            "numbers in 'rle'",
        ),
        ("a.xml", "<annotations><track/></annotations>", "made for a video"),
        ("a.xml", "<kml/>", "no annotation that can be read"),
        ("a.xml", "<annotations>", "is no XML"),
        ("a.xml", '<?xml version="1.0" encoding="odd"?><annotations/>', "is no XML"),
        ("a.xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><annotations/>", "declares a document type"),
        ("a.txt", "0 .1 .1 .1", "flat list of x, y|at least 3 pairs"),
        ("a.txt", "0 .1 .1 .1 .1 .1", "flat list of x, y"),
        ("a.txt", "0 10 10 20 10 20 20", "expected shares of the width and height"),
        ("a.txt", "0.5 .1 .1 .1 .1", "a whole number from 0 on"),
        ("a.txt", "0 .1 .1 .1 .1\ncat .1 .1 .1 .1", "expected numbers only"),
        ("a.txt", "0 .1 .1 .1 nan", "finite numbers"),
    ],
)
def test_mistakes_are_named(tmp_path, name, content, reason):
    with pytest.raises(InputError, match=reason) as caught:
        drawn(write(tmp_path / name, content))
    assert name in str(caught.value)
    assert len(str(caught.value)) < 600


def test_many_laughs_take_no_memory(tmp_path):
    lines = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<!DOCTYPE l [<!ENTITY a0 "ha">{lines}]><annotations>&a9;</annotations>'
    with pytest.raises(InputError, match="declares a document type"):
        entries(write(tmp_path / "a.xml", text))


def test_deep_xml_is_read_to_its_end(tmp_path):
    depth = 100_000
    path = write(
        tmp_path / "a.xml", "<annotations>" + "<a>" * depth + "</a>" * depth + "</annotations>"
    )
    assert entries(path) == {}


def test_an_outline_that_would_fill_the_memory_is_refused(tmp_path):
    x = np.linspace(0, 399, 400_000)
    y = np.tile([0, 300], 200_000)
    flat = np.stack((x, y), 1).ravel().tolist()
    path = write(tmp_path / "a.json", coco({"p.jpg": [{"segmentation": [flat]}]}))
    with pytest.raises(InputError, match="expected simpler ones"):
        drawn(path)


def labelme(shapes, side=64):
    return {"imageHeight": side, "imageWidth": side, "shapes": shapes}


FAR = [[(i * 7919) % 9000, (i * 104729) % 9000] for i in range(20_000)]
DOTS = shape("mask", [[0, 0], [8191, 8191]], mask=encoded(np.ones((8192, 8192), np.uint8)))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", labelme([shape("polygon", FAR)], 9000), "100,000,000 tries"),
        ("a.json", labelme([shape("circle", [[9, 9], [999_999, 9]])] * 20_000), "tries"),
        ("a.json", labelme([DOTS] * 40, 8192), "more than 2,000,000,000 pixels"),
        ("a.json", record(segmentation=[np.ravel(FAR * 5).tolist()]), "50,000,000 rows|finite"),
    ],
)
def test_what_would_take_minutes_to_draw_is_refused(tmp_path, name, content, reason):
    with pytest.raises(InputError, match=reason):
        drawn(write(tmp_path / name, content))


def test_a_long_outline_among_short_ones_takes_little_memory(tmp_path):
    t = np.linspace(0, 2 * math.pi, 300_000)
    ring = np.stack((150 + 100 * np.cos(t), 150 + 100 * np.sin(t)), 1).ravel().tolist()
    path = write(tmp_path / "a.json", record(segmentation=[ring, *[[1, 1, 9, 1, 9, 9]] * 255]))
    tracemalloc.start()
    (mask,) = drawn(path).values()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 31_000 < mask.sum() < 31_600
    assert most < 500e6  # 256 outlines of so many corners would take some gigabytes


@pytest.mark.parametrize("error", [MemoryError, RecursionError, ZeroDivisionError])
def test_whatever_a_reader_raises_is_a_reason(tmp_path, monkeypatch, error):
    def fail(*_):
        raise error("odd")

    monkeypatch.setattr("masks.annotations.coco.parse", fail)
    path = write(tmp_path / "a.json", record())
    for reading in (lambda: entries(path), lambda: files.read(files.MaskFile(path), files.Rules())):
        with pytest.raises(InputError, match=r"a\.json' is damaged: odd"):
            reading()


def test_yaml_of_class_names_that_is_damaged_is_named(tmp_path):
    path = write(tmp_path / "p.txt", GOOD["yolo.txt"])
    for text in ("names: [", "names: {a: b}", "names: 7"):
        (tmp_path / "data.yaml").write_text(text)
        os.utime(tmp_path / "data.yaml", ns=(len(text), len(text)))
        os.utime(path, ns=(len(text), len(text)))
        with pytest.raises(InputError, match=r"data\.yaml' cannot be read"):
            entries(path)


def mutated(data, rng):
    """Bytes with a few of them changed, lost, doubled, or replaced by what parsers dislike."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            del data[at : at + rng.choice((1, 2, 10, 200))]
        elif kind == 2:
            data[at:at] = data[at : at + rng.choice((1, 5, 60))]
        elif kind == 3:
            data[at:at] = rng.choice(
                (
                    b"-",
                    b"9" * 30,
                    b"e99",
                    b"NaN",
                    b"null",
                    b"[[",
                    b"{}",
                    b'"',
                    b"<a>",
                    b"&b;",
                    b"\0",
                )
            )
        elif kind == 4:
            data = data[:at] or bytearray(b" ")
        else:
            digits = [place for place, value in enumerate(data) if 48 <= value < 58]
            if digits:
                data[rng.choice(digits)] = rng.choice(b"0123456789-.e")
    return bytes(data)


def misfilled(content, rng):
    """JSON with a few values replaced by ones of another kind."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        places = list(leaves(content))
        if places:
            content = changed(content, rng.choice(places), rng.choice(ODD))
    return json.dumps(content).encode()


@pytest.mark.nightly
def test_ten_thousand_damaged_files_give_a_hole_or_a_reason(tmp_path):
    seed = int(os.environ.get("FUZZ_SEED", time.time_ns() % 1_000_000_000))
    print(f"FUZZ_SEED={seed}")
    rng = random.Random(seed)
    good = {name: write(tmp_path / name, text).read_bytes() for name, text in GOOD.items()}
    holes = reasons = 0
    faulthandler.dump_traceback_later(1200, exit=True)  # a hang ends here, and says where
    for number in range(10_000):
        name = list(good)[number % len(good)]
        structured = name.endswith(".json") and rng.random() < 0.5
        data = misfilled(GOOD[name], rng) if structured else mutated(good[name], rng)
        path = tmp_path / name
        path.write_bytes(data)
        os.utime(path, ns=(number, number))
        try:
            assert all(mask.any() for mask in drawn(path).values())
            holes += 1
        except InputError:
            reasons += 1
        except Exception as error:
            raise AssertionError(f"FUZZ_SEED={seed}, file {number}: {data!r}") from error
    faulthandler.cancel_dump_traceback_later()
    print(f"{holes} holes, {reasons} reasons")
    assert min(holes, reasons) > 500
