"""The pages of tiers and cases."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

import html5lib
import pandas as pd
import pytest

from bench.statistics import CASE
from bench.text import numbers
from reports.build import build, read_run
from reports.site import gallery
from tests.support.reading import XHTML, pages_of, texts
from tests.support.sample_run import write_run

SVG = "{http://www.w3.org/2000/svg}"


def test_infinite_psnr_is_capped_and_counted(report):
    page = texts(html5lib.parse((report / "tiers" / "small.html").read_bytes()))
    assert "counted as 100 dB: Original in 3 cases" in page
    case = texts(html5lib.parse(next((report / "cases").iterdir()).read_bytes()))
    assert "inf" not in case.split("Numbers")[1].split("All fills")[0].replace("infinite", "")


def test_tier_pages_show_differences_with_conclusion_and_pairs(report):
    tree = html5lib.parse((report / "tiers" / "small.html").read_bytes())
    plot = tree.findall(f".//{XHTML}img[@class='plot']")[1]
    assert plot.get("src").endswith("small-differences.svg")
    assert plot.get("alt").startswith("With 3 photos no difference can be significant")
    details = tree.find(f".//{XHTML}details[@class='pairs']")
    assert texts(details.find(f"{XHTML}summary")) == "All 10 pairs"
    assert len(details.findall(f".//{XHTML}tbody/{XHTML}tr")) == 10
    table = tree.find(f".//{XHTML}table[@class='ranking']")
    assert "below the margin of 0.005 are of no practical weight" in texts(table)
    assert "tie group a" in texts(table)


def test_lost_pictures_are_named_not_fatal(copy):
    shutil.rmtree(copy / "outputs" / "telea")
    shutil.rmtree(copy / "masks")
    torn = next((copy / "outputs" / "ns" / "small").iterdir())
    torn.write_bytes(b"no picture")
    report = build(copy).parent
    page = (report / "tiers" / "small.html").read_text("utf-8")
    assert page.count("picture not kept") == 3 + 1 + 2 * 3
    pages_of(report)


def test_tiers_of_many_cases_are_paged(tmp_path):
    names = [f"{i}.png" for i in range(26)]
    report = build(write_run(tmp_path / "run", names=names, side=16, tiers=["small"])).parent
    first, second = (pages_of(report / "tiers")[report / "tiers" / name]
                     for name in ("small.html", "small-2.html"))  # fmt: skip
    rows = [len(t.findall(f".//{XHTML}table[@class='gallery']/{XHTML}tbody/{XHTML}tr"))
            for t in (first, second)]  # fmt: skip
    assert rows == [20, 6]
    assert "21 to 26 of 26" in texts(second)
    assert {p.name for p in (report / "tiers").iterdir()} == {
        "small.html", "small-2.html", "small-random.html", "small-random-2.html",
        "small-worst.html", "small-best.html", "small-disagreement.html",
    }  # fmt: skip


def cases_of(report: Path) -> dict[str, object]:
    return {path.stem: tree for path, tree in pages_of(report / "cases").items()}


def listed(report: Path, name: str) -> list[str]:
    """Pages of cases in the order of a list."""
    tree = html5lib.parse((report / "tiers" / f"{name}.html").read_bytes())
    links = tree.findall(f".//{XHTML}table[@class='gallery']/{XHTML}tbody//{XHTML}th/{XHTML}a")
    return [re.search(r"cases/(\w+)\.html", link.get("href"))[1] for link in links]


def test_next_and_previous_follow_each_order(report):
    pages = cases_of(report)
    for order in ("all", "worst", "random"):
        name = "small" if order == "all" else f"small-{order}"
        sequence = listed(report, name)
        for before, after in itertools.pairwise(sequence):
            steps = pages[before].find(f".//{XHTML}nav[@id='{order}']")
            assert steps.find(f"{XHTML}a[@rel='next']").get("href") == f"{after}.html#{order}"
            steps = pages[after].find(f".//{XHTML}nav[@id='{order}']")
            assert steps.find(f"{XHTML}a[@rel='prev']").get("href") == f"{before}.html#{order}"
        ends = [
            pages[page].find(f".//{XHTML}nav[@id='{order}']")
            for page in sequence[:: len(sequence) - 1]
        ]
        assert ends[0].find(f"{XHTML}a[@rel='prev']") is None
        assert ends[1].find(f"{XHTML}a[@rel='next']") is None


def test_a_case_shows_each_methods_rank_and_its_distance_to_the_best(report, sample):
    run = read_run(sample)
    page, tree = next(iter(cases_of(report).items()))
    facts = next(f for f in run.plan.to_dict("records") if gallery.page_name(f) == page)
    own = run.cases.merge(pd.DataFrame([facts])[CASE], on=CASE)
    own = own[(own["status"] == "ok") & ~own["method"].isin(["mean", "original"])]
    values = own.set_index("method")["texture_structure"]
    rows = tree.findall(f".//{XHTML}tbody[@class='ranked']/{XHTML}tr")
    shown = {texts(row.find(f"{XHTML}th")): [texts(td) for td in row.findall(f"{XHTML}td")]
             for row in rows}  # fmt: skip
    for method, title in (("telea", "Telea"), ("shiftmap", "Shift-map")):
        rank, distance = shown[title][1:3]
        assert int(rank) == 1 + (values > values[method]).sum()
        expected = values[method] - values.max()
        found = 0.0 if distance == "best" else float(distance.replace(numbers.MINUS, "-"))
        assert found == pytest.approx(expected, abs=1e-4)
    assert shown["Mean colour"][1:3] == ["\N{EN DASH}"] * 2


def test_the_window_of_disagreement_is_cut_out_of_every_fill(report):
    for tree in cases_of(report).values():
        crops = tree.findall(f".//{SVG}svg[@class='crop']")
        kept = tree.findall(f".//{XHTML}li[@id]/{XHTML}figure")
        assert len(crops) == len(kept) + 2  # the original, and with the hole marked
        assert len({crop.get("viewBox") for crop in crops}) == 1
        left, top, width, height = map(int, crops[0].get("viewBox").split())
        assert (width, height) == (48, 48)  # the whole of a picture that small
        assert (left, top) == (0, 0)
        assert crops[0].get("width") == "144"
        assert all(crop.get("aria-label") for crop in crops)


def test_all_samples_of_a_case_are_shown_but_only_the_first_ranks(copy):
    cases = pd.read_parquet(copy / "cases.parquet")
    first = cases[(cases["method"] == "telea") & (cases["tier"] == "small")]
    further = pd.concat([first.assign(sample=n, texture_structure=0.9999) for n in (1, 2)])
    pd.concat([cases, further]).to_parquet(copy / "cases.parquet", index=False)
    report = build(copy).parent
    run = read_run(copy)
    for facts in run.plan.to_dict("records"):
        tree = cases_of(report)[gallery.page_name(facts)]
        names = [f.get("data-name") for f in tree.iter(f"{XHTML}figure") if f.get("data-name")]
        samples = [name for name in names if "sample" in name]
        assert samples == (
            ["Telea, sample 1", "Telea, sample 2"] if facts["tier"] == "small" else []
        )
        assert "0.9999" not in texts(tree.find(f".//{XHTML}tbody[@class='ranked']"))
