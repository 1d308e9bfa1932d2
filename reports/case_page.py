"""The page of a case: its fills side by side, their numbers, the hole."""

from __future__ import annotations

from reports import numbers, tables
from reports.section import Section
from reports.site import Site


def write(site: Site, section: Section) -> None:
    """Write ``cases/<case>.html`` for every case of a tier that has pictures."""
    bar = site.album.colour_bar()
    pages = [view.page for view in section.cases]
    best = section.ranking.best
    for index, view in enumerate(section.cases):
        kept = [fill for fill in view.fills if fill.full is not None]
        context = {
            "section": section,
            "view": view,
            "columns": section.case_columns,
            "cells": section.case_cells[view.page],
            "labels": {f.method: tables.label(site.run, f.method) for f in view.fills},
            "compared": next((f for f in kept if best and f.method == best.method), None),
            "bar": bar,
            "previous": pages[index - 1] if index else None,
            "next": pages[index + 1] if index + 1 < len(pages) else None,
            "position": index + 1,
        }
        title = f"{view.facts['photo']}, {numbers.holes(section.ranking.tier)}"
        site.page("case.html", f"cases/{view.page}.html", title, context)
