"""The dots of a tier: the numbers of the cases, limits, names that stay distinct."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import html5lib
import numpy as np
import pandas as pd
import pytest

from bench.statistics import CASE
from reports.build import read_run
from reports.figures import names
from reports.figures.shapes import Scale, scale_of
from reports.plots import dots
from reports.results import sentences
from tests.support.reading import XHTML, texts
from tests.support.sample_run import HOSTILE_NAMES

SVG = "{http://www.w3.org/2000/svg}"


def of(report, tier: str = "small"):
    page = html5lib.parse((report / "tiers" / f"{tier}.html").read_bytes())
    (script,) = (s for s in page.iter(f"{XHTML}script") if s.get("id") == "dots-data")
    return page, json.loads(script.text)


def test_values_are_those_of_the_cases(report, sample):
    _, found = of(report)
    cases = pd.read_parquet(sample / "cases.parquet").query("tier == 'small'")
    shown = pd.read_csv(report / "data" / "shown.csv").query("tier == 'small'")
    keys = {row["page"].split("/")[1][:16]: tuple(row[k] for k in CASE)
            for row in shown.to_dict("records")}  # fmt: skip
    assert [case["page"] for case in found["cases"]] == sorted(keys)
    metric = "texture_structure"
    for case, values in zip(found["cases"], found["values"], strict=True):
        own = cases[[tuple(row) == keys[case["page"]] for row in cases[CASE].to_numpy()]]
        assert set(np.round(values, 4)) <= set(np.round(own[metric].dropna(), 4))


def test_hostile_names_are_text(hostile):
    page, found = of(hostile)
    assert {case["name"].rpartition(", ")[0] for case in found["cases"]} <= set(HOSTILE_NAMES)
    titles = [texts(title) for title in page.iter(f"{SVG}title")]
    assert any("<" in title for title in titles)


def test_more_cases_than_a_page_holds_are_drawn_by_their_hash(large, monkeypatch):
    page, found = of(large)
    methods = len(found["methods"])
    assert len(found["values"]) <= min(dots.MOST_DOTS, 30_000 // methods)
    assert len(found["cases"]) < len(found["values"])  # not all have pictures
    assert "are fainter" in texts(page)
    (faint,) = (g[0] for g in page.iter(f"{SVG}g") if g.get("class") == "cases pair")
    rest = len(found["values"]) - len(found["cases"])
    lacking = sum(None in row[:2] for row in found["values"][len(found["cases"]) :])
    assert faint.get("d").count("M") == rest - lacking


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3, 40), (0.311, 0.312), (1e-5, 3e4)])
def test_ticks_lie_within_the_axis_and_are_what_they_say(low, high):
    for scale in (Scale(low, high, 0, 100), Scale(high, low, 100, 0)):
        ticks = scale.ticks()
        assert 2 <= len(ticks) <= 9
        for value, words in ticks:
            room = 1e-8 * (high - low)
            assert low - room <= value <= high + room
            assert float(words.replace("\N{MINUS SIGN}", "-")) == pytest.approx(value, abs=1e-9)
            assert -0.01 <= scale(value) <= 100.01
    if low > 0:
        logarithmic = scale_of([low, high], 0, 100, log=True)
        assert logarithmic((low * high) ** 0.5) == pytest.approx(50)


@pytest.mark.parametrize("make", [
    lambda i: "x" * 60 + f"{i:02}" + "y" * 28,
    lambda i: "y" * 62 + f"_{i:02}",
    lambda i: f"{i:02}_" + "z" * 87,
    lambda i: "a" * 30 + "bc"[i % 2] + "d" * 30 + f"{i:02}" + "e" * 27,
    lambda i: "a" * (80 + i),
    lambda i: f"short {i}",
])  # fmt: skip
@pytest.mark.parametrize("longest", [18, 26, 34])
def test_25_long_names_are_short_and_distinct(make, longest):
    given = [make(i) for i in range(25)]
    found = names.short(given, longest)
    assert len(set(found)) == 25
    assert max(map(len, found)) <= longest
    assert [a for a, b in zip(given, found, strict=True) if len(a) <= longest and a != b] == []


def test_equal_names_stay_equal():
    assert len(set(names.short(["n" * 90, "n" * 90, "m" * 90]))) == 2


def test_a_label_of_the_users_own_is_what_a_reader_sees(sample):
    run = read_run(sample)
    given = run.header.methods | {"telea": "telea=./mine.py:Telea"}
    labelled = replace(run, header=replace(run.header, methods=given))
    assert sentences.title(labelled, "telea") == "telea"
    assert sentences.title(run, "telea") == sentences.title(labelled, "telea").capitalize()


def test_names_in_the_pareto_plot_do_not_cover_each_other(large):
    page = html5lib.parse((large / "index.html").read_bytes())
    charts = [c for c in page.iter(f"{SVG}svg") if c.get("class") == "chart"]
    assert len(charts) == 3
    for chart in charts:
        written = [t for t in chart.iter(f"{SVG}text") if t.get("class") == "name"]
        assert len(written) >= 8
        places = [(float(t.get("x")), float(t.get("y"))) for t in written]
        assert len(set(places)) == len(places)
        assert re.match(r"0 0 \d+ \d+$", chart.get("viewBox") or chart.get("viewbox"))
