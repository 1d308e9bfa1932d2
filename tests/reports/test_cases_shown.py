"""The pages of tiers and cases."""

from __future__ import annotations

import shutil

import html5lib
import numpy as np

from reports import gallery
from reports.build import build, read_run
from tests.reports.made_up import ranking_of, with_values
from tests.reports.reading import XHTML, pages_of, texts, write_run


def test_infinite_psnr_is_capped_and_counted(report):
    page = texts(html5lib.parse((report / "tiers" / "small.html").read_bytes()))
    assert "counted as 100 dB: Original in 3 cases" in page
    case = texts(html5lib.parse(next((report / "cases").iterdir()).read_bytes()))
    assert "inf" not in case.split("Numbers")[1].split("All fills")[0].replace("infinite", "")


def test_tier_pages_show_differences_with_conclusion_and_pairs(report):
    tree = html5lib.parse((report / "tiers" / "small.html").read_bytes())
    plot = tree.findall(f".//{XHTML}picture/{XHTML}img")[1]
    assert plot.get("src").endswith("small-differences-light.svg")
    assert plot.get("alt").startswith("With 3 photos no difference from")
    details = tree.find(f".//{XHTML}details")
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
    assert rows == [24, 2]
    assert "Cases 25 to 26 of 26" in texts(second)


def test_selection_is_the_same_each_time_and_holds_the_extremes(sample):
    rng = np.random.default_rng(0)
    drawn = {"ns": rng.normal(0.8, 0.1, 300), "telea": rng.normal(0.5, 0.1, 300)}
    run = with_values(read_run(sample), drawn)
    ranking = ranking_of(run)
    chosen = gallery.select(run, ranking)
    assert 60 <= len(chosen) <= 100
    assert list(chosen["photo"]) == sorted(chosen["photo"])
    assert chosen.equals(gallery.select(run, ranking))
    best = run.cases[run.cases["method"] == "ns"].set_index("photo")["ssim_hole"]
    assert {best.idxmax(), best.idxmin()} <= set(chosen["photo"])
    left_out = sorted(set(run.plan["photo"]) - set(chosen["photo"]))[:2]
    regressed = [(photo, "small", 0) for photo in left_out]
    assert set(left_out) <= set(gallery.select(run, ranking, regressed)["photo"])
