"""Every kind of page for everyone: axe-core, keyboard, narrow, large, printed, without script."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.files import single_file
from tests.support.every_page import kinds

pytestmark = pytest.mark.slow
OPEN_ALL = "document.querySelectorAll('details').forEach(each => { each.open = true; })"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PRINTED_WIDTH = 718  # A4 less margins of 1 cm, in CSS pixels
# Whatever a reader should see, text of its own, pictures, controls, and does not: by place.
HIDDEN = """() => Array.from(document.querySelectorAll('main *')).flatMap((element, place) => {
    const words = Array.from(element.childNodes).some(
        node => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!words && !['IMG', 'INPUT', 'A', 'BUTTON'].includes(element.tagName)) return [];
    if (element.closest('.hidden, option, script, details:not([open])')) return [];
    // Panes and layers of the viewer that are not chosen, and its list of keys.
    if (element.closest('.compare :is([hidden], dialog:not([open]), img[alt=""])')) return [];
    const box = element.getBoundingClientRect();
    const seen = box.width && box.height && getComputedStyle(element).visibility === 'visible';
    return seen ? [] : [`${place} ${element.outerHTML.slice(0, 120)}`];
})"""
# Text that is cut off by its own box; regions that scroll are meant to.
CUT_OFF = """() => Array.from(document.querySelectorAll('body *')).filter(element => {
    const style = getComputedStyle(element);
    if (element.closest('.hidden, .skip')) return false;
    if (!['hidden', 'clip'].includes(style.overflowX)) return false;
    return element.scrollWidth > element.clientWidth + 1 && element.textContent.trim();
}).map(element => element.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def pages(full_report) -> dict[str, Path]:
    found = kinds(full_report)
    assert len(found) >= 10
    return found | {"single file": single_file.write(full_report)}


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 1280),
        ("dark", 320),
        pytest.param("light", 320, marks=pytest.mark.nightly),
        pytest.param("dark", 1280, marks=pytest.mark.nightly),
    ],
)
def test_axe_finds_nothing(visit, pages, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    seen = visit(color_scheme=scheme, viewport={"width": width, "height": 800})
    found, rules = [], set()
    for kind, path in pages.items():
        seen.open(path)
        seen.page.evaluate(OPEN_ALL)
        # Without preloading: it would fetch the style sheet again, which the policy forbids.
        result = axe.run(seen.page, options={"preload": False}).response
        rules |= {rule["id"] for rule in result["passes"]}
        for rule in result["violations"]:
            first = rule["nodes"][0]
            found.append((kind, rule["impact"], rule["id"], first["html"], first["failureSummary"]))
    assert found == []
    assert {"color-contrast", "image-alt", "label", "region", "heading-order"} <= rules
    assert seen.complaints == []


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_no_page_scrolls_sideways(visit, pages, width):
    """640 pixels are what a window of 1280 has at 200 % zoom."""
    seen = visit(viewport={"width": width, "height": 800})
    for kind, path in pages.items():
        seen.open(path)
        seen.page.evaluate(OPEN_ALL)
        assert seen.page.evaluate(SIDEWAYS) <= 0, kind
        assert seen.page.evaluate(CUT_OFF) == [], kind


def test_text_of_twice_the_size_is_neither_cut_off_nor_beside_the_page(visit, pages):
    seen = visit(viewport={"width": 1280, "height": 800})
    for kind, path in pages.items():
        seen.open(path)
        seen.page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert seen.page.evaluate(SIDEWAYS) <= 0, kind
        assert seen.page.evaluate(CUT_OFF) == [], kind


def open_details(page) -> None:
    closed = page.locator("main details:not([open]) > summary:visible")
    while closed.count():
        closed.first.click()


def unseen_now(page) -> set[str]:
    """What is not seen though all is opened, and all asked for that a box shows more of."""
    open_details(page)
    for box in page.locator("main input.more:visible").all():
        box.check()
    return set(page.evaluate(HIDDEN))


def hidden(page) -> set[str]:
    """What no choice of a reader shows: neither opening, nor choosing, nor following a link."""
    unseen = unseen_now(page)
    for opener in page.locator("main [popovertarget]").all():
        if opener.is_visible():
            opener.click()
            unseen &= set(page.evaluate(HIDDEN))
            page.keyboard.press("Escape")
    for radio in page.locator("main input[type=radio]").all():
        radio.check()
        unseen &= unseen_now(page)
    start = page.url
    targets = page.evaluate(
        """() => Array.from(document.querySelectorAll('main [id]')).filter(
            element => element.getClientRects().length === 0).map(element => element.id)"""
    )
    for name in targets:
        page.goto(f"{start}#{name}")
        unseen &= set(page.evaluate(HIDDEN))
    return unseen


def test_everything_can_be_seen_without_script(visit, pages):
    seen = visit(java_script_enabled=False)
    for kind, path in pages.items():
        seen.open(path)
        assert seen.page.locator("main *").count() > 10
        assert seen.page.locator("table th > button, [type=range]").count() == 0, "a script ran"
        # What a button would copy stands beside it; without script it could not.
        assert all("data-copy" in each for each in hidden(seen.page)), kind
        copied = seen.page.locator("[data-copy]").evaluate_all(
            "all => all.map(e => document.body.textContent.includes(e.dataset.copy))"
        )
        assert all(copied), kind
        assert seen.page.locator("main details:not([open])").count() == 0, kind
        assert seen.complaints == []


def test_nothing_is_hidden_with_script_either(visit, pages):
    seen = visit()
    for kind, path in pages.items():
        seen.open(path)
        assert hidden(seen.page) == set(), kind


def test_printed_pages_show_all_details_and_no_controls_and_fit_the_paper(visit, pages, tmp_path):
    seen = visit(viewport={"width": PRINTED_WIDTH, "height": 1000}, color_scheme="dark")
    seen.page.emulate_media(media="print")
    for kind, path in pages.items():
        seen.open(path)
        for controls in ("nav", ".skip", "input", "select"):
            for each in seen.page.locator(controls).all():
                assert not each.is_visible(), (kind, controls)
        for details in seen.page.locator("details:not(.menu)").all():  # menus are controls
            assert details.locator(":scope > :not(summary)").first.is_visible(), kind
        ground = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 255)", kind
        assert seen.page.evaluate(SIDEWAYS) <= 0, kind
        pdf = seen.page.pdf(path=tmp_path / "page.pdf", format="A4")
        assert pdf.startswith(b"%PDF")


