"""The finding by kind of photo, by hole, and what small weights are: in sentences and tables."""

from __future__ import annotations

import dataclasses
import json

import html5lib
import numpy as np
import pytest

from bench.statistics.kinds import MOST_KINDS
from reports.build import build, read_run
from reports.pages.difficulty import Curves, findings
from reports.results.kinds import by_kind
from tests.support.made_up_values import ranking_of, with_values
from tests.support.reading import XHTML, edit, texts


def run_of(sample, kinds: list[str], leads: list[float], **values: list[float]):
    """Navier-Stokes and Shift-map, of two families, apart by the lead of each photo."""
    noise = 0.02 * np.random.default_rng(0).normal(size=(2, len(kinds)))
    made = {"ns": 0.6 + np.array(leads) + noise[0], "shiftmap": 0.6 + noise[1], **values}
    run = with_values(read_run(sample), {name: list(v) for name, v in made.items()})
    groups = dict(zip(sorted(run.plan["photo"]), kinds, strict=True))
    return dataclasses.replace(run, plan=run.plan.assign(group=run.plan["photo"].map(groups)))


def found(run):
    return by_kind(run, [ranking_of(run)])


def test_methods_that_cross_by_kind_are_named_with_the_kind(sample):
    kinds = ["trees"] * 12 + ["walls"] * 12
    said = found(run_of(sample, kinds, [0.2] * 12 + [-0.15] * 12))
    words = " ".join(said.finding)
    ns = "Navier\N{EN DASH}Stokes"
    assert f"{ns} has the best mean in 1 of 2 kinds on small holes" in words
    assert f"On walls the order turns: Shift-map is significantly better than {ns}" in words
    assert f"On trees the lead of {ns} over Shift-map on small holes is larger than" in words
    assert [row.kind for row in said.rows] == ["trees", "walls"]
    assert said.rows[1].means[0].interval == "best: Shift-map"
    assert said.rows[1].means[0].remark == "significantly behind Shift-map"
    assert "is not shown" not in words


def test_without_such_a_difference_it_is_said_how_large_one_would_have_been_seen(sample):
    kinds = ["trees"] * 8 + ["walls"] * 8 + ["faces"] * 2
    said = found(run_of(sample, kinds, [0.1] * 18))
    words = " ".join(said.finding)
    assert "has the best mean in 3 of 3 kinds" in words
    assert "That a lead depends on the kind is not shown. A kind that differs from all" in words
    assert "order turns" not in words
    assert not any(cell.remark for row in said.rows for cell in row.means)
    assert said.rows[2].tested[0].text == "too few photos"


@pytest.mark.parametrize("metric", ["texture_structure", "lpips_hole"])
def test_a_lead_is_a_gain_whatever_the_direction_of_the_metric(sample, metric):
    run = run_of(sample, ["a"] * 8 + ["b"] * 8, [0.1] * 16)
    if metric == "lpips_hole":  # lower is better: Shift-map leads, by as much
        run = dataclasses.replace(
            run,
            cases=run.cases.assign(lpips_hole=run.cases["texture_structure"]),
            metrics=run.metrics.assign(status="ok"),
        )
    said = found(run)
    assert [float(row.means[0].text) for row in said.rows] == pytest.approx([0.1] * 2, abs=0.02)
    assert said.heads[0][1].startswith("Shift" if metric == "lpips_hole" else "Navier")


def test_few_photos_of_each_kind_are_shown_and_not_tested(sample):
    said = found(run_of(sample, ["a"] * 5 + ["b"] * 5 + ["c"] * 5, [0.1] * 15))
    assert said.finding[-1] == "No kind has the 6 photos that a test takes."
    assert len(said.rows) == 3


def test_no_kinds_or_one_alone_is_no_finding(sample):
    assert found(run_of(sample, [""] * 12, [0.1] * 12)) is None
    assert found(run_of(sample, ["a"] * 12, [0.1] * 12)) is None
    assert found(run_of(sample, ["a"] * 11 + [""], [0.1] * 12)) is None


def test_photos_that_count_as_one_and_are_of_several_kinds_are_not_told_apart(sample):
    run = run_of(sample, ["a", "b"] * 8, [0.1] * 16)
    run = dataclasses.replace(run, plan=run.plan.assign(cluster="one film"))
    assert found(run).finding == ["Nothing by kind: photos that count as one are of several."]


def test_three_hundred_kinds_make_a_short_table(sample):
    kinds = [f"kind {i:03}" for i in range(300)] + ["kind 007"] * 9
    said = found(run_of(sample, kinds, [0.1] * len(kinds)))
    assert len(said.rows) == MOST_KINDS
    assert said.rows[0].kind == "kind 007"
    assert said.left_out == "288 smaller kinds of photo are not shown"


def test_the_overview_shows_kinds_that_a_run_has(copy, report):
    page = html5lib.parse((report / "index.html").read_bytes())
    section = next(s for s in page.iter(f"{XHTML}section")
                   if s.get("aria-labelledby") == "depends")  # fmt: skip
    assert "<i>faces</i>, people" in texts(section)
    assert "No kind has the 6 photos that a test takes" in texts(section)
    more = texts(html5lib.parse((report / "difficulty.html").read_bytes()))
    assert "too few photos" in more
    assert "when kinds are dealt anew to the photos" in more
    edit(copy, "plan", lambda t: t.assign(group=""))
    assert "kind of photo" not in build(copy).read_text("utf-8")


def curve(axis: str, lead: str, crossings: list[str]) -> Curves:
    return Curves(None, crossings, axis, lead, len(crossings), {})


def test_what_holds_of_share_and_width_is_said_once():
    alike = [curve(axis, "A has the best mean at every {}", []) for axis in ("share", "width")]
    assert findings(alike) == [
        "A has the best mean at every share and width.",
        "No two methods are shown to change places as holes grow.",
    ]
    lead = "below a {} of 9 pixels A has the best mean; above 20 pixels B (p = 0.01)"
    turned = curve("width", lead, ["Below 9 pixels A wins; above 20 pixels B (p = 0.01)."])
    said = findings([alike[0], turned])
    assert said[1].startswith("Below a width of 9 pixels A has the best mean; above 20")
    assert said[2] == "By width, 1 pair of methods changes places."
    others = curve("share", alike[0].lead, turned.crossings)
    assert findings([others])[1].startswith("By share, 1 pair of methods changes places: below 9")


def test_small_weights_are_told_once_from_their_cards(copy):
    card = {"parameters": 1_500_000, "training": {"pictures": 48_000}}

    def small(methods):
        is_lama = methods["method"] == "ns"
        return methods.assign(
            method=methods["method"].mask(is_lama, "lama:small"),
            training=methods["training"].mask(is_lama, json.dumps(card)),
        )

    edit(copy, "cases", lambda t: t.assign(method=t["method"].replace("ns", "lama:small")))
    edit(copy, "sets", lambda t: t.assign(method=t["method"].replace("ns", "lama:small")))
    edit(copy, "methods", small)
    page = texts(html5lib.parse(build(copy).read_bytes()))
    assert page.count("not what was published") == 1
    assert "Stokes has 1.5 million parameters here and saw 48,000 pictures in training" in page


def test_without_small_weights_nothing_is_said_of_them(report):
    assert "Small weights." not in (report / "index.html").read_text("utf-8")
