from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reports.build import build
from tests.support.large_run import write_large_run
from tests.support.reading import darken, judged, pages_of
from tests.support.sample_run import HOSTILE_NAMES, write_run


@pytest.fixture(scope="session")
def sample(tmp_path_factory) -> Path:
    return write_run(tmp_path_factory.mktemp("sample") / "run")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "run"
    write_run(folder, names=HOSTILE_NAMES, side=32, tiers=["small"])
    build(folder)
    return folder / "report"


@pytest.fixture(scope="session")
def report(sample) -> Path:
    return build(sample).parent


@pytest.fixture
def copy(sample, tmp_path) -> Path:
    return Path(shutil.copytree(sample, tmp_path / "run"))


@pytest.fixture(scope="session")
def regressed(sample, tmp_path_factory) -> Path:
    """A report with the verdict that Telea got worse on large holes."""
    folder = Path(shutil.copytree(sample, tmp_path_factory.mktemp("regressed") / "run"))
    darken(folder)
    assert judged(sample, folder) == 1
    return folder / "report"


@pytest.fixture(scope="session")
def large(tmp_path_factory) -> Path:
    """A report of 120 cases a tier by 12 methods: lists of pages, and cases left out."""
    folder = tmp_path_factory.mktemp("large") / "run"
    return build(write_large_run(folder, photos=120, pictures=True, side=24)).parent


@pytest.fixture(scope="session")
def trees(report, hostile, full_report) -> dict[Path, object]:
    return pages_of(report) | pages_of(hostile) | pages_of(full_report)
