"""Which methods fill a picture within so many milliseconds, and the best of those that do."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from bench.errors import InputError
from bench.folder import latency_facts
from bench.folder.read import Run
from bench.folder.store import RunFolder, records
from bench.text import numbers
from reports.results import sentences, tables
from reports.results.ranking import Ranking, Scores
from reports.results.tables import Cell, Label
from reports.results.timing import fitting

MEETS, MISSES, CANNOT_TELL, NOT_TIMED = "meets", "misses", "cannot tell", "not timed"
_HOW = (
    "From picture to picture, by the 95 % interval of the median wall time (blocks of rounds "
    "resampled): a method meets the budget if the upper end is within it, and misses it if the "
    "lower end is not. The interval is of that machine, in those minutes: another one, or other "
    "work beside it, changes milliseconds more than an interval tells."
)


def how(run: Run) -> str:
    """How it is judged, and on what machine the times were taken, where the folder says it."""
    try:
        facts = latency_facts.read(RunFolder(run.folder))
    except InputError:  # none, or several of runs that were joined
        return _HOW
    beside = ", which others used at the same time" if facts.kind == "shared" else ""
    return f"{_HOW} Measured on {facts.anchor_identity.words}{beside}."


def words(budget: float) -> str:
    """Such as ``Within 200 ms``."""
    return f"Within {budget:g} ms"


def judged(row: dict[str, Any] | None, budget: float) -> Cell:
    """Whether a method meets a budget, its milliseconds, and why nothing can be told.

    Args:
        row: Of region ``e2e`` in ``latency.parquet``; None if there is none.
        budget: Milliseconds.
    """
    if row is None:
        return Cell(NOT_TIMED, remark="not among what was timed")
    if not row["n"] > 0:
        return Cell(NOT_TIMED, remark=row["status"])
    low, high = row["p50_low_ms"], row["p50_high_ms"]
    few = not row["p50_ms"] > 0
    time = row["mean_ms"] if few else row["p50_ms"]
    between = numbers.between_milliseconds(low, high)
    shown = f"{'mean ' if few else ''}{numbers.milliseconds(time)} {between}".strip() + " ms"
    if high <= budget:
        return Cell(MEETS, shown, best=True, sort=repr(time))
    if low > budget:
        return Cell(MISSES, shown, sort=repr(time))
    if row["min_ms"] > budget:
        calls = numbers.counted(int(row["n"]), "call")
        return Cell(MISSES, shown, f"all of {calls} took longer", sort=repr(time))
    return Cell(CANNOT_TELL, shown, "" if between else "too few rounds for an interval")


def sentence(run: Run, ranking: Ranking, budget: float) -> str:
    """The best of a tier that meets the budget, with the figures of those it is chosen among."""
    rows = fitting(run, ranking.tier)
    if rows.empty:
        why = "nothing was timed on such holes: inpaint-bench latency --out RUN"
        return f"{numbers.holes(ranking.tier).capitalize()}: {why}."
    size = latency_facts.sizes(rows)[rows["side"].iloc[0]]
    by_name = {row["method"]: row for row in records(rows)}
    found = {s.method: judged(by_name.get(s.method), budget) for s in ranking.ranked}
    figures = {name: cell.interval or _why(by_name.get(name)) for name, cell in found.items()}
    met, missed, open_, untimed = (
        [s for s in ranking.ranked if found[s.method].text == word]
        for word in (MEETS, MISSES, CANNOT_TELL, NOT_TIMED)
    )
    over = "over it"
    if ranking.best is not None and met:
        over = "better by the mean, but over it"
        missed = [s for s in missed if ranking.ranked.index(s) < ranking.ranked.index(met[0])]
    more = ", for want of rounds (inpaint-bench latency --out RUN times more)"
    few = more if any(found[s.method].remark for s in open_) else ""
    parts = [
        _chosen(run, ranking, met, figures),
        _named(f"; {over}: ", run, missed, figures),
        _named(f"; cannot be told{few}: ", run, open_, figures),
        _named("; without a time: ", run, untimed, figures),
    ]
    return f"{numbers.holes(ranking.tier).capitalize()}, timed at {size}: {''.join(parts)}."


def _why(row: dict[str, Any] | None) -> str:
    if row is None:
        return "not among what was timed"
    return textwrap.shorten(f"{row['status']}: {row['reason']}", 120, placeholder=" ...")


def _chosen(run: Run, ranking: Ranking, met: list[Scores], figures: dict[str, str]) -> str:
    if not met:
        return "no ranked method is shown to meet the budget"
    if ranking.best is None:
        return _named("within the budget: ", run, met, figures)
    column = tables.columns(run, ranking)[0]
    best, *others = met
    value = tables.value_cell(best.values[ranking.headline], column)
    quality = f"{column.name} {value.text} {value.interval}".strip()
    name = sentences.title(run, best.method)
    level = [s for s in others if set(s.group) & set(best.group)]
    return f"{name} is the best that meets it ({quality}, {figures[best.method]})" + _named(
        ", no significant difference from ", run, level, figures
    )


def _named(words: str, run: Run, of: Sequence[Scores], figures: dict[str, str]) -> str:
    """Names with their figures behind a few words; nothing without names."""
    names = [f"{sentences.title(run, s.method)} ({figures[s.method]})" for s in of]
    return words + numbers.joined(names) if names else ""


def matrix(
    run: Run, labels: dict[str, Label], places: Sequence[tuple[int, str]], budget: float
) -> list[tuple[Label, list[Cell]]]:
    """A row for each method, a cell for each size and tier."""
    rows = run.latency[(run.latency["region"] == "e2e") & (run.latency["batch"] == 1)]
    known = {(row["method"], row["side"], row["tier"]): row for row in records(rows)}
    return [
        (label, [judged(known.get((method, *place)), budget) for place in places])
        for method, label in labels.items()
    ]
