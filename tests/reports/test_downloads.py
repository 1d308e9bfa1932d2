"""What a report offers to programs and papers."""

from __future__ import annotations

import csv
import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import html5lib
import numpy as np
import pandas as pd
import pytest

from bench.cli import main
from bench.statistics import headline_metric
from reports.build import build, read_run
from reports.files import downloads, latex, markdown
from reports.results import sentences
from reports.results.ranking import rank
from tests.support.large_run import write_large_run
from tests.support.reading import XHTML, edit
from tests.support.sample_run import HOSTILE_NAMES, write_run

HOSTILE_TITLE = 'A&B_50%$#{x}~^\\<i>"`|*[l](u)* @you #1\n\N{GRINNING FACE}'


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run whose best method has a title made of everything that must be escaped."""
    folder = write_run(
        tmp_path_factory.mktemp("downloads") / "run",
        names=[*HOSTILE_NAMES[:6], "a.png", "b.png"], side=32, tiers=["small", "large"],
    )  # fmt: skip
    title = {"Telea": HOSTILE_TITLE}
    edit(folder, "methods", lambda t: t.assign(title=t["title"].replace(title)))
    build(folder)
    return folder


@pytest.fixture(scope="module")
def data(run) -> Path:
    return run / "report" / "data"


def rankings(folder: Path):
    run = read_run(folder)
    return run, [rank(run, tier, headline_metric(run.metrics)) for tier in run.tiers]


def links(page: Path) -> list[str]:
    tree = html5lib.parse(page.read_bytes())
    return [
        a.get("href") for a in tree.iter(f"{XHTML}a") if (a.get("href") or "").startswith("data")
    ]


def test_a_report_with_a_reference_says_so_in_all_it_offers(run, tmp_path):
    index = build(run, tmp_path / "report", reference="ns")
    name = "Navier\N{EN DASH}Stokes"
    data = tmp_path / "report" / "data"
    pairs = pd.read_csv(data / "pairs.csv")
    assert set(pairs["b"]) == {"ns"}
    assert f"Compared with {name}" in (data / "summary.md").read_text("utf-8")
    assert f"Minus {name}" in (data / "summary.md").read_text("utf-8")
    assert f"compared with {name}".casefold() in (
        (data / "ranking.tex").read_text("utf-8").replace("--", "\N{EN DASH}").casefold()
    )
    facts = json.loads((data / "summary.json").read_text("utf-8"))
    assert {tier["reference"] for tier in facts["tiers"]} == {"ns"}
    assert facts["result"].startswith(f"Compared with {name}")
    page = index.read_text("utf-8")
    assert f"adjusted for the comparisons with {name}" in page
    assert "Difference from" in page
    assert "share a letter" not in page


def test_the_overview_links_every_file_and_no_other(run, data):
    there = {f"data/{path.name}" for path in data.iterdir()}
    assert set(links(run / "report" / "index.html")) == there
    assert len(there) == 11


@pytest.mark.parametrize("name", ["cases", "summary", "pairs", "shown"])
def test_csv_and_parquet_hold_the_same(data, name):
    table = pd.read_parquet(data / f"{name}.parquet")
    text = pd.read_csv(data / f"{name}.csv", keep_default_na=False, na_values=[""])
    assert list(text) == list(table)
    assert len(text) == len(table) > 0
    for column in table:
        if pd.api.types.is_numeric_dtype(table[column]):
            both = zip(text[column], table[column].astype(float), strict=True)
            assert all(a == b or (np.isnan(a) and np.isnan(b)) for a, b in both), column


def test_cases_are_those_of_the_run_with_all_columns(run, data):
    assert (data / "cases.parquet").read_bytes() == (run / "cases.parquet").read_bytes()


def test_cases_written_in_parts_are_the_same_as_at_once(run, data, monkeypatch, tmp_path):
    monkeypatch.setattr(downloads, "_CHUNK", 7)
    build(run, tmp_path / "report")
    assert (tmp_path / "report/data/cases.csv").read_bytes() == (data / "cases.csv").read_bytes()


def test_many_cases_are_offered_as_parquet_only_and_no_page_links_the_csv(
    run, monkeypatch, tmp_path
):
    monkeypatch.setattr(downloads, "CSV_UP_TO", 10)
    report = build(run, tmp_path / "report").parent
    assert not (report / "data" / "cases.csv").exists()
    assert (report / "data" / "cases.parquet").exists()
    assert "cases.csv" not in "".join(p.read_text("utf-8") for p in report.rglob("*.html"))
    assert set(links(report / "index.html")) == {f"data/{p.name}" for p in report.glob("data/*")}


def test_no_cell_of_a_csv_starts_a_formula(data):
    for path in data.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                for cell in row:
                    number = re.fullmatch(r"-?(\d[\d.]*(e[+-]?\d+)?|inf)", cell)
                    assert number or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell


def test_ranks_and_counts_are_whole_numbers(data):
    table = pd.read_csv(data / "summary.csv", dtype=str)
    assert table["rank_first"].dropna().str.fullmatch(r"\d+").all()
    assert table["photos"].dropna().str.fullmatch(r"\d+").all()
    assert table["rank_first"].notna().any()


def test_the_summary_as_json_says_what_the_pages_say(run, data):
    found = json.loads((data / "summary.json").read_text("utf-8"), parse_constant=pytest.fail)
    read, ranked = rankings(run)
    assert found["result"] == sentences.headline(read, ranked)
    assert found["fingerprint"] == str(read.header.fingerprint)
    assert [tier["tier"] for tier in found["tiers"]] == read.tiers
    for tier, ranking in zip(found["tiers"], ranked, strict=True):
        assert tier["best"] == ranking.best.method
        assert tier["not_separable"] == [scores.method for scores in ranking.tied]
        means = {(row["method"], row["metric"]): row["mean"] for row in tier["means"]}
        for scores in ranking.all_scores:
            assert (
                means[scores.method, "texture_structure"] == scores.values["texture_structure"].mean
            )
        absent = [row["method"] for row in tier["absent"]]
        assert absent == [name for name, _ in ranking.absent]


# -- LaTeX ----------------------------------------------------------------------------------


def cells(line: str) -> list[str]:
    return re.split(r"(?<!\\)&", line)


def test_latex_tables_are_whole_and_every_row_has_all_columns(data, run):
    text = (data / "ranking.tex").read_text("utf-8")
    _, ranked = rankings(run)
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == len(ranked)
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == len(ranked)
    for table in text.split(r"\begin{tabular}")[1:]:
        columns = re.match(r"\{([rl]+)\}", table).group(1)
        rows = [line for line in table.splitlines() if line.endswith(r" \\")]
        assert len(rows) >= 4
        assert {len(cells(row)) for row in rows} == {len(columns)}


def test_latex_has_only_its_own_special_characters(data):
    lines = (data / "ranking.tex").read_text("utf-8").splitlines()
    for line in (line for line in lines if not line.startswith("%")):
        plain = line.removesuffix(r" \\")
        plain = re.sub(r"\$(-|n|\\(uparrow|downarrow|infty|times))\$", "", plain)
        plain = re.sub(r"\\(\\\{\}|[%&#_${}]|[a-zA-Z]+)", "", plain)
        assert not re.search(r"[#$%^_~\"<>`\\]", plain), line
        braces = re.findall("[{}]", plain)
        depths = list(itertools.accumulate(1 if brace == "{" else -1 for brace in braces))
        assert not depths or (min(depths), depths[-1]) == (0, 0), line
    escaped = latex.escaped(HOSTILE_TITLE)
    assert escaped.startswith(r"A\&B\_50\%\$\#\{x\}\textasciitilde{}\textasciicircum{}")
    assert "\n" not in escaped
    assert escaped in "\n".join(lines)


def test_latex_marks_the_best_and_its_equals_and_shows_ties_and_intervals(data, run):
    read, ranked = rankings(run)
    tables = (data / "ranking.tex").read_text("utf-8").split(r"\begin{table}")[1:]
    for table, ranking in zip(tables, ranked, strict=True):
        level = {ranking.best.method, *(scores.method for scores in ranking.tied)}
        for scores in ranking.ranked:
            title = latex.escaped(sentences.title(read, scores.method))
            row = next(line for line in table.splitlines() if title in line)
            assert (rf"\textbf{{{title}}}" in row) == (scores.method in level)
            assert rf"\textsuperscript{{{scores.group}}}" in row
            assert re.search(r"\[-?\$?-?\$?[\d.]+, ", row)
        assert r"Hole & " not in table


# -- Markdown -------------------------------------------------------------------------------


def test_markdown_has_the_result_and_a_table_a_tier(data, run):
    text = (data / "summary.md").read_text("utf-8")
    read, ranked = rankings(run)
    assert text.startswith(f"### {markdown.escaped(sentences.headline(read, ranked))}\n")
    assert text.count("| Rank | Method |") == len(ranked)
    for line in (line for line in text.splitlines() if line.startswith("|")):
        assert len(re.split(r"(?<!\\)\|", line)) == len(re.split(r"(?<!\\)\|", table_head(text)))


def table_head(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("| Rank"))


def test_markdown_shows_hostile_names_as_text(data):
    text = (data / "summary.md").read_text("utf-8")
    title = markdown.escaped(HOSTILE_TITLE)
    assert title in text
    assert r"\<i\>" in title
    assert "\n" not in title
    assert not re.search(r"(?<!\\)[<>`@#]", title)
    assert not re.search("[@#][A-Za-z0-9]", title)
    assert len(markdown.escaped("x" * 5000)) < 400


def test_markdown_is_cut_at_a_line_where_it_would_be_too_long(run):
    read, ranked = rankings(run)
    whole = markdown.summary(read, ranked)
    for longest in (500, 1000, len(whole) - 1):
        text = markdown.summary(read, ranked, longest)
        assert len(text) <= longest
        assert text.endswith("*Shortened: the report has all of it.*\n")
        assert whole.startswith(text.partition("\n*Shortened")[0])
    assert markdown.summary(read, ranked, len(whole)) == whole
    assert len(whole) < markdown.LONGEST


def test_markdown_says_that_a_run_is_incomplete(run):
    read, ranked = rankings(run)
    read = replace(read, header=replace(read.header, state="interrupted", missing=3))
    assert "**This run is not complete** (interrupted; 3 fills missing)." in markdown.summary(
        read, ranked
    )


def test_the_command_writes_markdown_where_asked(run, data, tmp_path, capsys):
    place = tmp_path / "new" / "summary.md"
    assert main(["report", str(run), "--markdown", str(place)]) == 0
    assert place.read_bytes() == (data / "summary.md").read_bytes()
    assert str(place) in capsys.readouterr().out
    assert main(["report", str(run), "--markdown", str(run)]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_a_run_without_any_result_still_has_its_files(tmp_path):
    folder = write_run(tmp_path / "run", names=["a.png"], side=16, tiers=["small"])
    edit(
        folder,
        "cases",
        lambda t: t.assign(status="failed", reason="no power", texture_structure=np.nan),
    )
    edit(folder, "sets", lambda t: t.head(0))
    report = build(folder).parent
    assert json.loads((report / "data/summary.json").read_text())["tiers"][0]["means"] == []
    assert "no completed case" in (report / "data/ranking.tex").read_text()
    assert "No method completed" in (report / "data/summary.md").read_text()


def test_large_runs_list_only_what_is_shown(tmp_path):
    folder = write_large_run(tmp_path / "run", photos=150, methods=5)
    report = build(folder).parent
    shown = pd.read_csv(report / "data" / "shown.csv")
    assert set(shown["page"]) == {f"cases/{path.name}" for path in report.glob("cases/*")}
    assert shown.groupby("tier").size().between(40, 130).all()
    page = (report / "provenance.html").read_text("utf-8")
    for tier, count in shown.groupby("tier").size().items():
        assert re.search(rf"<dt>{tier}</dt><dd><code>{count} of 150: 40 drawn by their hash", page)
