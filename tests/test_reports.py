from __future__ import annotations

import dataclasses
import html
import itertools
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import html5lib
import numpy as np
import pandas as pd
import pytest

import reports
from bench.cli import main
from bench.errors import BenchError, InputError
from bench.statistics import Facts, compare_methods, headline_metric
from reports import gallery, numbers, pair_table, sentences, tables
from reports.build import build, read_run
from reports.downloads import guarded
from reports.ranking import rank
from tests import sample_run
from tests.sample_run import HOSTILE_NAMES

SOURCES = Path(reports.__file__).parent
XHTML = "{http://www.w3.org/1999/xhtml}"


def write_run(folder: Path, **options) -> Path:
    sample_run.write_run(folder, **options)
    change_header(folder, state="complete", missing=0)
    return folder


def change_header(folder: Path, **changes) -> None:
    header = json.loads((folder / "run.json").read_text("utf-8")) | changes
    (folder / "run.json").write_text(json.dumps(header), "utf-8")


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    return write_run(tmp_path_factory.mktemp("sample") / "run")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "run"
    write_run(folder, names=HOSTILE_NAMES, side=32, tiers=["small"])
    build(folder)
    return folder / "report"


@pytest.fixture(scope="module")
def report(sample) -> Path:
    return build(sample).parent


@pytest.fixture
def copy(sample, tmp_path) -> Path:
    return Path(shutil.copytree(sample, tmp_path / "run"))


def pages_of(folder: Path) -> dict[Path, object]:
    parser = html5lib.HTMLParser(strict=True)
    return {path: parser.parse(path.read_bytes()) for path in sorted(folder.rglob("*.html"))}


@pytest.fixture(scope="module")
def trees(report, hostile) -> dict[Path, object]:
    return pages_of(report) | pages_of(hostile)


def texts(element) -> str:
    return re.sub(r"\s+", " ", "".join(element.itertext()))


def edit(folder: Path, table: str, change) -> None:
    path = folder / f"{table}.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)


# -- pages ----------------------------------------------------------------------------------


def test_all_page_kinds_are_there_and_parse_strictly(trees, report):
    names = {path.relative_to(report).parts[0] for path in trees if path.is_relative_to(report)}
    assert names == {
        "index.html", "methods.html", "failures.html", "provenance.html", "tiers", "cases",
    }  # fmt: skip


def test_references_are_relative_and_lead_to_files(trees):
    for path, tree in trees.items():
        for element in tree.iter():
            for name in ("src", "href", "srcset"):
                target = element.get(name)
                if target is None or target == "data:,":
                    continue
                if element.get("rel") == "noopener":
                    assert element.tag == f"{XHTML}a"
                    assert target.startswith("https://")
                    continue
                assert not re.match(r"[a-z]+:|/", target), (path, target)
                file, _, anchor = target.partition("#")
                there = (path.parent / unquote(file)) if file else path
                assert there.is_file(), (path, target)
                if anchor:
                    assert f'id="{anchor}"' in there.read_text("utf-8")


def test_content_policy_is_first_and_no_page_styles_or_scripts_inline(trees):
    for tree in trees.values():
        metas = tree.findall(f".//{XHTML}meta")
        assert metas[0].get("charset") == "utf-8"
        assert metas[1].get("http-equiv") == "Content-Security-Policy"
        assert "default-src 'none'" in metas[1].get("content")
        assert not tree.findall(f".//{XHTML}style")
        for element in tree.iter():
            names = [name for name in element.attrib if isinstance(name, str)]
            assert not [name for name in names if name == "style" or name.startswith("on")]
        for script in tree.findall(f".//{XHTML}script"):
            assert script.get("src").endswith("assets/report.js")
            assert not script.text


def test_ids_are_unique_and_labels_resolve(trees):
    for path, tree in trees.items():
        ids = Counter(e.get("id") for e in tree.iter() if e.get("id"))
        assert max(ids.values()) == 1, path
        for element in tree.iter():
            if element.get("aria-labelledby"):
                assert element.get("aria-labelledby") in ids


def test_tables_have_captions_and_scopes(trees):
    seen = 0
    for tree in trees.values():
        for table in tree.findall(f".//{XHTML}table"):
            seen += 1
            assert texts(table.find(f"{XHTML}caption")).strip()
            headers = table.findall(f".//{XHTML}th")
            assert {th.get("scope") for th in headers} >= {"col", "row"}
            assert all(th.get("scope") for th in headers)
    assert seen > 10


