"""The one-file overview as a reader opens it: from anywhere, alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reports.files import single_file

pytestmark = pytest.mark.slow


@pytest.fixture
def alone(full_report, tmp_path) -> Path:
    """The file by itself in a folder, with a name that needs quoting."""
    return Path(shutil.copy(single_file.write(full_report), tmp_path / "a report #1.html"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_shows_everything_and_asks_for_nothing(visit, alone, scheme):
    seen = visit(color_scheme=scheme)
    seen.open(alone)
    asked = [url for url in seen.requests if not url.startswith("data:")]
    assert asked == [alone.as_uri()]
    assert seen.complaints == []
    sizes = seen.page.evaluate(
        """async () => {
            const all = Array.from(document.images);
            all.forEach(image => { image.loading = "eager"; });
            await Promise.allSettled(all.map(image => image.decode()));
            return all.map(image => image.naturalWidth);
        }"""
    )
    assert len(sizes) > 10
    assert min(sizes) > 0


def test_style_and_script_work_under_the_policy(visit, alone):
    seen = visit()
    seen.open(alone)
    assert seen.page.evaluate("getComputedStyle(document.body).margin") == "0px"
    table = seen.page.locator("table[data-sortable]").first
    table.locator("th[data-sort] > button").nth(1).click()
    assert table.locator("th[aria-sort]").count() == 1
    assert seen.complaints == []


def test_without_script_the_numbers_are_there(visit, alone):
    seen = visit(java_script_enabled=False)
    seen.open(alone)
    assert seen.page.locator("h1").is_visible()
    assert seen.page.locator("table tbody.ranked td").first.is_visible()
    assert seen.complaints == []


def test_no_link_leads_to_a_page_that_is_not_there(visit, alone):
    seen = visit()
    seen.open(alone)
    links = seen.page.evaluate("Array.from(document.links, link => link.getAttribute('href'))")
    assert all(link.startswith(("#", "https://")) for link in links)
    for link in (link for link in links if link.startswith("#")):
        assert seen.page.locator(link).count() == 1
