"""What the pages of a report weigh and how soon a reader sees a picture, as Chromium tells it.

    python -m tests.speed.report_pages runs/bench/report

A row a kind of page: kB of its file, elements, pixels from the top to the first fill and to the
first table, height at 1400 and at 400 pixels of width, whether it scrolls sideways at 1400, and its
first paint as a multiple of an empty page's (medians of five, in turns).
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import pandas as pd

from tests.support.every_page import kinds
from tests.support.visits import ARGUMENTS, CHROMIUM

TURNS = 5
_FACTS = """() => {
  const top = element => element ? Math.round(element.getBoundingClientRect().top + scrollY) : NaN;
  const pictures = Array.from(document.querySelectorAll("main img, main svg image")).filter(
    image => image.getBoundingClientRect().width > 40);
  return {
    elements: document.querySelectorAll("*").length,
    "first picture, px": top(pictures[0]),
    "first table, px": top(document.querySelector("main table")),
    "sideways, px": document.documentElement.scrollWidth - innerWidth,
    "hidden in tables, px": Math.max(0, ...Array.from(document.querySelectorAll(".scroll"),
      box => box.scrollWidth - box.clientWidth)),
    "height at 1400, px": document.documentElement.scrollHeight,
  };
}"""
_PAINT = """() => new Promise(done => new PerformanceObserver(list => list.getEntries().forEach(
  entry => entry.name === "first-contentful-paint" && done(entry.startTime)
)).observe({type: "paint", buffered: true}))"""


def pages(report: Path, browser) -> pd.DataFrame:
    """A row a kind of page."""
    found = kinds(report)
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty.html"
        empty.write_text("<!DOCTYPE html><title>empty</title><p>empty")
        paints = _paints(browser, {"empty": empty, **found})
    rows = {}
    for name, path in found.items():
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(path.as_uri())
        facts = page.evaluate(_FACTS)
        page.set_viewport_size({"width": 400, "height": 800})
        height = page.evaluate("document.documentElement.scrollHeight")
        page.close()
        rows[name] = {
            "kB": round(path.stat().st_size / 1000), **facts, "height at 400, px": height,
            "first paint, x empty": round(paints[name] / paints["empty"], 1),
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")


def _paints(browser, found: dict[str, Path]) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(TURNS):
        for name, path in found.items():
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(path.as_uri())
            times[name].append(page.evaluate(_PAINT))
            page.close()
    return {name: statistics.median(each) for name, each in times.items()}


def main(report: Path) -> None:
    """Print all of it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        print(pages(report, browser).to_string())
        browser.close()
    files = [path for path in report.rglob("*") if path.is_file()]
    print(f"{sum(path.stat().st_size for path in files) / 1e6:.1f} MB in {len(files)} files")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
