"""From an annotation to fills, as a user does it."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import inpaint_bench
from bench.cli import main
from bench.errors import InputError
from tests.support.annotation_files import SIZE, WIDTH, coco, cvat, via, write
from tests.support.commands import words

PHOTO = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Photos a.png, b.png, c.png, and a COCO file that leaves out the last and one label."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "masks").mkdir()
    for name in "abc":
        Image.fromarray(PHOTO).save(tmp_path / "photos" / f"{name}.png")
    cat, dog = {"bbox": [100, 100, 60, 30]}, {"bbox": [200, 100, 30, 30], "category_id": 2}
    photos = {"img\\a.jpg": [cat, dog], "img\\b.jpg": [cat], "img\\d.jpg": [dog]}
    write(tmp_path / "masks" / "instances.json", coco(photos))
    return tmp_path


@pytest.mark.parametrize("given", ["masks", "masks/instances.json"])
def test_a_file_of_many_photos_and_the_folder_that_holds_it(folder, given):
    out = folder / "out"
    masks = ("--masks", str(folder / given), "--mask-labels", "dog", "--size", "native")
    how = ("--methods", "mean", "--executor", "inline")
    assert main(words(out, folder / "photos", *masks, *how)) == 0
    plan = pd.read_parquet(out / "plan.parquet")
    assert plan["photo"].tolist() == ["a.png"]
    assert plan["hole_share"].item() == pytest.approx(900 / PHOTO[..., 0].size)
    assert plan["mask_source"].item().endswith("instances.json#img\\a.jpg")
    refused = pd.read_parquet(out / "inputs.parquet").query("status == 'refused'")
    reasons = " ".join(refused["reason"])
    assert "b.jpg' has no shape labelled 'dog', only 'cat'" in reasons
    assert "no mask in" in reasons  # c.png
    assert "img\\d.jpg" in reasons


def test_python_takes_annotations_too(tmp_path):
    box = {"name": "rect", "x": 100, "y": 100, "width": 60, "height": 30}
    element = '<box label="a" xtl="100" ytl="100" xbr="160" ybr="130"/>'
    hole = np.zeros(SIZE, bool)
    hole[100:130, 100:160] = True
    expected = inpaint_bench.fill(PHOTO, hole, "mean")
    for path in (
        write(tmp_path / "a.json", coco({"x.jpg": [{"bbox": [100, 100, 60, 30]}]})),
        write(tmp_path / "b.json", via({"x.jpg": [(box, {})]})),
        write(tmp_path / "c.xml", cvat({"x.jpg": [element]})),
    ):
        np.testing.assert_array_equal(inpaint_bench.fill(PHOTO, path, "mean"), expected)
    smaller = coco({"x.jpg": [{"bbox": [1, 1, 60, 30]}]})
    smaller["images"][0]["width"] = WIDTH - 1
    path = write(tmp_path / "d.json", smaller)
    with pytest.raises(InputError, match=f"expected {WIDTH}x"):
        inpaint_bench.fill(PHOTO, path, "mean")
