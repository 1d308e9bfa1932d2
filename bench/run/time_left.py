"""How long the rest of a run takes: by the pace of each method, never by that of the mix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from bench.text.plain import duration

# Fills that a worker does in one go when the last ones are shared, see `bench.run.scheduler`.
SMALLEST_JOB = 4


class Left(NamedTuple):
    """Time that is left.

    Attributes:
        seconds: Of what can be told.
        unknown: Methods with fills left of which nothing is known yet.
    """

    seconds: float
    unknown: tuple[str, ...]

    def __str__(self) -> str:
        """In words; a number that leaves something out says so."""
        if self.unknown and not self.seconds:
            return "time left unknown"
        return f"{'over ' if self.unknown else ''}{duration(self.seconds)} left"


@dataclass
class _Job:
    method: str
    left: int


@dataclass
class Forecast:
    """What of each method is left, and how long it takes.

    Attributes:
        workers: How many work at once.
        known: Seconds of a fill by method, from earlier runs; the own ones count as soon as there
            are any.
        waiting: Fills that no worker has taken yet, by method.
        jobs: What workers are at, by number.
    """

    workers: int
    known: Mapping[str, float] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    jobs: dict[int, _Job] = field(default_factory=dict)
    _ended: dict[str, int] = field(default_factory=dict)
    _seconds: dict[str, float] = field(default_factory=dict)

    def begins(self, job: int, method: str, fills: int) -> None:
        """A worker takes fills of a method."""
        self.waiting[method] -= fills
        self.jobs[job] = _Job(method, fills)

    def ended(self, job: int, seconds: float) -> None:
        """A worker ended one of them, in so many seconds."""
        at = self.jobs[job]
        at.left -= 1
        # The seconds first: another thread looks for them as soon as a fill is counted.
        self._seconds[at.method] = self._seconds.get(at.method, 0.0) + seconds
        self._ended[at.method] = self._ended.get(at.method, 0) + 1

    def spent(self, job: int, seconds: float) -> None:
        """A worker spent so many seconds on all of them together."""
        method = self.jobs[job].method
        self._seconds[method] = self._seconds.get(method, 0.0) + seconds

    def over(self, job: int, again: int = 0) -> None:
        """A worker is through with its fills, or lost; so many of them are to be done again."""
        self.waiting[self.jobs.pop(job).method] += again

    def dropped(self, method: str, fills: int) -> None:
        """Nobody will do these waiting fills."""
        self.waiting[method] -= fills

    def left_of(self, method: str) -> int:
        """Fills of a method that did not end yet."""
        return self.waiting[method] + sum(job.left for job in self._at(method))

    def is_begun(self, method: str) -> bool:
        """Whether a worker is at a method."""
        return bool(self._at(method))

    def pace(self, method: str) -> float | None:
        """Seconds of a fill of this method, if anything is known of it."""
        if ended := self._ended.get(method):
            return self._seconds[method] / ended
        return self.known.get(method)

    def of(self, method: str) -> float | None:
        """Seconds until those at a method have done it; None if nobody is, or knows."""
        at_it = [job.left for job in self._at(method)]
        pace = self.pace(method)
        if not at_it or pace is None:
            return None
        return pace * max(self.left_of(method) / len(at_it), *at_it)

    def left(self) -> Left:
        """Time until all is done.

        Workers share the work evenly, but what one of them has taken it ends alone, and a method
        that waits will be taken by at least one of them: a slow method at the end counts in full.
        """
        known: dict[str, float] = {}
        unknown = []
        for method in list(self.waiting):
            pace = self.pace(method)
            if pace is not None:
                known[method] = pace
            elif self.left_of(method):
                unknown.append(method)
        work = sum(pace * self.left_of(method) for method, pace in known.items())
        alone = [pace * job.left for method, pace in known.items() for job in self._at(method)]
        alone += [pace * min(self.waiting[method], SMALLEST_JOB) for method, pace in known.items()]
        return Left(max(work / self.workers, *alone, 0.0), tuple(unknown))

    def _at(self, method: str) -> list[_Job]:
        # A list first, likewise.
        return [job for job in list(self.jobs.values()) if job.method == method]


def seconds_a_fill(cases: pd.DataFrame) -> dict[str, float]:
    """Mean seconds of a fill with its measuring, by method; of those that were completed.

    Args:
        cases: Rows of ``cases.parquet`` or of its fragments.
    """
    if "status" not in cases:  # nothing was done yet
        return {}
    done = cases[cases["status"] == "ok"]
    # A method whose own time means nothing, as outputs made elsewhere, is measured all the same.
    spent = done.reindex(columns=["seconds", "measure_seconds"]).fillna(0).sum(axis=1)
    means = spent.groupby(done["method"]).mean()
    return {str(method): float(seconds) for method, seconds in means.items()}
