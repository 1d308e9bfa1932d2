"""A dot a case: links without script; with it pictures, other methods, and a choice."""

from __future__ import annotations

import pytest

HEARD = "document.addEventListener('choose-cases', event => { window.chosen = event.detail; })"


@pytest.fixture
def page(full_report):
    return full_report / "tiers" / "large.html"


def middle(link) -> tuple[float, float]:
    box = link.locator("circle").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def data(seen) -> dict:
    return seen.page.evaluate("report.data('dots-data')")


def test_without_script_each_dot_leads_to_its_case(visit, page, full_report):
    bare = visit(java_script_enabled=False)
    bare.open(page)
    links = bare.page.locator(".versus a").all()
    assert len(links) == len(list(full_report.glob("cases/*.html"))) / 3
    assert bare.page.locator(".along a").count() == 2 * len(links)
    addresses = {link.get_attribute("href") for link in links}
    assert len(addresses) == len(links)
    links[1].click()
    bare.page.wait_for_url("**/cases/**")
    assert bare.page.url.endswith(links_of(addresses, bare.page.url))


def links_of(addresses: set, url: str) -> str:
    (found,) = (each for each in addresses if url.endswith(each.removeprefix("..")))
    return found.removeprefix("..")


@pytest.mark.parametrize("way", ["mouse", "keys"])
def test_a_dot_shows_the_hole_and_both_fills_and_opens_its_case(visit, page, way):
    seen = visit(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    seen.open(page)
    assert not seen.page.locator(".peek").is_visible()
    assert seen.page.locator(".peek img").count() == 0  # nothing is loaded before
    link = seen.page.locator(".versus a").first
    if way == "mouse":
        link.scroll_into_view_if_needed()
        link.element_handle().wait_for_element_state("stable")  # pictures above may still load
        seen.page.mouse.move(*middle(link))
    else:
        link.focus()
        seen.page.keyboard.press("ArrowLeft")
        seen.page.keyboard.press("ArrowRight")
    peek = seen.page.locator(".peek")
    peek.wait_for()
    assert peek.locator("figure").count() == 3
    seen.page.wait_for_function(
        "Array.from(document.querySelectorAll('.peek img')).every(i => i.naturalWidth > 0)"
    )
    row = seen.page.evaluate("document.querySelector('.peek p').textContent")
    (case,) = (case for case in data(seen)["cases"] if case["name"] == row)
    if way == "mouse":
        seen.page.mouse.click(*middle(link))
    else:
        seen.page.keyboard.press("Enter")
    seen.page.wait_for_url(f"**/cases/{case['page']}.html?b=*")
    assert seen.complaints == []


def test_a_rectangle_chooses_cases_and_a_button_shows_all(visit, page):
    seen = visit(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    seen.open(page)
    seen.page.evaluate(HEARD)
    seen.page.locator(".along").scroll_into_view_if_needed()
    x, y = middle(seen.page.locator(".versus a").nth(1))
    seen.page.mouse.move(x - 9, y - 9)
    seen.page.mouse.down()
    seen.page.mouse.move(x + 9, y + 9, steps=3)
    seen.page.mouse.up()
    chosen = seen.page.evaluate("window.chosen")
    assert data(seen)["cases"][1]["page"] in chosen
    assert seen.page.locator(".versus a:not(.out)").count() == len(chosen) < 5
    assert f"{len(chosen)} of " in seen.page.locator(".chosen").inner_text()
    seen.page.get_by_role("button", name="Show all cases").click()
    assert seen.page.evaluate("window.chosen") is None
    assert seen.page.locator(".out").count() == 0


def test_other_methods_are_drawn_on_the_same_axes(visit, page):
    seen = visit(reduced_motion="reduce")
    seen.open(page)
    found = data(seen)
    other = len(found["methods"]) - 1
    assert other >= 2
    ticks = seen.page.locator(".versus .up").inner_html()
    seen.page.locator("#dots ~ .tools select").nth(1).select_option(index=other)
    assert seen.page.locator(".versus .up").inner_html() == ticks
    scale = found["scales"][1]
    for row, link in enumerate(seen.page.locator(".versus a").all()):
        value = found["values"][row][other]
        share = (value - scale["low"]) / (scale["high"] - scale["low"])
        place = scale["start"] + share * (scale["end"] - scale["start"])
        assert float(link.locator("circle").get_attribute("cy")) == pytest.approx(place, abs=0.06)
        assert f"?b={found['columns'][other]}" in link.get_attribute("href")
    name = found["methods"][other]
    assert name in seen.page.locator(".versus .axis").nth(1).text_content()
    values = [(row[0], row[other]) for row in found["values"]]
    worse = sum(b > a if found["higher"] else b < a for a, b in values)
    assert f"{name} better: {worse}" in seen.page.locator(".versus").text_content()
