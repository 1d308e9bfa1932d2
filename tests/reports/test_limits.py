"""How large pages may be, however large the run."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pandas as pd
import pytest

import reports
from bench.statistics import headline_metric
from reports.build import build, read_run
from reports.results import orders
from reports.results.ranking import rank
from tests.support.large_run import write_large_run
from tests.support.reading import XHTML, pages_of

CONTROLS = {f"{XHTML}{tag}" for tag in ("input", "select", "button", "summary")}
STATIC = Path(reports.__file__).parent / "static"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def large_trees(large):
    return pages_of(large)


def fetched(page: Path, tree) -> set[Path]:
    """Files that a browser fetches for a page at once: not what is lazy, one plot of two."""
    named = [link.get("href") for link in tree.iter(f"{XHTML}link")]
    named += [script.get("src") for script in tree.iter(f"{XHTML}script")]
    named += [i.get("src") for i in tree.iter(f"{XHTML}img") if i.get("loading") != "lazy"]
    files = {page.parent / name for name in named if not name.startswith("data:")}
    return {page, *files}


def test_the_overview_fetches_at_most_600_kilobytes_at_once(large, full_report, large_trees):
    for report in (large, full_report):
        page = report / "index.html"
        files = fetched(page, large_trees.get(page) or pages_of(report)[page])
        assert len(files) > 5
        assert sum(path.stat().st_size for path in files) <= 600_000


def test_a_page_has_at_most_a_megabyte_400_pictures_and_30000_elements(large_trees):
    assert len(large_trees) > 100
    for path, tree in large_trees.items():
        assert path.stat().st_size <= 1_000_000, path
        assert len({image.get("src") for image in tree.iter(f"{XHTML}img")}) <= 400, path
        assert sum(1 for _ in tree.iter()) <= 30_000, path


def test_tables_have_at_most_500_rows(large_trees):
    for path, tree in large_trees.items():
        for table in tree.iter(f"{XHTML}table"):
            assert len(list(table.iter(f"{XHTML}tr"))) <= 510, path


def test_thumbnails_stay_below_16_kilobytes_and_pictures_are_lazy_in_galleries(large, large_trees):
    pictures = list((large / "pictures").rglob("*.webp"))
    assert len(pictures) > 1000
    assert max(path.stat().st_size for path in pictures) < 16_000
    for path, tree in large_trees.items():
        if path.parent.name == "tiers":
            images = tree.findall(f".//{XHTML}table[@class='gallery']//{XHTML}img")
            assert {image.get("loading") for image in images} <= {"lazy"}, path


def test_script_and_style_have_no_dependency(large_trees):
    assert sum(path.stat().st_size for path in STATIC.iterdir()) <= 70_000
    for path in STATIC.iterdir():
        text = path.read_text("utf-8")
        assert not re.search(r"@import|\bimport\b *[({\"']|\brequire\(", text), path
        assert "http" not in text.replace("http://www.w3.org/2000/svg", ""), path
        assert "url(" not in text.replace("url(#", ""), path  # but of the page itself


def test_every_control_has_a_name(large_trees, trees):
    seen = 0
    for path, tree in (large_trees | trees).items():
        labelled = {each for label in tree.iter(f"{XHTML}label") for each in label.iter()}
        controls = (e for e in tree.iter() if e.tag in CONTROLS)
        for control in controls:
            seen += 1
            words = "".join(control.itertext()).strip()
            assert control in labelled or control.get("aria-label") or words, path
        for link in tree.iter(f"{XHTML}a"):
            pictures = [image.get("alt") for image in link.iter(f"{XHTML}img")]
            assert "".join(link.itertext()).strip() or any(pictures), path
    assert seen > 20


def test_a_report_shows_at_most_2000_cases_however_many_tiers(tmp_path):
    run = read_run(write_large_run(tmp_path / "run", photos=60, methods=4))
    assert orders.MOST_CASES == 2000
    tiers = [f"tier{number}" for number in range(50)]

    def spread(table: pd.DataFrame) -> pd.DataFrame:
        own = table[table["tier"] == "small"]
        return pd.concat([own.assign(tier=tier) for tier in tiers], ignore_index=True)

    cases = spread(run.cases).astype({"tier": "category"})
    run = dataclasses.replace(run, plan=spread(run.plan), cases=cases)
    ranking = rank(run, "tier7", headline_metric(run.metrics))
    shown = orders.orders(run, ranking, [])
    assert len(shown[0].keys) == 2000 // 50
    assert [o.keys for o in orders.orders(run, ranking, [])] == [o.keys for o in shown]


def test_ten_times_the_cases_make_no_longer_pages_and_all_are_in_the_downloads(tmp_path):
    elements, megabytes = {}, {}
    for photos in (100, 1000):
        run = write_large_run(
            tmp_path / str(photos), photos=photos, methods=4, pictures=True, side=24
        )
        report = build(run).parent
        pages = {path: path.read_bytes() for path in report.rglob("*.html")}
        elements[photos] = max(
            len(re.findall(rb"<[a-z]", text))
            for path, text in pages.items()
            if path.name != "provenance.html"  # lists up to 500 photos
        )
        shown = sum(path.parent.name == "cases" for path in pages)
        files = (path for path in report.rglob("*") if path.is_file())
        megabytes[photos] = sum(f.stat().st_size for f in files if f.parent.name != "data") / 1e6
        assert shown == len(pd.read_csv(report / "data" / "shown.csv")) <= 3 * 120
        assert len(pd.read_parquet(report / "data" / "cases.parquet")) == 4 * 3 * photos
    assert elements[1000] <= 1.1 * elements[100]
    assert megabytes[1000] <= 1.5 * megabytes[100]
    text = (report / "tiers" / "small.html").read_text("utf-8")
    own = pd.read_csv(report / "data" / "shown.csv").query("tier == 'small'")
    assert f"{len(own)} of 1000 cases have pictures: 40 drawn by their hash" in text
