"""The comparison of a case's pictures: keys, panes, layers, and its state in the address."""

from __future__ import annotations

import functools
import http.server
import io
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.every_page import kinds

pytestmark = pytest.mark.slow
TIMES = "\N{MULTIPLICATION SIGN}"
# Where the hole lies in a pane, and the pane, as left, top, width and height on the screen.
_PLACED = """pane => {
    const hole = document.querySelector('[data-compare]').dataset.hole.split(' ').map(Number);
    const frame = pane.getBoundingClientRect();
    const at = new DOMMatrix(getComputedStyle(pane.querySelector('.moved')).transform);
    return {hole: [at.e + hole[0] * at.a, at.f + hole[1] * at.d, hole[2] * at.a, hole[3] * at.d],
            scale: at.a, pane: [frame.width, frame.height]};
}"""


@pytest.fixture
def case(full_report) -> Path:
    return kinds(full_report)["cases"]


@pytest.fixture
def live(visit, case):
    seen = visit(viewport={"width": 1400, "height": 900})
    seen.open(case)
    return seen


def press(seen, *keys: str) -> None:
    for key in keys:
        seen.page.keyboard.press(key)


def shown(seen) -> list[str]:
    """What the panes say they show, from the first on, as far as they are seen."""
    return [tag.inner_text() for tag in seen.page.locator(".pane .tag").all() if tag.is_visible()]


def placed(seen, pane: int = 0) -> dict:
    return seen.page.locator(".pane").nth(pane).evaluate(_PLACED)


def address(seen) -> str:
    """The query of the address, once it says what is seen."""
    seen.page.wait_for_timeout(300)  # it is written when a reader has stopped for a while
    return seen.page.evaluate("location.search")


def test_digits_flip_methods_and_0_shows_the_original(live):
    fills = live.page.locator("figure[data-key]").evaluate_all(
        "all => all.filter(e => e.dataset.key > 0).map(e => e.dataset.name)"
    )
    for key in ("1", "3", "2"):
        press(live, key)
        assert shown(live) == ["A: Original", f"B: {fills[int(key) - 1]}"]
    press(live, "0")
    assert shown(live)[1] == "B: Original"
    assert live.complaints == []


def test_space_shows_one_or_the_other_in_the_same_place(live):
    press(live, "2", " ")
    first, where = shown(live), placed(live)["hole"]
    press(live, " ")
    assert (first[-1][0], shown(live)[-1][0]) == ("A", "B") or first != shown(live)
    assert placed(live)["hole"] == where
    assert live.page.get_by_label("Split position").is_disabled()
    press(live, "s")
    assert live.page.get_by_label("Split position").is_enabled()


def test_arrows_go_to_the_next_case_and_keep_what_is_compared(live):
    press(live, "3", "e")
    chosen, here = shown(live), Path(live.page.url.split("?")[0]).stem
    press(live, "ArrowRight")
    live.page.wait_for_url(lambda address: here not in address)
    assert shown(live) == chosen
    assert live.page.get_by_label("maps of errors").is_checked()
    press(live, "ArrowLeft")
    live.page.wait_for_url(lambda address: here in address)
    assert shown(live) == chosen


def test_help_lists_the_keys_closes_by_escape_and_gives_the_focus_back(live):
    button = live.page.get_by_role("button", name="Keys ?")
    button.focus()
    press(live, "?")
    dialog = live.page.get_by_role("dialog")
    assert "Space" in dialog.inner_text()
    press(live, "Escape")
    assert dialog.count() == 0
    assert button.evaluate("e => e === document.activeElement")


def test_keys_of_the_browser_and_of_controls_are_left_alone(live):
    before = shown(live)
    press(live, "Control+2", "Alt+2")
    live.page.get_by_label("A, left").focus()
    press(live, "2")
    assert shown(live)[1] == before[1]
    slider = live.page.get_by_label("Split position")
    slider.focus()
    press(live, "ArrowRight")
    assert slider.input_value() == "51"
    assert "/cases/" in live.page.url


def test_it_starts_at_the_hole_which_is_seen_as_a_whole_and_larger_than_in_the_whole_picture(live):
    start = placed(live)
    (left, top, width, height), pane = start["hole"], start["pane"]
    assert min(left, top) >= -1
    assert left + width <= pane[0] + 1
    assert top + height <= pane[1] + 1
    live.page.get_by_label("fit").check()
    assert placed(live)["scale"] <= start["scale"]
    press(live, "h")
    assert placed(live) == start


