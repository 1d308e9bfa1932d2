"""The protocol of the source report: which photos and masks it reads, and its table as a figure."""

import numpy as np
import pytest
from PIL import Image

from bench.cli import main
from bench.errors import InputError
from bench.planning.layouts import laid_out
from bench.protocols import read as protocols
from bench.run.request import default_methods
from masks.files import Rules, read
from reports.build import read_run
from reports.paper import figure
from reports.paper.figure import Wish
from tests.support.source_photos import BOXES, write_source_photos

TIERS = ["case-1-small-range", "case-2-region", "case-3-large-range"]
PROTOCOL = protocols.get("source-report")


@pytest.fixture
def folder(tmp_path):
    return write_source_photos(tmp_path / "photos")


def hole_of(box):
    left, top, right, lower = box
    hole = np.zeros((40, 60), bool)
    hole[top : lower + 1, left : right + 1] = True
    return hole


def test_the_first_number_of_a_name_is_its_case(folder):
    laid = laid_out(PROTOCOL, folder)
    assert not laid.lost
    assert [(each.name, each.tiers) for each in laid.photos] == [
        ("test_1_1.png", (TIERS[0],)),
        ("test_1_2_json/img.png", (TIERS[0],)),
        ("test_2_1.png", (TIERS[1],)),
        ("test_2_2_json/img.png", (TIERS[1],)),
        ("test_3_1.png", (TIERS[2],)),
    ]
    for each, box in zip(laid.photos, BOXES.values(), strict=True):
        (mask,) = each.masks
        np.testing.assert_array_equal(read(mask, Rules()).mask, hole_of(box))


def test_a_photo_beside_its_export_is_taken_and_not_the_copy(folder):
    copy = folder / "test_1_2_json" / "img.png"
    (folder / "test_1_2.jpg").write_bytes(copy.read_bytes())
    assert "test_1_2.jpg" in [each.name for each in laid_out(PROTOCOL, folder).photos]
    assert "test_1_2_json/img.png" not in [each.name for each in laid_out(PROTOCOL, folder).photos]


def test_masks_may_lie_in_another_folder(folder, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    for each in folder.glob("*.json"):
        each.rename(masks / each.name)
    laid = laid_out(PROTOCOL, folder, masks)
    assert [each.name for each in laid.photos] == ["test_1_1.png", "test_2_1.png", "test_3_1.png"]


def test_what_has_no_partner_or_no_case_is_said(folder):
    (folder / "test_1_1.json").rename(folder / "test_1_3.json")
    (folder / "test_2_1.json").rename(folder / "holiday.json")
    (folder / "test_2_1.png").rename(folder / "holiday.png")
    lost = {name.rpartition("/")[2]: reason for name, _, reason in laid_out(PROTOCOL, folder).lost}
    assert "no labelme file test_1_1.json" in lost["test_1_1.png"]
    assert "its photo is not there" in lost["test_1_3.json"]
    assert "expected a name such as test_1_2" in lost["holiday.png"]


def test_a_folder_without_any_says_how_it_is_laid_out(tmp_path):
    Image.new("RGB", (20, 20)).save(tmp_path / "photo.png")
    with pytest.raises(InputError, match="test_CASE_NUMBER"):
        laid_out(PROTOCOL, tmp_path)


def test_the_comparison_is_one_command_and_its_table_another(folder, tmp_path, capsys):
    out = tmp_path / "run"
    words = ["run", "--protocol", "source-report", "--images", str(folder), "--out", str(out)]
    words += ["--methods", "mean", "--executor", "inline", "--offline", "--no-report"]
    assert main(words) == 0
    run = read_run(out)
    assert list(run.tiers) == TIERS
    assert run.header.protocol["published"] == "source-report"
    drawn = ["figure", str(out), "--rule", "all", "--mask", "--methods", "mean"]
    assert main([*drawn, "--out", str(tmp_path / "table")]) == 0
    assert "all 5 of case-1-small-range, case-2-region" in " ".join(capsys.readouterr().out.split())
    rows, _, _ = figure._rows(run, Wish(rule="all", mask=True), TIERS, ["mean"])
    assert [row.head for row in rows] == [TIERS[0], "", TIERS[1], "", TIERS[2]]
    for row in rows:
        titles = [picture.title for picture in row.pictures]
        assert titles[:4] == ["Original", "Mask", "With mask", "Mean colour"]
        np.testing.assert_array_equal(
            row.pictures[1].pixels, row.hole[..., None].repeat(3, 2) * 255
        )
    with Image.open(tmp_path / "table.png") as image:
        assert image.width == round(figure.PAGE * 300)


def test_its_methods_are_the_authors_and_small_weights_only_by_name():
    authors = ["telea", "navier_stokes", "pluralistic", "ict", "lama"]
    assert default_methods("source-report") == authors
