"""One tier of a run, ready to be shown: its ranking, its plots, its cases as pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.statistics import CASE
from bench.text import numbers
from reports.results import sentences, tables
from reports.results.orders import Order, orders
from reports.results.ranking import Ranking, rank
from reports.results.tables import Cell, Column, Label
from reports.results.verdict import WORST
from reports.site import case_rows, gallery
from reports.site.gallery import CaseView
from reports.site.site import Site


@dataclass(frozen=True)
class Section:
    """Everything shown about one tier.

    Attributes:
        ranking: Its ranking.
        columns: All its metrics, the headline first.
        labels: Methods with a column of pictures.
        orders: The lists in which cases are offered, that of the plan first.
        cases: Cases with pictures, in the order of the plan.
        case_columns: Metrics of single cases.
        case_cells: By page of a case and method its numbers.
        verdict: By how much the best leads, in words.
        absent: Methods without a completed case.
    """

    ranking: Ranking
    columns: list[Column]
    labels: list[Label]
    orders: list[Order]
    cases: list[CaseView]
    case_columns: list[Column]
    case_cells: dict[str, dict[str, list[Cell]]]
    verdict: str
    absent: list[dict[str, Any]]

    @property
    def slug(self) -> str:
        """Name of the tier's pages."""
        return numbers.slug(self.ranking.tier)

    @property
    def title(self) -> str:
        """Heading of the tier."""
        return numbers.capital(numbers.holes(self.ranking.tier))

    def listed(self, order: Order) -> list[CaseView]:
        """The cases of an order."""
        pages = {view.page: view for view in self.cases}
        return [pages[gallery.page_of(key)] for key in order.keys]

    @property
    def unit(self) -> str:
        """Unit of the headline metric."""
        return self.columns[0].unit if self.columns else ""

    @property
    def margin(self) -> str:
        """Margin of the headline metric, in words; empty if none is stated."""
        return sentences.margin(self.ranking, self.unit)


def sections(site: Site) -> list[Section]:
    """Rank every tier and make the pictures of its cases."""
    return [_section(site, tier) for tier in site.run.tiers]


def _section(site: Site, tier: str) -> Section:
    run = site.run
    ranking = rank(run, tier, site.headline, site.reference)
    methods = gallery.columns(run, ranking)
    lists = orders(run, ranking, methods, _regressed(site))
    views = list(gallery.views(run, lists[0].keys, methods, site.album))
    columns = tables.columns(run, ranking)
    case_columns = case_rows.case_columns(run, ranking.headline)
    head = (columns[0].label, columns[0].unit) if columns else ("", "")
    return Section(
        ranking=ranking,
        columns=columns,
        labels=[tables.label(run, method) for method in methods],
        orders=lists,
        cases=views,
        case_columns=case_columns,
        case_cells={
            view.page: case_rows.case_cells(run, view, case_columns, ranking.headline)
            for view in views
        },
        verdict=sentences.verdict(run, ranking, *head),
        absent=[{"label": tables.label(run, m), "reason": r} for m, r in ranking.absent],
    )


def _regressed(site: Site) -> list[tuple[Any, ...]]:
    """The worst cases of the verdict, which are shown whatever else is chosen."""
    if site.verdict is None or site.verdict.outdated:
        return []
    return [tuple(row[key] for key in CASE) for row in site.verdict.regressed()[:WORST]]
