"""What was published, beside a number in a table, as readers without mouse or script come to it."""

from __future__ import annotations

import pytest

from reports.build import build
from tests.support.made_up_protocols import NAME, catalogue, follow
from tests.support.sample_run import write_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def overview(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    run = follow(write_run(folder / "run", tiers=[NAME], side=32))
    with catalogue(folder, {"figures": {"psnr_db": 20.5, "ssim": 0.75}, "title": "A & B"}):
        return build(run)


@pytest.mark.parametrize(
    ("scheme", "width", "script"),
    [("light", 1400, True), ("dark", 320, True), ("light", 800, False)],
)
def test_a_key_opens_and_closes_who_published_a_figure(visit, overview, scheme, width, script):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    seen = visit(color_scheme=scheme, viewport={"width": width, "height": 800},
                 java_script_enabled=script)  # fmt: skip
    seen.open(overview)
    button = seen.page.get_by_role("button", name="Who published 0.75 here?")
    button.focus()
    seen.page.keyboard.press("Enter")
    words = seen.page.locator(".definition:popover-open")
    assert words.inner_text().startswith("Telea: SSIM")
    assert "0.75 of A & B" in words.inner_text()
    if script:  # what looks for faults is one itself
        assert axe.run(seen.page, options={"preload": False}).response["violations"] == []
    seen.page.keyboard.press("Escape")
    assert words.count() == 0
    assert button.evaluate("each => each === document.activeElement") or not script
    assert seen.page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