# -- keyboard only ----------------------------------------------------------------------------

FOCUSED = """() => {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    return {
        ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
        covered: element.tagName === 'A' && element.closest('main') !== null
            && document.querySelector('.top').contains(document.elementFromPoint(
                box.left + box.width / 2, Math.max(box.top, 0) + 1)),
        what: element.outerHTML.slice(0, 100),
        tag: element.tagName,
        place: Array.from(document.querySelectorAll('*')).indexOf(element),
    };
}"""


def test_tab_reaches_everything_in_order_and_shows_where_it_is(visit, pages):
    seen = visit(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    for kind, path in pages.items():
        seen.open(path)
        expected = seen.page.evaluate(
            """() => Array.from(document.querySelectorAll(
                'a[href], button, input, select, summary, [tabindex="0"]'
            )).filter(e => e.tabIndex >= 0 && !e.disabled && e.checkVisibility()
                && (e.type !== 'radio' || e.checked)).length"""
        )
        places = []
        while len(places) < 1000:
            seen.page.keyboard.press("Tab")
            focus = seen.page.evaluate(FOCUSED)
            if focus is None or focus["place"] in places:
                break
            assert focus["ring"], (kind, focus["what"])
            assert focus["seen"], (kind, focus["what"])
            assert not focus["covered"], (kind, focus["what"])
            places.append(focus["place"])
        assert len(places) == expected, kind
        assert places == sorted(places), kind


def test_the_first_tab_skips_to_the_content(visit, full_report):
    seen = visit()
    seen.open(full_report / "index.html")
    seen.page.keyboard.press("Tab")
    link = seen.page.get_by_role("link", name="Skip to the content")
    assert link.bounding_box()["width"] > 50
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.id") == "content"
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_tables_sort_by_keyboard_and_say_so(visit, full_report, key):
    seen = visit()
    seen.open(full_report / "index.html")
    table = seen.page.locator("table[data-sortable]").first
    button = table.locator("th[data-sort='high'] > button").first
    button.focus()
    for direction in ("descending", "ascending"):
        seen.page.keyboard.press(key)
        assert table.locator("th[aria-sort]").count() == 1
        assert table.locator(f"th[aria-sort='{direction}'] > button").evaluate(
            "button => button === document.activeElement"
        )


def test_details_open_by_keyboard(visit, full_report):
    seen = visit()
    seen.open(full_report / "tiers" / "large.html")
    summary = seen.page.locator("summary").first
    summary.focus()
    seen.page.keyboard.press("Enter")
    assert seen.page.locator("details").first.get_attribute("open") is not None


def test_wide_tables_scroll_by_keyboard(visit, full_report):
    seen = visit(viewport={"width": 320, "height": 800})
    seen.open(full_report / "index.html")
    region = seen.page.locator(".scroll:visible").first
    region.focus()
    for _ in range(5):
        seen.page.keyboard.press("ArrowRight")
    seen.page.wait_for_timeout(300)
    assert region.evaluate("element => element.scrollLeft") > 0


def test_controls_are_large_enough_to_hit(visit, pages):
    seen = visit(viewport={"width": 1280, "height": 800})
    for kind, path in pages.items():
        seen.open(path)
        # What is inside a label is hit by hitting the label.
        controls = "button, select, summary, nav a, label:has(input), input:not(label input)"
        for each in seen.page.locator(controls).all():
            box = each.bounding_box()
            if box and each.is_visible():
                assert min(box["width"], box["height"]) >= 24, (kind, each.inner_text(), box)


def test_nothing_moves_where_the_reader_wants_less_motion(visit, full_report):
    scrolling = "getComputedStyle(document.documentElement).scrollBehavior"
    for wish, expected in (("reduce", "auto"), ("no-preference", "smooth")):
        seen = visit(reduced_motion=wish)
        seen.open(full_report / "index.html")
        assert seen.page.evaluate(scrolling) == expected
