"""What is written about a comparison."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest

from bench.compare.asked import read as read_run
from bench.compare.formats import FORMATS, write
from bench.compare.runs import compare_within
from bench.statistics import Comparison, Facts, compare_methods
from tests.support.made_up_run import write_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "one")


@pytest.fixture(scope="module")
def within(folder: Path) -> Comparison:
    return compare_within(read_run(folder), ["psnr_db", "l1"])


def test_json_is_strict_and_holds_every_number(within):
    def refuse(word: str) -> None:
        raise AssertionError(word)

    found = json.loads(FORMATS["json"](within), parse_constant=refuse)
    assert [len(found[name]) for name in ("ranks", "pairs", "partial")] == [10, 20, 2]
    assert found["pairs"][0]["difference"] == pytest.approx(within.pairs["difference"].iloc[0])
    assert found["ranks"][-1]["rank_first"] is None
    assert found["notes"] == list(within.notes)


def test_csv_files_hold_one_table_each(within, tmp_path):
    written = write(within, "csv", tmp_path / "result.csv")
    assert {path.name for path in written} == {
        "result.csv", "result-pairs.csv", "result-partial.csv", "result-notes.csv"
    }  # fmt: skip
    pairs = pd.read_csv(tmp_path / "result-pairs.csv")
    assert pairs["p"].tolist() == within.pairs["p"].tolist()
    assert list(pd.read_csv(tmp_path / "result-partial.csv")["method"]) == ["gap|py"] * 2
    blocks = FORMATS["csv"](within).split("# pairs\n")[1].split("\n# partial")[0]
    assert len(list(csv.DictReader(io.StringIO(blocks)))) == 20


def test_latex_is_booktabs_with_escaped_names(within):
    text = FORMATS["latex"](within)
    body = [line for line in text.splitlines() if not line.startswith("%")]
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 6
    assert r"good\_one" in text
    assert not any("_" in line.replace(r"\_", "") for line in body)
    assert not any("%" in line.replace(r"\%", "") for line in body)
    rows = [line for line in body if line.endswith(r"\\")]
    assert {line.count(" & ") for line in rows} == {6, 9, 8}


def test_markdown_tables_have_even_rows_and_escaped_bars(within):
    text = FORMATS["markdown"](within)
    assert r"gap\|py" in text
    for block in text.split("\n\n"):
        rows = [line.replace(r"\|", "") for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1


def test_table_shows_verdicts_by_name_and_hides_what_floors_confirm(within):
    text = FORMATS["table"](within)
    assert "good_one better" in text
    assert "a better" not in text
    assert "7 with floors and ceiling came out as expected" in text
    assert "2-3" in text
    assert "5 photos or more, lies within the margin (psnr_db 0.1, l1 0.0004)" in text
    assert "not adjusted for the number of pairs" in text
    assert "symmetric bootstrap-t" in text
    assert "Student" not in text


def test_a_floor_that_is_not_beaten_is_shown(folder):
    run = read_run(folder)
    cases = run.cases.copy()
    floor, plain = (cases["method"] == name for name in ("mean", "plain"))
    cases.loc[floor, "l1"] = cases.loc[plain, "l1"].to_numpy() * 0.5
    found = compare_methods(cases, run.methods, Facts("l1", higher=False), "small")
    assert "mean better" in FORMATS["table"](found)


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_to_compare_is_no_crash(folder, form):
    found = compare_within(read_run(folder), ["kid_untrained"])
    assert "refused" in FORMATS[form](found)
