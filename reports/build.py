"""A run folder in, a folder of plain HTML files out.

The report is written beside its place and moved there when it is complete, so that a failed
build leaves the previous report as it was. The same run gives the same bytes.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from bench.errors import BenchError
from reports import (
    case_page,
    difficulty,
    downloads,
    method_cards,
    overview,
    pages,
    receptive,
    regression,
    samples,
    tier_page,
    training,
)
from reports.run import Run, read_run
from reports.section import sections as sections_of
from reports.site import Site

__all__ = ["Run", "build", "read_run"]

_STATIC = Path(__file__).parent / "static"


def build(run_folder: Path, out: Path | None = None) -> Path:
    """Write the report of a run.

    Args:
        run_folder: A finished run folder.
        out: Where the report goes; ``report`` inside the run folder if omitted. An earlier
            report there is replaced.

    Returns:
        Path of its ``index.html``.

    Raises:
        BenchError: If the run cannot be read, or ``out`` holds something else than a report.
    """
    run = read_run(run_folder)
    target = run_folder / "report" if out is None else out
    _check_target(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".report-", dir=target.parent) as staging:
        fresh, previous = Path(staging, "fresh"), Path(staging, "previous")
        fresh.mkdir()
        _write(run, fresh)
        _swap(fresh, target, previous)
    return target / "index.html"


def _write(run: Run, folder: Path) -> None:
    shutil.copytree(_STATIC, folder / "assets", copy_function=shutil.copyfile)
    site = Site(run, folder)
    sections = sections_of(site)
    curves = difficulty.of_all(site, [section.ranking for section in sections])
    site.has_difficulty = bool(curves)
    overview.write(site, sections)
    for section in sections:
        tier_page.write(site, section)
        case_page.write(site, section)
    difficulty.write(site, curves)
    method_cards.write(site)
    samples.write(site)
    training.write(site)
    receptive.write(site, [section.ranking for section in sections])
    if site.verdict is not None and not site.verdict.outdated:
        views = {view.page: view for section in sections for view in section.cases}
        regression.write(site, site.verdict, views)
    pages.failures(site, sections)
    pages.provenance(site)
    downloads.write(run, [section.ranking for section in sections], folder / "data")


def _check_target(target: Path) -> None:
    if not target.exists():
        return
    is_report = (target / "index.html").exists() and (target / "assets" / "report.css").exists()
    if not target.is_dir() or (any(target.iterdir()) and not is_report):
        raise BenchError(
            f"{target}: expected a new, an empty or an earlier report folder, found something "
            "else; give another folder, nothing was changed"
        )


def _swap(fresh: Path, target: Path, previous: Path) -> None:
    """Put the new report in place; bring the old one back if that fails."""
    if target.exists():
        target.replace(previous)
    try:
        fresh.replace(target)
    except OSError:
        if previous.exists():
            previous.replace(target)
        raise
