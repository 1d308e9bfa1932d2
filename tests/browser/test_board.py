"""The board of bundles in a browser: what agrees, what differs, what was corrected or left out."""

from __future__ import annotations

import filecmp
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench.bundle.bundle import read, write
from bench.cli import main
from reports.board.build import build
from tests.support.bundles import changed, elsewhere, recomputed, small_run

pytestmark = pytest.mark.slow
HOSTILE = '<img src=x onerror=alert(1)>"&\u202e../../x'
OPEN_ALL = "document.querySelectorAll('details').forEach(each => { each.open = true; })"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Bundles of one run by three machines: two agree, the third does not, and one is damaged."""
    folder = tmp_path_factory.mktemp("board")
    given = folder / "given"
    given.mkdir()
    run = small_run(folder / "run")
    first = given / "first.bundle.json"
    assert main(["bundle", str(run), "--out", str(first)]) == 0
    elsewhere(first, given / "second.bundle.json", "Another processor")
    hostile = read(first)
    methods = [replace(each, title=HOSTILE, name=f"{each.name}-{HOSTILE}")
               for each in hostile.methods]  # fmt: skip
    write(replace(hostile, methods=methods), given / "third.bundle.json")
    words = ["--correct", f"wrong radius {HOSTILE}", "--method", "mean"]
    assert main(["bundle", str(first), *words]) == 0
    changed(first, given / "bent.bundle.json", lambda value: value["cases"].pop())
    (given / "empty.bundle.json").write_text("")
    return given


@pytest.fixture(scope="module")
def board(folder) -> Path:
    index, refused = build(folder, folder / "board")
    assert sorted(file for file, _ in refused) == ["bent.bundle.json", "empty.bundle.json"]
    return index.parent


@pytest.fixture(scope="module")
def page(board) -> Path:
    """Of the runs, which follow no protocol."""
    (found,) = (p for p in (board / "protocols").iterdir() if "Own photos" in p.read_text("utf-8"))
    return found


def test_numbers_of_two_machines_that_agree_are_reproduced_and_corrections_struck_out(visit, page):
    seen = visit(viewport={"width": 1280, "height": 900})
    seen.open(page)
    rows = seen.page.locator(".sheet").first.locator("tbody tr").all()
    kinds = [
        (row.locator(".method").inner_text(), row.locator(".kind").inner_text()) for row in rows
    ]
    assert kinds.count(("Telea", "reproduced")) == 2
    corrected = [row for row in rows if row.locator(".correction").count()]
    assert [row.locator(".method").inner_text() for row in corrected] == ["Mean colour"]
    assert corrected[0].locator(".correction").inner_text().startswith("Corrected ")
    assert corrected[0].locator("td s").count() > 0
    assert seen.complaints == []


def test_bundles_that_differ_say_in_what(folder, tmp_path):
    """Of another machine's fills the hashes are others, and so are values and means."""
    elsewhere(folder / "second.bundle.json", tmp_path / "one.bundle.json", "one")
    bent = elsewhere(folder / "second.bundle.json", tmp_path / "two.bundle.json", "two")
    methods = [replace(m, fills=replace(m.fills, values=scaled(m.fills))) for m in bent.methods]
    write(recomputed(replace(bent, methods=methods)), tmp_path / "two.bundle.json")
    index, refused = build(tmp_path, tmp_path / "out")
    assert refused == []
    text = "".join(p.read_text("utf-8") for p in (index.parent / "protocols").iterdir())
    assert "differs in " in text
    assert 'class="differs"' in text
    assert 'class="reproduced"' not in text


def scaled(fills) -> dict[str, list[float | None]]:
    return {name: [v and v * 1.02 for v in values] for name, values in fills.values.items()}


def test_kinds_are_filtered_without_script(visit, page):
    bare = visit(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    bare.open(page)
    assert bare.page.locator("tr.reproduced:visible").count() > 0
    bare.page.locator("input.reproduced-too").uncheck()
    assert bare.page.locator("tr.reproduced:visible").count() == 0
    assert bare.page.locator("tr.measured:visible").count() > 0


def test_a_heading_sorts_and_names_are_text(visit, page):
    seen = visit(viewport={"width": 1280, "height": 900})
    seen.open(page)
    table = seen.page.locator(".sheet table").first
    table.locator("th[data-sort] button").nth(1).click()
    values = [float(cell.get_attribute("data-value"))
              for cell in table.locator("tbody tr td:nth-child(6)[data-value]").all()]  # fmt: skip
    assert values == sorted(values, reverse=True)
    assert HOSTILE in table.locator("tbody").inner_text()
    assert seen.page.locator("main img").count() == 0
    assert seen.complaints == []


def test_downloads_are_the_bundles_and_all_links_lead_somewhere(board):
    assert len(list((board / "bundles").iterdir())) == 3
    for each in (board / "bundles").iterdir():
        assert each.name == f"{read(each).checksum}.bundle.json"
    for html in board.rglob("*.html"):
        for link in re.findall(r'href="([^"#]+)', html.read_text("utf-8")):
            assert link.startswith("data:") or (html.parent / link).exists(), link


def test_the_same_bundles_give_the_same_bytes(folder, board, tmp_path):
    again = build(folder, tmp_path / "again")[0].parent
    files = sorted(p.relative_to(board) for p in board.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file())
    names = list(map(str, files))
    assert filecmp.cmpfiles(board, again, names, shallow=False) == (names, [], [])


@pytest.mark.parametrize(
    ("scheme", "width"), [pytest.param("light", 1280, marks=pytest.mark.nightly), ("dark", 320)]
)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(visit, board, page, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    seen = visit(color_scheme=scheme, viewport={"width": width, "height": 800})
    for path in (board / "index.html", page, board / "protocols" / "mat-places-512-large.html"):
        seen.open(path)
        seen.page.evaluate(OPEN_ALL)
        found = axe.run(seen.page, options={"preload": False})
        assert found.violations_count == 0, found.generate_report()
        assert seen.page.evaluate(SIDEWAYS) <= 0, path
    assert seen.complaints == []


def test_a_folder_that_is_none_is_refused(tmp_path, capsys):
    assert main(["board", str(tmp_path / "gone")]) == 2
    assert "expected a folder" in capsys.readouterr().err
