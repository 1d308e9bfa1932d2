"""What stands below a ranking: how to read it, and what to keep in mind of its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from bench.folder.read import Run
from bench.statistics import CAP_DB
from bench.text import numbers
from reports.results import published, sentences, timing
from reports.results.ranking import Ranking
from reports.results.tables import SMALL_P, Column, flat

RANK_NOTE = (
    "Rank: a range where the order is open. Same letter = statistically tied: the p-value of the "
    "two, adjusted for all pairs of ranked methods (bootstrap-t over photos), is 0.05 or more. "
    "Differences have intervals that hold for all these pairs at 95 %. Bold marks the best mean "
    "of a column, significant or not, unless most share it."
)


def notes(run: Run, ranking: Ranking, shown: Sequence[Column]) -> list[str]:
    """What a reader must know about the numbers of this ranking."""
    found = [RANK_NOTE] if any(s.group for s in ranking.ranked) else []
    if ranking.reference and ranking.headline:
        found = [_reference_note(run, ranking)]
    gaps = [s.gap for s in ranking.ranked if s.gap is not None]
    if any(gap.p < SMALL_P for gap in gaps):
        small = numbers.p_number(0)
        found.append(f"Differences on the same cases have p {small} where none is given.")
    said = [(column.note, column) for column in shown if column.note]
    said += [(text, column) for column in shown if (text := _capped(run, ranking, column))]
    remarks = [
        (value.note, column)
        for column in shown
        for s in ranking.ranked
        if (value := s.values.get(column.metric)) is not None and value.note and not flat(value)
    ]
    found += _once([*said, *sorted(remarks, key=lambda remark: remark[0])])
    shares = timing.shares(run, ranking.tier)
    odd = [s.method for s in ranking.all_scores if s.method in run.flagged]
    flags = [f"{sentences.title(run, method)}: {run.flagged[method]}." for method in odd]
    found += [f"Time {shares}."] if shares else []
    if published.beside(run, ranking):
        found.append(
            f"published: what others measured of the same by the protocol "
            f"{run.header.protocol['published']}; ? tells who, and how far off it is here."
        )
    return [*found, *flags, *(f"{each}." for each in published.left_out(run, ranking))]


def _once(said: Sequence[tuple[str, Column]]) -> list[str]:
    """Each remark once, behind the names of all columns that it holds for."""
    alike: dict[str, dict[str, None]] = {}
    for text, column in said:
        alike.setdefault(text, {})[column.name] = None
    return [f"{numbers.joined(names)}: {text}." for text, names in alike.items()]


def compared(ranking: Ranking) -> str:
    """What p-values and joint intervals are adjusted for, in words."""
    return "comparisons with it" if ranking.reference else "pairs of ranked methods of the tier"


def _reference_note(run: Run, ranking: Ranking) -> str:
    """What a table with a reference leaves out, and what its differences are."""
    return (
        f"Compared with {sentences.title(run, ranking.reference)} only: ranks and letters would "
        "take all pairs. p and intervals of differences are adjusted for the comparisons of ranked "
        "methods with it (bootstrap-t over photos). Bold marks the best mean of a column."
    )


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
        f"infinite where the pictures are equal, counted as {CAP_DB:.0f} dB: "
        f"{numbers.joined(shown)}"
    )
