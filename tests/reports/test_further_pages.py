"""Failures, provenance, downloads."""

from __future__ import annotations

import html5lib
import pandas as pd
import pytest

from reports.downloads import guarded
from tests.reports.reading import texts


def test_failures_are_grouped_and_counted(report):
    page = texts(html5lib.parse((report / "failures.html").read_bytes()))
    assert "Failures: 5" in page
    assert "takes sides of at least 512 pixels" in page
    assert "the file ends early" in page
    assert "weights fetch lama:big-lama" in page


def test_provenance_shows_everything_recorded(report):
    page = texts(html5lib.parse((report / "provenance.html").read_bytes()))
    assert "photos:0123456789/3 size:sample paste:known-8bit" in page
    assert "<b>folder</b>" in page
    assert "versions.numpy" in page


def test_downloads_hold_every_case_and_mean_and_no_formula(report, hostile):
    cases = pd.read_csv(report / "data" / "cases.csv")
    assert len(cases) == 3 * 3 * 6
    summary = pd.read_csv(report / "data" / "summary.csv")
    assert {"mean", "low_95", "high_95", "n", "capped_at_100_db"} <= set(summary)
    assert "'=HYPERLINK(1).png" in (hostile / "data" / "cases.csv").read_text("utf-8")


@pytest.mark.parametrize("start", list("=+-@\t\r"))
def test_text_that_looks_like_a_formula_gets_an_apostrophe(start):
    assert guarded(start + "1") == f"'{start}1"
    assert guarded(-1.5) == -1.5
    assert guarded("plain") == "plain"
