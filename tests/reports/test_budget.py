"""A budget of milliseconds: who keeps to it, by the interval, and who is the best of those."""

from __future__ import annotations

import dataclasses
import math
import shutil

import html5lib
import numpy as np
import pandas as pd
import pytest

from bench.cli import main
from bench.folder.store import RunFolder, records
from reports.build import build, read_run
from reports.results import budget
from tests.support import made_up_latency
from tests.support.made_up_values import PHOTOS, ranking_of, spread, with_values
from tests.support.reading import texts

ROW = {"n": 66, "status": "converged", "reason": "", "p50_ms": 100.0, "p50_low_ms": 90.0,
       "p50_high_ms": 120.0, "mean_ms": 101.0, "min_ms": 80.0}  # fmt: skip
FEW = {"n": 3, "p50_ms": math.nan, "p50_low_ms": math.nan, "p50_high_ms": math.nan}


@pytest.mark.parametrize(
    ("budget_ms", "changed", "word", "remark"),
    [
        (120, {}, "meets", ""),
        (119, {}, "cannot tell", ""),
        (90, {}, "cannot tell", ""),
        (89, {}, "misses", ""),
        (200, FEW, "cannot tell", "too few rounds for an interval"),
        (79, FEW, "misses", "all of 3 calls took longer"),
        (80, FEW, "cannot tell", "too few rounds for an interval"),
        (999, {"n": 0, "status": "oom", "reason": "too large"}, "not timed", "oom"),
    ],
)
def test_a_verdict_is_by_the_interval(budget_ms, changed, word, remark):
    cell = budget.judged(ROW | changed, budget_ms)
    assert (cell.text, cell.remark) == (word, remark)


def test_who_is_not_in_the_table_was_not_timed():
    assert budget.judged(None, 5).text == "not timed"


NOISY = [0.7 + 0.05 * ((7 * i) % 5 - 2) for i in range(PHOTOS)]
VALUES = {"shiftmap": spread(0.9), "telea": spread(0.705), "ns": NOISY, "fussy": spread(0.2),
          "mean": spread(0.1)}  # fmt: skip


def said(run_folder, within: float, **times) -> str:
    """The sentence where methods take so many milliseconds, give or take a tenth."""
    run = with_values(read_run(run_folder), VALUES)
    rows = [
        ROW | {"method": name, "side": 64, "height": 64, "width": 64, "tier": "small",
               "region": "e2e", "batch": 1, "device": "cpu", "p50_ms": time, "min_ms": 0.9 * time,
               "p50_low_ms": 0.9 * time, "p50_high_ms": 1.1 * time}
        for name, time in times.items()
    ]  # fmt: skip
    run = dataclasses.replace(run, latency=pd.DataFrame(rows or run.latency))
    return budget.sentence(run, ranking_of(run), within)


def test_the_best_that_meets_the_budget_is_named_with_the_figures_it_is_chosen_by(sample):
    words = said(sample, 200, shiftmap=900, telea=150, ns=20, fussy=190, mean=1)
    assert words.startswith(
        "Small holes, timed at 64 px: Telea is the best that meets it (Texture and structure 0.70"
    )
    level = "no significant difference from Navier\N{EN DASH}Stokes (20.0 [18.0, 2"
    assert f"150 [135, 165] ms), {level}" in words
    assert "; better by the mean, but over it: Shift-map (900 [810, 990] ms)" in words
    assert words.endswith("; cannot be told: Fussy <b>method</b> (190 [171, 209] ms).")
    assert "Mean colour" not in words  # floors are chosen by nobody


def test_nobody_within_the_budget_is_said_and_who_has_no_time(sample):
    words = said(sample, 5, shiftmap=900, telea=150)
    assert "no ranked method is shown to meet the budget; over it: Shift-map (900" in words
    assert "; without a time: Navier\N{EN DASH}Stokes (not among what was timed) and Fu" in words
    assert "nothing was timed on such holes" in said(sample, 5)


@pytest.fixture(scope="module")
def run(sample, tmp_path_factory):
    folder = shutil.copytree(sample, tmp_path_factory.mktemp("budget") / "run")
    made_up_latency.write(folder)
    return folder


def page(report, name: str) -> str:
    return texts(html5lib.HTMLParser(strict=True).parse((report / name).read_bytes()))


def test_the_pages_hold_every_size_and_tier_against_the_budget(run, tmp_path):
    assert main(["report", str(run), "--budget-ms", "6", "--out", str(tmp_path / "report")]) == 0
    rows = RunFolder(run).read_table("latency.parquet").query("region == 'e2e'")
    meets = sum(budget.judged(row, 6).text == "meets" for row in records(rows))
    assert 0 < meets < len(rows)
    latency = page(tmp_path / "report", "latency.html")
    assert latency.count("meets best") == 2 * meets  # in the table of its place, and in that of all
    assert "not timed" in latency
    overview = page(tmp_path / "report", "index.html")
    assert "Within 6 ms" in overview
    assert "Small holes, timed at 64 px: " in overview
    assert "Measured on a processor, 1 thread a process, which others used" in overview
    assert overview.count(" 6 ms ") >= 2  # at the line of each plot
    html = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert html.count('class="budget"') == html.count('class="front"') > 1


def test_without_a_budget_nothing_is_held_against_one(run, tmp_path):
    build(run, tmp_path / "report")
    for name in ("latency.html", "index.html"):
        assert "Within" not in page(tmp_path / "report", name)


@pytest.mark.parametrize("text", ["0", "-5", "nan", "inf", "200ms"])
def test_a_budget_that_is_none_is_refused(text, run, capsys):
    with pytest.raises(SystemExit):
        main(["report", str(run), f"--budget-ms={text}"])
    assert "expected milliseconds above 0" in capsys.readouterr().err


def test_a_run_of_before_intervals_cannot_tell(run, tmp_path):
    store = RunFolder(run)
    table = store.read_table("latency.parquet").assign(p50_low_ms=np.nan, p50_high_ms=np.nan)
    cells = [budget.judged(row, 1e6) for row in records(table.query("region == 'e2e' and n > 0"))]
    assert {cell.text for cell in cells} == {"cannot tell"}
