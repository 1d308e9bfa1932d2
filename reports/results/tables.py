"""Rankings as rows of text, ready to be laid out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.folder.read import Run
from bench.statistics import MARKS, Interval
from bench.text import numbers
from reports.results import published, sentences, spent
from reports.results.gaps import Gap
from reports.results.published import Claim
from reports.results.ranking import Ranking, Scores, case_metrics

SMALL_P = 0.001
"""A p below this is told once, not in each row."""
_OVERVIEW = (
    "lpips_hole", "lpips", "texture_structure", "lpips_untrained_hole", "ssim_hole",
    "psnr_hole_db", "l1_hole", "rc_s", "rc_s_vitl", "self_consistency",
    "self_consistency_untrained", "seam", "seam_visible", "drift",
)  # fmt: skip
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

    @property
    def heading(self) -> str:
        """Name with an arrow to better values."""
        return f"{self.name} {numbers.UP if self.higher else numbers.DOWN}"

    @property
    def about(self) -> str:
        """Id of its definition on a page."""
        return f"about-{numbers.short_hash(self.metric)}"

    @property
    def higher(self) -> bool:
        """Whether higher values are better."""
        return self.better.startswith("higher")


@dataclass(frozen=True)
class Cell:
    """One number, a remark, whether none of its column is better; `more` goes with the interval.

    `claims` are what was published of it, told at the id `about`.
    """

    text: str
    interval: str = ""
    remark: str = ""
    best: bool = False
    sort: str = ""
    more: str = ""
    claims: Sequence[Claim] = ()
    about: str = ""


@dataclass(frozen=True)
class Label:
    """A method as a row header; ``flagged`` says how many of its fills are odd, and how.

    ``page`` is its page of the report, empty of one that is not of the run.
    """

    method: str
    title: str
    family: str
    family_class: str
    flagged: str = ""
    page: str = ""


@dataclass(frozen=True)
class Row:
    """One method in a ranking; ``order`` is its position, for sorting; `spent.Clock` has units."""

    place: str
    group: str
    order: int
    label: Label
    cells: list[Cell]
    difference: Cell
    seconds: Cell
    time_unit: str
    memory: Cell
    n: int


def label(run: Run, method: str) -> Label:
    """Name and family of a method for readers."""
    found = labelled(method, sentences.title(run, method), str(run.methods.loc[method, "family"]))
    page = f"methods/{numbers.slug(method)}.html"
    return replace(found, flagged=run.flagged.get(method, ""), page=page)


def labelled(method: str, title: str, family: str) -> Label:
    """A label from its parts."""
    known = family.lower() if family in _FAMILIES else "elsewhere"
    return Label(method, title, family, f"family-{known}")


def overview(run: Run) -> tuple[str, ...]:
    """What the overview shows beside the headline; the pages of tiers show every metric."""
    of = published.followed(run)
    return (*_OVERVIEW, *(of.metrics if of else ()))


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
    clock = spent.Clock.of(run, ranking)
    groups = {"ranked": ranking.ranked, "marks": ranking.marks, "partial": ranking.partial}
    best = {column.metric: _best_text(ranking, column) for column in shown}
    claims = published.beside(run, ranking)
    return {
        name: [
            _row(run, ranking, shown, scores, best if name == "ranked" else {}, clock, claims)
            for scores in group
        ]
        for name, group in groups.items()
    }


def _set_metrics(run: Run, tier: str) -> list[str]:
    known = run.metrics[(run.metrics["scope"] == "set") & (run.metrics["status"] == "ok")]
    there = set(run.sets.loc[run.sets["tier"] == tier, "metric"])
    return [metric for metric in known["metric"] if metric in there]


def metric_label(run: Run, metric: str) -> str:
    """Name of a metric for readers; that in the tables where the run does not have it."""
    labels = run.metrics.loc[run.metrics["metric"] == metric, "label"]
    return str(labels.iloc[0]) if len(labels) else metric


def facts(run: Run, metric: str) -> dict[str, Any]:
    """What is known of a metric, by the names of `Column`; all but its decimals."""
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
    known = facts(run, metric)
    group = ranking.ranked or ranking.all_scores
    values = [s.values[metric] for s in group if metric in s.values]
    widths = [value.half_width for value in values]
    decimals = numbers.decimals_for(widths, unit=known["unit"])
    if known["is_set"] and not any(np.isfinite(widths)):
        decimals = numbers.four_digits(value.mean for value in values)
    return Column(decimals=decimals, **known)


def _best_text(ranking: Ranking, column: Column) -> str:
    """The best mean as it is shown; empty where the column has none, or nothing is ranked.

    Means that read the same share the mark: their difference is below what is shown.
    """
    values = [s.values[column.metric] for s in ranking.ranked if column.metric in s.values]
    # Means over different cases, and set metrics of different n, do not compare.
    alike = ranking.headline and len({value.n for value in values}) == 1 and len(values) > 1
    means = [value.mean for value in values if np.isfinite(value.mean)]
    texts = [numbers.number(mean, column.decimals) for mean in means]
    if not alike or len(set(texts)) < 2:
        return ""
    best = texts[means.index(max(means) if column.higher else min(means))]
    # What most have is no distinction.
    return "" if texts.count(best) > max(2, len(texts) / 2) else best


def _row(
    run: Run,
    ranking: Ranking,
    shown: Sequence[Column],
    scores: Scores,
    best: dict[str, str],
    clock: spent.Clock,
    claims: Mapping[tuple[str, str], Sequence[Claim]],
) -> Row:
    family = str(run.methods.loc[scores.method, "family"])
    order = ranking.ranked.index(scores) if scores in ranking.ranked else len(ranking.ranked)
    return Row(
        place=_place(scores) or (family if family in MARKS else ""),
        group=scores.group,
        order=order,
        label=label(run, scores.method),
        cells=[
            _cell(
                scores,
                column,
                best.get(column.metric, ""),
                claims.get((scores.method, column.metric), ()),
            )
            for column in shown
        ],
        difference=_difference(scores, ranking, shown),
        seconds=Cell(*clock.shown(scores)),
        time_unit=clock.unit,
        memory=Cell(*spent.memory(scores)),
        n=scores.n,
    )


def _place(scores: Scores) -> str:
    """``2``, or ``1-3`` where the order is open; empty if unranked."""
    return "" if scores.place is None else numbers.places(*scores.place)


def value_cell(value: Interval, column: Column) -> Cell:
    """A mean with its interval, as the column's digits show them."""
    text = numbers.number(value.mean, column.decimals)
    # All photos agree: an interval without width would look like certainty.
    between = "" if flat(value) else numbers.interval(value.low, value.high, column.decimals)
    return Cell(text, interval=between, sort=repr(float(value.mean)))


