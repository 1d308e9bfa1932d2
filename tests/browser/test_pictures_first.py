"""The picture under the headline, and the way from there to a method's worst case."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("script", [True, False])
def test_the_first_fill_is_on_the_first_screen_and_chips_choose_it(visit, full_report, script):
    seen = visit(viewport={"width": 1400, "height": 900}, java_script_enabled=script)
    seen.open(full_report / "index.html")
    fills = seen.page.locator(".panes:visible .cut img[alt$=' result']")
    assert fills.count() == 1
    assert fills.first.bounding_box()["y"] < 700
    chosen = seen.page.locator(".choice").nth(2)
    chosen.click()
    assert fills.count() == 1
    assert fills.get_attribute("alt").removesuffix(" result") in chosen.inner_text()
    assert seen.page.locator(".panes:visible .whole").count() == (0 if script else 1)
    if script:
        slider = seen.page.locator(".hero input[type=range]")
        slider.focus()
        seen.page.keyboard.press("ArrowRight")
        split = "document.querySelector('.hero').style.getPropertyValue('--split')"
        assert seen.page.evaluate(split) == "51%"
    assert seen.complaints == []


def test_a_methods_worst_case_is_two_clicks_from_the_overview(visit, full_report):
    seen = visit(viewport={"width": 1400, "height": 900})
    seen.open(full_report / "index.html")
    seen.page.locator("a.named:visible", has_text="Telea").first.click()
    assert seen.page.locator("h1").inner_text() == "Telea"
    seen.page.locator(".trios:visible a").first.click()
    assert "/cases/" in seen.page.url
    assert seen.page.locator("figure[data-name='Telea']").count() == 1
    assert seen.complaints == []
