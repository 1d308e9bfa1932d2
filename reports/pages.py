"""The pages: what each needs from the run, handed to its template."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.statistics import CASE
from reports import (
    case_tables,
    downloads,
    gallery,
    numbers,
    pair_table,
    plots,
    regression,
    sentences,
    tables,
)
from reports.gallery import CaseView
from reports.plots import Plot
from reports.ranking import Ranking, rank
from reports.run import Run
from reports.site import Site

_FIRST_FACTS = ("fingerprint", "state", "missing", "created", "finished")
CASES_A_PAGE = 24
PICTURES_A_PAGE = 400
LONGEST_LIST = 500
_LONGEST_REASON = 2000


@dataclass(frozen=True)
class Section:
    """Everything shown about one tier."""

    ranking: Ranking
    columns: list[tables.Column]
    plots: list[Plot]
    cases: list[CaseView]
    case_cells: dict[str, dict[str, list[tables.Cell]]]

    @property
    def slug(self) -> str:
        """Name of the tier's pages."""
        return numbers.slug(self.ranking.tier)

    @property
    def title(self) -> str:
        """Heading of the tier."""
        words = numbers.holes(self.ranking.tier)
        return words[0].upper() + words[1:]


def tiers(site: Site) -> list[Section]:
    """Write the tier pages and their case pages."""
    return [_tier(site, tier) for tier in site.run.tiers]


def overview(site: Site, sections: Sequence[Section]) -> None:
    """Write ``index.html``."""
    run = site.run
    parts = [_overview_part(run, section) for section in sections]
    context = {
        "sentence": sentences.headline(run, [s.ranking for s in sections]),
        "headline": site.headline,
        "headline_label": _label_of(run, site.headline.metric),
        "margin": parts[0]["margin"] if parts else "",
        "parts": parts,
        "verdict": site.verdict,
        "absent_metrics": list(tables.absent_metrics(run)),
        "ceiling": _ceiling_check(run),
        "photos": run.plan["photo"].nunique(),
        "clusters": run.plan["cluster"].nunique(),
        "not_run": _not_run(site),
        "downloads": downloads.offered(run),
        "several_samples": bool((run.cases["sample"] > 0).any()),
    }
    site.page("index.html", "index.html", "Overview", context)


def methods(site: Site) -> None:
    """Write ``methods.html``: a card for each method."""
    cards = [
        {"label": tables.label(site.run, name), "facts": facts, "link": _web(facts["url"])}
        for name, facts in ((str(name), row) for name, row in site.run.methods.iterrows())
    ]
    site.page("methods.html", "methods.html", "Methods", {"cards": cards})


def failures(site: Site, sections: Sequence[Section]) -> None:
    """Write ``failures.html``: what was not completed or not used, and why."""
    shown = {view.page for section in sections for view in section.cases}
    groups: list[dict[str, Any]] = []
    rows = site.failures.assign(reason=site.failures["reason"].str[:_LONGEST_REASON])
    for (method, status, reason), group in rows.groupby(["method", "status", "reason"]):
        first: list[Any] = group.head(5).to_dict("records")
        examples = [{"facts": f, "page": gallery.page_name(f)} for f in first]
        groups.append(
            {
                "label": tables.label(site.run, str(method)),
                "status": status,
                "reason": reason,
                "count": len(group),
                "examples": [e | {"linked": e["page"] in shown} for e in examples],
            }
        )
    groups.sort(key=lambda g: (-g["count"], g["label"].method, g["reason"]))
    unavailable = [
        {"label": tables.label(site.run, f["method"]), "reason": f["reason"]}
        for f in site.unavailable
    ]
    context = {
        "groups": groups[:LONGEST_LIST],
        "group_count": len(groups),
        "refused": site.refused.head(LONGEST_LIST).to_dict("records"),
        "refused_count": len(site.refused),
        "unavailable": unavailable,
    }
    site.page("failures.html", "failures.html", "Failures", context)