def _cell(scores: Scores, column: Column, best: str, claims: Sequence[Claim]) -> Cell:
    value = scores.values.get(column.metric)
    if value is None or math.isnan(value.mean):
        return Cell(numbers.NOTHING, remark="not measured")
    shown = value_cell(value, column)
    capped = scores.capped.get(column.metric, 0)
    return replace(
        shown,
        remark=f"n = {value.n}" if value.n != scores.n else "",
        best=shown.text == best,
        more=f"{capped} of {value.n} capped" if capped else "",
        claims=claims,
        about=f"published-{numbers.short_hash(scores.method, column.metric)}" if claims else "",
    )


def flat(value: Interval) -> bool:
    """Whether all photos agree, so that the interval has no width."""
    return value.low == value.high


def _difference(scores: Scores, ranking: Ranking, shown: Sequence[Column]) -> Cell:
    if ranking.base is scores:
        return Cell("reference" if ranking.reference else "best", sort="0")
    gap = scores.gap
    if gap is None or gap.interval.n == 0:
        return Cell(numbers.NOTHING, remark="no shared case")
    value = gap.interval
    widths = [s.gap.interval.half_width for s in ranking.ranked if s.gap is not None]
    decimals = numbers.decimals_for(
        widths or [value.half_width], unit=shown[0].unit if shown else ""
    )
    said, p = _said(gap), "" if gap.p < SMALL_P else numbers.p_value(gap.p)
    if ranking.powerless or gap.identical:
        said, p = "identical on all photos" if gap.identical else "too few photos", ""
    remarks = [f"n = {value.n}" if value.n != scores.n else "", said]
    return Cell(
        text=numbers.signed(value.mean, decimals),
        interval=numbers.interval(value.low, value.high, decimals),
        remark=", ".join(filter(None, remarks)),
        sort=repr(float(value.mean)),
        more=p,
    )


def _said(gap: Gap) -> str:
    if gap.significant:
        return "within the margin" if gap.equivalent else ""
    if gap.equivalent:
        return "equivalent"
    return "" if math.isnan(gap.p) else "not significant"
