"""The page on methods that gave several samples of each case: how different, and how good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from bench.folder.read import Run
from bench.statistics import Interval, mean_interval
from bench.text import numbers
from reports.results import tables
from reports.results.ranking import case_metrics
from reports.results.tables import Cell, Label
from reports.site.album import Shown
from reports.site.gallery import MOST_SPREAD, CaseView, FillView
from reports.site.section import Section
from reports.site.site import Site

MOST_CASES = 6
"""Cases a method and tier that have pictures here."""
MOST_SAMPLES = 8
"""Samples a case that are shown here."""
MOST_PICTURES = 390
_DISTANCE = "diversity_"
_LABELS = {
    "l1": "Mean absolute difference, picture",
    "l1_hole": "Mean absolute difference, hole",
    "lpips": "LPIPS (AlexNet), picture",
    "lpips_hole": "LPIPS (AlexNet), map over the hole",
    "lpips_box": "LPIPS (AlexNet), box of the hole",
    "lpips_untrained": "LPIPS, untrained, picture",
    "lpips_untrained_hole": "LPIPS, untrained, map over the hole",
    "lpips_untrained_box": "LPIPS, untrained, box of the hole",
}


@dataclass(frozen=True)
class Quality:
    """One metric of one method over its samples."""

    label: Label
    metric: str
    better: str
    cells: list[Cell]


@dataclass(frozen=True)
class Strip:
    """Samples of one case by one method: their numbers and pictures, at most `MOST_SAMPLES`."""

    view: CaseView
    drawn: int
    samples: list[tuple[int, Shown]]
    spread: tuple[Shown, float] | None


@dataclass(frozen=True)
class Part:
    """One tier: what each method's samples are like."""

    title: str
    strips: list[tuple[Label, list[Strip]]]
    columns: list[str]
    distances: list[tuple[Label, str, str, list[Cell]]]
    qualities: list[Quality]


def write(site: Site, sections: Sequence[Section]) -> None:
    """Write ``samples.html``, if any method gave several samples."""
    several = site.run.samples
    if several.empty:
        return
    drawn = list(several.loc[several["samples"] > 1, "method"].unique())
    methods = [str(name) for name in site.run.methods.index if name in drawn]
    cases = _cases_shown(site.run, methods)
    parts = [_part(site.run, section, methods, cases) for section in sections]
    context = {
        "bar": site.album.colour_bar(),
        "cases": cases,
        "most_samples": MOST_SAMPLES,
        "most_spread": MOST_SPREAD,
        "parts": [part for part in parts if part.distances],
        "untrained": "diversity_lpips_untrained" in several,
    }
    site.page("samples.html", "samples.html", "Samples", context)


def _cases_shown(run: Run, methods: Sequence[str]) -> int:
    """Of how many cases a method and tier there are pictures: not too many for a page."""
    beside = 4  # the photo, small and in full, its hole, the spread
    of_one = beside + min(MOST_SAMPLES, int(run.samples["samples"].max()))
    return min(MOST_CASES, MOST_PICTURES // (len(run.tiers) * len(methods) * of_one))


def _strips(
    section: Section, methods: Sequence[str], cases: int
) -> list[tuple[Label, list[Strip]]]:
    """The first cases by their hash, of each method that gave several samples of them."""
    drawn = next((o for o in section.orders if o.name == "random"), section.orders[0])
    found = []
    for label in section.labels:
        strips = [
            Strip(view, 1 + len(fill.samples), _first(fill), fill.spread)
            for view in section.listed(drawn)
            for fill in view.fills
            if fill.method == label.method in methods and fill.samples
        ]
        found.append((label, strips[:cases]))
    return [(label, strips) for label, strips in found if strips]


def _first(fill: FillView) -> list[tuple[int, Shown]]:
    first = [(0, fill.full)] if fill.full else []
    return [*first, *((int(row["sample"]), shown) for shown, row in fill.samples)][:MOST_SAMPLES]


def _part(run: Run, section: Section, methods: Sequence[str], cases: int) -> Part:
    tier = section.ranking.tier
    names = [name for name in map(str, run.samples) if name.startswith(_DISTANCE)]
    distances, qualities = [], []
    for method in methods:
        of_method = run.samples["method"] == method
        own = run.samples[of_method & (run.samples["tier"] == tier)]
        if own.empty:
            continue
        label = tables.label(run, method)
        cells = [_cell(own, [name])[0] for name in names]
        distances.append((label, _drawn(own["samples"]), str(len(own)), cells))
        for metric in case_metrics(run):
            known = tables.facts(run, metric)
            shown = _cell(own, [f"{metric}_{over}" for over in ("mean", "best", "worst")])
            name = f"{known['label']} ({known['unit']})" if known["unit"] else known["label"]
            qualities.append(Quality(label, name, known["better"], shown))
    columns = [_LABELS.get(name.removeprefix(_DISTANCE), name) for name in names]
    words = numbers.holes(tier)
    strips = _strips(section, methods, cases)
    return Part(numbers.capital(words), strips, columns, distances, qualities)


def _cell(own: pd.DataFrame, names: list[str]) -> list[Cell]:
    """Means over the cases, with digits that all of them share."""
    found = [_interval(own, name) for name in names]
    decimals = numbers.decimals_for(value.half_width for value in found if value)
    return [
        Cell(
            numbers.number(value.mean, decimals),
            interval=numbers.interval(value.low, value.high, decimals),
            remark=f"n = {value.n}" if value.n != len(own) else "",
            sort=repr(value.mean),
        )
        if value
        else Cell(numbers.NOTHING, remark="not measured")
        for value in found
    ]


def _interval(own: pd.DataFrame, name: str) -> Interval | None:
    values = own[name].dropna().astype(float)
    return mean_interval(values, own.loc[values.index, "cluster"]) if len(values) else None


def _drawn(counts: pd.Series) -> str:
    """``5``, or ``3 to 5`` where some samples were not completed."""
    low, high = int(counts.min()), int(counts.max())
    return str(high) if low == high else f"{low} to {high}"
