"""Names of files and addresses that mean harm."""

from __future__ import annotations

import re
import shutil

from bench.text import numbers
from reports.build import build, read_run
from reports.site.site import static
from tests.support.reading import XHTML, edit, pages_of, texts
from tests.support.sample_run import HOSTILE_NAMES


def test_hostile_names_stay_text(hostile):
    for tree in pages_of(hostile).values():
        scripts = [each for each in tree.findall(f".//{XHTML}script") if each.get("src")]
        assert len(scripts) == len(static(".js"))
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
    fixed = {*static(".css"), *static(".js"), "small.html", "index.html", "methods.html",
             "difficulty.html", "failures.html", "votes.html", "provenance.html", "pictures.json",
             "summary.json", "summary.md", "ranking.tex"}  # fmt: skip
    fixed |= {f"{numbers.slug(name)}.html" for name in read_run(hostile.parent).methods.index}
    tables = ("cases", "summary", "pairs", "shown")
    fixed |= {f"{name}.{form}" for name in tables for form in ("csv", "parquet")}
    ours = r"[0-9a-f]{16}\.(png|webp|html)|small(-[a-z]+)+(-\d)?\.(html|svg)"
    for path in hostile.rglob("*"):
        if path.is_file() and path.name not in fixed:
            assert re.fullmatch(ours, path.name), path


def test_addresses_that_are_not_of_the_web_are_no_links(report):
    page = (report / "methods" / "fussy.html").read_text("utf-8")
    assert "javascript:alert(1)" in page
    assert 'href="javascript' not in page
    assert 'href="https://doi.org/' in (report / "methods" / "telea.html").read_text("utf-8")


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
