"""Photos with hostile names, from files on disk through a run to clicks in the browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.cli import main
from bench.text.numbers import printable
from reports.files import single_file
from tests.support.sample_run import HOSTILE_NAMES

pytestmark = pytest.mark.slow
# Those of them that a file can have; one more names a folder, as photo ids do.
NAMES = [
    *(name for name in HOSTILE_NAMES if "/" not in name),
    "javascript:alert(2)//.png",
    "{{ 7*7 }}{% raw %}.png",
    "%2e%2e%2fetc%00.png",
    "<img src=x onerror=alert(3)>/<svg onload=alert(4)>.png",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    for number, name in enumerate(NAMES):
        path = folder / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (6, 6, 3), np.uint8)
        kind = "JPEG" if path.suffix not in (".png",) else "PNG"
        try:
            Image.fromarray(pixels).resize((48, 48)).save(path, kind)
        except OSError as error:
            pytest.skip(f"this file system has no such names: {error}")
    command = ["run", "--images", str(folder / "photos"), "--out", str(folder / "run"), "--size",
               "48", "--tiers", "large", "--methods", "telea,mean", "--metrics", "ssim_hole,l1",
               "--executor", "inline", "--offline"]  # fmt: skip
    assert main(command) == 0
    return folder / "run"


def photos(run: Path) -> list[str]:
    return list(pd.read_parquet(run / "plan.parquet")["photo"])


def test_every_name_that_a_photo_file_can_have_is_in_the_run(run):
    expected = [name for name in NAMES if Path(name).suffix == ".png"]
    assert sorted(photos(run)) == sorted(expected)
    assert len(expected) >= 12


def test_every_name_is_text_and_leads_by_clicks_to_its_case(run, visit):
    seen = visit()
    seen.open(run / "report" / "index.html")
    seen.page.get_by_role("navigation").get_by_role("link", name="large", exact=True).click()
    tier = seen.page.url
    links = seen.page.locator("table.gallery th[scope=row] a")
    names = [" ".join(printable(name).split()) for name in photos(run)]
    assert sorted(" ".join(text.split()) for text in links.all_inner_texts()) == sorted(names)
    for place in range(links.count()):
        name = " ".join(links.nth(place).inner_text().split())
        links.nth(place).click()
        assert " ".join(seen.page.locator("h1").inner_text().split()) == name
        picture = seen.page.locator(".fills img").first
        assert " ".join(name.split()) in " ".join(picture.get_attribute("alt").split())
        seen.page.get_by_label("Split position").press("ArrowRight")
        seen.page.goto(tier)
    assert seen.complaints == []
    assert all(url.startswith(("file://", "data:")) for url in seen.requests)
    inside = run.parent.as_uri()
    assert all(url.startswith((inside, "data:")) for url in seen.requests)


def test_no_page_holds_an_element_that_a_name_made(run, visit):
    seen = visit()
    pages = [*(run / "report").rglob("*.html"), single_file.write(run / "report")]
    assert len(pages) > len(NAMES)
    for path in pages:
        seen.open(path)
        made = seen.page.evaluate(
            """() => ({
                scripts: document.querySelectorAll(
                    "script:not([type='application/json'], [src*='assets/'][src$='.js'])"
                ).length,
                strange: document.querySelectorAll(
                    '[onerror], [onload], [src="x"], iframe, object, embed, base, '
                    + 'form:not(.filters)'
                ).length,
                links: Array.from(document.links, link => link.protocol),
            })"""
        )
        assert made["scripts"] == (path == pages[-1]), path  # the single file's own
        assert made["strange"] == 0, path
        assert {"javascript:"}.isdisjoint(made["links"]), path
    assert seen.complaints == []


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)></svg>",
        "<a id=attack href='javascript:alert(1)'>go</a>",
        "<img src='https://example.invalid/spy.png'>",
        "<link rel=stylesheet href='https://example.invalid/spy.css'>",
        "<iframe src='https://example.invalid/'></iframe>",
        "<form id=attack action='https://example.invalid/'><button>go</button></form>",
        "<base href='https://example.invalid/'><img src=spy.png>",
        "<style>body { display: none }</style>",
    ],
)
@pytest.mark.parametrize("form", ["folder", "single file"])
def test_the_policy_stops_what_escaping_would_have_let_through(run, visit, tmp_path, attack, form):
    """A page into which markup was put as if a name had not been escaped."""
    report = Path(shutil.copytree(run / "report", tmp_path / "report"))
    page = report / "index.html" if form == "folder" else single_file.write(report)
    text = page.read_text("utf-8")
    assert "<h1>" in text
    page.write_text(text.replace("<h1>", f"{attack}<h1>", 1), "utf-8")
    seen = visit()
    dialogs: list[str] = []
    seen.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    seen.open(page)
    if "id=attack" in attack:
        seen.page.evaluate("document.querySelector('a#attack, #attack button').click()")
        seen.page.wait_for_timeout(300)
    assert dialogs == []
    assert seen.page.locator("body").is_visible()
    assert seen.page.url == page.as_uri()
    assert any("Content Security Policy" in words for words in seen.complaints), seen.complaints
    # A request that the policy let through would have failed for want of such a host.
    assert not [words for words in seen.complaints if "NAME_NOT_RESOLVED" in words]
