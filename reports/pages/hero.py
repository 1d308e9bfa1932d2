"""The case under the headline of the overview: one of the largest holes, filled by each method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.folder.read import Run
from reports.results import disagreement
from reports.results.disagreement import Window
from reports.results.tables import Cell, Label, Row
from reports.site.album import read_hole
from reports.site.gallery import CaseView, FillView
from reports.site.section import Section
from reports.site.site import Site


@dataclass(frozen=True)
class Choice:
    """One method's fill of the case.

    Attributes:
        number: Its place among the fills of the case's page.
        label: The method.
        place: Its rank in the tier; empty if it has none.
        fill: Its picture.
        cell: The headline metric on this case, with its rank; None if nothing ranks.
    """

    number: int
    label: Label
    place: str
    fill: FillView
    cell: Cell | None


@dataclass(frozen=True)
class Hero:
    """The case, the square around its hole that is enlarged, and who filled it, best first."""

    section: Section
    view: CaseView
    window: Window
    choices: list[Choice]


def hero(site: Site, sections: Sequence[Section], rows: Mapping[str, Sequence[Row]]) -> Hero | None:
    """Take the first case by hash of the tier with the largest holes; None where no fill was kept.

    Args:
        site: The report.
        sections: Its tiers.
        rows: Of the ranking of each tier, by its name.
    """
    section = max(sections, key=lambda each: hole_share(site.run, each), default=None)
    views = [] if section is None else [view for view in section.cases if _pictured(view)]
    if section is None or not views:
        return None
    view = min(views, key=lambda each: each.page)  # by hash: nobody chose it for its looks
    places = {row.label.method: row.place for row in rows[section.ranking.tier]}
    labels = {label.method: label for label in section.labels}
    cells = section.case_cells[view.page] if section.ranking.headline else {}
    choices = [
        Choice(number, labels[fill.method], places[fill.method], fill,
               next(iter(cells.get(fill.method, [])), None))
        for number, fill in enumerate(view.fills, start=1)
        if fill.full is not None
    ]  # fmt: skip
    window = _window(site, view)
    return None if window is None else Hero(section, view, window, choices)


def hole_share(run: Run, section: Section) -> float:
    """Mean share of the picture that is hole in a tier."""
    return float(run.plan.loc[run.plan["tier"] == section.ranking.tier, "hole_share"].mean())


def _pictured(view: CaseView) -> bool:
    has = None not in (view.original, view.with_hole, view.mask)
    return has and any(fill.full is not None for fill in view.fills)


def _window(site: Site, view: CaseView) -> Window | None:
    """The square with most of the hole: of its size, at most of half the picture's shorter side."""
    hole = None if view.mask is None else read_hole(site.folder / view.mask[1].path)
    if hole is None or not hole.any():
        return None
    places = np.argwhere(hole)
    side = min(min(hole.shape) // 2, int(np.ptp(places, axis=0).max()) + 9)
    black = np.zeros((*hole.shape, 3), np.uint8)
    # What differs by the same everywhere differs most where there is most of the hole.
    return disagreement.window([black, ~black], hole, max(side, 1))
