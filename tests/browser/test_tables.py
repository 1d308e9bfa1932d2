"""Rankings and galleries as tools: what they show, in which order, copied and kept."""

from __future__ import annotations

import csv
import re
import urllib.parse

import pytest

from reports.build import build
from tests.support.large_run import write_large_run

pytestmark = pytest.mark.slow
DESK = {"width": 1400, "height": 900}


@pytest.fixture
def live(visit, full_report):
    """A tier's page, with its ranking."""
    seen = visit(viewport=DESK)
    seen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    seen.open(full_report / "tiers" / "large.html")
    return seen


def shown(rows) -> list[list[str]]:
    """Texts of the cells that are seen, of the rows that are."""
    return rows.evaluate_all(
        """rows => rows.filter(row => row.checkVisibility()).map(row => Array.from(row.cells)
            .filter(cell => cell.checkVisibility()).map(cell => cell.innerText))"""
    )


def copied(seen, name: str) -> str:
    sheet = seen.page.locator(".sheet").first
    sheet.get_by_role("button", name=name).click()
    sheet.get_by_role("button", name="Copied").wait_for()
    text = seen.page.evaluate("navigator.clipboard.readText()")
    sheet.get_by_role("button", name=name).wait_for()
    return text


# -- rankings ---------------------------------------------------------------------------------


def test_intervals_are_there_on_demand_without_script(visit, full_report):
    seen = visit(java_script_enabled=False, viewport=DESK)
    seen.open(full_report / "tiers" / "large.html")
    intervals = seen.page.locator(".ranking .interval")
    assert intervals.count() > 10
    assert not any(each.is_visible() for each in intervals.all())
    seen.page.get_by_label("Intervals and families").check()
    assert all(each.is_visible() for each in intervals.all())


def test_columns_and_methods_are_chosen_and_the_copies_hold_what_is_shown(live):
    sheet = live.page.locator(".sheet").first
    rows = sheet.locator("tbody:not(.absent) tr:not(.group)")
    before = shown(rows)
    sheet.get_by_text("Columns", exact=True).click()
    sheet.get_by_label("Time (").uncheck()
    sheet.get_by_text("Methods", exact=True).click()
    method = sheet.locator("tbody th .method").nth(1).inner_text()
    sheet.get_by_label(method, exact=True).uncheck()
    sheet.locator("th[data-sort='high'] > button").first.click()
    after = shown(rows)
    assert len(after) == len(before) - 1
    assert {len(row) for row in after} == {len(before[0]) - 1}
    assert "Time (" not in copied(live, "CSV")

    found = list(csv.reader(copied(live, "CSV").splitlines()))
    assert [len(row) for row in found] == [len(after[0])] * (len(after) + 1)
    methods = [row[1].split("\n")[0] for row in after]
    assert [row[1] for row in found[1:]] == methods
    assert method not in methods
    minus = str.maketrans("\N{MINUS SIGN}", "-")
    assert [row[2] for row in found[1:]] == [
        row[2].split("\n")[0].translate(minus) for row in after
    ]

    lines = copied(live, "Markdown").splitlines()
    assert len(lines) == len(after) + 2
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(after[0]) + 1}
    assert any("**" in line for line in lines)