def provenance(site: Site, sections: Sequence[Section]) -> None:
    """Write ``provenance.html``: all that is known about how the run came about."""
    context = {
        "groups": [*_groups(site.run.info), ("Cases with a page", list(_chosen(sections)))],
        "metrics": site.run.metrics.to_dict("records"),
        "inputs": site.run.inputs.head(LONGEST_LIST).to_dict("records"),
        "input_count": len(site.run.inputs),
    }
    site.page("provenance.html", "provenance.html", "Provenance", context)


def _chosen(sections: Sequence[Section]) -> Iterator[tuple[str, str]]:
    """Which cases of each tier are shown, and by which rule."""
    for section in sections:
        shown, every = len(section.cases), section.ranking.expected
        rule = f": {gallery.SELECTION_RULE}" if shown < every else ""
        yield section.ranking.tier, f"{shown} of {every}{rule}"
    yield "at most", f"{gallery.MOST_CASES:,} in a report; data/shown.csv lists them"


def _tier(site: Site, tier: str) -> Section:
    run = site.run
    ranking = rank(run, tier, site.headline)
    selected = gallery.select(run, ranking, _regressed(site))
    shown = gallery.columns(run, ranking)
    views = list(gallery.views(run, selected, shown, site.album))
    columns = tables.columns(run, ranking)
    case_columns = case_tables.case_columns(run, ranking.headline)
    section = Section(
        ranking=ranking,
        columns=columns,
        plots=_plots(site, ranking, columns),
        cases=views,
        case_cells={view.page: case_tables.case_cells(run, view, case_columns) for view in views},
    )
    labels = [tables.label(run, method) for method in shown]
    _gallery_pages(site, section, labels)
    _case_pages(site, section)
    return section


