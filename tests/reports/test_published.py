"""Published figures beside a run's own: where both are the same, and nowhere else."""

from __future__ import annotations

import io
import math
import shutil
from dataclasses import asdict, replace

import html5lib
import pandas as pd
import pytest

from bench.cli import main
from bench.folder.side_by_side import join
from bench.metrics import METRICS
from bench.planning.protocol import Protocol
from bench.protocols import read
from bench.protocols.record import Data, Published, Row
from bench.statistics import Interval
from reports.build import build, read_run
from reports.results import published
from reports.results.published import DIFFERS, OPEN, REPRODUCED, Claim
from reports.results.ranking import rank
from tests.support import run_builder
from tests.support.made_up_protocols import NAME, REQUEST, catalogue, follow
from tests.support.reading import XHTML, edit, texts
from tests.support.sample_run import write_run


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A run of three photos that followed the protocol."""
    folder = tmp_path_factory.mktemp("followed") / "run"
    return follow(write_run(folder, tiers=[NAME], side=32))


@pytest.fixture(scope="module")
def ranked(followed):
    run = read_run(followed)
    return run, rank(run, NAME, run.headline)


def otherwise(ranked, **changes):
    """The run with another request, and its ranking."""
    run, ranking = ranked
    return replace(run, header=replace(run.header, protocol=REQUEST | changes)), ranking


def claim(value: float, mean: float, half: float = math.nan, **more) -> Claim:
    row = Row("Theirs", {"l1": value}, "a paper")
    known = {"decimals": 1, "allowed": 0.02 * value, "statistical": False} | more
    return Claim(
        row, "l1", "L1", value, ours=Interval(mean, mean - half, mean + half, 9, 9), **known
    )


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (claim(1.0, 1.019), REPRODUCED),
        (claim(1.0, 1.021), DIFFERS),
        (claim(1.0, 0.979), DIFFERS),
        (claim(1.0, 1.06, 0.05), DIFFERS),  # the same photos and holes: no other sample of them
        (claim(1.0, 1.06, 0.05, statistical=True), REPRODUCED),
        (claim(1.0, 1.08, 0.05, statistical=True), DIFFERS),
        (claim(1.0, 1.06, 0.11, statistical=True), OPEN),
        (claim(1.0, 1.06, statistical=True), OPEN),
        (claim(1.0, 1.0, why="nobody measured it"), OPEN),
    ],
)
def test_the_verdict_is_by_tolerance_and_where_holes_are_others_by_the_interval(found, outcome):
    assert found.verdict[0] == outcome


def test_a_tolerance_is_no_finer_than_the_last_digit_and_of_decibels_absolute(ranked):
    run, ranking = ranked
    row = Row("Theirs", {"psnr_db": 30.0, "ssim": 0.01, "l1": 0.5}, "a paper")
    other = Row("Another", {"l1": 0.437}, "a paper")
    of = Published(NAME, "", "", "", "fill", "exact", "", Data("", ""), 3, "pad:512",
                   rows=(row, other))  # fmt: skip
    found = published.claims(run, ranking, of, row, "telea")
    assert {each.metric: each.allowed for each in found} == pytest.approx(
        {"psnr_db": 0.1, "ssim": 0.005, "l1": 0.01}
    )
    assert [each.published for each in found] == ["30", "0.01", "0.500"]


def test_a_figure_stands_beside_that_of_the_same_method_and_metric_only(ranked, tmp_path):
    ours = next(s for s in ranked[1].all_scores if s.method == "telea").values["psnr_db"]
    rows = [{"figures": {"psnr_db": 20.0, "swd": 3.0, "fid": 1.0}},
            {"figures": {"psnr_db": 10.0}, "method": ""},
            {"figures": {"psnr_db": 21.0}, "secondary": "true"}]  # fmt: skip
    with catalogue(tmp_path, *rows):
        found = published.beside(*ranked)
        others = published.left_out(*ranked)
    assert set(found) == {("telea", "psnr_db"), ("telea", "swd")}
    assert [each.value for each in found["telea", "psnr_db"]] == [20.0, 21.0]
    difference = found["telea", "psnr_db"][0].difference
    assert difference.mean == pytest.approx(ours.mean - 20)
    assert difference.half_width == pytest.approx(ours.half_width)
    assert others == ["Published figures of Theirs are not shown: its FID was not measured: "
                      "its weights are not here; run: inpaint-bench weights fetch fid"]  # fmt: skip


@pytest.mark.parametrize("name", ["", "of another version"])
def test_without_a_known_protocol_nothing_is_said(ranked, tmp_path, name):
    with catalogue(tmp_path, {"figures": {"psnr_db": 20.0}}):
        other = otherwise(ranked, published=name)
        assert not published.beside(*other)
        assert not published.left_out(*other)
        assert published.beside(*ranked)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"expects": 4}, "the run has 3 pictures, made-up has 4"),
        ({"expects": 0}, "how many pictures were scored is not known of made-up"),
        ({"reproduces": "not reproducible"}, "Nobody has the photos"),
    ],
)
def test_figures_of_other_pictures_are_not_shown(ranked, tmp_path, changes, why):
    with catalogue(tmp_path, {"figures": {"psnr_db": 20.0, "ssim": 0.5}}, **changes):
        assert not published.beside(*ranked)
        [said] = published.left_out(*ranked)
    assert why in said
    assert said.startswith("Published figures of Theirs are not shown: ")


@pytest.mark.parametrize("part", ["size", "paste", "quantise"])
def test_a_run_by_an_earlier_form_of_the_protocol_is_not_compared(ranked, tmp_path, part):
    other = otherwise(ranked, **{part: "native"})
    with catalogue(tmp_path, {"figures": {"psnr_db": 20.0}}):
        assert not published.beside(*other)
        assert f"the run has {part} native, made-up has " in published.left_out(*other)[0]


def test_figures_of_all_holes_together_are_not_those_of_a_tier(ranked, tmp_path):
    run, ranking = ranked
    tiers = run.plan["tier"].astype(object)
    run = replace(run, plan=run.plan.assign(tier=tiers.where(tiers.index > 0, "another")))
    with catalogue(tmp_path, {"figures": {"psnr_db": 20.0}}):
        assert not published.beside(run, ranking)
        assert "the run has 2 tiers" in published.left_out(run, ranking)[0]


def test_a_method_that_lacks_a_picture_is_not_compared(ranked, tmp_path):
    """The fussy one declined a photo."""
    row = {"figures": {"psnr_db": 20.0, "ssim": 0.5}, "method": "fussy"}
    with catalogue(tmp_path, row):
        assert not published.beside(*ranked)
        said = published.left_out(*ranked)
    assert said[0].endswith("its PSNR is over 2 of 3 pictures")


def test_a_run_that_is_not_complete_is_not_compared(ranked, tmp_path):
    run, ranking = ranked
    run = replace(run, header=replace(run.header, state="incomplete"))
    with catalogue(tmp_path, {"figures": {"psnr_db": 20.0}}):
        assert published.left_out(run, ranking) == [
            "Published figures of Theirs are not shown: the run is not complete"
        ]


def test_the_overview_has_the_protocol_s_metrics_and_opens_without_script_who_published_them(
    followed, tmp_path
):
    row = {"figures": {"ssim": 0.75}, "source": "<b>table</b> 1", "note": "by their code"}
    with catalogue(tmp_path, row):
        page = build(followed, tmp_path / "report")
    tree = html5lib.parse(page.read_bytes())
    ids = {e.get("id"): texts(e) for e in tree.iter(f"{XHTML}div") if e.get("popover")}
    [button] = [e for e in tree.iter(f"{XHTML}button") if "0.75" in e.get("aria-label", "")]
    words = ids[button.get("popovertarget")]
    for part in ("Published0.75 of Theirs", "Difference", "<b>table</b> 1", "by their code"):
        assert part in words
    assert "published 0.75 ?" in texts(tree).replace("\xa0", " ")


def test_a_paper_s_table_has_the_figure_in_its_cell(followed, tmp_path, capsys):
    with catalogue(tmp_path, {"figures": {"psnr_db": 20.5}}):
        assert main(["table", str(followed), "--metrics", "psnr_db"]) == 0
        words = capsys.readouterr().out
        assert main(["table", str(followed), "--metrics", "psnr_db", "--format", "csv"]) == 0
    assert " (20.5) |" in words
    assert "In round brackets: as published, in a paper, table 1." in words
    rows = pd.read_csv(io.StringIO(capsys.readouterr().out)).set_index("method")
    assert rows["PSNR published"].dropna().to_dict() == {"Telea": 20.5}


def test_a_report_of_several_runs_by_the_protocol_has_the_figures(followed, tmp_path):
    other = follow(shutil.copytree(followed, tmp_path / "other"))
    edit(other, "methods", lambda rows: rows[rows["method"] != "telea"])
    edit(other, "cases", lambda rows: rows[rows["method"] != "telea"])
    join(tmp_path / "joined", [other, followed])
    run = read_run(tmp_path / "joined")
    with catalogue(tmp_path, {"figures": {"psnr_db": 20.0}}):
        assert set(published.beside(run, rank(run, NAME, run.headline))) == {("telea", "psnr_db")}


ROWS = [(name, row) for name, of in read.catalogue().items() for row in of.rows if row.method]


@pytest.mark.parametrize(("name", "row"), ROWS, ids=[f"{n} {row.method}" for n, row in ROWS])
def test_every_published_row_of_a_method_stands_beside_a_full_run_of_it(name, row, tmp_path):
    of = read.get(name)
    plan = run_builder.plan(map(str, range(of.expects)), [of.holes.generator or name])
    of_sets = [metric for metric in row.figures if METRICS[metric].scope == "set"]
    values = {metric: row.figures[metric] for metric in row.figures if metric not in of_sets}
    run = run_builder.in_memory(
        plan=plan,
        cases=run_builder.fills(plan, row.method, **values),
        methods=run_builder.methods({row.method: "CNN"}),
        metrics=run_builder.metrics(row.figures),
        sets=[{"method": row.method, "tier": plan["tier"].iloc[0], "metric": metric,
               "value": row.figures[metric], "n": of.expects} for metric in of_sets],
    )  # fmt: skip
    request = asdict(Protocol.asked(str(tmp_path), None, published=name))
    run = replace(run, header=replace(run.header, protocol=request))
    found = published.beside(run, rank(run, run.tiers[0], run.headline))
    assert [metric for _, metric in found] == list(row.figures)
    assert {each.verdict[0] for claims in found.values() for each in claims} == {REPRODUCED}