def test_copied_latex_is_a_whole_table_without_bare_special_characters(live):
    text = copied(live, "LaTeX")
    head, *lines = text.split("\\toprule\n")[1].split("\\bottomrule")[0].splitlines()
    columns = re.search(r"\\begin\{tabular\}\{([lr]+)\}", text)[1]
    rows = [head, *(line for line in lines if line != "\\midrule")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {len(columns) - 1}
    assert all(row.endswith(" \\\\") for row in rows)
    assert text.count("\\textbf{") >= 1
    assert text.isascii()
    assert not re.search(r"(?<!\\)[%#_]", text.split("\n", 1)[1])


def test_a_browser_without_a_clipboard_still_copies_or_shows_the_text(live):
    live.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    button = live.page.locator(".sheet").first.get_by_role("button", name="CSV")
    button.click()
    live.page.get_by_role("button", name="Copied").wait_for()
    live.page.get_by_role("button", name="CSV").wait_for()
    live.page.evaluate("document.execCommand = () => false")
    button.click()
    area = live.page.get_by_label("Text to copy")
    assert area.input_value().startswith("Rank,Method,")
    assert area.evaluate("area => area.selectionEnd - area.selectionStart") > 100


def test_head_and_methods_stay_in_view_in_a_table_that_scrolls(visit, full_report):
    seen = visit(viewport={"width": 500, "height": 300})
    seen.open(full_report / "tiers" / "large.html")
    box = seen.page.locator(".sheet .scroll")
    box.scroll_into_view_if_needed()
    box.evaluate("box => box.scrollTo(200, 200)")
    place, name = box.bounding_box(), box.locator("tbody.ranked th").last.bounding_box()
    head = box.locator("thead").bounding_box()
    assert abs(name["x"] - place["x"]) <= 2
    assert abs(head["y"] - place["y"]) <= 2


def test_a_ranking_by_12_metrics_of_long_names_does_not_scroll_at_1400_pixels(live):
    """Columns and rows are made up in the page: no run that is quick to make has as many."""
    live.page.evaluate(
        """() => {
            const table = document.querySelector('.ranking'), head = table.tHead.rows[0];
            const columns = () => head.querySelectorAll('.aim').length;
            while (columns() < 12) for (const row of table.rows) if (row.cells.length > 4)
                row.insertBefore(row.cells[4].cloneNode(true), row.cells[5]);
            const rows = table.tBodies[0].rows;
            while (rows.length < 25) rows[0].after(rows[0].cloneNode(true));
            Array.from(rows).forEach((row, index) => {
                const title = 'a method of many words '.repeat(4) + index;
                row.querySelector('.method').textContent = title;
            });
        }"""
    )
    box = live.page.locator(".sheet .scroll")
    assert box.evaluate("box => box.scrollWidth - box.clientWidth") <= 0


def test_each_metric_is_defined_where_its_name_stands_without_script(visit, full_report):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    seen = visit(viewport=DESK)
    seen.open(full_report / "tiers" / "large.html")
    seen.page.get_by_role("button", name="What is PSNR (hole)?").click()
    assert seen.page.locator(".definition:popover-open").inner_text().startswith("PSNR (hole)")
    assert axe.run(seen.page, options={"preload": False}).response["violations"] == []

    seen = visit(java_script_enabled=False, viewport=DESK)
    seen.open(full_report / "tiers" / "large.html")
    openers = seen.page.locator(".ranking [popovertarget]")
    assert openers.count() == seen.page.locator(".definition").count() >= 5
    for opener in openers.all():
        opener.click()
        words = seen.page.locator(".definition:popover-open").inner_text()
        assert re.search(r"Direction\s+(higher|lower) is better", words)
        assert "Range" in words
        assert "Computed as" in words
        seen.page.keyboard.press("Escape")


# -- galleries --------------------------------------------------------------------------------


def rows_of(page) -> list[str]:
    return page.locator("table.gallery tbody tr:visible").evaluate_all(
        "rows => rows.map(row => row.dataset.case)"
    )


def test_cases_are_filtered_and_the_address_keeps_how(live, visit, full_report):
    page = live.page
    every = rows_of(page)
    shares = dict(
        page.evaluate("JSON.parse(document.getElementById('cases-data').textContent)"
                      ".map(each => [each[0], each[2]])")
    )  # fmt: skip
    middle = sorted(shares[case] for case in every)[len(every) // 2]
    page.get_by_label("Hole, %, from").fill(str(middle))
    kept = rows_of(page)
    assert kept == [case for case in every if shares[case] >= middle]
    assert 0 < len(kept) < len(every)
    assert (
        f"{len(kept)} of the {len(every)} cases"
        in page.locator(".gallery-views [role=status]").inner_text()
    )

    page.get_by_label("Sort by").select_option("hole share")
    assert rows_of(page) == sorted(kept, key=shares.get)
    page.get_by_label("reversed").check()
    kept = rows_of(page)
    assert kept == sorted(kept, key=shares.get, reverse=True)
    page.locator(".filters summary").click()
    page.locator(".filters .menu input").first.uncheck()
    columns = page.locator("table.gallery thead th:visible").all_inner_texts()
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(page.url).query)
    assert state["sort"] == ["hole share"]

    again = visit(viewport=DESK)
    again.page.goto(page.url)
    assert rows_of(again.page) == kept
    assert again.page.locator("table.gallery thead th:visible").all_inner_texts() == columns
    page.get_by_role("searchbox").fill("no such photo")
    assert page.locator(".gallery-views [role=status]").inner_text() == "No case matches."
    page.get_by_role("button", name="Clear").click()
    page.wait_for_url(lambda url: "?" not in url)
    assert rows_of(page) == every
    assert live.complaints == again.complaints == []


def test_cases_sort_by_how_good_a_method_is_on_them(live):
    page = live.page
    head = page.locator("table.gallery thead th[data-sort]").first
    page.get_by_label("Sort by").select_option(f"best of {head.locator('.method').inner_text()}")
    column = head.evaluate("head => head.cellIndex")
    values = page.locator("table.gallery tbody tr").evaluate_all(
        "(rows, column) => rows.map(row => Number(row.cells[column].dataset.value))", column
    )
    assert values == sorted(values, reverse=head.get_attribute("data-sort") == "high")
    assert len(set(values)) > 1


def test_a_plot_chooses_cases_and_those_of_other_pages_are_named(visit, tmp_path):
    report = build(write_large_run(tmp_path / "run", photos=25, methods=3, pictures=True, side=24))
    seen = visit(viewport=DESK)
    seen.open(report.parent / "tiers" / "small.html")
    here = rows_of(seen.page)[0]
    away = seen.page.evaluate(
        "JSON.parse(document.getElementById('cases-data').textContent).at(-1)[0]"
    )
    assert away not in rows_of(seen.page)
    seen.page.evaluate(
        "chosen => document.dispatchEvent(new CustomEvent('choose-cases', {detail: chosen}))",
        [here, away],
    )
    assert rows_of(seen.page) == [here]
    link = seen.page.locator("[role=status] a")
    assert link.count() == 1
    link.click()
    seen.page.wait_for_load_state("load")
    assert seen.page.url.endswith(f"/cases/{away}.html")
    assert seen.complaints == []
