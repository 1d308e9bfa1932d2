"""Blind votes from the page to the report: a browser's keys, a file, the command, a headline."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from bench.cli import main
from bench.planning.protocol import UNKNOWN
from bench.run.runner import run
from reports.build import build
from tests.support import removals

pytestmark = pytest.mark.slow
METHODS = ("noise", "telea", "navier_stokes", "biharmonic")
PICTURES = ".pair img:not([alt=''])"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    files = removals.write(tmp_path_factory.mktemp("votes"), count=6)
    out = files / "run"
    run(removals.request(out, files, truth=UNKNOWN, methods=METHODS))
    build(out)
    return out


def status(page) -> str:
    return page.get_by_role("status").inner_text()


def press(page, key: str) -> None:
    from playwright.sync_api import expect

    before = status(page)
    expect(page.locator(".pair")).to_have_attribute("aria-busy", "false")
    page.keyboard.press(key)
    expect(page.get_by_role("status")).not_to_have_text(before)


def saved(seen, folder: Path, keys: list[str], name: str) -> Path:
    seen.open(folder / "report/votes.html")
    for key in keys:
        press(seen.page, key)
    seen.page.get_by_label("Your name").fill(name)
    with seen.page.expect_download() as download:
        seen.page.get_by_role("button", name="Save votes").click()
    file = folder.parent / f"{len([*folder.parent.glob('votes*')])}.votes.json"
    download.value.save_as(file)
    assert "0 not saved" in status(seen.page)
    return file


def test_keys_vote_the_file_is_read_back_and_the_report_says_the_result(visit, folder, capsys):
    seen = visit(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    keys = ["ArrowLeft", "ArrowRight", "ArrowDown", "s", "ArrowLeft", "z", "ArrowRight"]
    hostile = "</script><b>Eve</b>"
    file = saved(seen, folder, keys, hostile)
    content = json.loads(file.read_text("utf-8"))
    assert [vote["choice"] for vote in content["votes"]] == [
        "left", "right", "equal", "skip", "right",
    ]  # fmt: skip
    assert main(["votes", str(folder), str(file), str(file)]) == 0
    said = capsys.readouterr().out
    assert "5 new votes" in said
    assert "5 on pairs that the voter had judged before, counted once" in said
    table = pd.read_parquet(folder / "votes.parquet")
    assert len(table) == 5
    assert set(table["voter"]) == {hostile}
    build(folder)
    page = (folder / "report/index.html").read_text("utf-8")
    assert "By 4 votes of 1 voter, no method is significantly preferred. The truth is unk" in page
    assert "say nothing of other people" in page
    assert main(["compare", str(folder), "--metrics", "seam_visible"]) == 0
    again = removals.request(folder, folder.parent, truth=UNKNOWN, methods=METHODS)
    run(again)  # keeps fills and votes
    assert len(pd.read_parquet(folder / "votes.parquet")) == 5
    assert main(["merge", str(folder.parent / "merged"), str(folder)]) == 0
    assert seen.complaints == []


def test_a_page_with_votes_that_are_not_saved_is_not_left_without_a_word(visit, folder):
    seen = visit()
    asked = []
    seen.page.on("dialog", lambda dialog: asked.append(dialog.type))
    seen.open(folder / "report/votes.html")
    press(seen.page, "ArrowLeft")
    seen.page.close(run_before_unload=True)
    seen.context.pages and seen.context.pages[0].wait_for_timeout(500)
    assert asked == ["beforeunload"]


def test_no_name_of_a_method_is_seen_or_in_the_source_of_the_page(visit, folder):
    seen = visit()
    seen.open(folder / "report/votes.html")
    source = (folder / "report/votes.html").read_text("utf-8").lower()
    for name in ("telea", "navier", "biharmonic"):
        assert name not in source
        assert name not in seen.page.inner_text("body").lower()
    assert seen.page.locator(PICTURES).count() == 2
    sizes = [picture.bounding_box() for picture in seen.page.locator(PICTURES).all()]
    assert sizes[0]["width"] == pytest.approx(sizes[1]["width"])
    assert sizes[0]["height"] == pytest.approx(sizes[1]["height"])
    seen.page.keyboard.press("h")
    assert seen.page.locator(PICTURES).count() == 3


def test_pairs_of_methods_meet_alike_and_seeds_differ(visit, folder):
    orders = []
    for _ in range(2):
        seen = visit()
        seen.open(folder / "report/votes.html")
        data = json.loads(seen.page.locator("#votes-data").text_content())
        number = {fill[2]: fill[0] for case in data["cases"] for fill in case["fills"]}
        met = []
        for _ in range(3):  # as many as there are pairs of the three methods that compete
            sources = [i.get_attribute("src") for i in seen.page.locator(PICTURES).all()]
            met.append(tuple(sorted(number[source] for source in sources)))
            press(seen.page, "ArrowDown")
        assert len({*met}) == 3
        orders.append([*met, *sources])
    assert orders[0] != orders[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: "", "expected votes as JSON"),
        (lambda text: "[" * 100_000, "expected votes as JSON"),
        (lambda text: "[]", "as its format"),
        (lambda text: text.replace('"choice": "', '"choice": "x'), "in vote 0"),
        (lambda text: text.replace('"left": "', '"left": "x'), "left and right in vote 0"),
        (lambda text: text.replace('"ms": ', '"ms": -'), "whole milliseconds in vote 0"),
    ],
)
def test_a_bad_file_is_refused_and_adds_nothing(visit, folder, capsys, tmp_path, change, said):
    good = sorted(folder.parent.glob("*.votes.json"))
    if not good:
        good = [saved(visit(accept_downloads=True), folder, ["ArrowLeft"], "")]
    bad = tmp_path / "bad.json"
    bad.write_text(change(good[0].read_text("utf-8")), "utf-8")
    main(["votes", str(folder), str(good[0])])
    before = (folder / "votes.parquet").read_bytes()
    assert main(["votes", str(folder), str(bad)]) == 1
    assert said in capsys.readouterr().err
    assert (folder / "votes.parquet").read_bytes() == before


def test_votes_on_other_fills_are_refused_or_left_out_by_the_report(
    visit, folder, capsys, tmp_path
):
    file = saved(visit(accept_downloads=True), folder, ["ArrowLeft"], "Ann")
    content = json.loads(file.read_text("utf-8"))
    for vote in content["votes"]:
        vote["left"] = "0" * 16
    other = tmp_path / "other.json"
    for fingerprint, said in ((content["run"], "made anew since"), ("photos:1/1", "another run")):
        other.write_text(json.dumps({**content, "run": fingerprint}), "utf-8")
        assert main(["votes", str(folder), str(other)]) == 1
        assert said in capsys.readouterr().err
    assert main(["votes", str(folder), str(file)]) == 0
    table = pd.read_parquet(folder / "votes.parquet")
    table.loc[table["voter"] == "Ann", "left_fill"] = "0" * 16
    kept = (folder / "votes.parquet").read_bytes()
    table.to_parquet(folder / "votes.parquet", index=False)
    build(folder)
    assert "1 vote is left out" in (folder / "report/index.html").read_text("utf-8")
    (folder / "votes.parquet").write_bytes(kept)
