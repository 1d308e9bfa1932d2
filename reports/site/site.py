"""The report being written: its folder, its templates, what every page shares."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bench.folder.header import PHOTO
from bench.folder.read import Run
from bench.statistics.coverage import reference_of
from bench.text import numbers
from reports.results import failures
from reports.results.verdict import read_verdict
from reports.site.album import Album, error_colours
from reports.site.identity import identity

_TEMPLATES = Path(__file__).parents[1] / "templates"
STATIC = Path(__file__).parents[1] / "static"


class Site:
    """The report being written: the run, its folder and the page templates."""

    def __init__(
        self,
        run: Run,
        folder: Path,
        previous: Path | None = None,
        reference: str | None = None,
        budget: float | None = None,
        *,
        full_pictures: bool = False,
    ) -> None:
        """Set up the templates; nothing is written yet.

        Args:
            run: The run.
            folder: Where pages go.
            previous: The report that this one replaces, if there is one.
            reference: The method that all others are compared with; each with each if omitted.
            budget: Milliseconds a fill may take; None for as many as it likes.
            full_pictures: Whether each picture shown in full is there as measured too.
        """
        self.run = run
        self.folder = folder
        self.album = Album(folder, previous, files=full_pictures)
        self.verdict = read_verdict(run)
        self.has_difficulty = False  # known once all tiers are ranked, before any page is written
        self.has_votes = False
        self.headline = run.headline
        self.budget = budget
        self.reference = reference_of(run.methods, reference)
        self._environment = environment()
        self._environment.globals |= {
            "error_colours": error_colours(),
            "styles": static(".css"),
            "scripts": static(".js"),
            "identity": identity(run),
        }

    @cached_property
    def failures(self) -> pd.DataFrame:
        """Rows of ``cases`` that were not completed, but for methods that could not start."""
        status = self.run.cases["status"]
        return self.run.cases[~status.isin(["ok", "unavailable"])]

    @cached_property
    def refused(self) -> pd.DataFrame:
        """Files given that were not used."""
        return self.run.inputs[self.run.inputs["status"] != "ok"]

    @cached_property
    def unavailable(self) -> list[dict[str, Any]]:
        """Methods that could not start."""
        methods = self.run.methods
        rows: list[Any] = methods[methods["status"] != "ok"].to_dict("records")
        return rows

    def traceback(self, row: Mapping[str, Any]) -> str:
        """Where the error of a row of ``cases`` arose, as text; empty if that was not kept."""
        path = self.run.file(row.get("traceback", ""))
        return path.read_text("utf-8", "replace") if path else ""

    @cached_property
    def navigation(self) -> dict[str, Any]:
        """What every page's header needs."""
        run = self.run
        there = {
            "difficulty.html": ("Difficulty", self.has_difficulty),
            "methods.html": ("Methods", True),
            "latency.html": ("Latency", (run.folder / "latency.json").exists()),
            "training.html": ("Training", not run.training.empty),
            "votes.html": ("Judge by eye", self.has_votes),
            "samples.html": ("Samples", not run.samples.empty),
            "receptive.html": ("Receptive fields", not run.receptive.empty),
            "regression.html": (
                "Regression", self.verdict is not None and not self.verdict.outdated
            ),
            "provenance.html": ("Provenance", True),
        }  # fmt: skip
        return {
            "tiers": [
                {"path": f"tiers/{numbers.slug(tier)}.html", "name": tier} for tier in run.tiers
            ],
            "pages": [(path, name) for path, (name, has) in there.items() if has],
            "samples": not run.samples.empty,
            "failures": len(self.failures) + len(self.refused) + len(self.unavailable),
            "failed": failures.in_words(run, self.failures, self.unavailable, self.refused),
        }

    def page(self, template: str, path: str, title: str, context: dict[str, Any]) -> None:
        """Render a template into a file of the report."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        html = self._environment.get_template(template).render(
            nav=self.navigation,
            here=path,
            root="../" * path.count("/"),
            title=title,
            run=self.run,
            truth=self.run.header.truth,
            original="Original" if self.run.header.truth == PHOTO else "Photo",
            **context,
        )
        target.write_text(html, "utf-8", newline="\n")


def environment() -> Environment:
    """Where templates are found, and what they may do with texts and numbers."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": numbers.number,
        "counted": numbers.counted,
        "joined": numbers.joined,
        "capital": numbers.capital,
        "lower_first": numbers.lower_first,
        "pieces": numbers.pieces,
        "shell": shlex.quote,
    }
    return made


def static(suffix: str) -> list[str]:
    """Names of the files that every page loads, that which the others build on first."""
    names = sorted(path.name for path in STATIC.glob(f"*{suffix}"))
    return sorted(names, key=lambda name: not name.startswith("report."))


def _printable(value: Any) -> Any:
    """Clean every text on its way into a page; what is HTML already was cleaned before."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return numbers.printable(value)
    return value