def test_pictures_have_text_and_size_and_are_few_enough(trees):
    for path, tree in trees.items():
        images = tree.findall(f".//{XHTML}img")
        assert len(images) <= 400
        for image in images:
            assert image.get("alt"), path
            assert int(image.get("width")) > 0
            assert int(image.get("height")) > 0
        assert len(path.read_bytes()) <= 1_000_000


def test_headings_start_with_one_h1_and_skip_no_level(trees):
    for path, tree in trees.items():
        levels = [int(e.tag[-1]) for e in tree.iter() if re.fullmatch(f"{XHTML}h[1-6]", str(e.tag))]
        assert levels[0] == 1, path
        assert levels.count(1) == 1
        assert all(b - a <= 1 for a, b in itertools.pairwise(levels)), path


def test_nothing_is_hidden_without_the_script(trees):
    for tree in trees.values():
        for element in tree.iter():
            assert element.get("hidden") is None
            assert element.tag not in (f"{XHTML}template", f"{XHTML}noscript", f"{XHTML}dialog")
        assert tree.find(".").get("lang") == "en"


def test_templates_never_switch_escaping_off():
    for path in [*SOURCES.rglob("*.html"), *SOURCES.rglob("*.py")]:
        text = path.read_text("utf-8")
        assert not re.search(r"\|\s*safe\b|Markup|autoescape\s*(=|\s)\s*[Ff]alse", text), path


def test_attributes_are_quoted_in_templates():
    for path in SOURCES.rglob("*.html"):
        assert not re.search(r"=\{\{", path.read_text("utf-8")), path


def test_script_and_style_are_small():
    assert (SOURCES / "static" / "report.js").stat().st_size <= 30_000
    assert (SOURCES / "static" / "report.css").stat().st_size <= 20_000
    assert sorted(p.name for p in (SOURCES / "static").iterdir()) == ["report.css", "report.js"]


# -- hostile names --------------------------------------------------------------------------


