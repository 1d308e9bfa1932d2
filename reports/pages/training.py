"""The page on networks that this project trained itself: budgets and learning curves."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.text import numbers
from reports import figures
from reports.figures import Line
from reports.plots import exhibits
from reports.plots.exhibits import Exhibit, Numbers
from reports.results import sentences, tables
from reports.results.tables import Cell, Label
from reports.site.site import Site

_CURVE = "l1_hole_"
_ALIKE: dict[str, Callable[[Any], Any]] = {
    "photos": lambda card: card["data"]["sha"],
    "pictures seen": lambda card: card["training"]["pictures"],
    "seed, so order and holes": lambda card: card["training"]["seed"],
    "batch": lambda card: card["training"]["batch"],
    "square": lambda card: card["training"]["crop"],
    "precision": lambda card: card["training"]["precision"],
    "devices that share a batch": lambda card: card["training"].get("devices", 1),
    "downloaded networks": lambda card: card["training"].get("networks", {}),
    "optimiser": lambda card: card["training"]["optimiser"],
    "reconstruction term": lambda card: card["training"]["reconstruction"],
}


# What every network of the track should have been given alike: words, and where it stands.
_GIVEN: dict[str, Callable[[Any], Any]] = {
    "Pictures seen": lambda card: card["training"]["pictures"],
    "Photos": lambda card: card["data"]["photos"],
    "Square, pixels": lambda card: card["training"]["crop"],
    "Batch": lambda card: card["training"]["batch"],
    "Seed": lambda card: card["training"]["seed"],
}


@dataclass(frozen=True)
class Budget:
    """What a network was given (where not all were given the same), and where it ended."""

    label: Label
    facts: dict[str, Any]
    given: list[str]
    last: dict[str, str]


def write(site: Site) -> None:
    """Write ``training.html``, if any network was trained by this project."""
    held_out = site.run.training[site.run.training["kind"] == "held out"]
    if held_out.empty:
        return
    curves = _of_the_last_stage(held_out[held_out["quantity"].str.startswith(_CURVE)])
    tiers = list(dict.fromkeys(curves["quantity"].str.removeprefix(_CURVE)))
    cards = {
        str(method): json.loads(str(site.run.methods.at[str(method), "training"]))
        for method in held_out["method"].unique()
    }
    given = {words: [value(card) for card in cards.values()] for words, value in _GIVEN.items()}
    varied = [words for words, values in given.items() if len(set(values)) > 1]
    context = {
        "budgets": _budgets(site, held_out, cards, varied),
        "alike": [(words, f"{given[words][0]:,}") for words in given if words not in varied],
        "given": varied,
        "unlike": _unlike(cards.values()),
        "terms": _terms(site),
        "quantities": [(name, _words(name)) for name in dict.fromkeys(held_out["quantity"])],
        "curves": [_curve(site, tier, curves) for tier in tiers],
    }
    site.page("training.html", "training.html", "Training", context)


def _budgets(
    site: Site, held_out: pd.DataFrame, cards: Mapping[str, Any], varied: Sequence[str]
) -> list[Budget]:
    budgets = []
    for method, rows in held_out.groupby("method", sort=False):
        card = cards[str(method)]
        last = rows[rows["pictures"] == rows["pictures"].max()]
        budgets.append(
            Budget(
                tables.label(site.run, str(method)),
                card,
                [f"{_GIVEN[words](card):,}" for words in varied],
                {
                    str(name): numbers.number(value, 4)
                    for name, value in zip(last["quantity"], last["value"], strict=True)
                },
            )
        )
    return budgets


def _of_the_last_stage(rows: pd.DataFrame) -> pd.DataFrame:
    """Drop what was measured before the part that fills began to learn."""
    last = rows.groupby("method")["stage"].transform("last")
    return rows[rows["stage"] == last]


def _unlike(cards: Iterable[Any]) -> list[str]:
    """What the trainings shown together do not share, in words; empty if all is alike."""
    found = []
    for words, value in _ALIKE.items():
        values = {json.dumps(value(card), sort_keys=True) for card in cards}
        if len(values) > 1:
            found.append(words)
    return found


def _terms(site: Site) -> list[tuple[Label, str, str, str]]:
    """Each loss term of each method in the first and in the last block that had it."""
    rows = site.run.training[site.run.training["kind"] == "term"]
    return [
        (
            tables.label(site.run, str(method)),
            str(term),
            numbers.number(float(own["value"].iloc[0]), 4),
            numbers.number(float(own["value"].iloc[-1]), 4),
        )
        for (method, term), own in rows.groupby(["method", "quantity"], sort=False)
    ]


def _curve(site: Site, tier: str, curves: pd.DataFrame) -> Exhibit:
    own = curves[curves["quantity"] == _CURVE + tier]
    values: dict[str, dict[int, float]] = {}
    for method, place, value in zip(own["method"], own["pictures"], own["value"], strict=True):
        values.setdefault(str(method), {})[int(place)] = float(value)
    families = site.run.methods["family"]
    lines = [
        Line(sentences.title(site.run, method), str(families[method]), list(points.items()))
        for method, points in values.items()
    ]
    alt = (
        f"Mean absolute error in the hole, tier {tier}, on photos held out of training, against "
        "the pictures seen; the table has the numbers."
    )
    axes = ("pictures seen", "L1 in the hole, lower is better")
    plot = exhibits.written(
        site,
        f"training-{numbers.slug(tier)}",
        figures.LINES_SIZE,
        alt,
        figures.lines(lines, axes),
    )
    places = _thinned(sorted({place for points in values.values() for place in points}))
    rows = [
        (
            tables.label(site.run, method),
            [Cell(numbers.number(points.get(place, math.nan), 4)) for place in places],
        )
        for method, points in values.items()
    ]
    table = Numbers("L1 in the hole by pictures seen", [f"{place:,}" for place in places], rows)
    return Exhibit(numbers.holes(tier).capitalize(), plot, "", table)


def _thinned(places: list[int]) -> list[int]:
    """At most eight places, the last one among them."""
    step = -(-len(places) // 8)
    return places[::-1][::step][::-1]


def _words(quantity: str) -> str:
    metric, _, tier = quantity.rpartition("_")
    return f"{ {'l1_hole': 'L1, hole', 'ssim_hole': 'SSIM, hole'}.get(metric, metric) }, {tier}"