def _gallery_pages(site: Site, section: Section, labels: list[tables.Label]) -> None:
    ranking = section.ranking
    step = max(1, min(CASES_A_PAGE, PICTURES_A_PAGE // (len(labels) + 3)))
    chunks = [section.cases[i : i + step] for i in range(0, len(section.cases), step)]
    paths = [f"tiers/{section.slug}{f'-{i}' if i > 1 else ''}.html" for i in _upto(len(chunks))]
    chosen = len(section.cases) < ranking.expected
    for number, (path, chunk) in enumerate(zip(paths, chunks, strict=True), start=1):
        context = {
            "section": section,
            "labels": labels,
            "groups": tables.rows(site.run, ranking, section.columns),
            "notes": tables.notes(site.run, ranking, section.columns),
            "absent": _absent(site.run, ranking),
            "verdict": _verdict(site.run, section),
            "pairs": pair_table.pairs(site.run, ranking, _unit(section))[:LONGEST_LIST],
            "margin": sentences.margin(ranking, _unit(section)),
            "cases": chunk,
            "pages": paths,
            "number": number,
            "first": (number - 1) * step + 1,
            "selection": gallery.SELECTION_RULE if chosen else "",
        }
        suffix = f", page {number}" if number > 1 else ""
        site.page("tier.html", path, f"{section.title}{suffix}", context)


def _case_pages(site: Site, section: Section) -> None:
    columns = case_tables.case_columns(site.run, section.ranking.headline)
    bar = site.album.colour_bar()
    pages = [view.page for view in section.cases]
    best = section.ranking.best
    for index, view in enumerate(section.cases):
        kept = [fill for fill in view.fills if fill.full is not None]
        context = {
            "section": section,
            "view": view,
            "columns": columns,
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


def _overview_part(run: Run, section: Section) -> dict[str, Any]:
    ranking = section.ranking
    columns = tables.columns(run, ranking, only=tables.OVERVIEW)
    shares = run.plan.loc[run.plan["tier"] == ranking.tier, "hole_share"] * 100
    # By hash, so that nobody chose the example for its looks.
    example = min(section.cases, key=lambda view: view.page)
    return {
        "section": section,
        "columns": columns,
        "groups": tables.rows(run, ranking, columns),
        "notes": tables.notes(run, ranking, columns),
        "absent": _absent(run, ranking),
        "verdict": _verdict(run, section),
        "margin": sentences.margin(ranking, _unit(section)),
        "share": " to ".join(dict.fromkeys(f"{s:.1f}" for s in (shares.min(), shares.max()))),
        "example": example,
        "labels": {f.method: tables.label(run, f.method) for f in example.fills},
    }


def _regressed(site: Site) -> list[tuple[Any, ...]]:
    """The worst cases of the verdict, which are shown whatever else is chosen."""
    if site.verdict is None or site.verdict.outdated:
        return []
    return [tuple(row[key] for key in CASE) for row in site.verdict.regressed()[: regression.WORST]]


def _plots(site: Site, ranking: Ranking, columns: list[tables.Column]) -> list[Plot]:
    if ranking.best is None:
        return []
    conclusion = sentences.verdict(site.run, ranking, columns[0].label, columns[0].unit)
    both = (
        plots.means(site, ranking, columns[0], conclusion),
        plots.differences(site, ranking, columns[0]),
    )
    return [plot for plot in both if plot is not None]


def _verdict(run: Run, section: Section) -> str:
    label = section.columns[0].label if section.columns else ""
    return sentences.verdict(run, section.ranking, label, _unit(section))


def _unit(section: Section) -> str:
    return section.columns[0].unit if section.columns else ""


def _absent(run: Run, ranking: Ranking) -> list[dict[str, Any]]:
    return [{"label": tables.label(run, m), "reason": r} for m, r in ranking.absent]


def _label_of(run: Run, metric: str) -> str:
    labels = run.metrics.loc[run.metrics["metric"] == metric, "label"]
    return str(labels.iloc[0]) if len(labels) else metric


def _ceiling_check(run: Run) -> dict[str, int] | None:
    """How often the original itself scored perfectly; None if it was not run."""
    names = run.methods.index[run.methods["family"] == "ceiling"]
    rows = run.cases[run.cases["method"].isin(names) & (run.cases["status"] == "ok")]
    if len(rows) == 0 or "psnr_db" not in rows:
        return None
    return {"perfect": int((rows["psnr_db"] == float("inf")).sum()), "n": len(rows)}


def _not_run(site: Site) -> list[str]:
    """Titles of the methods without a single completed case."""
    completed = set(site.run.cases.loc[site.run.cases["status"] == "ok", "method"])
    names = [str(name) for name in site.run.methods.index if name not in completed]
    return [sentences.title(site.run, name) for name in names]


def _groups(info: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Settings under headings: the plain ones first, then each nested group."""
    info = dict(info)
    environment = dict(info.get("environment", {}))
    plain = {key: info.pop(key) for key in _FIRST_FACTS if key in info}
    if isinstance(command := environment.pop("command", None), list):
        plain["command"] = shlex.join(map(str, command))
    if isinstance(packages := environment.pop("packages", None), dict):
        info["packages"] = packages
    nested = {key: value for key, value in info.items() if isinstance(value, dict) and value}
    plain |= {key: value for key, value in info.items() if key not in nested}
    nested = {key: environment if key == "environment" else nested[key] for key in nested}
    headed = [(key.replace("_", " ").capitalize(), _dotted(nested[key])) for key in nested]
    return [("The run", _dotted(plain)), *headed]


def _dotted(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Turn nested settings into pairs of a dotted name and a text."""
    if isinstance(value, dict) and value:
        return [pair for key, v in value.items() for pair in _dotted(v, f"{name}.{key}".strip("."))]
    if isinstance(value, list) and any(isinstance(v, dict | list) for v in value):
        return [pair for i, v in enumerate(value) for pair in _dotted(v, f"{name}.{i}")]
    if isinstance(value, list):
        return [(name, "\n".join(map(str, value)))]
    return [(name, "" if value is None else str(value))]


def _upto(count: int) -> range:
    return range(1, count + 1)


def _web(url: str) -> str:
    """Return an address only if it is one of the web; anything else is shown as text."""
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else ""