def test_hostile_names_stay_text(hostile):
    for tree in pages_of(hostile).values():
        assert len(tree.findall(f".//{XHTML}script")) == 1
        for element in tree.iter():
            assert "onerror" not in element.attrib
            assert not (element.get("src") or "").endswith("x")
    page = (hostile / "tiers" / "small.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;.png" in page
    assert "\N{REPLACEMENT CHARACTER}bell.png" in page


def test_every_hostile_name_is_shown_and_has_its_own_page(hostile):
    headings = [texts(t.find(f".//{XHTML}h1")) for p, t in pages_of(hostile / "cases").items()]
    shown = {re.sub(r"\s+", " ", numbers.printable(name)) for name in HOSTILE_NAMES}
    assert set(headings) == shown
    assert len(headings) == len(HOSTILE_NAMES)


def test_file_names_never_come_from_names_of_photos(hostile):
    fixed = {"report.css", "report.js", "small.html", "index.html", "methods.html",
             "failures.html", "provenance.html", "pictures.json", "summary.json", "summary.md",
             "ranking.tex"}  # fmt: skip
    tables = ("cases", "summary", "pairs", "shown")
    fixed |= {f"{name}.{form}" for name in tables for form in ("csv", "parquet")}
    fixed |= {f"small-{kind}-{scheme}.svg" for kind in ("means", "differences")
              for scheme in ("light", "dark")}  # fmt: skip
    for path in hostile.rglob("*"):
        if path.is_file() and path.name not in fixed:
            assert re.fullmatch(r"[0-9a-f]{16}\.(png|webp|html)", path.name), path


def test_addresses_that_are_not_of_the_web_are_no_links(report):
    page = (report / "methods.html").read_text("utf-8")
    assert "javascript:alert(1)" in page
    assert 'href="javascript' not in page
    assert 'href="https://doi.org/' in page


def test_tier_names_from_users_are_hashed():
    assert numbers.slug("small") == "small"
    for name in ("../x", "a b", "", "Large", "con.txt", "\N{GRINNING FACE}"):
        assert re.fullmatch("[0-9a-f]{16}", numbers.slug(name))


def test_pictures_outside_of_the_run_are_not_shown(copy, tmp_path):
    secret = tmp_path / "secret.png"
    shutil.copy(next(copy.glob("photos/*.png")), secret)
    edit(copy, "cases", lambda t: t.assign(output="../secret.png"))
    page = (build(copy).parent / "tiers" / "small.html").read_text("utf-8")
    assert page.count("picture not kept") >= 10


# -- content --------------------------------------------------------------------------------


def test_overview_says_who_wins_and_that_it_is_a_demonstration(report, sample):
    page = texts(html5lib.parse((report / "index.html").read_bytes()))
    run = read_run(sample)
    rankings = [rank(run, tier, headline_metric(run.metrics)) for tier in run.tiers]
    assert sentences.headline(run, rankings) in page
    assert "A demonstration, not an evaluation" in page
    assert "Ranked by SSIM in the hole" in page
    assert "inpaint-bench weights fetch lpips" in page
    assert "original itself scored perfectly in 9 of 9 cases" in page


def test_own_photos_are_not_called_a_demonstration(copy):
    change_header(copy, photo_set="own photos")
    page = build(copy).read_text("utf-8")
    assert "demonstration" not in page
    assert "Only 3 photos" in page


def test_ranking_lists_everyone_in_their_group(report):
    tree = html5lib.parse((report / "index.html").read_bytes())
    table = tree.find(f".//{XHTML}table")
    groups = {b.get("class"): texts(b) for b in table.findall(f"{XHTML}tbody")}
    assert all(name in groups["ranked"] for name in ("Telea", "Navier", "Shift-map"))
    assert all(name in groups["marks"] for name in ("Mean colour", "Original"))
    assert "Fussy <b>method</b>" in groups["partial"]
    assert "weights fetch lama:big-lama" in groups["absent"]
    assert "lower is better" in texts(table)
    assert "Peak memory MiB" in texts(table)


def test_infinite_psnr_is_capped_and_counted(report):
    page = texts(html5lib.parse((report / "tiers" / "small.html").read_bytes()))
    assert "counted as 100 dB: Original in 3 cases" in page
    case = texts(html5lib.parse(next((report / "cases").iterdir()).read_bytes()))
    assert "inf" not in case.split("Numbers")[1].split("All fills")[0].replace("infinite", "")


def test_best_is_bold_and_said_in_words(report):
    tree = html5lib.parse((report / "index.html").read_bytes())
    ranked = tree.find(f".//{XHTML}tbody[@class='ranked']")
    strong = ranked.findall(f".//{XHTML}strong")
    assert strong
    assert texts(ranked).count(" best") >= len(strong)
    assert not tree.find(f".//{XHTML}tbody[@class='marks']").findall(f".//{XHTML}strong")


def test_a_floor_or_the_ceiling_never_wins(copy):
    def flatter(cases: pd.DataFrame) -> pd.DataFrame:
        return cases.assign(ssim_hole=cases["ssim_hole"].where(cases["method"] != "mean", 1.0))

    edit(copy, "cases", flatter)
    run = read_run(copy)
    for tier in run.tiers:
        ranking = rank(run, tier, headline_metric(run.metrics))
        assert ranking.best.method not in ("mean", "original")
        assert {s.method for s in ranking.marks} == {"mean", "original"}


def test_lpips_ranks_when_it_was_measured_and_lower_wins(tmp_path):
    run = read_run(write_run(tmp_path / "run", tiers=["small"], lpips=True))
    headline = headline_metric(run.metrics)
    ranking = rank(run, "small", headline)
    means = [s.values["lpips"].mean for s in ranking.ranked]
    assert headline.metric == "lpips"
    assert means == sorted(means)
    assert all(s.gap.interval.mean >= 0 for s in ranking.ranked[1:])


PHOTOS = 12


def spread(mean: float, width: float = 0.0) -> list[float]:
    """Values of so many photos around a mean, which moves by the same for all of them."""
    return [mean + width * (i % 3 - 1) + 0.0001 * i for i in range(PHOTOS)]


def with_values(run, values: dict[str, list[float]]):
    """A run of these SSIM values in the hole, photo by photo, in one tier."""
    photos = len(next(iter(values.values())))
    plan = pd.DataFrame({"photo": [f"{i:03}" for i in range(photos)], "tier": "small", "draw": 0})
    cases = pd.concat(
        plan.assign(method=name, sample=0, status="ok", cluster=plan["photo"], seconds=1.0,
                    peak_bytes=1.0, reason="", output="", ssim_hole=numbers_of)
        for name, numbers_of in values.items()
    ).reset_index(drop=True)  # fmt: skip
    metrics = run.metrics[run.metrics["metric"].isin(["lpips", "ssim_hole"])]
    sets = run.sets.head(0)
    return dataclasses.replace(run, plan=plan, cases=cases, metrics=metrics, sets=sets)


def ranking_of(run):
    return rank(run, "small", headline_metric(run.metrics))


@pytest.mark.parametrize(
    ("telea", "hero", "words"),
    [
        (spread(0.5), "is best on small holes", "significant, and larger than the margin of 0.005"),
        (
            spread(0.699),
            "leads on small holes by less than matters",
            "significant, but smaller than the margin of 0.005, so of no practical weight",
        ),
        (
            spread(0.695, 0.004),
            "is best on small holes",
            "significant; whether it is larger than the margin of 0.005 is open",
        ),
        (
            spread(0.6999, 0.0005),
            "No clear winner",
            "not separable from Telea; Telea is equivalent, within the margin of 0.005",
        ),
        (spread(0.69, 0.2), "No clear winner", "but not separable from Telea."),
    ],
)
def test_a_lead_is_called_by_its_p_value_and_by_the_margin(sample, telea, hero, words):
    run = with_values(read_run(sample), {"telea": telea, "ns": spread(0.7)})
    ranking = ranking_of(run)
    assert ranking.best.method == "ns"
    assert hero in sentences.headline(run, [ranking])
    verdict = sentences.verdict(run, ranking, "SSIM", "")
    assert words in verdict
    assert re.search(r"\(95 % interval \[.+\], p (=|<) [\d.]+\)", verdict)


def test_too_few_photos_for_any_significance_are_called_that(sample):
    values = {"telea": spread(0.5), "ns": spread(0.7), "shiftmap": spread(0.6), "mean": spread(0.1),
              "fussy": spread(0.2), "lama:big-lama": spread(0.3),
              "original": spread(1.0)}  # fmt: skip
    run = with_values(read_run(sample), {name: v[:6] for name, v in values.items()})
    ranking = ranking_of(run)
    assert ranking.tied == ranking.ranked[1:]
    said = sentences.headline(run, [ranking])
    assert said == "No clear winner: with 6 photos no difference can be significant."
    verdict = sentences.verdict(run, ranking, "SSIM", "")
    assert "smallest possible p-value, adjusted for 10 pairs, is 0.31" in verdict
    assert "With 6 photos no difference" in sentences.differences(run, ranking)


def test_one_method_alone_is_no_winner(sample):
    run = with_values(read_run(sample), {"ns": [0.6, 0.7, 0.8]})
    assert "nothing can be compared" in sentences.headline(run, [ranking_of(run)])


def test_ranks_ties_and_differences_are_those_of_the_comparison(sample):
    values = {"ns": spread(0.7), "shiftmap": spread(0.69, 0.2), "telea": spread(0.2)}
    run = with_values(read_run(sample), values)
    ranking = ranking_of(run)
    facts = Facts("ssim_hole", higher=True)
    found = compare_methods(run.cases, run.methods, facts, "small", expected=PHOTOS)
    assert [s.method for s in ranking.ranked] == list(found.ranks["method"])
    assert [s.place for s in ranking.ranked] == [(1, 2), (1, 2), (3, 3)]
    assert [s.group for s in ranking.ranked] == list(found.ranks["group"]) == ["a", "a", "b"]
    assert ranking.ranked[0].gap is None
    for scores, (_, pair) in zip(ranking.ranked[1:], found.pairs.iterrows(), strict=False):
        gap = scores.gap
        assert (pair["a"], pair["b"]) == ("ns", scores.method)
        assert (gap.interval.mean, gap.p) == (-pair["difference"], pair["p_holm"])
        assert (gap.interval.low, gap.interval.high) == (-pair["high"], -pair["low"])
    rows = tables.rows(run, ranking, tables.columns(run, ranking))["ranked"]
    assert [row.place for row in rows] == ["1\N{EN DASH}2", "1\N{EN DASH}2", "3"]
    assert [row.group for row in rows] == ["a", "a", "b"]
    assert "not separable" in rows[1].difference.remark
    assert rows[2].difference.remark == numbers.p_value(ranking.ranked[2].gap.p)
    assert tables.RANK_NOTE in tables.notes(run, ranking, tables.columns(run, ranking))


def test_a_strict_order_has_plain_ranks(sample):
    values = {"ns": spread(0.7), "shiftmap": spread(0.6), "telea": spread(0.2)}
    ranking = ranking_of(with_values(read_run(sample), values))
    assert [s.place for s in ranking.ranked] == [(1, 1), (2, 2), (3, 3)]
    assert [s.group for s in ranking.ranked] == ["a", "b", "c"]


def test_the_best_of_a_tie_is_the_first_of_its_range(sample):
    run = read_run(sample)
    for tier in run.tiers:
        ranking = rank(run, tier, headline_metric(run.metrics))
        assert ranking.best.place == (1, 1 + len(ranking.tied))


def test_pairs_are_listed_with_both_p_values_and_a_verdict(sample):
    values = {"ns": spread(0.7), "shiftmap": spread(0.699), "telea": spread(0.2, 0.3)}
    run = with_values(read_run(sample), values)
    pairs = pair_table.pairs(run, ranking_of(run), "")
    assert [(p.a, p.b) for p in pairs] == [
        ("Navier\N{EN DASH}Stokes", "Shift-map"), ("Navier\N{EN DASH}Stokes", "Telea"),
        ("Shift-map", "Telea"),
    ]  # fmt: skip
    assert pairs[0].verdict == "Navier\N{EN DASH}Stokes better, but within the margin"
    assert pairs[0].difference.text.startswith("+0.001")
    assert (pairs[0].win_rate, pairs[0].n, pairs[0].photos) == ("100 %", PHOTOS, PHOTOS)
    assert all(float(p.p.strip("< ")) < 0.05 and float(p.p_wilcoxon.strip("< ")) < 1 for p in pairs)


def test_tier_pages_show_differences_with_conclusion_and_pairs(report):
    tree = html5lib.parse((report / "tiers" / "small.html").read_bytes())
    plot = tree.findall(f".//{XHTML}picture/{XHTML}img")[1]
    assert plot.get("src").endswith("small-differences-light.svg")
    assert plot.get("alt").startswith("With 3 photos no difference from")
    details = tree.find(f".//{XHTML}details")
    assert texts(details.find(f"{XHTML}summary")) == "All 10 pairs"
    assert len(details.findall(f".//{XHTML}tbody/{XHTML}tr")) == 10
    table = tree.find(f".//{XHTML}table[@class='ranking']")
    assert "below the margin of 0.005 are of no practical weight" in texts(table)
    assert "tie group a" in texts(table)


def test_signed_numbers_have_a_plus_only_above_zero_as_shown():
    found = [numbers.signed(v, 2) for v in (0.123, -0.5, 0.001, 0.0, np.inf, np.nan)]
    assert found == ["+0.12", "\N{MINUS SIGN}0.50", "0.00", "0.00", "+\N{INFINITY}", "\N{EN DASH}"]


def test_equal_means_share_the_mark_and_a_column_without_difference_has_none(sample):
    equal = {"ns": [0.6, 0.7, 0.8], "telea": [0.6, 0.7, 0.8], "shiftmap": [0.1, 0.2, 0.3]}
    for values, marked in ((equal, [True, True, False]), (dict.fromkeys(equal, [0.5] * 3), [])):
        run = with_values(read_run(sample), values)
        ranking = rank(run, "small", headline_metric(run.metrics))
        rows = tables.rows(run, ranking, tables.columns(run, ranking))["ranked"]
        assert [row.cells[0].best for row in rows] == (marked or [False] * 3)
        assert (rows[0].cells[0].interval == "") == (not marked)


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
    assert "not complete" not in (report / "index.html").read_text("utf-8")


def test_a_method_that_completed_nothing_is_named_on_the_overview(copy):
    def fail(cases: pd.DataFrame) -> pd.DataFrame:
        return cases.assign(status=cases["status"].where(cases["method"] != "ns", "failed"))

    edit(copy, "cases", fail)
    page = texts(html5lib.parse(build(copy).read_bytes()))
    assert "2 methods did not run or completed nothing: Navier\N{EN DASH}Stokes and LaMa" in page


def test_a_tier_without_comparison_is_not_left_out_of_the_sentence(copy):
    def fail(cases: pd.DataFrame) -> pd.DataFrame:
        row = (cases["tier"] == "region") & (cases["method"] != "telea")
        return cases.assign(status=cases["status"].where(~row, "failed"))

    edit(copy, "cases", fail)
    run = read_run(copy)
    rankings = [rank(run, tier, headline_metric(run.metrics)) for tier in run.tiers]
    assert "on region holes nothing can be compared" in sentences.headline(run, rankings)


def test_names_break_where_their_parts_end():
    assert numbers.pieces("animals/animals_01 .png") == ["animals/", "animals_", "01 .", "png"]
    for name in (*HOSTILE_NAMES, "", "...", "a\\b"):
        assert "".join(numbers.pieces(name)) == name


def test_numbers_without_interval_have_four_digits():
    found = [numbers.four_digits(v) for v in ([0.5], [3.1, 2.0], [114.65, 3.1], [1e6], [])]
    assert found == [4, 3, 1, 0, 4]


def test_ranked_means_use_only_common_cases(copy):
    def fail_one(cases: pd.DataFrame) -> pd.DataFrame:
        row = (cases["method"] == "ns") & (cases["photo"] == "coffee.png")
        return cases.assign(
            status=cases["status"].where(~row, "failed"),
            reason=cases["reason"].where(~row, "ran out of ink"),
        )

    edit(copy, "cases", fail_one)
    run = read_run(copy)
    ranking = rank(run, "small", headline_metric(run.metrics))
    assert [s.method for s in ranking.partial] == ["ns", "fussy"]
    assert {s.n for s in ranking.ranked} == {3}
    assert {s.method: s.n for s in ranking.partial} == {"ns": 2, "fussy": 2}
    page = texts(html5lib.parse((build(copy).parent / "failures.html").read_bytes()))
    assert "ran out of ink" in page


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


def test_lost_pictures_are_named_not_fatal(copy):
    shutil.rmtree(copy / "outputs" / "telea")
    shutil.rmtree(copy / "masks")
    torn = next((copy / "outputs" / "ns" / "small").iterdir())
    torn.write_bytes(b"no picture")
    report = build(copy).parent
    page = (report / "tiers" / "small.html").read_text("utf-8")
    assert page.count("picture not kept") == 3 + 1 + 2 * 3
    pages_of(report)


def test_tiers_of_many_cases_are_paged(tmp_path):
    names = [f"{i}.png" for i in range(26)]
    report = build(write_run(tmp_path / "run", names=names, side=16, tiers=["small"])).parent
    first, second = (pages_of(report / "tiers")[report / "tiers" / name]
                     for name in ("small.html", "small-2.html"))  # fmt: skip
    rows = [len(t.findall(f".//{XHTML}table[@class='gallery']/{XHTML}tbody/{XHTML}tr"))
            for t in (first, second)]  # fmt: skip
    assert rows == [24, 2]
    assert "Cases 25 to 26 of 26" in texts(second)


def test_selection_is_the_same_each_time_and_holds_the_extremes(sample):
    rng = np.random.default_rng(0)
    drawn = {"ns": rng.normal(0.8, 0.1, 300), "telea": rng.normal(0.5, 0.1, 300)}
    run = with_values(read_run(sample), drawn)
    ranking = ranking_of(run)
    chosen = gallery.select(run, ranking)
    assert 60 <= len(chosen) <= 100
    assert list(chosen["photo"]) == sorted(chosen["photo"])
    assert chosen.equals(gallery.select(run, ranking))
    best = run.cases[run.cases["method"] == "ns"].set_index("photo")["ssim_hole"]
    assert {best.idxmax(), best.idxmin()} <= set(chosen["photo"])
    left_out = sorted(set(run.plan["photo"]) - set(chosen["photo"]))[:2]
    regressed = [(photo, "small", 0) for photo in left_out]
    assert set(left_out) <= set(gallery.select(run, ranking, regressed)["photo"])


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


@pytest.mark.parametrize(
    ("half_widths", "unit", "decimals"),
    [
        ([0.0123], "", 3), ([0.99], "", 2), ([1.2], "dB", 1), ([24.0], "dB", 0),
        ([float("nan"), 0.0], "", 4), ([], "dB", 2), ([1e-12], "", 6),
    ],
)  # fmt: skip
def test_two_digits_of_the_half_width_decide_the_decimals(half_widths, unit, decimals):
    assert numbers.decimals_for(half_widths, unit=unit) == decimals


def test_numbers_have_a_true_minus_and_no_negative_zero():
    assert numbers.number(-1.25, 1) == "\N{MINUS SIGN}1.2"
    assert numbers.number(-0.0001, 2) == "0.00"
    assert numbers.number(float("nan"), 2) == "\N{EN DASH}"
    assert numbers.number(float("inf"), 2) == "\N{INFINITY}"


def test_a_run_in_which_everything_failed_still_has_a_report(copy):
    edit(copy, "cases", lambda t: t.assign(status="failed", reason="no power", ssim_hole=np.nan))
    edit(copy, "sets", lambda t: t.head(0))
    index = build(copy)
    assert "No method completed enough cases" in index.read_text("utf-8")
    assert "failed: no power (3 of 3 cases)" in index.read_text("utf-8")
    pages_of(index.parent)


def test_without_the_usual_headlines_the_first_measured_metric_ranks(copy):
    edit(copy, "metrics", lambda t: t[t["metric"] != "ssim_hole"])
    edit(copy, "cases", lambda t: t.drop(columns="ssim_hole"))
    page = build(copy).read_text("utf-8")
    headline = headline_metric(read_run(copy).metrics)
    assert headline.metric in set(read_run(copy).cases.columns)
    assert headline.reason in html.unescape(page)


def test_without_any_metric_of_single_cases_there_is_no_winner(copy):
    edit(copy, "metrics", lambda t: t[t["scope"] != "case"])
    run = read_run(copy)
    rankings = [rank(run, tier, headline_metric(run.metrics)) for tier in run.tiers]
    assert rankings
    assert not any(ranking.best or ranking.ranked for ranking in rankings)
    assert "is best on" not in sentences.headline(run, rankings)


def test_a_case_without_the_headline_metric_counts_for_no_ranked_method(copy):
    def forget_one(cases: pd.DataFrame) -> pd.DataFrame:
        row = (cases["method"] == "ns") & (cases["photo"] == "coffee.png")
        return cases.assign(ssim_hole=cases["ssim_hole"].mask(row))

    edit(copy, "cases", forget_one)
    run = read_run(copy)
    ranking = rank(run, "small", headline_metric(run.metrics))
    assert "ns" in [s.method for s in ranking.partial]
    assert {s.n for s in ranking.ranked} == {ranking.n}


# -- against a baseline -----------------------------------------------------------------------


def judged(baseline: Path, run: Path) -> int:
    """Judge a run as the command line does, and build its report."""
    status = main(["gate", str(baseline), str(run)])
    build(run)
    return status


def darken(folder: Path) -> None:
    def change(cases: pd.DataFrame) -> pd.DataFrame:
        row = (cases["method"] == "telea") & (cases["tier"] == "large")
        return cases.assign(ssim_hole=cases["ssim_hole"] - row * 0.01)

    edit(folder, "cases", change)


def regression_page(folder: Path) -> object:
    return html5lib.HTMLParser(strict=True).parse((folder / "report/regression.html").read_bytes())


def test_without_a_verdict_there_is_no_regression_page(report):
    assert not (report / "regression.html").exists()
    assert "regression.html" not in (report / "index.html").read_text("utf-8")


def test_regressed_cases_are_named_with_old_and_new_value_and_a_link(sample, copy, trees):
    darken(copy)
    assert judged(sample, copy) == 1
    tree = regression_page(copy)
    assert texts(tree.find(f".//{XHTML}h1")) == "Regressed"
    page = texts(tree)
    assert read_run(sample).info["fingerprint"] in page
    assert str(sample) in page
    worst, every = (
        tree.find(f".//{XHTML}section[@aria-labelledby='{name}']") for name in ("worst", "all")
    )
    rows = worst.findall(f".//{XHTML}tbody/{XHTML}tr")
    assert len(rows) == 3
    cells = [texts(cell) for cell in rows[0]]
    assert cells[1:3] == ["Telea", "SSIM in the hole"]
    assert float(cells[3]) - float(cells[4]) == pytest.approx(0.01, abs=1e-5)
    assert cells[5:] == ["0.002", "5"]
    assert all((copy / "report" / row.find(f".//{XHTML}a").get("href")).is_file() for row in rows)
    states = [texts(row[3]) for row in every.findall(f".//{XHTML}tbody/{XHTML}tr")]
    assert states[0] == "regressed"
    assert set(states[1:]) == {"same"}
    index = (copy / "report/index.html").read_text("utf-8")
    assert "Against the baseline: regressed." in index
    for path, tree in pages_of(copy / "report").items():
        assert any(texts(a) == "Regression" for a in tree.iter(f"{XHTML}a")), path
    test_references_are_relative_and_lead_to_files(pages_of(copy / "report"))
    test_tables_have_captions_and_scopes(trees | {copy: regression_page(copy)})


def test_the_same_run_is_the_same(sample, copy):
    assert judged(sample, copy) == 0
    page = texts(regression_page(copy))
    assert "Same as the baseline, or better" in page
    assert "Worst changes" not in page
    assert "regressed" not in page


def test_what_is_missing_is_named_before_what_is_the_same(sample, copy):
    def fail(cases: pd.DataFrame) -> pd.DataFrame:
        row = (cases["method"] == "ns") & (cases["photo"] == "coffee.png")
        return cases.assign(status=cases["status"].where(~row, "oom"))

    edit(copy, "cases", fail)
    edit(copy, "cases", lambda t: t[t["method"] != "mean"])
    edit(copy, "methods", lambda t: t[t["method"] != "mean"])
    assert judged(sample, copy) == 4
    tree = regression_page(copy)
    assert texts(tree.find(f".//{XHTML}h1")) == "Something of the baseline is missing"
    missing = texts(tree.find(f".//{XHTML}section[@aria-labelledby='missing']"))
    assert "coffee.png, draw 0, largeoom: no reason given" in missing
    assert "mean, smallthe run has no such method" in missing


def test_other_photos_are_not_compared_and_what_differs_is_said(sample, copy):
    change_header(copy, fingerprint="photos:9876543210/3 size:sample paste:known-8bit",
                  environment={"packages": {"numpy": "2.1"}})  # fmt: skip
    assert judged(sample, copy) == 3
    tree = regression_page(copy)
    assert texts(tree.find(f".//{XHTML}h1")) == "Not comparable with the baseline"
    differs = texts(tree.find(f".//{XHTML}section[@aria-labelledby='differs']"))
    assert "photos0123456789/39876543210/3" in differs
    assert "numpy2.02.1" in texts(tree.find(f".//{XHTML}section[@aria-labelledby='changed']"))
    assert "not compared" in texts(tree.find(f".//{XHTML}section[@aria-labelledby='all']"))


OUTDATED = {
    "with the fingerprint": lambda run: change_header(run, fingerprint="photos:x/3"),
    "other packages": lambda run: change_header(run, environment={"packages": {"numpy": "3"}}),
    "another version of": lambda run: edit(run, "methods", lambda t: t.assign(identity="new")),
    "other values": darken,
}


@pytest.mark.parametrize("words", OUTDATED)
def test_a_verdict_on_an_earlier_state_is_not_shown_as_current(sample, copy, words):
    darken(copy)
    assert main(["gate", str(sample), str(copy)]) == 1
    OUTDATED[words](copy)
    report = build(copy).parent
    page = texts(html5lib.parse((report / "index.html").read_bytes()))
    assert "No current verdict. The one in this folder, \u201cregressed\u201d" in page
    assert words in page
    assert not (report / "regression.html").exists()
    assert 'href="regression.html"' not in (report / "index.html").read_text("utf-8")


@pytest.mark.parametrize("text", ["{", '{"format": 1}', '{"format": 9}'])
def test_a_damaged_verdict_is_named(copy, text):
    (copy / "verdict.json").write_text(text)
    with pytest.raises(InputError, match=r"verdict\.json"):
        build(copy)


def test_the_report_command_judges_first(sample, copy):
    darken(copy)
    assert main(["report", str(copy), "--baseline", str(sample)]) == 0
    assert json.loads((copy / "verdict.json").read_text("utf-8"))["outcome"] == "regressed"
    assert texts(regression_page(copy).find(f".//{XHTML}h1")) == "Regressed"


def test_a_baseline_that_is_not_there_leaves_the_report_as_it_was(copy, tmp_path):
    before = snapshot(build(copy).parent)
    assert main(["report", str(copy), "--baseline", str(tmp_path / "none.json")]) == 2
    assert snapshot(copy / "report") == before


# -- the folder -----------------------------------------------------------------------------


def snapshot(folder: Path) -> dict[str, bytes]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


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
