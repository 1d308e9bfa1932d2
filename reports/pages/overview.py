"""The overview: the result, who is best at what, quality against time, all rankings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any

import pandas as pd

from bench.folder.header import PHOTO, UNKNOWN
from bench.folder.read import Run
from bench.folder.store import records
from bench.statistics.floors import SUGGESTS
from bench.text import numbers
from reports.files import downloads
from reports.pages import hero
from reports.pages.difficulty import Curves, findings
from reports.plots import pareto
from reports.results import (
    budget,
    cautions,
    failures,
    heat,
    preference,
    sentences,
    table_notes,
    tables,
)
from reports.results.definitions import definitions
from reports.results.kinds import ByKind
from reports.results.winners import winners
from reports.site.section import Section
from reports.site.site import Site

_SEEN_FIRST = 4  # cases


def write(
    site: Site, sections: Sequence[Section], curves: Sequence[Curves], kinds: ByKind | None
) -> None:
    """Write ``index.html``.

    Args:
        site: The report.
        sections: Its tiers.
        curves: Quality against the hole, over all tiers.
        kinds: The finding by kind of photo.
    """
    run = site.run
    rankings = [section.ranking for section in sections]
    parts = [_part(run, section) for section in sections]
    small = _small(run)
    notes = parts[0]["notes"] if parts else []
    everywhere = [n for n in notes if all(n in part["notes"] for part in parts)]
    for part in parts:
        part["notes"] = [note for note in part["notes"] if note not in everywhere]
    context = {
        "sentence": preference.headline(run, rankings),
        "votes": preference.shown(run),
        "gallery": _gallery(sections),
        "headline": site.headline,
        "reference": site.reference and sentences.title(run, site.reference),
        "headline_label": tables.metric_label(run, site.headline.metric),
        "stands_in": cautions.stands_in(
            site.headline, tables.metric_label(run, site.headline.metric)
        ),
        "floors": cautions.floors(run, rankings),
        "surely_below": any(found.surely for r in rankings for found in r.outranked),
        "suggests": SUGGESTS,
        "margin": sections[0].margin if sections else "",
        "few_photos": cautions.few_photos(rankings, run.plan["cluster"].nunique()),
        "parts": parts,
        "notes": everywhere,
        "lines": max((len(part["winners"]) for part in parts), default=0),
        "times": pareto.exhibits(site, rankings),
        "times_caption": pareto.CAPTION,
        "budget": site.budget and budget.words(site.budget),
        "how": budget.how(run),
        "within": [budget.sentence(run, r, site.budget) for r in rankings] if site.budget else [],
        "kinds": kinds,
        "by_hole": findings(curves) if curves else [],
        "small": _small_weights(run, small),
        "small_count": len(small),
        "standings": heat.standings(run, rankings, tables.overview(run)),
        "verdict": site.verdict,
        "absent_metrics": _absent(run),
        "ceiling": _ceiling_check(run),
        "scored": sentences.scored(run.header),
        "photos": run.plan["photo"].nunique(),
        "clusters": run.plan["cluster"].nunique(),
        "downloads": downloads.offered(run),
        "hero": hero.hero(
            site,
            sections,
            {p["section"].ranking.tier: [*chain(*p["groups"].values())] for p in parts},
        ),
        "definitions": definitions(
            run, [c for part in parts for c in part["columns"]], [part["groups"] for part in parts]
        ),
        "several_samples": bool((run.cases["sample"] > 0).any()),
    }
    site.page("overview.html", "index.html", "Overview", context)


def _part(run: Run, section: Section) -> dict[str, Any]:
    ranking = section.ranking
    columns = tables.columns(run, ranking, only=tables.overview(run))
    shares = run.plan.loc[run.plan["tier"] == ranking.tier, "hole_share"] * 100
    return {
        "section": section,
        "columns": columns,
        "groups": tables.rows(run, ranking, columns),
        "notes": table_notes.notes(run, ranking, columns),
        "winners": winners(run, ranking),
        "scale": cautions.scale(run, ranking, columns[0].decimals) if columns else "",
        "share": " to ".join(dict.fromkeys(f"{s:.1f}" for s in (shares.min(), shares.max()))),
    }


def _gallery(sections: Sequence[Section]) -> dict[str, Any]:
    """A few cases, by hash, and the methods of all tiers: what is seen first of unknown truth."""
    views = sorted((view for s in sections for view in s.cases), key=lambda view: view.page)
    labels = {label.method: label for s in sections for label in s.labels}
    return {"cases": views[:_SEEN_FIRST], "labels": list(labels.values())}


def _absent(run: Run) -> list[dict[str, Any]]:
    """What could not be measured, what that means, how to get it; those of one cause together."""
    causes: dict[str, list[dict[str, Any]]] = {}
    for row in records(run.metrics[run.metrics["status"] != "ok"]):
        causes.setdefault(failures.fetch(row["reason"]) or row["reason"], []).append(row)
    return [
        {
            "names": numbers.joined(row["label"] for row in rows),
            "many": len(rows) > 1,
            "means": cautions.without(run, [row["metric"] for row in rows]),
            "fetch": failures.fetch(rows[0]["reason"]),
            "reasons": list(dict.fromkeys(row["reason"] for row in rows)),
        }
        for rows in causes.values()
    ]


def _ceiling_check(run: Run) -> dict[str, int] | None:
    """How often the truth itself scored perfectly; None if it was not run, or made a JPEG of.

    Another picture than the photo may differ from it outside of the hole, too.
    """
    names = run.methods.index[run.methods["family"] == "ceiling"]
    rows = run.cases[run.cases["method"].isin(names) & (run.cases["status"] == "ok")]
    metric = "psnr_db" if run.header.truth == PHOTO else "psnr_hole_db"
    jpeg = any("-jpeg-" in way for way in run.header.scored)
    if run.header.truth == UNKNOWN or jpeg or metric not in rows or rows[metric].isna().all():
        return None
    values = rows[metric].dropna()
    return {"perfect": int((values == float("inf")).sum()), "n": len(values)}


def _small_weights(run: Run, small: pd.DataFrame) -> str:
    """What the networks with the project's own weights are, and are not; empty without any."""
    cards = [json.loads(training) for training in small["training"]]
    if not cards:
        return ""
    names = [sentences.title(run, str(name)).removesuffix(" (small)") for name in small.index]
    size = _range([f"{card['parameters'] / 1e6:.1f}" for card in cards])
    seen = _range([f"{card['training']['pictures']:,}" for card in cards])
    return (
        f"{numbers.joined(names)} {'has' if len(names) == 1 else 'have'} {size} million parameters "
        f"here and saw {seen} pictures in training, to show every family at work: no "
        "verdict on what was published"
    )


def _small(run: Run) -> pd.DataFrame:
    """The methods with those weights."""
    rows: pd.DataFrame = run.methods[
        run.methods.index.str.contains(r":small\b") & (run.methods["training"] != "")
    ]
    return rows


def _range(values: Sequence[str]) -> str:
    """``1.4 to 1.7``, or the one there is."""
    inner = sorted(values, key=lambda text: float(text.replace(",", "")))
    return " to ".join(dict.fromkeys((inner[0], inner[-1])))
