"""The photos that ship: what is there, under which licence, and that both sizes show the same."""

import csv
import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.cli import main
from bench.errors import BenchError
from bench.folder.read import read_run
from bench.planning import bundled
from bench.planning.pairing import Inputs, read_photos
from bench.planning.protocol import Protocol

HOME = bundled.folder("bundled").parent
ROWS = list(csv.DictReader((HOME / "photos.csv").read_text("utf-8").splitlines()))
LICENCES = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-3.0": "https://creativecommons.org/licenses/by-sa/3.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "Unlicense": "https://unlicense.org",
    "LicenseRef-US-Gov-PD": "https://www.usa.gov/government-copyright",
}
EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])


def given(photos: str, **more):
    inputs = Inputs()
    return list(read_photos(Protocol.asked(photos, None, **more), inputs)), inputs.rows


@EACH
def test_each_file_is_the_one_whose_licence_is_stated(row):
    for size, side in (("256", 256), ("512", 512)):
        data = (HOME / row[f"file{size}"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row[f"sha256_{size}"]
        with Image.open(HOME / row[f"file{size}"]) as image:
            assert (image.size, image.mode) == ((side, side), "RGB")
            assert not image.getexif()
    assert LICENCES[row["licence"]] == row["licence_url"]
    assert all(row[name].strip() for name in ("title", "author", "source", "licence_evidence"))
    assert row["changes"].startswith("cropped")


@EACH
def test_each_is_in_the_licence_file_and_its_credit_says_what_the_licence_wants(row):
    text = (HOME / "LICENCE.md").read_text("utf-8")
    (line,) = re.findall(rf"^\| {row['name']} \|.*$", text, re.M)
    credit = bundled.facts()[row["name"]].credit
    for said in (row["author"], row["title"]):
        assert said in line
        assert said in credit
    assert f"[{row['licence']}]({row['licence_url']})" in line
    for said in (row["licence_url"], row["source_url"] or row["source"], row["changes"]):
        assert said in credit


@EACH
def test_both_sizes_show_the_same(row):
    with Image.open(HOME / row["file512"]) as larger, Image.open(HOME / row["file256"]) as smaller:
        reduced = np.asarray(larger.reduce(2), np.float64)
        assert np.abs(reduced - np.asarray(smaller)).mean() < 8


def test_nothing_else_ships():
    held = {path.relative_to(HOME).as_posix() for path in HOME.rglob("*") if path.is_file()}
    files = {row[name] for row in ROWS for name in ("file256", "file512")}
    assert held == {"photos.csv", "LICENCE.md"} | files
    assert len(ROWS) == 48


def test_every_photo_is_read_with_its_kind_each_a_cluster_of_its_own():
    for name, side in bundled.SETS.items():
        photos, rows = given(name)
        assert {each.photo.pixels.shape for each in photos} == {(side, side, 3)}
        assert len({each.photo.cluster for each in photos}) == len(ROWS) == len(rows)
        assert len({each.photo.sha for each in photos}) == len(ROWS)
        assert len({each.group for each in photos}) == 8
        # A run folder holds copies: what happens to them must not happen to these.
        assert all(each.photo.file is None for each in photos)


def test_a_size_may_be_asked_for():
    photos, rows = given("bundled-512", size=384, limit=2)
    assert {each.photo.pixels.shape for each in photos} == {(384, 384, 3)}
    assert not any(row["note"] for row in rows)
    photos, rows = given("bundled", size=320, limit=1)
    assert "enlarged, which flatters every method: 1.25 times" in rows[0]["note"]


def test_masks_are_not_paired_with_them():
    with pytest.raises(BenchError, match="give --images too"):
        Protocol.asked("bundled-512", "masks")


def test_a_folder_of_the_same_name_is_reached_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bundled").mkdir()
    Image.new("RGB", (64, 64)).save("bundled/mine.png")
    assert len(given("bundled")[0]) == len(ROWS)
    assert [each.photo.id for each in given("./bundled")[0]] == ["mine.png"]


def test_credits_stand_on_the_page_of_a_case_and_on_that_of_provenance(tmp_path):
    words = ["--methods", "mean", "--metrics", "l1", "--tiers", "small", "--limit", "2"]
    assert main(["run", *words, "--executor", "inline", "--out", str(tmp_path / "run")]) == 0
    run = read_run(tmp_path / "run")
    pages = [path.read_text() for path in (tmp_path / "run/report/cases").glob("*.html")]
    provenance = (tmp_path / "run/report/provenance.html").read_text()
    for photo in run.plan["photo"]:
        (row,) = (row for row in ROWS if row["name"] == Path(photo).stem)
        link = f'<a href="{row["licence_url"]}"'
        assert any(row["author"] in page and link in page for page in pages)
        assert row["author"] in provenance
        assert link in provenance
