"""The pages of a tier: how its methods compare, and its cases as pictures."""

from __future__ import annotations

from reports import pair_table, plots, sentences, tables
from reports.plots import Exhibit
from reports.section import Section
from reports.site import Site

CASES_A_PAGE = 24
PICTURES_A_PAGE = 400
LONGEST_LIST = 500


def write(site: Site, section: Section) -> None:
    """Write ``tiers/<tier>.html`` and what follows it."""
    ranking = section.ranking
    step = max(1, min(CASES_A_PAGE, PICTURES_A_PAGE // (len(section.labels) + 3)))
    chunks = [section.cases[i : i + step] for i in range(0, len(section.cases), step)]
    paths = [
        f"tiers/{section.slug}{f'-{i}' if i > 1 else ''}.html" for i in range(1, len(chunks) + 1)
    ]
    shown = _plots(site, section)
    for number, (path, chunk) in enumerate(zip(paths, chunks, strict=True), start=1):
        context = {
            "section": section,
            "labels": section.labels,
            "plots": shown,
            "powerless": sentences.powerless(ranking),
            "groups": tables.rows(site.run, ranking, section.columns),
            "notes": tables.notes(site.run, ranking, section.columns),
            "pairs": pair_table.pairs(site.run, ranking, section.unit)[:LONGEST_LIST],
            "cases": chunk,
            "pages": paths,
            "number": number,
            "first": (number - 1) * step + 1,
            "selection": "",
        }
        suffix = f", page {number}" if number > 1 else ""
        site.page("tier.html", path, f"{section.title}{suffix}", context)


def _plots(site: Site, section: Section) -> list[Exhibit]:
    ranking, head = section.ranking, section.columns[:1]
    if ranking.best is None:
        return []
    found = (
        plots.means(site, ranking, head[0], section.verdict),
        plots.differences(site, ranking, head[0]),
    )
    return [exhibit for exhibit in found if exhibit is not None]
