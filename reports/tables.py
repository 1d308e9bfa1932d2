"""Rankings and cases as rows of text, ready to be laid out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.statistics import Interval
from reports import numbers, sentences
from reports.gallery import CaseView
from reports.ranking import CAP_DB, Ranking, Scores, case_metrics
from reports.run import Run

# What the overview shows beside the headline metric; the tier pages show everything.
OVERVIEW = ("lpips", "lpips_untrained", "ssim_hole", "psnr_hole_db", "l1_hole", "seam", "drift")
_FAMILIES = {
    "floor", "ceiling", "diffusion-based", "patch-based", "CNN", "GAN", "transformer", "Fourier",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """One metric as a column.

    Attributes:
        metric: Name in the tables.
        label: Name for readers.
        unit: Unit, may be empty.
        better: ``higher is better`` or ``lower is better``.
        note: What must be known wherever the number is shown.
        decimals: Digits after the point.
        is_set: Whether it is one number per method and tier.
    """

    metric: str
    label: str
    unit: str
    better: str
    note: str
    decimals: int
    is_set: bool

    @property
    def name(self) -> str:
        """Label with unit, for captions and axes."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


@dataclass(frozen=True)
class Cell:
    """One number: its text, its interval, a remark, whether it is the best of its column."""

    text: str
    interval: str = ""
    remark: str = ""
    best: bool = False
    sort: str = ""


@dataclass(frozen=True)
class Label:
    """A method as a row header."""

    method: str
    title: str
    family: str
    family_class: str


@dataclass(frozen=True)
class Row:
    """One method in a ranking."""

    place: str
    label: Label
    cells: list[Cell]
    difference: Cell
    seconds: Cell
    ratio: str
    memory: Cell
    n: int
    tied: bool


def label(run: Run, method: str) -> Label:
    """Name and family of a method for readers."""
    family = str(run.methods.loc[method, "family"])
    known = family.lower() if family in _FAMILIES else "elsewhere"
    return Label(method, sentences.title(run, method), family, f"family-{known}")


def columns(run: Run, ranking: Ranking, only: Sequence[str] | None = None) -> list[Column]:
    """Columns of a tier's ranking, the headline metric first.

    Args:
        run: The run.
        ranking: Ranking of the tier.
        only: Case metrics to show besides the headline and the set metrics; all if omitted.
    """
    present = [*case_metrics(run), *_set_metrics(run, ranking.tier)]
    wanted = [m for m in present if only is None or m in only or m not in run.cases.columns]
    head = [m for m in present if m == ranking.headline]
    order = [*head, *(m for m in wanted if m != ranking.headline)]
    return [_column(run, ranking, metric) for metric in order]


def rows(run: Run, ranking: Ranking, shown: Sequence[Column]) -> dict[str, list[Row]]:
    """Rows of the ranking in three groups: ``ranked``, ``marks`` and ``partial``."""
    telea = next((s.seconds for s in ranking.ranked if s.method == "telea"), math.nan)
    groups = {"ranked": ranking.ranked, "marks": ranking.marks, "partial": ranking.partial}
    best = {column.metric: _best_value(ranking, column) for column in shown}
    return {
        name: [
            _row(run, ranking, shown, scores, best if name == "ranked" else {}, telea)
            for scores in group
        ]
        for name, group in groups.items()
    }


def notes(run: Run, ranking: Ranking, shown: Sequence[Column]) -> list[str]:
    """What a reader must know about the numbers of this ranking."""
    found = [f"{c.name}: {c.note}" for c in shown if c.note]
    found += [text for column in shown if (text := _capped(run, ranking, column))]
    remarks = {
        f"{column.name}: {value.note}."
        for column in shown
        for s in ranking.ranked
        if (value := s.values.get(column.metric)) is not None and value.note
    }
    return [*found, *sorted(remarks)]


def case_cells(run: Run, view: CaseView, metrics: Sequence[str]) -> dict[str, list[Cell]]:
    """Each method's numbers on one case, the best of those that compete marked."""
    shown = [_case_column(run, metric) for metric in metrics]
    contenders = [
        fill.row
        for fill in view.fills
        if fill.row.get("status") == "ok"
        and run.methods.loc[fill.method, "family"] not in ("floor", "ceiling")
    ]
    best = {column.metric: _best_case(contenders, column) for column in shown}
    return {
        fill.method: [_case_cell(fill.row, column, best[column.metric]) for column in shown]
        for fill in view.fills
    }


def case_columns(run: Run, headline: str) -> list[Column]:
    """Columns of a case's table, the headline metric first."""
    present = case_metrics(run)
    order = [*(m for m in present if m == headline), *(m for m in present if m != headline)]
    return [_case_column(run, metric) for metric in order]


def absent_metrics(run: Run) -> Iterator[dict[str, Any]]:
    """Metrics that could not be measured, with label and reason."""
    for row in run.metrics[run.metrics["status"] != "ok"].to_dict("records"):
        yield {"label": row["label"], "metric": row["metric"], "reason": row["reason"]}


def _set_metrics(run: Run, tier: str) -> list[str]:
    known = run.metrics[(run.metrics["scope"] == "set") & (run.metrics["status"] == "ok")]
    there = set(run.sets.loc[run.sets["tier"] == tier, "metric"])
    return [metric for metric in known["metric"] if metric in there]


