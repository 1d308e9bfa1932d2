"""The overview, and what it says of runs that went wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import html5lib
import numpy as np
import pandas as pd

from bench.cli import main
from bench.folder.header import Start
from bench.metrics import METRICS
from bench.statistics import Headline, headline_metric
from methods.weights import CHECKPOINTS
from reports.build import build, read_run
from reports.results import cautions, sentences
from reports.results.ranking import rank
from reports.results.winners import winners
from reports.site.gallery import page_name
from reports.site.identity import name
from tests.support.reading import XHTML, change_header, edit, pages_of, texts


def test_overview_says_who_wins_and_that_3_photos_are_few(report, sample):
    page = texts(html5lib.parse((report / "index.html").read_bytes()))
    run = read_run(sample)
    rankings = [rank(run, tier, headline_metric(run.metrics)) for tier in run.tiers]
    assert sentences.headline(run, rankings) in page
    assert "Few photos." in page
    assert "Ranked by Texture and structure" in page
    assert "inpaint-bench weights fetch lpips" in page
    assert "original itself scored perfectly in 9 of 9 cases" in page


def test_own_photos_are_not_called_a_demonstration(copy):
    change_header(copy, photo_set="own photos")
    page = build(copy).read_text("utf-8")
    assert "demonstration" not in page
    assert "Few photos." in page


def test_ranking_lists_everyone_in_their_group(report):
    tree = html5lib.parse((report / "index.html").read_bytes())
    table = tree.find(f".//{XHTML}table[@class='ranking']")
    groups = {b.get("class"): texts(b) for b in table.findall(f"{XHTML}tbody")}
    assert all(name in groups["ranked"] for name in ("Telea", "Navier", "Shift-map"))
    assert all(name in groups["marks"] for name in ("Mean colour", "Original"))
    assert "Fussy <b>method</b>" in groups["partial"]
    assert "weights fetch lama:big-lama" in groups["absent"]
    assert "lower is better" in texts(table)
    assert "Peak memory MiB" in texts(table)


def test_every_tier_has_a_ranking_and_a_radio_button_that_picks_it(report, sample):
    tree = html5lib.parse((report / "index.html").read_bytes())
    tabs = tree.find(f".//{XHTML}section[@class='tabs']")
    panels = [s for s in tabs if (s.get("class") or "").startswith("panel")]
    picked = [e.get("class") for e in tabs.iter(f"{XHTML}input") if e.get("type") == "radio"]
    assert picked == ["t1", "t2", "t3", None]
    assert [p.get("class") for p in panels] == ["panel p1", "panel p2", "panel p3"]
    for panel, tier in zip(panels, read_run(sample).tiers, strict=True):
        assert len(panel.findall(f".//{XHTML}table[@class='ranking']")) == 1
        assert texts(panel.find(f"{XHTML}h3")).lower().startswith(tier)


def test_winners_are_named_with_interval_and_ties(report, sample):
    page = texts(html5lib.parse((report / "index.html").read_bytes()))
    run = read_run(sample)
    for tier in run.tiers:
        for line in winners(run, rank(run, tier, headline_metric(run.metrics))):
            assert f"{line.label.title} {line.figure} {line.interval}" in page
            assert line.remark in page


def test_best_is_bold_and_said_in_words(report):
    tree = html5lib.parse((report / "index.html").read_bytes())
    ranked = tree.find(f".//{XHTML}tbody[@class='ranked']")
    strong = ranked.findall(f".//{XHTML}strong")
    assert strong
    assert texts(ranked).count(" best") >= len(strong)
    assert not tree.find(f".//{XHTML}tbody[@class='marks']").findall(f".//{XHTML}strong")


def test_a_method_that_completed_nothing_is_named_on_the_overview(copy):
    def fail(cases: pd.DataFrame) -> pd.DataFrame:
        return cases.assign(status=cases["status"].where(cases["method"] != "ns", "failed"))

    edit(copy, "cases", fail)
    page = texts(html5lib.parse(build(copy).read_bytes()))
    said = (
        "1 method did not run: LaMa; 12 fills were not completed, among them all of "
        "Navier\N{EN DASH}Stokes; 1 file was not used."
    )
    assert said in page
    failures = texts(html5lib.parse((copy / "report/failures.html").read_bytes()))
    assert said in failures
    assert "Failures: 14" in failures


def test_a_run_in_which_everything_failed_still_has_a_report(copy):
    edit(
        copy,
        "cases",
        lambda t: t.assign(status="failed", reason="no power", texture_structure=np.nan),
    )
    edit(copy, "sets", lambda t: t.head(0))
    index = build(copy)
    assert "No method completed enough cases" in index.read_text("utf-8")
    assert "failed: no power (3 of 3 cases)" in index.read_text("utf-8")
    pages_of(index.parent)


def test_without_a_metric_that_may_rank_nobody_wins_and_it_is_said_what_to_do(copy):
    edit(copy, "metrics", lambda t: t[t["metric"] != "texture_structure"])
    edit(copy, "cases", lambda t: t.drop(columns="texture_structure"))
    report = build(copy).parent
    page = texts(html5lib.parse((report / "index.html").read_bytes()))
    assert "No method is ranked: nothing was measured that tells good fills from" in page
    assert "again with texture_structure, which needs no weights, among its --metrics" in page
    assert "original itself scored perfectly in 9 of 9 cases" in page
    assert "Original" in page
    for path, tree in pages_of(report).items():
        said = texts(tree)
        assert "Nobody knows what lies under" not in said, path
        assert not re.search(r"winner[^.]|best mean|difference from best|not significant", said), (
            path
        )
    summary = (report / "data/summary.md").read_text("utf-8")
    assert summary.startswith("### No method is ranked")


def test_a_floor_ahead_of_ranked_methods_is_named_with_them(copy, capsys):
    def floor_scores(value: float):
        def change(cases: pd.DataFrame) -> pd.DataFrame:
            row = (cases["method"] == "mean") & (cases["tier"] == "small")
            return cases.assign(texture_structure=cases["texture_structure"].mask(row, value))

        edit(copy, "cases", change)
        return build(copy)

    page = texts(html5lib.parse(floor_scores(0.0125).read_bytes()))
    assert "On small holes Mean colour is" not in page
    assert re.search(r"Floors, for scale: Mean colour 0\.01", page)
    index = floor_scores(1.0)
    page = texts(html5lib.parse(index.read_bytes()))
    assert "A floor is ahead of ranked methods. By Texture and structure:" in page
    assert re.search(
        r"On small holes Mean colour is better than .* and .*, which may be chance\.", page
    )
    assert "look at the pictures before you choose by it" in page
    assert (
        "**A floor is ahead:** On small holes Mean colour"
        in (index.parent / "data/summary.md").read_text()
    )
    assert main(["compare", str(copy)]) == 0
    assert "note: small, texture_structure: the floor mean is better than" in (
        capsys.readouterr().out
    )


def test_it_is_said_what_stands_in_for_lpips_means_and_how_to_get_its_weights():
    said = cautions.stands_in(Headline("texture_structure", "why"), "Texture and structure")
    assert "knows nothing of what is shown" in said
    command = CHECKPOINTS[METRICS["lpips_hole"].network].command
    assert f"with its weights ({command})" in said
    again = cautions.stands_in(Headline("texture_structure", f"run: {command}"), "Score")
    assert command not in again  # the reason, which stands beside it, has it
    assert cautions.stands_in(Headline("lpips_hole", "why"), "LPIPS (hole)") == ""
    assert "dilute" in cautions.stands_in(Headline("lpips", "why"), "LPIPS")
    assert cautions.stands_in(Headline("mine", "a metric of your own"), "Mine") == ""


def test_an_interrupted_run_says_so_on_every_page_and_ranks_nobody_on_few_cases(copy):
    change_header(copy, state="interrupted", missing=4)
    edit(copy, "cases", lambda t: t[(t["method"] == "telea") | (t["photo"] != "coffee.png")])
    (copy / "sets.parquet").unlink()
    report = build(copy).parent
    for path, tree in pages_of(report).items():
        assert "This run is not complete" in texts(tree), path
        assert "4 fills of it are missing" in texts(tree), path
    run = read_run(copy)
    ranking = rank(run, "small", headline_metric(run.metrics))
    assert [s.method for s in ranking.ranked] == ["telea"]
    assert {s.method: s.n for s in ranking.partial} == {"shiftmap": 2, "ns": 2, "fussy": 2}
    assert ranking.expected == 3


def test_a_complete_run_does_not_call_itself_incomplete(report):
    assert "This run is not complete" not in (report / "index.html").read_text("utf-8")


def test_what_a_missing_perceptual_metric_means_is_said_before_why_it_is_missing(copy):
    why = (
        "https://example.org/a.pth: [Errno -3] no name; run: inpaint-bench weights fetch lpips-alex"
    )

    def absent(metrics: pd.DataFrame) -> pd.DataFrame:
        more = metrics[metrics["metric"] == "lpips"].assign(
            metric="lpips_hole", label="LPIPS (hole)"
        )
        both = pd.concat([metrics, more], ignore_index=True)
        return both.assign(reason=both["reason"].mask(both["metric"].str.startswith("lpips"), why))

    edit(copy, "metrics", absent)
    tree = html5lib.parse(build(copy).read_bytes())
    section = tree.find(f".//{XHTML}section[@aria-labelledby='absent']")
    said = texts(section)
    assert "LPIPS (AlexNet) and LPIPS (hole)" in said
    assert "No perceptual metric, one that learnt" in said
    assert "Texture and structure ranks instead. To measure them: inpaint-bench weights" in said
    assert said.count("Errno") == 1
    assert "Errno" in "".join(texts(e) for e in section.iter(f"{XHTML}details"))
    copies = [button.get("data-copy") for button in section.iter(f"{XHTML}button")]
    assert "inpaint-bench weights fetch lpips-alex" in copies


def test_the_first_picture_is_a_large_hole_picked_by_hash_with_every_fill_a_choice(report, sample):
    run = read_run(sample)
    tree = html5lib.parse((report / "index.html").read_bytes())
    hero = next(s for s in tree.iter(f"{XHTML}section") if s.get("class") == "hero")
    large = run.plan[run.plan["tier"] == "large"].to_dict("records")
    page = min(map(page_name, large))
    links = {a.get("href") for a in hero.iter(f"{XHTML}a")}
    filled = [s.method for s in rank(run, "large", run.headline).all_scores]
    choices = hero.findall(f"{XHTML}label")
    assert len(choices) == len([name for name in filled if name != "original"])
    assert {f"cases/{page}.html?b={number}" for number in (1, 2, 3)} <= links
    assert [c.find(f"{XHTML}input").get("checked") for c in choices[:2]] == ["", None]
    words = "".join(tree.find(f".//{XHTML}main").itertext())
    assert words.index("picked by hash") < words.index("Ranked by")


def test_every_page_says_which_run_it_is_and_how_to_cite(report, sample):
    header = read_run(sample).header
    facts = (Path(__file__).parents[2] / "CITATION.cff").read_text("utf-8")
    for path, tree in pages_of(report).items():
        said = texts(tree.find(f".//{XHTML}footer"))
        assert header.finished[:10] in said, path
        assert header.fingerprints in said, path
        assert f" {sample.name} " in texts(tree.find(f".//{XHTML}title")), path
        for key in ("title", "name"):
            value = re.search(rf'{key}: "?([^"\n]*)', facts)[1]
            assert f"{{{{{value}}}}}" in said, path


def test_the_runs_name_is_that_of_the_folder_it_was_written_to(sample):
    run = read_run(sample)
    assert name(run) == sample.name
    start = Start("", ["inpaint-bench", "run", "--out=runs/<b>mine"], run.header.environment)
    assert name(replace(run, header=replace(run.header, starts=[start]))) == "<b>mine"
