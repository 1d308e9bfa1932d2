"""The page of one method: where it stands, its worst and best fills, whom it beats, what failed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.folder.header import GIVEN
from bench.statistics import MARKS
from bench.text.plain import kind_of
from reports.pages.hero import hole_share
from reports.results import pair_rows, tables, timing
from reports.results.definitions import definitions
from reports.results.pair_rows import Pair
from reports.results.tables import Cell, Label, Row
from reports.results.timing import Times
from reports.site import gallery
from reports.site.gallery import CaseView, FillView
from reports.site.section import Section
from reports.site.site import Site

_MOST = 20
_PICTURES = 360  # of a page, a few left for what is added
_LONGEST_LIST = 100


@dataclass(frozen=True)
class Fill:
    """A fill of the method: its case, its place there, and the headline metric with its rank."""

    view: CaseView
    number: int
    fill: FillView
    cell: Cell | None


@dataclass(frozen=True)
class Tier:
    """What a tier has for all methods, worked out once."""

    section: Section
    rows: Mapping[str, Row]
    absent: Mapping[str, str]
    times: Times
    share: float


@dataclass(frozen=True)
class Standing:
    """The method in one tier.

    Attributes:
        tier: What all methods share.
        place: Its rank, or why it has none, in words.
        row: Its numbers; None if it has none.
        time: Milliseconds of a fill.
        lists: Fills to look at, with heading and rule.
        rivals: Every other method it was tested against, and the pair with this one first.
        tally: How many it beats, in words; empty if it was not tested.
    """

    tier: Tier
    place: str
    row: Row | None
    time: Cell
    lists: list[tuple[str, str, list[Fill]]]
    rivals: list[tuple[Label, Pair]]
    tally: str


def tiers(site: Site, sections: Sequence[Section]) -> list[Tier]:
    """What the pages of all methods share."""
    found = []
    for section in sections:
        groups = tables.rows(site.run, section.ranking, section.columns[:1])
        rows = {row.label.method: row for group in groups.values() for row in group}
        absent = dict(section.ranking.absent)
        times, share = timing.times(site.run, section.ranking.tier), hole_share(site.run, section)
        found.append(Tier(section, rows, absent, times, share))
    return found


def write(site: Site, every: Sequence[Tier], label: Label, context: dict[str, Any]) -> None:
    """Write the page of a method.

    Args:
        site: The report.
        every: `tiers`.
        label: The method.
        context: What is known of it, for the template.
    """
    kinds = 4 if site.run.header.truth == GIVEN else 3  # pictures of a case
    most = min(_MOST, _PICTURES // (2 * kinds * max(len(every), 1)))
    shares = [tier.share for tier in every]
    standings = [_standing(site, tier, label.method, most) for tier in every]
    rows = [each.row for each in standings if each.row]
    context |= {
        "label": label,
        "standings": standings,
        "claims": definitions(site.run, [], [{"": rows}]),
        "first": shares.index(max(shares)) if shares else 0,
        "competes": label.family not in MARKS,
        "troubles": _troubles(site, every, label.method),
    }
    site.page("method.html", label.page, label.title, context)


def _standing(site: Site, tier: Tier, method: str, most: int) -> Standing:
    ranking, row = tier.section.ranking, tier.rows.get(method)
    unit = tier.section.unit if ranking.headline else ""
    pairs = pair_rows.against(site.run, ranking, method, unit) if ranking.headline else []
    time = tier.times.of.get(method)
    return Standing(
        tier=tier,
        place=_place(tier, method, row),
        row=row,
        time=Cell(f"{time.words} ms", time.interval) if time else Cell("not measured"),
        lists=_lists(tier.section, method, most),
        rivals=[(tables.label(site.run, other), pair) for other, pair in pairs],
        tally=pair_rows.tally(ranking, method) if ranking.headline else "",
    )


def _place(tier: Tier, method: str, row: Row | None) -> str:
    """``2-3 of 12``, or why there is no rank."""
    ranking = tier.section.ranking
    if row is None:
        return tier.absent.get(method, "")
    partial = next((s for s in ranking.partial if s.method == method), None)
    if partial is not None:
        return f"not ranked: completed {partial.n} of {ranking.expected} cases"
    if row.label.family in MARKS:
        return f"{row.label.family}, not ranked"
    return f"{row.place} of {len(ranking.ranked)}" if row.place else ""


def _lists(section: Section, method: str, most: int) -> list[tuple[str, str, list[Fill]]]:
    """The worst and the best fills that are shown; where nothing ranks, some by hash."""
    ranking = section.ranking
    found = [
        Fill(view, number, fill, section.case_cells[view.page][method][0] if ranking.headline
             else None)
        for view in section.cases
        for number, fill in enumerate(view.fills, start=1)
        if fill.method == method and fill.views is not None
    ]  # fmt: skip
    found.sort(key=lambda each: each.view.page)
    if not ranking.headline:
        return [("Fills", "drawn by hash", found[:most])] if found else []
    values = {each.view.page: float(each.fill.row[ranking.headline]) for each in found}
    known = [each for each in found if not math.isnan(values[each.view.page])]
    known.sort(key=lambda each: ranking.sign * values[each.view.page])
    shown, expected = len(section.cases), ranking.expected
    of = "" if shown == expected else f", of the {shown} of {expected} cases that are shown"
    half = (len(known) + 1) // 2  # no case is among both
    lists = [
        ("Worst", f"the worst first{of}", known[: min(most, half)]),
        ("Best", f"the best first{of}", known[half:][::-1][:most]),
    ]
    return [each for each in lists if each[2]]


def _troubles(site: Site, every: Sequence[Tier], method: str) -> list[dict[str, Any]]:
    """What it did not complete, and odd fills, by reason, each with a case that is shown."""
    bad = site.failures[site.failures["method"] == method]
    own = site.run.cases[site.run.cases["method"] == method]
    odd = own[(own["status"] == "ok") & (own["flags"].fillna("") != "")]
    odd = odd.assign(status="odd output", reason=odd["flags"])
    rows = pd.concat([bad, odd]).astype({"status": str, "reason": str})
    shown = {view.page: view for tier in every for view in tier.section.cases}
    found = []
    for _, group in rows.groupby([rows["status"], rows["reason"].map(kind_of)]):
        first: list[Any] = group.to_dict("records")
        pages = [page for page in map(gallery.page_name, first) if page in shown]
        found.append(
            {
                "status": first[0]["status"],
                "reason": first[0]["reason"][:2000],
                "count": len(group),
                "view": shown[pages[0]] if pages else None,
            }
        )
    found.sort(key=lambda each: -each["count"])
    return found[:_LONGEST_LIST]
