"""The numbers of one case as rows of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bench.folder.read import Run
from bench.statistics import MARKS
from bench.text import numbers
from reports.results.ranking import case_metrics
from reports.results.tables import Cell, Column, facts
from reports.site.gallery import CaseView


def case_cells(
    run: Run, view: CaseView, shown: Sequence[Column], headline: str
) -> dict[str, list[Cell]]:
    """Each method's numbers on one case; if a metric ranks, with the best that compete marked."""
    families = run.methods["family"]
    contenders = [
        fill.row
        for fill in view.fills
        if fill.row.get("status") == "ok" and families[fill.method] not in MARKS
    ]
    best = {c.metric: _best_case(contenders, c) if headline else math.nan for c in shown}
    places = standings(run, view, shown[0]) if shown and headline else {}
    cells = {
        fill.method: [_case_cell(fill.row, column, best[column.metric]) for column in shown]
        for fill in view.fills
    }
    for method, place in places.items():
        cells[method][0] = replace(cells[method][0], remark=f"{place} of {len(places)}")
    return cells


def distances(view: CaseView, column: Column, places: dict[str, int]) -> dict[str, Cell]:
    """Difference of each method that competes from the best one on this case."""
    values = {f.method: float(f.row[column.metric]) for f in view.fills if f.method in places}
    best = next((values[name] for name, place in places.items() if place == 1), math.nan)
    return {
        name: Cell("best" if value == best else numbers.signed(value - best, column.decimals),
                   sort=f"{value - best if math.isfinite(value - best) else 0.0:.7g}")
        for name, value in values.items()
    }  # fmt: skip


def standings(run: Run, view: CaseView, column: Column) -> dict[str, int]:
    """Rank of each method that competes, on this case alone; equal values share the better one."""
    values = {
        fill.method: float(fill.row[column.metric])
        for fill in view.fills
        if fill.row.get("status") == "ok" and run.methods["family"][fill.method] not in MARKS
    }
    values = {method: v for method, v in values.items() if not math.isnan(v)}
    sign = 1 if column.higher else -1
    return {
        method: 1 + sum(sign * other > sign * own for other in values.values())
        for method, own in values.items()
    }


def case_columns(run: Run, headline: str) -> list[Column]:
    """Columns of a case's table, the headline metric first."""
    present = case_metrics(run)
    order = [*(m for m in present if m == headline), *(m for m in present if m != headline)]
    return [_case_column(run, metric) for metric in order]


def _case_column(run: Run, metric: str) -> Column:
    known = facts(run, metric)
    return Column(decimals=2 if known["unit"] == "dB" else 4, **known)


def _best_case(contenders: Sequence[dict[str, Any]], column: Column) -> float:
    values = [float(row[column.metric]) for row in contenders]
    values = [value for value in values if not math.isnan(value)]
    if len(values) < 2:
        return math.nan
    return max(values) if column.higher else min(values)


def _case_cell(row: dict[str, Any], column: Column, best: float) -> Cell:
    value = float(row.get(column.metric, math.nan))
    if math.isnan(value):
        return Cell(numbers.NOTHING, remark="not measured")
    return Cell(numbers.number(value, column.decimals), best=value == best, sort=f"{value:.7g}")
