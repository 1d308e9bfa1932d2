"""What a reader operates: tiers, views and sizes without script; comparing with it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reports.site.album import VIRIDIS
from tests.support.every_page import kinds

pytestmark = pytest.mark.slow
TIMES = "\N{MULTIPLICATION SIGN}"


@pytest.fixture
def case(full_report) -> Path:
    return kinds(full_report)["cases"]


@pytest.fixture
def bare(visit):
    """Without script."""
    return visit(java_script_enabled=False, viewport={"width": 1280, "height": 900})


# -- without script -----------------------------------------------------------------------------


def test_a_radio_button_shows_the_ranking_of_one_tier_or_of_all(bare, full_report):
    bare.open(full_report / "index.html")
    panels = bare.page.locator("section.panel")
    tiers = bare.page.locator("section.tabs input")
    assert panels.count() == 3
    for chosen in range(3):
        tiers.nth(chosen).check()
        assert [p.is_visible() for p in panels.all()] == [i == chosen for i in range(3)]
    tiers.nth(3).check()
    assert all(p.is_visible() for p in panels.all())


def test_a_radio_button_shows_quality_against_time_of_one_tier(bare, full_report):
    bare.open(full_report / "index.html")
    charts = bare.page.locator("div.panel .chart")
    assert charts.count() == 3
    for chosen in range(3):
        bare.page.locator("div.tabs input").nth(chosen).check()
        assert [c.is_visible() for c in charts.all()] == [i == chosen for i in range(3)]


def test_all_rankings_are_printed(bare, full_report):
    bare.open(full_report / "index.html")
    bare.page.emulate_media(media="print")
    assert all(p.is_visible() for p in bare.page.locator("section.panel").all())


def test_the_keyboard_walks_through_the_tiers(bare, full_report):
    bare.open(full_report / "index.html")
    bare.page.locator("section.tabs input").first.focus()
    bare.page.keyboard.press("ArrowRight")
    assert bare.page.locator("section.panel.p2").is_visible()
    assert not bare.page.locator("section.panel.p1").is_visible()


def test_a_radio_button_shows_one_of_the_four_views_of_every_fill(bare, full_report):
    bare.open(full_report / "tiers" / "large.html")
    views = bare.page.locator(".gallery a .view").all()
    assert len(views) >= 10
    seen = []
    for name in ("result", "hole outlined", "error map", f"difference {TIMES} 4"):
        bare.page.get_by_label(name, exact=True).check()
        seen.append(views[0].screenshot())
    assert len(set(seen)) == 4


def test_a_map_of_errors_has_the_colours_of_the_errors(bare, case):
    bare.open(case)
    view = bare.page.locator(".view.error").first
    files = [case.parent / each.get_attribute("src") for each in view.locator("img").all()]
    truth, fill, *laid = (Image.open(file).convert("RGBA") for file in files)
    for patch in laid:
        fill = Image.alpha_composite(fill, patch)
    away = np.abs(np.array(truth, float) - fill)[..., :3].mean(axis=2) / 255
    assert away.max() > 0.1
    expected = VIRIDIS[(63 * np.minimum(2 * away, 1)).round().astype(int)].mean(axis=(0, 1))
    shown = np.array(Image.open(io.BytesIO(view.screenshot())).convert("RGB")).mean(axis=(0, 1))
    assert np.abs(shown - expected).max() < 8  # it is shown enlarged


def test_a_radio_button_sets_the_size_of_all_thumbnails(bare, full_report):
    bare.open(full_report / "tiers" / "large.html")
    widths = []
    for name in ("S", "M", "L"):
        bare.page.get_by_label(name, exact=True).check()
        boxes = [each.bounding_box()["width"] for each in bare.page.locator(".gallery .view").all()]
        assert max(boxes) - min(boxes) < 1
        widths.append(boxes[0])
    assert widths == sorted(widths)
    assert widths[2] >= 2 * widths[0]


def test_wins_are_shaded_to_both_sides_of_a_half(bare, full_report):
    bare.open(full_report / "tiers" / "large.html")
    cells = bare.page.locator(".wins td").all()
    ground = "e => getComputedStyle(e).backgroundColor"
    shades = {cell.inner_text(): cell.evaluate(ground) for cell in cells}
    counts = sorted(int(words) for words in shades if words)
    assert counts[0] < 30
    assert counts[-1] > 70
    assert len({shades[str(counts[0])], shades[str(counts[-1])], shades[""]}) == 3


def test_pictures_of_a_case_lie_side_by_side(bare, case):
    bare.open(case)
    pictures = bare.page.locator("[data-compare] img:not([alt=''])")
    first, second = (each.bounding_box() for each in pictures.all())
    assert first["x"] + first["width"] <= second["x"]
    assert bare.page.locator("[type=range]").count() == 0


def test_the_order_a_reader_came_by_is_kept_by_its_links(bare, full_report):
    bare.open(full_report / "tiers" / "large-worst.html")
    titles = bare.page.locator(".gallery tbody th a").all_inner_texts()
    bare.page.locator(".gallery tbody th a").first.click()
    for number in range(1, 4):
        assert bare.page.url.endswith("#worst")
        shown = [nav.get_attribute("id") for nav in bare.page.locator(".steps").all()
                 if nav.is_visible()]  # fmt: skip
        assert shown == ["worst"]
        assert f": {number} of {len(titles)}" in bare.page.locator("#worst").inner_text()
        bare.page.locator("#worst a[rel=next]").click()
    bare.page.locator("#worst a[rel=prev]").click()
    assert f": {number} of " in bare.page.locator("#worst").inner_text()


def test_a_case_opened_by_itself_shows_one_order(bare, case):
    bare.open(case)
    assert [nav.is_visible() for nav in bare.page.locator(".steps").all()].count(True) == 1


def test_the_window_of_disagreement_is_enlarged_three_times_pixel_by_pixel(bare, case):
    bare.open(case)
    for crop in bare.page.locator("svg.crop").all():
        side = int(crop.get_attribute("viewBox").split()[2])
        assert crop.bounding_box()["width"] == pytest.approx(3 * side)
        for image in crop.locator("image").all():
            assert image.evaluate("e => getComputedStyle(e).imageRendering") == "pixelated"
    assert bare.complaints == []


# -- with script --------------------------------------------------------------------------------


@pytest.fixture
def live(visit, case):
    seen = visit(viewport={"width": 1280, "height": 900})
    seen.open(case)
    return seen


def test_any_pair_can_be_chosen_samples_of_other_methods_included(live):
    names = live.page.get_by_label("A, left").locator("option").all_inner_texts()
    assert names[:2] == ["Original", "With mask"]
    assert {"Telea", "Shift-map", "Mean colour"} <= set(names)
    for label, name in (("A, left", "Telea"), ("B, right", "Shift-map")):
        live.page.get_by_label(label).select_option(label=name)
    pictures = live.page.locator(".stage img:not([alt=''])")
    expected = [
        live.page.locator(f"figure[data-name='{name}'] > .stack img").last.get_attribute("src")
        for name in ("Telea", "Shift-map")
    ]
    assert [each.get_attribute("src") for each in pictures.all() if each.is_visible()] == expected
    assert "Telea, rest Shift-map" in live.page.get_by_label("Split position").get_attribute(
        "aria-valuetext"
    )


def test_side_by_side_takes_both_halves_and_stops_the_slider(live):
    live.page.get_by_label("2 panes").check()
    first, second = (pane.bounding_box() for pane in live.page.locator(".pane").all()[:2])
    assert first["x"] + first["width"] <= second["x"]
    assert first["width"] == pytest.approx(second["width"], abs=1)
    assert live.page.get_by_label("Split position").is_disabled()
    live.page.get_by_label("slider").check()
    first, second = (pane.bounding_box() for pane in live.page.locator(".pane").all()[:2])
    assert first == second


def test_a_fill_clicked_in_the_gallery_is_the_one_compared_and_stays_it(visit, full_report):
    seen = visit(viewport={"width": 1280, "height": 900})
    seen.open(full_report / "tiers" / "large-worst.html")
    column = seen.page.locator(".gallery thead th").all_inner_texts()
    place = next(i for i, words in enumerate(column) if words.startswith("Shift-map"))
    seen.page.locator(f".gallery tbody tr:first-child > :nth-child({place + 1}) a").click()
    for _ in range(2):
        chosen = seen.page.get_by_label("B, right").locator("option:checked")
        assert chosen.inner_text() == "Shift-map"
        assert re.search(r"\?b=\d+.*#worst$", seen.page.url)
        seen.page.locator("#worst a[rel=next]").click()
    assert seen.complaints == []


def test_everything_on_the_case_page_works_by_keyboard(live):
    live.page.get_by_label("fit").focus()
    live.page.keyboard.press("ArrowRight")
    assert live.page.get_by_label(f"{TIMES} 1", exact=True).is_checked()
    live.page.locator(".stage").focus()
    assert "stage" in live.page.evaluate("document.activeElement.className")
    assert live.page.locator(".pane").first.get_attribute("aria-label").startswith("A: ")
