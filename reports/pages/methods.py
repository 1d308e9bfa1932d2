"""The list of the methods; what is known of each, and what others published about it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.folder.read import Run
from bench.folder.store import records
from bench.statistics import MARKS
from reports.pages import method as method_page
from reports.results import tables
from reports.results.ranking import Ranking
from reports.results.tables import Label
from reports.site.section import Section
from reports.site.site import Site

_WITHOUT_NETWORK = ("diffusion-based", "patch-based", *MARKS)


@dataclass(frozen=True)
class Figures:
    """Published figures of one protocol, each beside this run's where it has the same metric."""

    on: str
    of: str
    protocol: str
    source: str
    lines: list[tuple[str, str, str]]


@dataclass(frozen=True)
class MethodCard:
    """One method: its row of ``methods``, and what has to be worked out."""

    label: Label
    facts: dict[str, Any]
    link: str
    files: list[dict[str, str]]
    completed: bool
    parameters: str
    operations: str
    trained_on: str
    published: list[Figures]


def write(site: Site, sections: Sequence[Section]) -> None:
    """Write ``methods.html``, and of each its page."""
    rankings = [section.ranking for section in sections]
    cards = [_card(site.run, row, rankings) for row in records(site.run.methods)]
    site.page("methods.html", "methods.html", "Methods", {"cards": cards})
    every = method_page.tiers(site, sections)
    for card in cards:
        method_page.write(site, every, card.label, {"card": card})


def _card(run: Run, facts: dict[str, Any], rankings: Sequence[Ranking]) -> MethodCard:
    method = str(facts["method"])
    training = json.loads(facts.get("training") or "{}")
    return MethodCard(
        label=tables.label(run, method),
        facts=facts,
        link=_web(facts["url"]),
        files=json.loads(facts.get("files") or "[]"),
        completed=bool((run.cases.loc[run.cases["method"] == method, "status"] == "ok").any()),
        parameters=_parameters(facts),
        operations=_operations(run, method),
        trained_on=_trained_on(training.get("data", {})),
        published=[
            _figures(run, method, each, rankings)
            for each in json.loads(facts.get("published") or "[]")
        ],
    )


def _parameters(facts: dict[str, Any]) -> str:
    """Number of parameters; what it is where there is none."""
    count = facts.get("parameters", math.nan)
    if count is not None and math.isfinite(count):
        return f"{count:,.0f}"
    if json.loads(facts.get("files") or "[]"):
        return "not documented"
    return "no network" if facts["family"] in _WITHOUT_NETWORK else "not known"


def _operations(run: Run, method: str) -> str:
    """Operations of one picture by side, from the table of latencies."""
    if not {"products", "fourier"} <= set(run.latency):
        return "not measured"
    rows = run.latency[(run.latency["method"] == method) & run.latency["products"].notna()]
    counts: pd.Series = (rows["products"] + rows["fourier"].fillna(0)).groupby(rows["side"]).max()
    if counts.empty:
        return "not measured"
    return "; ".join(f"{count / 1e9:,.3g} G at {side:.0f} px" for side, count in counts.items())


def _trained_on(data: dict[str, Any]) -> str:
    if not data:
        return ""
    sources = ", ".join(
        f"{count} of {name.removesuffix('.tar')}" for name, count in data["sources"].items()
    )
    return f"{data['photos']:,} photos ({sources}); set {data['sha']}"


def _figures(run: Run, method: str, entry: dict[str, Any], rankings: Sequence[Ranking]) -> Figures:
    return Figures(
        on=entry["on"],
        of=entry["weights"],
        protocol=entry["protocol"],
        source=entry["source"],
        lines=[
            (name, f"{value:g}", _ours(run, method, name, rankings))
            for name, value in entry["figures"].items()
        ],
    )


def _ours(run: Run, method: str, name: str, rankings: Sequence[Ranking]) -> str:
    """This run's means of the metric with that label, tier by tier."""
    metrics = list(run.metrics.loc[run.metrics["label"] == name, "metric"])
    if not metrics:
        return "no such metric here"
    found = []
    for ranking in rankings:
        scores = next((s for s in ranking.all_scores if s.method == method), None)
        value = scores.values.get(metrics[0]) if scores else None
        if value is not None and math.isfinite(value.mean):
            column = next(c for c in tables.columns(run, ranking) if c.metric == metrics[0])
            shown = tables.value_cell(value, column)
            found.append(f"{ranking.tier} {shown.text} {shown.interval} (n = {value.n})")
    return "; ".join(found) or "not measured in this run"


def _web(url: str) -> str:
    """Return an address only if it is one of the web; anything else is shown as text."""
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else ""
