"""What the sentences, tables and plots of one report say of the same thing agrees.

Read from the pages as a reader would, of runs of very few photos to enough.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import html5lib
import pandas as pd
import pytest

from bench.folder.store import RunFolder
from reports.build import build
from tests.support.large_run import write_large_run
from tests.support.reading import XHTML, texts

_NIGHTLY = pytest.mark.nightly
RUNS = [
    pytest.param(photos, reference, marks=[] if photos in (2, 6) else _NIGHTLY)
    for photos in (1, 2, 5, 6, 9, 12, 48)
    for reference in ("", "method_01")
    if not reference or photos in (6, 48)
]
_POWERLESS = "no difference can be significant"


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """By number of photos and reference: a report of five methods with nine cases a photo."""

    @cache
    def written(photos: int, reference: str) -> Path:
        run = write_large_run(
            tmp_path_factory.mktemp("run") / "run", photos=photos, methods=7, draws=3, side=32
        )
        return build(run, reference=reference or None).parent

    return written


def read(path: Path):
    return html5lib.parse(path.read_bytes())


def words_of(tree) -> str:
    """The text of a page without its tables and its notes on how to read it."""
    main = tree.find(f".//{XHTML}main")
    kinds = ("p", "h1", "h2", "h3", "dd", "figcaption")
    return "\n".join(texts(e) for e in main.iter() if e.tag in {XHTML + kind for kind in kinds})


def numbers_in(interval: str) -> tuple[float, float] | None:
    found = re.fullmatch(r"\[(.+), (.+)\]", interval.replace("\N{MINUS SIGN}", "-"))
    return tuple(map(float, found.groups())) if found else None


def is_small(p: str) -> bool:
    return p.startswith("<") or float(p) < 0.05


def pairs_of(tree) -> list[list[str]]:
    table = next(t for t in tree.iter(f"{XHTML}table") if "pairs-caption" in str(t[0].get("id")))
    return [
        [texts(cell) for cell in row]
        + [texts(e) for e in row.iter() if e.get("class") == "interval"]
        for row in table.find(f"{XHTML}tbody")
    ]


@pytest.mark.parametrize(("photos", "reference"), RUNS)
def test_headings_and_sentences_agree_on_whether_there_is_a_winner(reports, photos, reference):
    report = reports(photos, reference)
    index = read(report / "index.html")
    hero = texts(index.find(f".//{XHTML}h1"))
    heads = {texts(h) for h in index.iter(f"{XHTML}h2")}
    best = "is best on" in hero
    assert ("Winners" in heads) == best
    assert ("Best means" in heads) == (not best)
    for name in ("small", "region", "large"):
        page = words_of(read(report / "tiers" / f"{name}.html"))
        found = re.search(r"^(Best|Best mean): (.+)$", page, re.M)
        of_tier = re.search(rf"is best on[^;]*\b{name}\b", hero) is not None
        assert (found[1] == "Best") == of_tier
        assert of_tier == bool(re.search(r"^Ahead of .*: significant, and larger", page, re.M)) or (
            "whether it is larger" in page
        )
    assert (report / "data/summary.md").read_text("utf-8").startswith(f"### {hero}")


@pytest.mark.parametrize(("photos", "reference"), RUNS)
def test_where_nothing_can_be_significant_nothing_is_called_significant(reports, photos, reference):
    report = reports(photos, reference)
    few = photos < 6
    pages = [report / name for name in ("index.html", "tiers/small.html", "tiers/large.html")]
    for page in pages:
        said = words_of(read(page))
        assert (_POWERLESS in said) == few, page
        if few:
            assert not re.search(r"p < 0|p = 0\.0[0-4]|significantly|is best on|p = 1", said), page
    assert ("Few photos." in words_of(read(pages[0]))) == (photos < 10)


@pytest.mark.parametrize(("photos", "reference"), RUNS)
def test_intervals_p_verdicts_and_letters_of_pairs_agree(reports, photos, reference):
    report = reports(photos, reference)
    for name in ("small", "region", "large"):
        tree = read(report / "tiers" / f"{name}.html")
        letters = {
            texts(row.find(f"{XHTML}th//{XHTML}bdi")): texts(tie).rpartition(" ")[2]
            for row in tree.iter(f"{XHTML}tr")
            for tie in row.iter(f"{XHTML}span")
            if tie.get("class") == "tie"
        }
        assert bool(letters) != bool(reference)
        for a, b, _, p, *_, verdict, joint in (
            row if len(row) == 9 else [*row, ""] for row in pairs_of(tree)
        ):
            ends = numbers_in(joint)
            better = "better" in verdict
            assert is_small(p) == better
            assert (ends is not None and (ends[0] > 0 or ends[1] < 0)) <= better
            if a in letters and b in letters:
                assert bool(set(letters[a]) & set(letters[b])) == (not better)
        for cell in tree.iter(f"{XHTML}td"):
            interval, remark = (
                next((texts(e) for e in cell if e.get("class") == kind), "")
                for kind in ("interval", "remark")
            )
            if "not significant" in remark and (ends := numbers_in(interval)):
                assert ends[0] <= 0 <= ends[1]


@pytest.mark.parametrize(("photos", "reference"), RUNS)
def test_what_takes_more_photos_is_said_to(reports, photos, reference):
    report = reports(photos, reference)
    tier = words_of(read(report / "tiers/large.html"))
    assert ("Friedman's test of equal ranks takes 10 photos or more" in tier) == (
        photos < 10 and not reference
    )
    assert re.search(r"equal ranks: p", tier) is None or photos >= 10
    if (report / "difficulty.html").exists():
        said = words_of(read(report / "difficulty.html")) + words_of(read(report / "index.html"))
        crossed = "wins; above" in said
        assert ("Too few photos to show a crossing" in said) <= (photos < 10)
        assert crossed or ("No two methods are shown to change places" in said) == (photos >= 10)


@pytest.mark.parametrize(("photos", "reference"), RUNS)
def test_files_for_programs_say_what_the_pages_say(reports, photos, reference):
    report = reports(photos, reference)
    summary = json.loads((report / "data/summary.json").read_text("utf-8"))
    assert summary["result"] == texts(read(report / "index.html").find(f".//{XHTML}h1"))
    pairs = pd.read_csv(report / "data/pairs.csv")
    assert ((pairs["p_adjusted"] < 0.05) == pairs["significant"]).all()


def test_methods_with_the_same_fills_are_called_identical(tmp_path):
    run = write_large_run(tmp_path / "run", photos=12, methods=5, side=32)
    store = RunFolder(run)
    cases = store.read_table("cases.parquet")
    first = cases[cases["method"] == "method_00"]
    again = first.assign(method="method_01", output_sha=first["output_sha"])
    store.write_table("cases.parquet", pd.concat([cases[cases["method"] != "method_01"], again]))
    report = build(run).parent
    page = words_of(read(report / "tiers/large.html"))
    assert re.search(r"^Identical to Method 0[01] on all photos", page, re.M)
    assert "identical on all photos" in texts(read(report / "tiers/large.html"))
    assert "p = 1" not in page
