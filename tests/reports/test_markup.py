"""Every page: valid, labelled, safe, and small enough."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import reports
from tests.support.reading import XHTML, texts

SOURCES = Path(reports.__file__).parent


def test_all_page_kinds_are_there_and_parse_strictly(trees, report):
    names = {path.relative_to(report).parts[0] for path in trees if path.is_relative_to(report)}
    assert names == {
        "index.html", "difficulty.html", "methods.html", "failures.html", "provenance.html",
        "votes.html", "tiers", "cases", "methods",
    }  # fmt: skip


def test_references_are_relative_and_lead_to_files(trees):
    for path, tree in trees.items():
        for element in tree.iter():
            for name in ("src", "href", "srcset"):
                target = element.get(name)
                if target is None or target.startswith("data:image/svg+xml,"):
                    continue
                if element.get("rel") == "noopener":
                    assert element.tag == f"{XHTML}a"
                    assert target.startswith("https://")
                    continue
                assert not re.match(r"[a-z]+:|/", target), (path, target)
                file, _, anchor = target.partition("#")
                file = file.partition("?")[0]
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
            if script.get("type") == "application/json":  # data, which is never run
                assert json.loads(script.text)
                assert script.get("id")
                continue
            assert re.search(r"assets/[a-z]+\.js$", script.get("src"))
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
        crops = tree.findall(".//{http://www.w3.org/2000/svg}image")
        assert len({each.get("src") or each.get("href") for each in (*images, *crops)}) <= 400
        # What lies below a picture is of its size, and no picture of its own.
        layers = tree.findall(f".//{XHTML}span/{XHTML}img[@alt='']")
        for image in images:
            assert image.get("alt") or image in layers, path
            assert image in layers or int(image.get("width")) > 0
            assert image in layers or int(image.get("height")) > 0
        for stack in tree.findall(f".//{XHTML}span[@class='stack']"):
            assert [bool(image.get("alt")) for image in stack] == [False, True], path
        assert len(path.read_bytes()) <= 1_000_000


def test_headings_start_with_one_h1_and_skip_no_level(trees):
    for path, tree in trees.items():
        levels = [int(e.tag[-1]) for e in tree.iter() if re.fullmatch(f"{XHTML}h[1-6]", str(e.tag))]
        assert levels[0] == 1, path
        assert levels.count(1) == 1
        assert all(b - a <= 1 for a, b in itertools.pairwise(levels)), path


def test_nothing_is_hidden_without_the_script(trees):
    """But for the controls of the viewer, which hold no picture, number or link."""
    for tree in trees.values():
        kept = [part for each in tree.iter(f"{XHTML}template") for part in each.iter()]
        tags = {part.tag.removeprefix(XHTML) for part in kept}
        assert not tags & {"img", "svg", "table", "a", "dl", "figure", "form"}
        for element in tree.iter():
            assert element.get("hidden") is None
            assert element.tag not in (f"{XHTML}noscript", f"{XHTML}dialog") or element in kept
            assert element.tag != f"{XHTML}template" or element.get("id") == "viewer"
        assert tree.find(".").get("lang") == "en"


def test_templates_never_switch_escaping_off():
    for path in [*SOURCES.rglob("*.html"), *SOURCES.rglob("*.py")]:
        text = path.read_text("utf-8")
        assert not re.search(r"\|\s*safe\b|Markup|autoescape\s*(=|\s)\s*[Ff]alse", text), path


def test_attributes_are_quoted_in_templates():
    for path in SOURCES.rglob("*.html"):
        assert not re.search(r"=\{\{", path.read_text("utf-8")), path


def test_script_and_style_are_small():
    sizes = Counter()
    for path in (SOURCES / "static").iterdir():
        sizes[path.suffix] += path.stat().st_size
    assert sizes[".js"] <= 40_000
    assert sizes[".css"] <= 30_000
    assert set(sizes) == {".js", ".css"}
