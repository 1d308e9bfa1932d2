"""Reports of runs in which the truth is another picture than the photo, or unknown."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cli import main
from bench.folder.read import read_run
from bench.planning.protocol import UNKNOWN
from bench.run.runner import run
from reports.build import build
from reports.paper.pictures import strip
from reports.results import sentences
from reports.results.ranking import rank
from tests.support import removals
from tests.support.removals import request

FIDELITY = re.compile(
    r"winner|best mean|difference from best|average rank|rank, |not significant", re.I
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return removals.write(tmp_path_factory.mktemp("removal"), count=6)


@pytest.fixture(scope="module")
def unknown(folder) -> Path:
    out, methods = folder / "runs/unknown", ("noise", "telea", "navier_stokes")
    run(request(out, folder, truth=UNKNOWN, methods=methods, samples=2))
    assert main(["report", str(out), "--baseline", str(out), "--single-file", "--zip"]) == 0
    return out / "report"


@pytest.fixture(scope="module")
def given(folder) -> Path:
    asked = request(folder / "runs/given", folder, photos="shaded", truth="truth")
    run(asked)
    return build(asked.out).parent


def text(page: Path) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.read_text("utf-8")))


def pages(report: Path) -> dict[str, str]:
    return {
        page.relative_to(report).as_posix(): page.read_text("utf-8")
        for page in sorted(report.rglob("*.html"))
    }


@pytest.mark.parametrize("metric", ["rc_s", "self_consistency"])
def test_a_measure_without_reference_ranks_and_every_sentence_says_so(unknown, metric):
    found = read_run(unknown.parent)
    metrics = found.metrics.replace({"metric": {"seam_visible": metric}})
    cases = found.cases.rename(columns={"seam_visible": metric})
    ranked = replace(found, metrics=metrics, cases=cases)
    rankings = [rank(ranked, tier, ranked.headline) for tier in ranked.tiers]
    assert all(each.best is not None for each in rankings)
    said = sentences.headline(ranked, rankings)
    assert said.endswith(f", by {metric} alone: the truth is unknown.")
    assert "Ahead of" in sentences.verdict(ranked, rankings[0], "", "")


def test_the_overview_says_why_nothing_is_ranked_and_where_to_look(unknown):
    said = text(unknown / "index.html")
    assert "The truth is unknown, so no method is ranked by fidelity: look at the pictures." in said
    assert "Visible seam" in said
    assert "Harness check" not in said
    assert "No completed case" not in said
    assert 'href="tiers/region.html"' in (unknown / "index.html").read_text("utf-8")


def test_no_page_claims_a_winner_a_rank_or_an_error(unknown):
    for name, page in pages(unknown).items():
        if not name.startswith("regression"):
            assert not FIDELITY.search(text(unknown / name)), name
        assert "error map" not in page.lower(), name
        assert "Original" not in page, name


def test_every_page_of_a_run_without_truth_is_there(unknown):
    found = {name.split("/")[0] for name in pages(unknown)}
    assert found >= {"index.html", "methods.html", "samples.html", "regression.html", "cases"}
    assert "oracle" not in text(unknown / "samples.html").lower()
    assert unknown.with_name("report.html").exists()
    assert unknown.with_name("report.zip").exists()


def test_a_case_without_truth_shows_photo_hole_and_fills(unknown):
    page = sorted((unknown / "cases").glob("*.html"))[0].read_text("utf-8")
    assert re.findall(r"<figcaption>(Photo|Truth|With mask|Mask)</figcaption>", page) == [
        "Photo", "Photo", "With mask", "Mask",
    ]  # fmt: skip
    assert "The truth is unknown, so there is no map of errors" in page


def test_the_summaries_of_a_run_without_truth_name_no_headline(unknown):
    found = json.loads((unknown / "data/summary.json").read_text("utf-8"))
    assert found["truth"] == UNKNOWN
    assert found["result"].startswith("The truth is unknown")
    for tier in found["tiers"]:
        assert tier["headline"] is tier["best"] is None
        assert {row["metric"] for row in tier["means"]} == {"seam_visible", "drift"}
    shown = (unknown / "data/summary.md").read_text("utf-8")
    assert "| Method | Visible seam" in shown
    assert "Difference" not in shown
    assert "ranked by" not in (unknown / "data/ranking.tex").read_text("utf-8")


def test_a_given_truth_stands_beside_photo_hole_and_fills(given):
    page = sorted((given / "cases").glob("*.html"))[0].read_text("utf-8")
    assert re.findall(r"<figcaption>(Photo|Truth|With mask|Mask)</figcaption>", page) == [
        "Truth", "Photo", "With mask", "Truth", "Mask",
    ]  # fmt: skip
    assert "absolute error, against the truth, as far as" in page
    tier = (given / "tiers/region.html").read_text("utf-8")
    assert '<th scope="col">Truth</th>' in tier
    assert "error map" in tier


def test_the_harness_check_of_a_given_truth_is_of_the_hole(given):
    said = text(given / "index.html")
    assert "the truth itself scored perfectly in the hole in 6 of 6 cases" in said
    assert "which is another picture than the photo" in said


def test_a_photo_that_is_its_own_truth_stands_as_it_beside_other_truths(folder, given, tmp_path):
    own, both = folder / "runs/own", tmp_path / "both"
    run(request(own, folder, photos="shaded", methods=("mean",)))
    runs = [str(own), str(given.parent)]
    assert main(["report", *runs, "--out", str(both), "--anyway"]) == 0
    tier = (both / "tiers/region.html").read_text("utf-8")
    assert '<th scope="col">Truth</th>' in tier
    assert "picture not kept" not in tier
    assert text(both / "index.html").count("truth: ") == 1


def test_runs_with_and_without_truth_join_only_as_one_without(folder, unknown, given, tmp_path):
    runs = [str(folder / "runs" / name) for name in ("given", "unknown")]
    assert main(["report", *runs, "--out", str(tmp_path / "no")]) != 0
    assert main(["report", *runs, "--out", str(tmp_path / "both"), "--anyway"]) == 0
    said = text(tmp_path / "both/index.html")
    assert "unknown in B" in said
    case = next((tmp_path / "both/cases").glob("*.html")).read_text("utf-8")
    assert "Error map" not in case
    assert "no method is ranked by fidelity" in said
    assert "ceiling </span>" not in said
    assert not FIDELITY.search(said)


def test_a_figure_has_the_truth_beside_the_fills_where_it_is_given(
    given, unknown, tmp_path, capsys
):
    words = ["figure", str(given.parent), "--out", str(tmp_path / "f"), "--truth"]
    assert main(words) == 0
    read = read_run(given.parent)
    key = tuple(read.plan[["photo", "tier", "draw"]].iloc[0])
    row = strip(read, key, list(read.methods.index[:1]), "", truth=True)
    assert [picture.title for picture in row.pictures][::3] == ["Photo", "Truth"]
    assert (row.pictures[-1].pixels != row.pictures[0].pixels).any()
    assert main(["figure", str(unknown.parent), *words[2:]]) == 2
    assert "leave --truth out" in capsys.readouterr().err


def test_without_a_ranking_there_are_pictures_by_hash_and_a_table_without_a_best(
    unknown, tmp_path, capsys
):
    run, out = str(unknown.parent), str(tmp_path / "f")
    assert main(["figure", run, "--out", out]) == 0
    assert "by their hash" in capsys.readouterr().out
    assert main(["figure", run, "--out", out, "--rule", "worst"]) == 2
    assert "take --rule random" in capsys.readouterr().err
    assert main(["table", run]) == 0
    printed = capsys.readouterr().out
    assert "Visible seam" in printed
    assert "ranked" not in printed.replace("not ranked", "")
    assert "**" not in printed
    assert "†" not in printed
