"""The folder of a report, and what it is made of."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.errors import BenchError, InputError
from reports.build import build
from tests.support.reading import edit, snapshot


def test_building_twice_gives_the_same_bytes(sample, report, tmp_path):
    again = build(sample, tmp_path / "elsewhere" / "report").parent
    assert snapshot(again) == snapshot(report)


def test_a_failed_build_keeps_the_old_report_and_leaves_no_trace(copy):
    before = snapshot(build(copy).parent)
    (copy / "cases.parquet").write_bytes(b"damaged")
    with pytest.raises(BenchError, match="cases"):
        build(copy)
    assert snapshot(copy / "report") == before
    assert not list(copy.glob(".report.staging"))


def test_a_rebuild_replaces_what_is_gone(copy):
    index = build(copy)
    (index.parent / "stale.html").write_text("old")
    build(copy)
    assert not (index.parent / "stale.html").exists()
    assert not list(copy.glob(".report.staging"))


@pytest.mark.parametrize("page", ["index.html", "assets/report.css", "data/summary.md"])
def test_a_lost_page_is_made_again(copy, page):
    before = snapshot(build(copy).parent)
    (copy / "report" / page).unlink()
    assert snapshot(build(copy).parent) == before


def test_what_a_killed_report_left_is_swept_and_put_back(copy):
    before = snapshot(build(copy).parent)
    staging = copy / ".report.staging"
    (staging / "fresh").mkdir(parents=True)
    (staging / "fresh" / "half.html").write_text("half")
    (copy / "report").replace(staging / "previous")  # killed between the two
    header = (copy / "run.json").read_bytes()
    (copy / "run.json").write_bytes(b"damaged")
    with pytest.raises(BenchError):
        build(copy)
    (copy / "run.json").write_bytes(header)
    assert not staging.exists() or snapshot(staging / "previous") == before
    assert snapshot(build(copy).parent) == before
    assert not staging.exists()


def test_two_reports_into_one_folder_take_turns(copy):
    code = "import sys; from pathlib import Path; from reports.build import build; " \
        "print(build(Path(sys.argv[1])))"  # fmt: skip
    words = [sys.executable, "-c", code, str(copy)]
    both = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [each.communicate()[1] for each in both] == ["", ""]
    assert [each.returncode for each in both] == [0, 0]
    first = snapshot(copy / "report")
    assert snapshot(build(copy).parent) == first


def test_other_folders_are_not_overwritten(sample, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(BenchError, match="nothing was changed"):
        build(sample, tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize("name", ["run.json", "plan.parquet", "methods.parquet"])
def test_a_missing_table_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(InputError, match=name):
        build(copy)


def test_a_missing_column_and_a_stranger_are_named(copy):
    edit(copy, "methods", lambda t: t[t["method"] != "telea"])
    with pytest.raises(InputError, match="telea"):
        build(copy)
    edit(copy, "methods", lambda t: t.drop(columns="family"))
    with pytest.raises(InputError, match="family"):
        build(copy)


@pytest.mark.slow
def test_reports_need_neither_torch_nor_methods():
    code = (
        "import sys, reports.build; print([m for m in ('torch', 'methods', 'masks', 'skimage') "
        "if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
