"""The cases of a tier as dots, which lead to their pages: methods against each other and the hole.

The best method and the next are drawn; the script draws any other two from the same data.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from bench.statistics import CASE, completed
from bench.text import numbers
from reports import figures
from reports.figures.dots import Dot, Layer, along, scales, versus
from reports.figures.shapes import Chart, Scale
from reports.results import sentences
from reports.results.tables import Column
from reports.site.album import Shown
from reports.site.gallery import CaseView, page_of
from reports.site.section import Section
from reports.site.site import Site

MOST_DOTS = 2000
_MOST_NUMBERS = 30_000  # of methods and cases in a page
_MOST_LINKS, _MOST_PATHS = 400, 6_000  # cases with pictures, and pictures of theirs
_WIDE = 8  # times the smallest hole: from there on the axis is logarithmic


@dataclass(frozen=True)
class Dots:
    """What the page shows.

    Attributes:
        charts: Two methods against each other, and both against the hole.
        data: The same of all methods, for the script.
        note: Of which cases, in words.
    """

    charts: list[Chart]
    data: dict[str, Any]
    note: str


@dataclass(frozen=True)
class _Cases:
    """Values of methods, a row a case in the order of the hash; the first have pictures."""

    values: pd.DataFrame
    shares: list[float]
    views: list[CaseView]


def of_section(
    site: Site, section: Section, means: dict[str, list[tuple[float, float]]]
) -> Dots | None:
    """The dots of a tier; None without two methods that are ranked.

    Args:
        site: The report.
        section: The tier.
        means: By method, means along the share of the hole in percent.
    """
    ranking, head = section.ranking, section.columns[0] if section.columns else None
    names = [scores.method for scores in ranking.ranked]
    if ranking.best is None or head is None or len(names) < 2:
        return None
    cases = _cases(site, section, names)
    if cases.values.empty:
        return None
    titles = figures.short([sentences.title(site.run, name) for name in names])
    lines = [means.get(name, []) for name in names]
    places = {label.method: place for place, label in enumerate(section.labels, start=1)}
    shown = _Drawing(head, titles, [places[name] for name in names], lines, cases)
    return Dots(list(shown.charts(0, 1)), shown.data(0, 1), _note(cases, ranking.expected))


def _cases(site: Site, section: Section, names: Sequence[str]) -> _Cases:
    metric, tier = section.ranking.headline, section.ranking.tier
    done = completed(site.run.cases[site.run.cases["tier"] == tier])
    table = done[done["method"].isin(names)].pivot(index=CASE, columns="method", values=metric)
    table = table.astype(float).reindex(columns=list(names))
    table = table.where(table.abs() < math.inf).dropna(how="all")
    views = {view.page: view for view in section.cases}
    pages = {page_of(key): key for key in table.index}
    linked = sorted(page for page in pages if page in views)
    linked = linked[: min(_MOST_LINKS, _MOST_PATHS // len(names))]
    rest = sorted(page for page in pages if page not in linked)
    most = min(MOST_DOTS, _MOST_NUMBERS // len(names))
    kept = [*linked, *rest][:most]
    table = table.loc[[pages[page] for page in kept]]
    shares = 100 * site.run.plan.set_index(CASE)["hole_share"].reindex(table.index)
    return _Cases(table, shares.tolist(), [views[page] for page in linked])


def _note(cases: _Cases, expected: int) -> str:
    count, linked = len(cases.values), len(cases.views)
    words = f"{numbers.counted(count, 'case')} of {expected:,}"
    if count < expected:
        words += ", drawn by their hash among those that were completed"
    if linked < count:
        words += f"; {linked} have pictures and lead to them, the others are fainter"
    return f"{words}."


@dataclass(frozen=True)
class _Drawing:
    head: Column
    titles: list[str]
    columns: list[int]
    means: list[list[tuple[float, float]]]
    cases: _Cases

    @cached_property
    def scales(self) -> list[Scale]:
        """Axes, which hold the values of all methods."""
        shares = self.cases.shares
        log = max(shares) > _WIDE * max(min(shares), 1e-9)
        return scales(self.cases.values.to_numpy().ravel().tolist(), shares, log=log)

    def charts(self, a: int, b: int) -> Iterator[Chart]:
        """The drawings of two methods."""
        values = [self.cases.values.iloc[:, method].tolist() for method in (a, b)]
        both = [(x, y) for x, y in zip(*values, strict=True) if math.isfinite(x + y)]
        across, up, share = self.scales
        above = sum(y > x for x, y in both)
        below = sum(y < x for x, y in both)
        better = (b, a) if self.head.higher else (a, b)
        sides = [f"{self.titles[m]} better: {n}"
                 for m, n in zip(better, (above, below), strict=True)]  # fmt: skip
        name = self.head.name
        axes = f"{name} of {self.titles[a]}", f"{name} of {self.titles[b]}"
        pair = self._dots(values[0], values[1], b)
        yield versus(pair, across, up, axes, (sides[0], sides[1]),
                     f"{name} of two methods against each other, a dot a case")  # fmt: skip
        layers = [
            Layer(self.titles[m], *self._dots(self.cases.shares, own, m), self.means[m])
            for m, own in zip((a, b), values, strict=True)
        ]
        axes = "share of the picture missing, %", f"{name}, {self.head.better}"
        yield along(layers, share, up, axes,
                     f"{name} of two methods against the hole, a dot a case")  # fmt: skip

    def _dots(self, x: list[float], y: list[float], method: int) -> tuple[list[Dot], list[Dot]]:
        every = [Dot(*place) for place in zip(x, y, strict=True)]
        linked = [
            Dot(dot.x, dot.y, _named(view), f"../cases/{view.page}.html?b={self.columns[method]}")
            for dot, view in zip(every, self.cases.views, strict=False)
        ]
        return linked, every[len(linked) :]

    def data(self, *pair: int) -> dict[str, Any]:
        """What the script draws other methods from, and shows of a case."""
        table = self.cases.values.astype(object).where(self.cases.values.notna(), None)
        values = [[_brief(v) for v in row] for row in table.to_numpy().tolist()]
        return {
            "pair": pair, "name": self.head.name, "higher": self.head.higher,
            "decimals": self.head.decimals + 1, "methods": self.titles, "columns": self.columns,
            "means": [[[_brief(v) for v in p] for p in line] for line in self.means],
            "scales": [dataclasses.asdict(scale) for scale in self.scales],
            "values": values, "shares": [_brief(v) for v in self.cases.shares],
            "cases": [
                {
                    "page": view.page, "name": _named(view),
                    "hole": _layers(view.with_hole),
                    "original": _file(view.original and view.original[0]),
                    "fills": [_file(view.fills[column - 1].views) for column in self.columns],
                }
                for view in self.cases.views
            ],
        }  # fmt: skip


def _file(shown: Shown | None) -> str:
    return shown.path if shown else ""


def _layers(shown: tuple[Shown, Shown] | None) -> list[str]:
    return [name for name in (shown[0].below, shown[0].path) if name] if shown else []


def _brief(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def _named(view: CaseView) -> str:
    draw = f", draw {view.facts['draw']}" if view.facts["draw"] else ""
    return f"{view.facts['photo']}{draw}, {100 * view.facts['hole_share']:.1f} % hole"
