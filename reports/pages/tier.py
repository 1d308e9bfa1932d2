"""The pages of a tier: how its methods compare, and its cases as pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.text import numbers
from reports.pages import difficulty
from reports.plots import comparison, dots
from reports.plots import exhibits as plots
from reports.results import orders, pair_rows, table_notes, tables
from reports.results.definitions import definitions
from reports.results.orders import Order
from reports.site.gallery import CaseView
from reports.site.section import Section
from reports.site.site import Site

CASES_A_PAGE = 20
PICTURES_A_PAGE = 400
LONGEST_LIST = 500


@dataclass(frozen=True)
class Page:
    """A page of a list of cases: where it is, which list, its number, its cases."""

    path: str
    order: Order
    number: int
    first: int
    cases: list[CaseView]


def write(site: Site, section: Section) -> None:
    """Write ``tiers/<tier>.html``, and a page for each further list of cases."""
    lists = [_pages(section, order) for order in section.orders]
    facts = [_facts(view) for view in section.cases]
    for pages in lists:
        for page in pages:
            context = {
                "section": section,
                "page": page,
                "pages": pages,
                "lists": [each[0] for each in lists],
                "selection": _selection(section),
                "facts": facts,
                "compared": _compared(site, section) if page is lists[0][0] else None,
            }
            site.page("tier.html", page.path, _title(section, page), context)


def _pages(section: Section, order: Order) -> list[Page]:
    step = max(1, min(CASES_A_PAGE, PICTURES_A_PAGE // (len(section.labels) + 3)))
    views = section.listed(order)
    name = section.slug if order is section.orders[0] else f"{section.slug}-{order.name}"
    return [
        Page(
            f"tiers/{name}{f'-{number}' if number > 1 else ''}.html", order, number, first + 1,
            views[first : first + step],
        )
        for number, first in enumerate(range(0, len(views), step), start=1)
    ]  # fmt: skip


def _facts(view: CaseView) -> tuple[str, str, float, float, str]:
    """What cases are filtered by: page, photo, hole in percent and its width in pixels, shape."""
    facts = view.facts
    share, width = round(100 * facts["hole_share"], 2), round(facts["hole_width"], 1)
    return view.page, numbers.printable(facts["photo"]), share, width, facts["family"] or ""


def _title(section: Section, page: Page) -> str:
    order = "" if page.order is section.orders[0] else f", {page.order.title}"
    return f"{section.title}{order}{f', page {page.number}' if page.number > 1 else ''}"


def _selection(section: Section) -> str:
    """By which rule cases were chosen; empty if all are shown."""
    return orders.SELECTION_RULE if len(section.cases) < section.ranking.expected else ""


def _compared(site: Site, section: Section) -> dict[str, Any]:
    """What the first page of a tier shows before its cases."""
    ranking, columns = section.ranking, section.columns
    test = comparison.average_ranks(ranking)
    exhibits = []
    if ranking.best is not None:
        exhibits = [
            plots.means(site, ranking, columns[0], section.verdict),
            plots.differences(site, ranking, columns[0]),
            comparison.ranks(site, ranking, test) if test else None,
            comparison.distributions(site, ranking, columns[0]),
        ]
    curves = difficulty.of_tier(site, ranking, columns[0]) if columns else []
    along = next((each.means for each in curves if each.axis == "share"), {})
    groups = tables.rows(site.run, ranking, columns)
    return {
        "dots": dots.of_section(site, section, along),
        "plots": [each for each in exhibits if each is not None],
        "curves": curves,
        "rule": difficulty.RULE,
        "wins": comparison.wins(site, ranking, test) if test else [],
        "groups": groups,
        "definitions": definitions(site.run, columns, [groups]),
        "notes": table_notes.notes(site.run, ranking, columns),
        "pairs": pair_rows.pairs(site.run, ranking, section.unit)[:LONGEST_LIST],
    }
