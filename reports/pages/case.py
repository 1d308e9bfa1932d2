"""The page of a case: its fills side by side, their numbers, the hole."""

from __future__ import annotations

from dataclasses import dataclass

from bench.folder.thumbnails import QUALITY
from bench.text import numbers
from reports.site import case_rows
from reports.site.album import Shown
from reports.site.gallery import MOST_SPREAD, FillView
from reports.site.section import Section
from reports.site.site import Site

# What pictures are that methods show beside their fills, by the names they give them.
_MEANING = {
    "flow": ", where it copied from: the hue is the direction, the strength the distance",
    "prior": ", what it looked like before it was refined",
}


@dataclass(frozen=True)
class Place:
    """Where a case is in an order: its number from 1, of how many, and the pages beside it."""

    name: str
    title: str
    number: int
    count: int
    previous: str
    next: str


def write(site: Site, section: Section) -> None:
    """Write ``cases/<case>.html`` for every case of a tier that has pictures."""
    bar = site.album.colour_bar()
    labels = {label.method: label for label in section.labels}
    places = _places(section)
    best = section.ranking.best
    for view in section.cases:
        kept = [fill for fill in view.fills if fill.full is not None]
        own = section.case_columns[:1] if section.ranking.headline else []
        standings = case_rows.standings(site.run, view, own[0]) if own else {}
        context = {
            "section": section,
            "view": view,
            "columns": section.case_columns,
            "cells": section.case_cells[view.page],
            "standings": standings,
            "distances": case_rows.distances(view, own[0], standings) if own else {},
            "seconds": {
                f.method: numbers.seconds(float(f.row["seconds"]))
                for f in view.fills
                if "seconds" in f.row and site.run.methods.loc[f.method, "timed"]
            },
            "labels": labels,
            "tracebacks": {fill.method: site.traceback(fill.row) for fill in view.fills},
            "compared": next((f for f in kept if best is None or f.method == best.method), None),
            "bar": bar,
            "most_spread": MOST_SPREAD,
            "further": [
                (labels[fill.method], words, shown)
                for fill in view.fills
                for words, shown in told(fill)
            ],
            "quality": QUALITY,
            "places": places[view.page],
        }
        title = f"{view.facts['photo']}, {numbers.holes(section.ranking.tier)}"
        site.page("case.html", f"cases/{view.page}.html", title, context)


def told(fill: FillView) -> list[tuple[str, list[Shown]]]:
    """What a method told of its fill besides: words, and the picture that they are of, if any."""
    shown = [
        (f"also shown: {_plain(name)}{_MEANING.get(name, '')}", [picture])
        for name, picture in fill.further.items()
    ]
    counts = ", ".join(f"{_plain(name)}: {count:g}" for name, count in fill.counts.items())
    return [*shown, *([(counts, [])] if counts else [])]


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _places(section: Section) -> dict[str, list[Place]]:
    """For each case its place in every order that has it."""
    found: dict[str, list[Place]] = {view.page: [] for view in section.cases}
    for order in section.orders:
        pages = [view.page for view in section.listed(order)]
        around = ["", *pages, ""]
        for number, page in enumerate(pages, start=1):
            found[page].append(
                Place(order.name, order.title, number, len(pages), around[number - 1],
                      around[number + 1])
            )  # fmt: skip
    return found
