"""The page of the gate's verdict."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import html5lib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.cli import main
from bench.errors import InputError
from reports.build import build, read_run
from tests.support import made_up_latency
from tests.support.reading import (
    XHTML,
    change_header,
    darken,
    edit,
    judged,
    pages_of,
    snapshot,
    texts,
)


def regression_page(folder: Path) -> object:
    return html5lib.HTMLParser(strict=True).parse((folder / "report/regression.html").read_bytes())


def test_without_a_verdict_there_is_no_regression_page(report):
    assert not (report / "regression.html").exists()
    assert "regression.html" not in (report / "index.html").read_text("utf-8")


def test_regressed_cases_are_named_with_old_and_new_value_and_a_link(sample, copy):
    darken(copy)
    assert judged(sample, copy) == 1
    tree = regression_page(copy)
    assert texts(tree.find(f".//{XHTML}h1")) == "Regressed"
    page = texts(tree)
    assert str(read_run(sample).header.fingerprint) in page
    assert str(sample) in page
    worst, every = (
        tree.find(f".//{XHTML}section[@aria-labelledby='{name}']") for name in ("worst", "all")
    )
    rows = worst.findall(f".//{XHTML}tbody/{XHTML}tr")
    assert len(rows) == 3
    cells = [texts(cell) for cell in rows[0]]
    assert cells[1:3] == ["Telea", "Texture and structure"]
    assert float(cells[3]) - float(cells[4]) == pytest.approx(0.01, abs=1e-5)
    assert cells[5:] == ["", "0.005", "2"]  # the pictures are the same, all black
    shown = [image.get("src") for image in rows[0].iter(f"{XHTML}img")]
    assert len(shown) == 5
    assert shown[:2] == shown[2:4]
    assert "pictures of the baseline" not in page
    assert all((copy / "report" / row.find(f".//{XHTML}a").get("href")).is_file() for row in rows)
    states = [texts(row[3]) for row in every.findall(f".//{XHTML}tbody/{XHTML}tr")]
    assert states[0] == "regressed"
    assert set(states[1:]) == {"same"}
    index = (copy / "report/index.html").read_text("utf-8")
    assert "Against the baseline: regressed." in index
    for path, tree in pages_of(copy / "report").items():
        assert any(texts(a) == "Regression" for a in tree.iter(f"{XHTML}a")), path


def test_a_regressed_case_is_shown_beside_its_baseline_and_their_difference(sample, copy):
    darken(copy)
    path = copy / "outputs/telea/large/0-0.png"
    pixels = cv2.imread(str(path))
    hole = (pixels != cv2.imread(str(copy / "outputs/mean/large/0-0.png"))).any(2)
    cv2.imwrite(str(path), np.where(hole[..., None], pixels // 2, pixels))
    assert judged(sample, copy) == 1
    first = snapshot(copy / "report")
    rows = regression_page(copy).findall(f".//{XHTML}section[@aria-labelledby='worst']//{XHTML}tr")
    (row,) = (row for row in rows if "astronaut" in texts(row))
    before, now, difference = (
        cell.findall(f".//{XHTML}img")[-1].get("src")
        for cell in row.findall(f"{XHTML}td")
        if cell.find(f".//{XHTML}img") is not None
    )
    assert len({before, now, difference}) == 3
    apart = np.asarray(Image.open(copy / "report" / difference).convert("RGB")).astype(int)
    old = cv2.imread(str(sample / "outputs/telea/large/0-0.png"))[..., ::-1].astype(int)
    true = np.minimum(4 * abs(old - cv2.imread(str(path))[..., ::-1]), 255)
    assert abs(apart.mean() - true.mean()) < 8
    build(copy)
    assert snapshot(copy / "report") == first


@pytest.mark.parametrize("how", ["gone", "changed", "a file", "other hole", "outside"])
def test_without_pictures_of_the_baseline_it_is_said_or_none_is_shown(sample, copy, tmp_path, how):
    baseline = Path(shutil.copytree(sample, tmp_path / "baseline"))
    if how == "other hole":
        edit(baseline, "plan", lambda t: t.assign(mask_sha="0" * 16))
    if how == "outside":
        shutil.copy(baseline / "outputs/telea/large/0-0.png", tmp_path / "secret.png")
        edit(baseline, "cases", lambda t: t.assign(output="../secret.png"))
    darken(copy)
    assert main(["gate", str(baseline), str(copy)]) == 1
    if how == "gone":
        shutil.rmtree(baseline)
    if how == "changed":
        darken(baseline)
    if how == "a file":
        shutil.rmtree(baseline)
        baseline.write_text("{}")
    build(copy)
    section = regression_page(copy).find(f".//{XHTML}section[@aria-labelledby='worst']")
    alts = [image.get("alt") for image in section.iter(f"{XHTML}img")]
    assert any(alt.startswith("This run: ") for alt in alts)
    assert not any(alt.startswith(("Baseline: ", "Difference")) for alt in alts)
    said = "No pictures of the baseline: " in texts(section)
    assert said == (how not in ("other hole", "outside"))


def test_the_same_run_is_the_same(sample, copy):
    assert judged(sample, copy) == 0
    page = texts(regression_page(copy))
    assert "Same as the baseline, or better" in page
    assert "Worst changes" not in page
    assert "regressed" not in page


def test_what_became_slower_is_the_first_of_the_latencies(sample, copy, tmp_path):
    made_up_latency.write(copy)
    before = shutil.copytree(copy, tmp_path / "before")

    def slow_down(table: pd.DataFrame) -> pd.DataFrame:
        row = (table["method"] == "ns") & (table["side"] == 128)
        columns = ["ratio", "ratio_low", "ratio_high", "ratio_wall"]
        return table.assign(**{name: table[name] * (1 + row) for name in columns})

    edit(copy, "latency", slow_down)
    assert judged(before, copy) == 1
    tree = regression_page(copy)
    section = tree.find(f".//{XHTML}section[@aria-labelledby='latency']")
    rows = [list(map(texts, row)) for row in section.findall(f".//{XHTML}tbody/{XHTML}tr")]
    assert len(rows) == len(pd.read_parquet(copy / "latency.parquet").query("rounds > 0"))
    slower = [row for row in rows if row[2] == "slower"]
    assert slower == rows[: len(slower)]
    assert {row[0] for row in slower} == {"Navier\N{EN DASH}Stokes"}
    assert {row[1].split(", ")[1] for row in slower} == {"128 px"}
    assert all(row[5].startswith("+100") for row in slower)
    assert {row[2] for row in rows[len(slower) :]} == {"same"}
    assert "Worst changes" not in texts(tree)


def test_what_is_missing_is_named_before_what_is_the_same(sample, copy):
    def fail(cases: pd.DataFrame) -> pd.DataFrame:
        row = (cases["method"] == "ns") & (cases["photo"] == "coffee.png")
        return cases.assign(status=cases["status"].where(~row, "oom"))

    edit(copy, "cases", fail)
    edit(copy, "cases", lambda t: t[t["method"] != "mean"])
    edit(copy, "methods", lambda t: t[t["method"] != "mean"])
    assert judged(sample, copy) == 4
    tree = regression_page(copy)
    assert texts(tree.find(f".//{XHTML}h1")) == "Something of the baseline is missing"
    missing = texts(tree.find(f".//{XHTML}section[@aria-labelledby='missing']"))
    assert "coffee.png, draw 0, largeoom: no reason given" in missing
    assert "mean, smallthe run has no such method" in missing


def test_other_photos_are_not_compared_and_what_differs_is_said(sample, copy):
    change_header(copy, fingerprint="photos:9876543210/3 size:sample paste:known-8bit",
                  environment={"packages": {"numpy": "2.1"}})  # fmt: skip
    assert judged(sample, copy) == 3
    tree = regression_page(copy)
    assert texts(tree.find(f".//{XHTML}h1")) == "Not comparable with the baseline"
    differs = texts(tree.find(f".//{XHTML}section[@aria-labelledby='differs']"))
    assert "photos0123456789/39876543210/3" in differs
    assert "numpy2.02.1" in texts(tree.find(f".//{XHTML}section[@aria-labelledby='changed']"))
    assert "not compared" in texts(tree.find(f".//{XHTML}section[@aria-labelledby='all']"))


OUTDATED = {
    "with the fingerprint": lambda run: change_header(run, fingerprint="photos:x/3"),
    "other packages": lambda run: change_header(run, environment={"packages": {"numpy": "3"}}),
    "another version of": lambda run: edit(run, "methods", lambda t: t.assign(identity="new")),
    "other values": darken,
}


@pytest.mark.parametrize("words", OUTDATED)
def test_a_verdict_on_an_earlier_state_is_not_shown_as_current(sample, copy, words):
    darken(copy)
    assert main(["gate", str(sample), str(copy)]) == 1
    OUTDATED[words](copy)
    report = build(copy).parent
    page = texts(html5lib.parse((report / "index.html").read_bytes()))
    assert "No current verdict. The one in this folder, \u201cregressed\u201d" in page
    assert words in page
    assert not (report / "regression.html").exists()
    assert 'href="regression.html"' not in (report / "index.html").read_text("utf-8")


@pytest.mark.parametrize("text", ["{", '{"format": 1}', '{"format": 9}'])
def test_a_damaged_verdict_is_named(copy, text):
    (copy / "verdict.json").write_text(text)
    with pytest.raises(InputError, match=r"verdict\.json"):
        build(copy)


def test_the_report_command_judges_first(sample, copy):
    darken(copy)
    assert main(["report", str(copy), "--baseline", str(sample)]) == 0
    assert json.loads((copy / "verdict.json").read_text("utf-8"))["outcome"] == "regressed"
    assert texts(regression_page(copy).find(f".//{XHTML}h1")) == "Regressed"


def test_a_baseline_that_is_not_there_leaves_the_report_as_it_was(copy, tmp_path):
    before = snapshot(build(copy).parent)
    assert main(["report", str(copy), "--baseline", str(tmp_path / "none.json")]) == 2
    assert snapshot(copy / "report") == before
