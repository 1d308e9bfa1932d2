"""The numbers of a paper's table: tiers and all of them together, the best and its equals."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from bench import statistics
from bench.errors import BenchError, require_one_of, spelt_like
from bench.folder.read import Run
from bench.statistics import CASE, Facts
from bench.text import numbers
from reports.results import sentences, tables
from reports.results.gaps import from_base
from reports.results.published import left_out
from reports.results.ranking import Ranking, Scores, rank
from reports.results.tables import Cell, Column

ALL = "all tiers"
GROUPS = ("ranked", "marks", "partial")


@dataclass(frozen=True)
class Part:
    """One tier of a table, or all of them together.

    Attributes:
        title: For readers.
        ranking: What its numbers are.
        columns: By metric, those that were measured here.
        cells: By method and metric.
        tied: Methods and metrics whose mean is not significantly worse than the best.
        notes: By method and metric, what must be known of that number.
    """

    title: str
    ranking: Ranking
    columns: dict[str, Column]
    cells: dict[tuple[str, str], Cell]
    tied: frozenset[tuple[str, str]]
    notes: dict[tuple[str, str], str] = field(default_factory=dict)

    def group(self, name: str) -> list[str]:
        """The methods of one of `GROUPS`, in order."""
        scores: list[Scores] = getattr(self.ranking, name)
        return [each.method for each in scores]

    @property
    def heading(self) -> str:
        """Its title with `counts`."""
        return f"{self.title}: {self.counts}"

    @property
    def counts(self) -> str:
        """How many cases and photos its means are over."""
        cases = numbers.counted(self.ranking.n, "case")
        return f"{cases} of {numbers.counted(self.ranking.clusters, 'photo')}"


def only(run: Run, names: Sequence[str]) -> Run:
    """The run as if it had these methods alone: they decide which cases all completed, and ties.

    Raises:
        BenchError: If the run has none of that name.
    """
    found = [spelt_like(name, run.methods.index) for name in names]
    for name in found:
        require_one_of(name, run.methods.index, "--methods")
    own = run.methods.index.isin(found)
    parts = {each: (rows := getattr(run, each))[rows["method"].isin(found)]
             for each in ("cases", "sets")}  # fmt: skip
    return replace(run, methods=run.methods[own], **parts)


def parts(run: Run, tiers: Sequence[str], metrics: Sequence[str]) -> list[Part]:
    """The tiers of a table, and all of them together if there are several.

    Args:
        run: The run.
        tiers: Some of its tiers.
        metrics: Columns in order; those of the report's overview if empty.

    Raises:
        BenchError: If there is nothing to show.
    """
    found = [_part(run, tier, numbers.capital(numbers.holes(tier)), metrics) for tier in tiers]
    if len(tiers) > 1:
        found.append(_part(together(run, tiers), ALL, "All tiers", metrics))
    if not any(part.columns and part.cells for part in found):
        raise BenchError(
            f"{run.folder}: expected a measured metric and a completed case, found none; "
            "run it with --metrics, or look at its page Failures"
        )
    return found


def columns(found: Sequence[Part], metrics: Sequence[str]) -> list[Column]:
    """The columns of all parts, in order; unasked those with a number.

    Of digits each part has its own.
    """
    known = {name: column for part in found for name, column in part.columns.items()}
    filled = {name for part in found for (_, name), cell in part.cells.items() if cell.sort}
    return [known[name] for name in metrics or known if name in (known if metrics else filled)]


def together(run: Run, tiers: Sequence[str]) -> Run:
    """The run as if these tiers were one: each of their cases counts once.

    What is one number for a set of fills is the mean over the tiers, where each of them has it.
    """

    def one(rows: pd.DataFrame, draws: int) -> pd.DataFrame:
        own = rows[rows["tier"].isin(tiers)]
        place = own["tier"].astype(str).map({tier: i for i, tier in enumerate(tiers)})
        return own.assign(tier=ALL, draw=own["draw"] + place * draws)

    draws = int(run.plan["draw"].max()) + 1 if len(run.plan) else 1
    sets = run.sets[run.sets["tier"].isin(tiers)]
    by = sets.groupby(["method", "metric"], as_index=False, sort=False)
    means = by.agg(value=("value", "mean"), n=("n", "sum"), tiers=("tier", "nunique"))
    means = means[means["tiers"] == len(tiers)].drop(columns="tiers")
    means = means.assign(tier=ALL, low=np.nan, high=np.nan, note="the mean over the tiers")
    return replace(run, plan=one(run.plan, draws), cases=one(run.cases, draws), sets=means)


def _part(run: Run, tier: str, title: str, metrics: Sequence[str]) -> Part:
    ranking = rank(run, tier, run.headline)
    only_these = metrics or tables.overview(run)
    shown = tables.columns(run, ranking, only=only_these)
    if metrics:  # the headline and metrics of sets are there unasked
        shown = [column for column in shown if column.metric in metrics]
    cells, notes = {}, {}
    for rows in tables.rows(run, ranking, shown).values():
        for row in rows:
            for column, cell in zip(shown, row.cells, strict=True):
                key = row.label.method, column.metric
                cells[key] = cell
                scores = next(s for s in ranking.all_scores if s.method == row.label.method)
                if note := _note(ranking, scores, column, title.lower()):
                    notes[key] = f"{row.label.title}, {column.label}: {note}"
    tied = frozenset(
        (name, column.metric) for column in shown for name in _tied(run, ranking, column)
    )
    return Part(title, ranking, {c.metric: c for c in shown}, cells, tied, notes)


def _note(ranking: Ranking, scores: Scores, column: Column, where: str) -> str:
    """Why a number is not what those beside it are; empty where it is."""
    value = scores.values.get(column.metric)
    if value is None or column.is_set:
        return ""
    own = f"over {value.n} of {ranking.expected} cases ({where})" if value.n != ranking.n else ""
    capped = scores.capped.get(column.metric, 0)
    high = "fills that equal the truth count as 100 dB" if capped else ""
    return ", ".join(filter(None, (own, high)))


def _tied(run: Run, ranking: Ranking, column: Column) -> Collection[str]:
    """The ranked methods that are not significantly worse than the best of a column."""
    if not ranking.headline or column.is_set:
        return ()
    if column.metric == ranking.headline:
        return {scores.method for scores in ranking.tied}
    ranked = [scores.method for scores in ranking.ranked]
    rows = run.cases[(run.cases["tier"] == ranking.tier) & run.cases["method"].isin(ranked)]
    shared = ranking.values.index.to_frame(index=False)[CASE]
    facts = Facts(column.metric, column.higher, column.unit)
    found = statistics.compare_methods(
        rows.merge(shared, on=CASE), run.methods.loc[ranked], facts, ranking.tier,
        expected=len(shared),
    )  # fmt: skip
    return {name for name, gap in from_base(found, None).items() if not gap.significant}


def caption(
    run: Run,
    found: Sequence[Part],
    shown: Sequence[Column],
    *,
    intervals: bool,
    tied: str,
    counts: bool,
) -> list[str]:
    """What a reader must know of the table, as sentences.

    Args:
        run: The run.
        found: Its parts.
        shown: Its columns.
        intervals: Whether intervals are shown.
        tied: How equals of the best are marked, such as ``underlined``.
        counts: Whether to say how many cases each part has.
    """
    last = found[-1].ranking
    sets = [column.label for column in shown if column.is_set]
    cases = numbers.joined(f"{part.title.lower()}: {part.counts}" for part in found)
    who = "ranked methods" if last.headline else "methods"
    words = [f"Means over the cases that all {who} completed"]
    words[0] += f" ({cases})" if counts else ""
    if intervals:
        words.append("In brackets: 95 % intervals over photos")
    if last.headline:
        words.append(f"Ordered by {tables.metric_label(run, last.headline)}")
        words.append(
            f"Bold: the best mean of a column; {tied}: not significantly different from it (paired "
            "bootstrap-t over photos, adjusted for all pairs of the column)"
        )
    weak = dict.fromkeys(part.ranking.powerless for part in found if part.ranking.powerless)
    words += map(numbers.capital, weak)
    if sets:
        over = "; over all tiers the mean of its values" if len(found) > 1 else ""
        words.append(f"{numbers.joined(sets)}: one number for all fills, ties not tested{over}")
    if any(part.ranking.marks for part in found):
        words.append("Last: reference points (not ranked)")
    if any(part.ranking.partial for part in found):
        words.append("Apart: methods that completed less than 95 % of the cases")
    absent = dict.fromkeys(name for part in found for name, _ in part.ranking.absent)
    if absent:
        names = numbers.joined(sentences.title(run, name) for name in absent)
        words.append(f"Without a completed case in some tier: {names}")
    sources = dict.fromkeys(
        claim.row.source for part in found for c in part.cells.values() for claim in c.claims
    )
    if sources:
        words.append(f"In round brackets: as published, in {'; '.join(sources)}")
    words += dict.fromkeys(why for part in found for why in left_out(run, part.ranking))
    notes = list(dict.fromkeys(note for part in found for note in part.notes.values()))
    if notes:
        words.append(f"* {'; '.join(notes)}")
    if not run.complete:
        words.append(f"The run is not complete ({run.state})")
    words += run.differences
    return [f"{each}." for each in words]