@pytest.mark.parametrize("view", ["2", "3", "4", "5", "6"])
def test_panes_have_one_size_one_zoom_and_move_together(live, view):
    live.page.get_by_label("2 panes" if view == "2" else view, exact=True).check()
    panes = [pane for pane in live.page.locator(".pane").all() if pane.is_visible()]
    assert len(panes) == int(view)
    assert len(set(shown(live))) == len(panes)
    press(live, "+", "+", "+")
    box, before = panes[-1].bounding_box(), placed(live)
    live.page.mouse.move(box["x"] + 60, box["y"] + 60)
    live.page.mouse.down()
    live.page.mouse.move(box["x"] + 40, box["y"] + 50, steps=3)
    live.page.mouse.up()
    found = [pane.evaluate(_PLACED) for pane in panes]
    for each in found:
        assert each["hole"] == pytest.approx(found[0]["hole"], abs=1.5)
        assert each["scale"] == before["scale"]
    assert found[0]["hole"] != before["hole"]
    boxes = [pane.bounding_box() for pane in panes]
    assert len({(round(box["width"]), round(box["height"])) for box in boxes}) == 1


def test_a_drag_moves_the_split_near_its_line_and_the_picture_elsewhere(live):
    press(live, "+", "+", "+")
    box = live.page.locator(".stage").bounding_box()
    split, middle = live.page.get_by_label("Split position"), box["x"] + box["width"] / 2

    def drag(start: float, right: float) -> None:
        live.page.mouse.move(start, box["y"] + 90)
        live.page.mouse.down()
        live.page.mouse.move(start + right, box["y"] + 80, steps=4)
        live.page.mouse.up()

    before = placed(live)
    drag(middle + 5, 100)
    assert int(split.input_value()) > 55
    assert placed(live) == before
    value = split.input_value()
    drag(box["x"] + 60, 20)
    assert split.input_value() == value
    assert placed(live) != before


def test_layers_are_laid_over_the_pictures(live):
    stage = live.page.locator(".stage")
    plain = stage.screenshot()
    press(live, "o")
    outlined = stage.screenshot()
    press(live, "o", "e")
    errors = stage.screenshot()
    assert len({plain, outlined, errors}) == 3
    press(live, "e")
    same = [np.array(Image.open(io.BytesIO(each)), float) for each in (plain, stage.screenshot())]
    assert np.abs(same[0] - same[1]).mean() < 1


def test_the_address_opens_what_was_seen(live, visit):
    live.page.get_by_label("4", exact=True).check()
    live.page.get_by_label(f"{TIMES} 2", exact=True).check()
    press(live, "3", "o")
    seen, where, query = shown(live), placed(live), address(live)
    assert "view=4" in query
    other = visit(viewport={"width": 1400, "height": 900})
    other.page.goto(live.page.url)
    assert shown(other) == seen
    assert placed(other)["hole"] == pytest.approx(where["hole"], abs=2)
    assert other.page.get_by_label("outline of the hole").is_checked()


@pytest.mark.parametrize("query", ["?b=99&view=9&zoom=x&at=1&split=-4", "?a=<b>&layers=%00", "?b="])
def test_an_address_that_says_nothing_of_use_opens_the_usual_view(visit, case, query):
    seen = visit(viewport={"width": 1400, "height": 900})
    seen.page.goto(case.as_uri() + query)
    assert shown(seen)[0] == "A: Original"
    assert len(shown(seen)) == 2
    assert seen.complaints == []


def test_a_method_of_the_table_is_shown_by_its_number(live):
    button = live.page.locator("tr[data-fill='3'] .key")
    button.click()
    assert shown(live)[1].removeprefix("B: ") in button.get_attribute("aria-label")
    assert button.get_attribute("aria-pressed") == "true"


def test_from_disk_it_is_said_that_no_picture_can_be_saved_and_what_to_do(live):
    assert "--full-pictures" in live.page.locator(".compare").inner_text()
    assert live.page.get_by_role("button", name=re.compile("^Download")).count() == 0


def test_a_served_page_saves_the_picture_as_it_is_composed(visit, full_report, case, tmp_path):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(full_report))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        seen = visit(viewport={"width": 1400, "height": 900})
        seen.page.goto(f"http://127.0.0.1:{server.server_port}/cases/{case.name}")
        seen.page.wait_for_load_state("load")
        press(seen, "2")
        with seen.page.expect_download() as download:
            seen.page.get_by_role("button", name=re.compile("^Download")).nth(1).click()
        download.value.save_as(tmp_path / "saved.png")
        server.shutdown()
    saved = np.array(Image.open(tmp_path / "saved.png").convert("RGB"), int)
    layers = seen.page.locator("figure[data-key='2'] > .stack img").evaluate_all(
        "all => all.map(each => each.getAttribute('src'))"
    )
    below, fill = (Image.open(case.parent / each).convert("RGBA") for each in layers)
    composed = np.array(Image.alpha_composite(below, fill).convert("RGB"), int)
    assert np.abs(saved - composed).max() <= 2
