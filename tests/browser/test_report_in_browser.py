"""The report as a reader meets it: opened from disk, light and dark, with and without script."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.cli import main
from reports.build import build
from tests.support.sample_run import HOSTILE_NAMES, write_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    names = ["astronaut.png", *HOSTILE_NAMES[:3]]
    folder = write_run(tmp_path_factory.mktemp("browser") / "run", names=names)
    assert main(["report", str(folder), "--baseline", str(folder)]) == 0
    return folder / "report"


def kinds(report: Path) -> dict[str, Path]:
    return {
        "index": report / "index.html",
        "tier": report / "tiers" / "region.html",
        "case": sorted((report / "cases").iterdir())[0],
        "methods": report / "methods.html",
        "method": report / "methods" / "telea.html",
        "regression": report / "regression.html",
        "failures": report / "failures.html",
        "provenance": report / "provenance.html",
    }


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_open_from_disk_without_complaint(visit, report, tmp_path, scheme, width):
    seen = visit(color_scheme=scheme, viewport={"width": width, "height": 800})
    for kind, path in kinds(report).items():
        seen.open(path)
        seen.picture(tmp_path / f"{kind}.png")
        assert (tmp_path / f"{kind}.png").stat().st_size > 5000
        overflow = seen.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, kind
    assert seen.complaints == []
    assert all(url.startswith(("file://", "data:")) for url in seen.requests)
    assert any(url.endswith("-means.svg") for url in seen.requests)


@pytest.mark.parametrize(("scheme", "media", "dark"),
                         [("light", "screen", False), ("dark", "screen", True),
                          ("dark", "print", False)])  # fmt: skip
def test_plots_in_files_have_the_colours_of_the_page(visit, report, tmp_path, scheme, media, dark):
    seen = visit(color_scheme=scheme)
    seen.page.emulate_media(media=media, color_scheme=scheme)
    seen.open(report / "tiers" / "small.html")
    seen.page.locator("img.plot").first.screenshot(path=tmp_path / "plot.png")
    pixels = np.asarray(Image.open(tmp_path / "plot.png").convert("L"))
    assert (np.median(pixels) < 128) == dark  # the page shows through
    names = pixels[:, : pixels.shape[1] // 4]
    assert names.max() > 200  # ink is light on dark, ground on light
    assert (names.min() < 60) or dark


def test_pages_really_follow_the_colour_scheme(visit, report):
    colours = []
    for scheme in ("light", "dark"):
        seen = visit(color_scheme=scheme)
        seen.open(report / "index.html")
        colours.append(seen.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours[0] != colours[1]


def test_all_pictures_load(visit, report):
    seen = visit()
    seen.open(kinds(report)["case"])
    broken = seen.page.evaluate(
        """async () => {
            const all = Array.from(document.images);
            all.forEach(image => { image.loading = "eager"; });
            await Promise.allSettled(all.map(image => image.decode()));
            return all.filter(image => image.naturalWidth === 0).length;
        }"""
    )
    assert broken == 0


def test_long_and_flat_pictures_do_not_stretch_a_page(visit, tmp_path):
    folder = write_run(tmp_path / "run", names=["tall.png"], tiers=["small"])
    for path in [*folder.glob("photos/*.png"), *folder.glob("outputs/*/*/*.png")]:
        Image.open(path).resize((4, 600)).save(path)
    report = build(folder).parent
    seen = visit(viewport={"width": 1280, "height": 800})
    for path in (report / "tiers" / "small.html", *report.glob("cases/*")):
        seen.open(path)
        highest = (
            "Math.max(...Array.from(document.querySelectorAll('main img, main svg image'),"
            " picture => picture.getBoundingClientRect().height))"
        )
        assert 0 < seen.page.evaluate(highest) <= 700


def test_slider_moves_by_keyboard_and_says_so(visit, report):
    seen = visit()
    seen.open(kinds(report)["case"])
    slider = seen.page.get_by_label("Split position")
    slider.focus()
    for key, value in (("ArrowRight", "51"), ("Home", "0"), ("End", "100"), ("ArrowLeft", "99")):
        seen.page.keyboard.press(key)
        assert slider.input_value() == value
    assert slider.get_attribute("aria-valuetext").startswith("99 % Original")
    split = "document.querySelector('.stage').style.getPropertyValue('--split')"
    assert seen.page.evaluate(split) == "99%"


def test_slider_follows_the_pointer_and_the_chosen_pictures(visit, report):
    seen = visit()
    seen.open(kinds(report)["case"])
    frame = seen.page.locator(".stage").bounding_box()
    seen.page.mouse.click(frame["x"] + frame["width"] * 0.25, frame["y"] + 20)
    assert seen.page.get_by_label("Split position").input_value() == "25"
    seen.page.get_by_label("A, left").select_option(label="Mean colour")
    figure = seen.page.locator("figure[data-name='Mean colour']")
    drawn = seen.page.locator(".pane").first.locator(".stack img").all()
    kept = figure.locator("> .stack img").all()
    assert [e.get_attribute("src") for e in drawn] == [e.get_attribute("src") for e in kept]
    assert seen.complaints == []


def test_tables_sort_the_best_first_by_a_button_and_back(visit, report):
    seen = visit()
    seen.open(report / "index.html")
    table = seen.page.locator("table.ranking").first
    button = table.locator("th > button", has_text="PSNR (hole)")
    column = table.locator("tbody.ranked td:nth-child(5)")
    orders = []
    for direction in ("descending", "ascending"):  # of PSNR high is good
        button.click()
        assert table.locator(f"th[aria-sort='{direction}']").count() == 1
        values = column.evaluate_all("all => all.map(td => Number(td.dataset.value))")
        orders.append(values)
    assert orders[0] == sorted(orders[0], reverse=True)
    assert orders[1] == sorted(orders[0])
    assert len(orders[0]) >= 3


def test_everything_is_readable_without_script(visit, report):
    seen = visit(java_script_enabled=False)
    seen.open(report / "index.html")
    seen.page.get_by_text("Why this metric ranks").click()
    for text in ("Telea", "SSIM (hole)", "lpips_hole was not among", "No completed case"):
        assert seen.page.get_by_text(text).first.is_visible(), text
    seen.open(kinds(report)["case"])
    assert seen.page.locator("[data-compare] img:not([alt=''])").count() == 2
    assert all(image.is_visible() for image in seen.page.locator("[data-compare] img").all())
    assert seen.page.get_by_label("Split position").count() == 0
    assert seen.page.locator("table tbody.ranked tr").count() >= 4


def test_a_moved_report_still_opens(visit, report, tmp_path):
    moved = Path(shutil.copytree(report, tmp_path / "moved to ünïcode #1"))
    seen = visit()
    seen.open(moved / "index.html")
    seen.page.get_by_role("link", name="region", exact=True).click()
    assert "Region holes" in seen.page.locator("h1").inner_text()
    assert seen.complaints == []
