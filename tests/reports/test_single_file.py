"""The overview as one file, and the report as one archive."""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from pathlib import Path

import html5lib
import pytest

from bench.cli import main
from bench.errors import BenchError
from reports.build import build
from reports.files import archive as packed
from reports.files import single_file
from tests.support.reading import XHTML
from tests.support.sample_run import HOSTILE_NAMES, write_run


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("single") / "run"
    return build(write_run(folder, names=["a.png", *HOSTILE_NAMES[:4]], side=32)).parent


@pytest.fixture(scope="module")
def page(report):
    path = single_file.write(report)
    return html5lib.HTMLParser(strict=True).parse(path.read_bytes())


def elements(tree, tag: str) -> list:
    return list(tree.iter(f"{XHTML}{tag}"))


def test_it_refers_to_no_other_file(page):
    for element in page.iter():
        for name in ("src", "srcset", "href", "data-src"):
            value = element.get(name)
            web = element.tag == f"{XHTML}a" and re.match("https?://|#", value or "#")
            assert web or value is None or value.startswith("data:"), (element.tag, value)


def test_it_holds_what_the_overview_shows(page, report):
    overview = html5lib.parse((report / "index.html").read_bytes())
    for tag in ("h1", "h2", "table", "img", "caption", "th", "td"):
        assert len(elements(page, tag)) == len(elements(overview, tag)) > 0, tag
    drawn = [list(tree.iter("{http://www.w3.org/2000/svg}path")) for tree in (page, overview)]
    assert len(drawn[0]) == len(drawn[1]) > 0
    for one, other in zip(elements(page, "img"), elements(overview, "img"), strict=True):
        data = base64.b64decode(one.get("src").partition(",")[2])
        assert data == (report / other.get("src")).read_bytes()
        assert [one.get(name) for name in ("alt", "width", "height")] == [
            other.get(name) for name in ("alt", "width", "height")
        ]
    words = [" ".join("".join(tree.find(f".//{XHTML}main").itertext()).split())
             for tree in (page, overview)]  # fmt: skip
    assert words[1].partition("How to read this")[0] in words[0]


def test_the_policy_names_the_hashes_of_its_style_and_script_and_nothing_else(page):
    policies = [m for m in elements(page, "meta") if m.get("http-equiv")]
    assert len(policies) == 1
    rules = dict(rule.strip().split(" ", 1) for rule in policies[0].get("content").split(";"))
    for tag in ("style", "script"):
        (only,) = elements(page, tag)
        digest = base64.b64encode(hashlib.sha256(only.text.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data:"


def test_at_most_so_many_pictures_are_inside_and_the_rest_is_named(report, monkeypatch, tmp_path):
    monkeypatch.setattr(single_file, "MOST_THUMBNAILS", 5)
    text = single_file.write(report).read_text("utf-8")
    assert len(set(re.findall(r"data:image/webp;base64,[^\"]+", text))) == 5
    left_out = re.search(r"(\d+) pictures were left out", text)
    assert 0 < text.count('class="missing"') <= int(left_out.group(1))


def test_more_than_the_limit_is_refused_with_the_reason_and_nothing_is_written(report, monkeypatch):
    place = report.with_name("report.html")
    place.unlink(missing_ok=True)
    monkeypatch.setattr(single_file, "MOST_BYTES", 50_000)
    with pytest.raises(BenchError, match=r"at most 0 MB, found 0\.\d MB, of which 0\.\d MB"):
        single_file.write(report)
    assert not place.exists()


def test_the_limit_holds_and_is_that_of_the_docs(report):
    assert (single_file.MOST_BYTES, single_file.MOST_THUMBNAILS) == (10_000_000, 60)
    assert single_file.write(report).stat().st_size < 1_000_000


def test_both_are_made_by_the_command_and_are_the_same_each_time(report, capsys):
    command = ["report", str(report.parent), "--single-file", "--zip"]
    assert main(command) == 0
    said = capsys.readouterr().out
    made = [report.with_name(name) for name in ("report.html", "report.zip")]
    first = [path.read_bytes() for path in made]
    assert all(str(path) in said for path in made)
    assert main(command) == 0
    assert [path.read_bytes() for path in made] == first


def test_the_archive_holds_the_report_file_by_file(report, tmp_path):
    with zipfile.ZipFile(packed.write(report)) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    files = {path.relative_to(report.parent) for path in report.rglob("*") if path.is_file()}
    there = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert there == files
    assert all((tmp_path / p).read_bytes() == (report.parent / p).read_bytes() for p in files)
