"""``inpaint-bench table``: its numbers are the report's, its marks the tests'."""

from __future__ import annotations

import io
import re
import shlex
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bench.statistics import CASE, Facts, compare_methods
from bench.text import latex
from bench.text.numbers import NOTHING
from reports.build import read_run
from reports.paper import table, table_formats
from reports.results import sentences
from reports.results.ranking import rank
from tests.support import run_builder
from tests.support.made_up_values import with_values

METRICS = "texture_structure,psnr_hole_db,swd"


@pytest.fixture(scope="module")
def run(sample):
    return read_run(sample)


@pytest.fixture
def spread(run):
    """Two methods that nobody can tell apart, and a third far behind."""
    rng = np.random.default_rng(0)
    base = rng.normal(0.7, 0.05, 40)
    return with_values(
        run, {"ns": base, "telea": base + rng.normal(0, 0.02, 40), "shiftmap": base - 0.3}
    )


def test_numbers_are_those_of_the_reports_summary(asked, sample, report):
    _, said = asked("table", sample, "--metrics", METRICS, "--format", "csv", "--intervals")
    found = pd.read_csv(io.StringIO(said))
    summary = pd.read_csv(report / "data/summary.csv")
    titles = {name: sentences.title(read_run(sample), name) for name in summary["method"].unique()}
    for label, metric in (("PSNR (hole)", "psnr_hole_db"), ("Sliced Wasserstein distance", "swd")):
        heading = next(name for name in found if name.startswith(label) and name[-1] in "↑↓")
        for row in summary[summary["metric"] == metric].itertuples():
            here = (found["holes"].str.lower() == f"{row.tier} holes") & (
                found["method"] == titles[row.method]
            )
            (own,) = found[here].to_dict("records")
            assert own[heading] == pytest.approx(row.mean, nan_ok=True)
            assert own[f"{label} low"] == pytest.approx(row.low_95, nan_ok=True)
            assert own["n"] == row.n


def test_all_tiers_are_the_mean_over_all_cases(run):
    *each, every = table.parts(run, run.tiers, ["psnr_hole_db", "swd"])
    assert every.ranking.n == sum(part.ranking.n for part in each)
    cases = run.cases[(run.cases["status"] == "ok")]
    for scores in every.ranking.ranked:
        own = cases[cases["method"] == scores.method]
        assert scores.values["psnr_hole_db"].mean == pytest.approx(own["psnr_hole_db"].mean())
        sets = run.sets[run.sets["method"] == scores.method]
        assert scores.values["swd"].mean == pytest.approx(sets["value"].mean())


def test_a_set_metric_stands_over_all_tiers_only_where_each_has_it(run):
    less = replace(run, sets=run.sets[(run.sets["tier"] != "small") | (run.sets["method"] != "ns")])
    every = table.parts(less, run.tiers, ["swd"])[-1]
    assert every.cells["ns", "swd"].text == NOTHING
    assert every.cells["telea", "swd"].text != NOTHING


def test_tied_with_the_best_are_those_that_share_its_letter(spread):
    (part,) = table.parts(spread, ["small"], ["texture_structure"])
    ranking = rank(spread, "small", spread.headline)
    first = {*ranking.ranked[0].group}
    sharing = {s.method for s in ranking.ranked[1:] if first & {*s.group}}
    assert {method for method, _ in part.tied} == sharing
    assert len(sharing) == 1


def test_other_columns_are_tested_by_their_own_metric(spread):
    values = spread.cases["texture_structure"]
    turned = spread.cases.assign(ssim_hole=1 - values)
    metrics = run_builder.metrics(["texture_structure", "ssim_hole"])
    both = replace(spread, cases=turned, metrics=metrics)
    (part,) = table.parts(both, ["small"], ["ssim_hole"])
    best = [m for m in part.group("ranked") if part.cells[m, "ssim_hole"].best]
    assert best == ["shiftmap"]
    assert not part.tied
    found = compare_methods(turned, spread.methods, Facts("ssim_hole", True), "small")
    assert found.ranks["method"].iloc[0] == "shiftmap"


def test_references_stand_below_outside_of_the_ranking(asked, sample):
    _, said = asked("table", sample, "--tiers", "large", "--metrics", METRICS)
    lines = [line for line in said.splitlines() if line.startswith("|")]
    below = next(i for i, line in enumerate(lines) if "Points of reference" in line)
    assert any("Mean colour" in line for line in lines[below:])
    assert not any("**" in line or "†" in line for line in lines[below:])
    assert any("**" in line for line in lines[:below])


def test_only_the_methods_named_decide_who_is_best(asked, sample):
    _, said = asked("table", sample, "--methods", "telea,ns", "--metrics", "ssim_hole")
    assert "Telea" in said
    assert "Mean colour" not in said
    assert "Fussy" not in said


@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_latex_is_whole_and_every_row_has_all_columns(asked, sample, tmp_path, layout):
    file = tmp_path / "t.tex"
    assert asked("table", sample, "--out", file, "--tiers-as", layout, "--intervals")[0] == 0
    text = file.read_text("utf-8")
    columns = re.search(r"\\begin\{tabular\}\{([lr]+)\}", text)[1]
    rows = [line for line in text.splitlines() if line.endswith(r" \\")]
    for row in rows:
        spans = [int(width) for width in re.findall(r"\\multicolumn\{(\d+)\}", row)]
        assert len(re.split(r"(?<!\\)&", row)) + sum(spans) - len(spans) == len(columns), row
    assert latex.escaped("Fussy <b>method</b>") in text
    assert "texture_structure" not in text
    assert r"\textbf{" in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--metrics", "psnr"], "Did you mean psnr_db"),
        (["--metrics", "lpips"], "lpips was not measured"),
        (["--tiers", "huge"], "--tiers: expected one of"),
        (["--methods", "tela"], "Did you mean telea"),
        (["--out", "t.xls"], "expected one of .tex, .md, .csv"),
    ],
)
def test_a_mistake_says_what_was_expected(asked, sample, words, says):
    status, said = asked("table", sample, *words)
    assert status == 2
    assert says in said


def test_names_of_any_kind_stay_text(hostile, asked):
    for form in table_formats.FORMATS:
        assert asked("table", hostile.parent, "--format", form)[0] == 0


def test_the_pages_of_a_report_have_commands_that_work(report, sample, asked, tmp_path):
    pages = [report / "index.html", report / "tiers/large.html", *report.glob("cases/*.html")][:3]
    commands = {
        command
        for page in pages
        for command in re.findall(
            r'data-copy="(inpaint-bench [^"]+ RUN[^"]*)"', page.read_text("utf-8")
        )
    }
    assert len(commands) == 4
    for command in commands:
        words = shlex.split(command)[1:]
        words[words.index("RUN")] = sample
        place = ["--out", tmp_path / "figure"] if words[0] == "figure" else []
        assert asked(*words, *place)[0] == 0, command


def test_cases_of_several_tiers_stay_apart(run):
    every = table.together(run, run.tiers)
    assert len(every.plan[CASE].drop_duplicates()) == len(run.plan)
    assert every.tiers == [table.ALL]
