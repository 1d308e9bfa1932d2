"""A run folder in, a folder of plain HTML files out; the same run gives the same bytes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from bench.folder import read
from bench.folder.read import Run
from bench.statistics import CASE
from reports.files import downloads
from reports.pages import (
    case,
    difficulty,
    failures,
    latency,
    methods,
    overview,
    provenance,
    receptive,
    regression,
    samples,
    tier,
    training,
)
from reports.results.kinds import by_kind
from reports.site import staging
from reports.site.section import Section
from reports.site.section import sections as sections_of
from reports.site.site import STATIC, Site

__all__ = ["Run", "build", "read_run"]

# Keys and hashes are most of a large table, and are shown by no page.
_NOT_SHOWN = ("output_sha", "case_key", "fill_key", "measure_key", "worker", "attempt",
              "measure_seconds", "case", "parameters", "keep")  # fmt: skip
_REPEATED = ("method", "photo", "cluster", "tier")


def build(
    run_folder: Path,
    out: Path | None = None,
    folders: Mapping[str, Path] | None = None,
    reference: str | None = None,
    budget: float | None = None,
    *,
    full_pictures: bool = False,
) -> Path:
    """Write the report of a run.

    Args:
        run_folder: A finished run folder.
        out: Where the report goes; ``report`` inside the run folder if omitted. An earlier
            report there is replaced; files that do not change are not touched.
        folders: Where the pictures of runs that were joined lie, as `read_run` takes it.
        reference: A method that all others are compared with; each with each if omitted.
        budget: Milliseconds a fill may take; said of each method whether it keeps to them.
        full_pictures: Also put each fill of a case that has a page into the report as it was
            measured, as a lossless PNG file.

    Returns:
        Path of its ``index.html``.

    Raises:
        BenchError: If the run cannot be read, or ``out`` cannot be written or holds something
            else than a report; what was there is as it was then.
    """
    run = read_run(run_folder, folders)
    target = run_folder / "report" if out is None else out
    with staging.replacing(target) as fresh:
        _write(Site(run, fresh, target, reference, budget, full_pictures=full_pictures))
    return target / "index.html"


def read_run(folder: Path, folders: Mapping[str, Path] | None = None) -> Run:
    """Read what a report shows of a run folder.

    Args:
        folder: The run folder.
        folders: Where the pictures of runs that were joined lie, by the name that begins their
            paths in the tables.

    Raises:
        InputError: If it is missing or damaged.
    """
    return read.read_run(folder, without=_NOT_SHOWN, categories=_REPEATED, folders=folders)


def _write(site: Site) -> None:
    shutil.copytree(STATIC, site.folder / "assets", copy_function=shutil.copyfile)
    sections = sections_of(site)
    rankings = [section.ranking for section in sections]
    curves = difficulty.of_all(site, rankings)
    kinds = by_kind(site.run, rankings)
    site.has_difficulty = bool(curves or kinds)
    overview.write(site, sections, curves, kinds)
    for section in sections:
        tier.write(site, section)
        case.write(site, section)
    difficulty.write(site, curves, kinds)
    methods.write(site, rankings)
    latency.write(site, rankings)
    samples.write(site, sections)
    training.write(site)
    receptive.write(site, rankings)
    if site.verdict is not None and not site.verdict.outdated:
        views = {view.page: view for section in sections for view in section.cases}
        regression.write(site, site.verdict, views)
    failures.write(site, sections)
    provenance.write(site, sections)
    downloads.write(site.run, rankings, _shown(sections), site.folder / "data")
    site.album.close()


def _shown(sections: list[Section]) -> pd.DataFrame:
    """The cases that have a page."""
    rows = [
        {name: view.facts[name] for name in CASE} | {"page": f"cases/{view.page}.html"}
        for section in sections
        for view in section.cases
    ]
    return pd.DataFrame(rows, columns=[*CASE, "page"])
