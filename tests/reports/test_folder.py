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
    assert not list(copy.glob(".report-*"))


def test_a_rebuild_replaces_what_is_gone(copy):
    index = build(copy)
    (index.parent / "stale.html").write_text("old")
    build(copy)
    assert not (index.parent / "stale.html").exists()
    assert not list(copy.glob(".report-*"))


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