def _capped(run: Run, ranking: Ranking, column: Column) -> str:
    """Say where infinite values were counted as 100 dB; empty if nowhere."""
    counts = [(s.method, s.capped.get(column.metric, 0)) for s in ranking.all_scores]
    shown = [
        f"{sentences.title(run, method)} in {numbers.counted(count, 'case')}"
        for method, count in counts
        if count
    ]
    if not shown:
        return ""
    return (
        f"{column.name}: infinite where the pictures are equal, counted as {CAP_DB:.0f} dB: "
        f"{numbers.joined(shown)}."
    )


def _facts(run: Run, metric: str) -> dict[str, Any]:
    row = run.metrics[run.metrics["metric"] == metric].iloc[0]
    return {
        "metric": metric,
        "label": str(row["label"]),
        "unit": str(row["unit"]),
        "better": f"{row['direction']} is better",
        "note": str(row["note"]),
        "is_set": row["scope"] == "set",
    }


def _column(run: Run, ranking: Ranking, metric: str) -> Column:
    facts = _facts(run, metric)
    group = ranking.ranked or ranking.all_scores
    widths = [s.values[metric].half_width for s in group if metric in s.values]
    return Column(decimals=numbers.decimals_for(widths, unit=facts["unit"]), **facts)


def _case_column(run: Run, metric: str) -> Column:
    facts = _facts(run, metric)
    return Column(decimals=2 if facts["unit"] == "dB" else 4, **facts)


def _best_value(ranking: Ranking, column: Column) -> float:
    values = [s.values[column.metric] for s in ranking.ranked if column.metric in s.values]
    # Means over different cases, and set metrics of different n, do not compare.
    alike = len({value.n for value in values}) == 1 and len(values) > 1
    means = [value.mean for value in values if np.isfinite(value.mean)]
    if not alike or not means:
        return math.nan
    return max(means) if column.better.startswith("higher") else min(means)


def _row(
    run: Run,
    ranking: Ranking,
    shown: Sequence[Column],
    scores: Scores,
    best: dict[str, float],
    telea: float,
) -> Row:
    ranked = scores in ranking.ranked and ranking.best is not None
    family = str(run.methods.loc[scores.method, "family"])
    place = str(ranking.ranked.index(scores) + 1) if ranked else ""
    ratio = scores.seconds / telea
    return Row(
        place=place or (family if family in ("floor", "ceiling") else ""),
        label=label(run, scores.method),
        cells=[
            _cell(scores.values.get(c.metric), c, scores.n, best.get(c.metric, math.nan))
            for c in shown
        ],
        difference=_difference(scores, ranking, shown),
        seconds=_seconds(run, scores),
        ratio=f"{numbers.number(ratio, 2 if ratio < 10 else 0)} \N{MULTIPLICATION SIGN} Telea"
        if math.isfinite(ratio)
        else "",
        memory=_memory(scores),
        n=scores.n,
        tied=scores in ranking.tied,
    )


def _cell(value: Interval | None, column: Column, n: int, best: float) -> Cell:
    if value is None or math.isnan(value.mean):
        return Cell(numbers.NOTHING, remark="not measured")
    return Cell(
        text=numbers.number(value.mean, column.decimals),
        interval=numbers.interval(value.low, value.high, column.decimals),
        remark=f"n = {value.n}" if value.n != n or column.is_set else "",
        best=value.mean == best,
        sort=repr(float(value.mean)),
    )


def _difference(scores: Scores, ranking: Ranking, shown: Sequence[Column]) -> Cell:
    best = ranking.best
    if best is not None and scores.method == best.method:
        return Cell("best")
    gap = scores.difference
    if gap is None or gap.n == 0:
        return Cell(numbers.NOTHING, remark="no shared case")
    unit = shown[0].unit if shown else ""
    decimals = numbers.decimals_for([gap.half_width], unit=unit)
    sign = "+" if gap.mean > 0 else ""
    remark = "" if gap.excludes_zero else "not separable"
    return Cell(
        text=sign + numbers.number(gap.mean, decimals),
        interval=numbers.interval(gap.low, gap.high, decimals),
        remark=remark if gap.n == scores.n else f"n = {gap.n} {remark}".strip(),
        sort=repr(float(gap.mean)),
    )


def _seconds(run: Run, scores: Scores) -> Cell:
    if not bool(run.methods.loc[scores.method, "timed"]):
        return Cell(numbers.NOTHING, remark="not timed")
    if math.isnan(scores.seconds):
        return Cell(numbers.NOTHING, remark="not measured")
    return Cell(numbers.seconds(scores.seconds), sort=repr(scores.seconds))


def _memory(scores: Scores) -> Cell:
    if not math.isfinite(scores.peak_bytes):
        return Cell(numbers.NOTHING, remark="not measured")
    return Cell(f"{scores.peak_bytes / 2**20:,.0f}", sort=repr(scores.peak_bytes))


def _best_case(contenders: Sequence[dict[str, Any]], column: Column) -> float:
    values = [float(row[column.metric]) for row in contenders]
    values = [value for value in values if not math.isnan(value)]
    if len(values) < 2:
        return math.nan
    return max(values) if column.better.startswith("higher") else min(values)


def _case_cell(row: dict[str, Any], column: Column, best: float) -> Cell:
    value = float(row.get(column.metric, math.nan))
    if math.isnan(value):
        return Cell(numbers.NOTHING, remark="not measured")
    return Cell(numbers.number(value, column.decimals), best=value == best, sort=repr(value))
