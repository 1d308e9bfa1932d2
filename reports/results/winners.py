"""Who is best at what in a tier: the headline metric, further ones, time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bench import statistics
from bench.folder.read import Run
from bench.folder.store import records
from bench.statistics import ALPHA, Facts
from bench.statistics.comparison import NEEDED
from bench.statistics.groups import Estimate, rows_of, same_cases
from bench.statistics.pairs import METHODS
from reports.results import sentences, tables
from reports.results.ranking import Ranking, Scores
from reports.results.tables import Column, Label
from reports.results.timing import times

_FURTHER = ("lpips_hole", "texture_structure", "ssim_hole", "psnr_hole_db")
_SETS = ("fid", "kid", "cmmd", "fd_dinov2", "u_ids", "p_ids", "swd")


@dataclass(frozen=True)
class Winner:
    """One line: at what, who, by which figure, and who else may be as good."""

    what: str
    better: str
    label: Label
    figure: str
    interval: str
    remark: str


def winners(run: Run, ranking: Ranking) -> list[Winner]:
    """The lines of a tier; the headline metric itself is told at more length elsewhere."""
    if ranking.best is None or len(ranking.ranked) < 2:
        return []
    return [*_by_metric(run, ranking), *_by_set(run, ranking), *_by_time(run, ranking)]


def _by_metric(run: Run, ranking: Ranking) -> Iterator[Winner]:
    shown = tables.columns(run, ranking, only=_FURTHER)
    names = [s.method for s in ranking.ranked]
    own = run.cases["method"].isin(names) & (run.cases["tier"] == ranking.tier)
    for column in shown:
        if column.metric == ranking.headline or column.metric not in _FURTHER:
            continue
        facts = Facts(column.metric, column.higher, column.unit)
        # Few columns: a copy of all of a large run would be most of the memory.
        cases = run.cases.loc[own, [*NEEDED, column.metric]]
        found = statistics.compare_methods(
            cases, run.methods, facts, ranking.tier, expected=ranking.expected,
            reference=ranking.reference or None,
        )  # fmt: skip
        ranks = found.ranks[found.ranks["role"] == "ranked"]
        if len(ranks) < 2 or math.isnan(ranks["mean"].iloc[0]):
            continue
        best = str(ranks["method"].iloc[0])
        pairs = records(found.pairs[found.pairs["family"] == METHODS])
        apart = {
            sentences.title(run, pair["b"] if pair["a"] == best else pair["a"]): pair["significant"]
            for pair in pairs
            if best in (pair["a"], pair["b"])
        }
        scores = next(s for s in ranking.ranked if s.method == best)
        yield _winner(run, scores, column, _level(apart))


def _level(apart: dict[str, bool]) -> str:
    """Who of those compared with the best does not differ significantly from it."""
    level = [name for name, differs in apart.items() if not differs]
    if not apart:
        return "not compared with the reference"
    if not level:
        return f"significantly better than {next(iter(apart)) if len(apart) == 1 else 'all others'}"
    if len(level) == len(apart) > 1:
        return "no significant difference from any other"
    return f"no significant difference from {sentences.few(level)}"


def _by_set(run: Run, ranking: Ranking) -> Iterator[Winner]:
    for column in tables.columns(run, ranking, only=()):
        known = [s for s in ranking.ranked if _known(s, column.metric)]
        if column.metric in _SETS and len(known) > 1:
            sign = -1 if column.higher else 1
            best = min(known, key=lambda s: sign * s.values[column.metric].mean)
            yield _winner(run, best, column, _set_level(run, ranking, column.metric, best.method))


def _set_level(run: Run, ranking: Ranking, metric: str, best: str) -> str:
    """Who does not differ significantly from the best by what the run kept of the jackknife."""
    names = [s.method for s in ranking.ranked]
    every = rows_of(run.sets, ranking.tier, metric)
    rows = {name: row for name, row in every.items() if name in names}
    alike = same_cases(rows, names)
    if best not in alike or len(alike) < max(2, len(rows)):
        why = "other cases" if all(row["jackknife"] for row in rows.values()) else "no intervals"
        return f"one number per method, not tested: {why}"
    if ranking.powerless:
        return "one number per method, not tested: too few photos"
    found = {name: Estimate.stored(rows[name]) for name in alike}
    others = [name for name in alike if name != best]
    if ranking.reference:
        others = [name for name in others if ranking.reference in (name, best)]
    tests = len(alike) - 1 if ranking.reference else math.comb(len(alike), 2)
    return _level(
        {
            sentences.title(run, name): (found[best] - found[name]).p * tests < ALPHA
            for name in others
        }
    )


def _known(scores: Scores, metric: str) -> bool:
    return metric in scores.values and math.isfinite(scores.values[metric].mean)


def _winner(run: Run, scores: Scores, column: Column, remark: str) -> Winner:
    cell = tables.value_cell(scores.values[column.metric], column)
    label = tables.label(run, scores.method)
    return Winner(column.name, column.better, label, cell.text, cell.interval, remark)


def _by_time(run: Run, ranking: Ranking) -> Iterator[Winner]:
    timed = times(run, ranking.tier).of
    names = sorted(
        (s.method for s in ranking.ranked if s.method in timed),
        key=lambda name: (timed[name].middle, name),
    )
    if len(names) > 1:
        first, second = names[:2]
        remark = f"next: {sentences.title(run, second)}, {timed[second].words} ms"
        words = f"{timed[first].words} ms"
        yield Winner("Fastest", "", tables.label(run, first), words, "", remark)
