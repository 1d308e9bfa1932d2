"""A browser for the tests of this folder, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.visits import ARGUMENTS, CHROMIUM, Visit


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH")
    with playwright.sync_playwright() as tools:
        found = tools.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def visit(browser) -> Iterator[Callable[..., Visit]]:
    visits: list[Visit] = []

    def start(**settings) -> Visit:
        visits.append(Visit(browser, **settings))
        return visits[-1]

    yield start
    for each in visits:
        each.context.close()
