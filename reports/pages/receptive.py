"""The page on receptive fields: which known pixels decide the middle of a hole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.errors import InputError
from bench.folder.store import RunFolder, method_folder, records
from bench.text import numbers
from reports import figures
from reports.figures import Point
from reports.plots import exhibits
from reports.plots.exhibits import Plot
from reports.results import sentences, tables
from reports.results.ranking import Ranking, Scores
from reports.results.tables import Cell, Label
from reports.site.site import Site

_TIER = "large"
_RADII = {"r50": "50 %", "r90": "90 %", "r99": "99 %"}


@dataclass(frozen=True)
class Row:
    """One method in the table of fields; ``map`` is None if there is no picture."""

    label: Label
    cells: list[Cell]
    map: Plot | None


@dataclass(frozen=True)
class Quality:
    """Fields beside the headline metric: the plot, and its numbers."""

    head: tables.Column
    plot: Plot
    rows: list[tuple[Label, Cell, Cell, int]]


def write(site: Site, rankings: Sequence[Ranking]) -> None:
    """Write ``receptive.html``, if fields were measured."""
    if site.run.receptive.empty:
        return
    facts = [_current(site, each) for each in records(site.run.receptive)]
    measured = [each for each in facts if each["status"] == "ok"]
    ranking = next((each for each in rankings if each.tier == _TIER), None)
    context = {
        "settings": facts[0],
        "even": _even(measured),
        "rows": [_row(site, each) for each in measured],
        "absent": [
            {"label": tables.label(site.run, each["method"]), "reason": each["reason"]}
            for each in facts
            if each["status"] != "ok"
        ],
        "quality": None if ranking is None else _quality(site, ranking, measured),
        "decades": figures.DECADES,
    }
    site.page("receptive.html", "receptive.html", "Receptive fields", context)


def _current(site: Site, facts: dict[str, Any]) -> dict[str, Any]:
    """A field of other code or weights than those of the run says nothing about its fills."""
    if facts["identity"] == site.run.methods.loc[facts["method"], "identity"]:
        return facts
    reason = "its field was measured with other code or weights than its fills; measure it again"
    return facts | {"status": "outdated", "reason": reason}


def _row(site: Site, facts: dict[str, Any]) -> Row:
    known = f"{numbers.number(100 * facts['known_share'], 1)} %"
    cells = [
        *(_radius(facts, name) for name in _RADII),
        Cell(known, sort=repr(facts["known_share"])),
    ]
    return Row(tables.label(site.run, facts["method"]), cells, _map(site, facts))


def _radius(facts: dict[str, Any], name: str) -> Cell:
    """In % of the input's side, with the interval over photos, which older runs lack."""
    value, low, high = (
        facts[key] / facts["network_side"] for key in (name, f"{name}_low", f"{name}_high")
    )
    between = numbers.interval(100 * low, 100 * high, 1)
    return Cell(f"{numbers.number(100 * value, 1)} %", interval=between, sort=repr(value))


def _even(measured: Sequence[dict[str, Any]]) -> str:
    """The radii of a method that takes all known pixels alike; empty for older runs."""
    if not measured or np.isnan(measured[0]["r50_even"]):
        return ""
    facts = measured[0]
    return ", ".join(
        f"{share} within {numbers.number(100 * facts[f'{name}_even'] / facts['network_side'], 1)} %"
        for name, share in _RADII.items()
    )


def _map(site: Site, facts: dict[str, Any]) -> Plot | None:
    try:
        name = f"receptive/{method_folder(facts['method'])}.npy"
        energy = RunFolder(site.run.folder).read_array(name)
    except InputError:
        return None
    top, bottom, left, right = (
        int(facts[f"hole_{edge}"]) for edge in ("top", "bottom", "left", "right")
    )
    radii = [float(facts[name]) for name in _RADII]
    title = sentences.title(site.run, facts["method"])
    shares = [
        f"{name} of it within {value:.0f}"
        for name, value in zip(_RADII.values(), radii, strict=True)
    ]
    alt = (
        f"Field of {title} on an input of {energy.shape[1]} by {energy.shape[0]} pixels: energy "
        f"around the hole, {', '.join(shares)} pixels of its middle."
    )
    return exhibits.written(
        site, f"field-{numbers.short_hash(facts['method'])}", figures.MAP_SIZE, alt,
        figures.energy_map(energy, (top, bottom, left, right), radii),
    )  # fmt: skip


def _quality(site: Site, ranking: Ranking, measured: Sequence[dict[str, Any]]) -> Quality | None:
    """None if no method has both."""
    head = tables.columns(site.run, ranking)[:1]
    scores = {each.method: each for each in ranking.all_scores}
    both = [
        (each, scores[each["method"]])
        for each in sorted(measured, key=lambda each: each["r90"] / each["network_side"])
        if each["method"] in scores and _finite(scores[each["method"]], ranking.headline)
    ]
    if not both:
        return None
    points, rows, words = [], [], []
    for facts, score in both:
        label = tables.label(site.run, score.method)
        value = score.values[ranking.headline]
        share = 100 * facts["r90"] / facts["network_side"]
        shown = numbers.number(value.mean, head[0].decimals)
        points.append((share, Point(label.title, label.family, value, score in ranking.ranked)))
        between = numbers.interval(value.low, value.high, head[0].decimals)
        cell = Cell(shown, interval=between, sort=repr(value.mean))
        rows.append((label, _radius(facts, "r90"), cell, score.n))
        words.append(f"{label.title} {share:.0f} %: {shown}")
    axes = (
        "radius with 90 % of the energy, % of the input's side",
        f"{head[0].name}, {head[0].better}",
    )
    alt = f"{head[0].label} on large holes by field, from the smallest: {'; '.join(words)}."
    plot = exhibits.written(
        site, "field-quality", figures.SCATTER_SIZE, alt,
        figures.scatter(points, axes),
    )  # fmt: skip
    return Quality(head[0], plot, rows)


def _finite(score: Scores, metric: str) -> bool:
    return metric in score.values and bool(np.isfinite(score.values[metric].mean))
