"""What a fill took, time and memory, as the columns of a ranking show it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

from bench.folder.read import Run
from bench.text import numbers
from reports.results.ranking import Ranking, Scores

Parts = tuple[str, str, str, bool, str]
"""Text, interval, remark, whether it is the best, and what it is sorted by, as of a cell."""


@dataclass(frozen=True)
class Clock:
    """The column of times: all in one unit, with the same digits.

    Attributes:
        timed: Methods whose times say anything.
        anchor: Seconds of Telea, which others are multiples of; NaN where it did not run.
        unit: ``ms`` where most methods take less than a second, else ``s``.
        decimals: Digits after the point.
    """

    timed: frozenset[str]
    anchor: float
    unit: str
    decimals: int

    @classmethod
    def of(cls, run: Run, ranking: Ranking) -> Clock:
        """That of a ranking."""
        timed = frozenset(run.methods.index[run.methods["timed"].astype(bool)])
        taken = {
            s.method: s.seconds
            for s in ranking.all_scores
            if s.method in timed and math.isfinite(s.seconds)
        }
        quick = bool(taken) and median(taken.values()) < 1
        shown = [seconds * (1000 if quick else 1) for seconds in taken.values()]
        return cls(
            timed, taken.get("telea", math.nan), "ms" if quick else "s", numbers.four_digits(shown)
        )

    def shown(self, scores: Scores) -> Parts:
        """The median time of a method, with how many times that of Telea it is."""
        if scores.method not in self.timed:
            return numbers.NOTHING, "", "not timed", False, ""
        if math.isnan(scores.seconds):
            return numbers.NOTHING, "", "not measured", False, ""
        ratio = scores.seconds / self.anchor
        times = numbers.number(ratio, 2 if ratio < 10 else 0)
        text = f"{scores.seconds * (1000 if self.unit == 'ms' else 1):,.{self.decimals}f}"
        beside = "" if math.isnan(ratio) else f"{times} \N{MULTIPLICATION SIGN} Telea"
        return text, beside, "", False, repr(scores.seconds)


def memory(scores: Scores) -> Parts:
    """The most memory of the process, in MiB."""
    if not math.isfinite(scores.peak_bytes):
        return numbers.NOTHING, "", "not measured", False, ""
    return f"{scores.peak_bytes / 2**20:,.0f}", "", "", False, repr(scores.peak_bytes)
