"""How long a size and tier is measured, and what is known of it so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from numpy.typing import ArrayLike

from bench.latency import estimates
from bench.latency.answers import Call, Refused
from bench.latency.inputs import Config


@dataclass(frozen=True)
class Pace:
    """How long to measure.

    Attributes:
        block: Rounds of a block, at most; between the blocks of a size and tier lies other work.
        least_rounds: Before the end.
        most_rounds: After which it ends.
        least_seconds: Of each method, before the end.
        limit: Seconds of a size and tier after which it ends.
        half_width: Of the ratios' intervals, as a share, at which it ends.
        warm_calls: Before the first round, at least.
        audited: Inputs that are filled twice to see whether a method keeps results.
    """

    block: int = 6
    least_rounds: int = 30
    most_rounds: int = 300
    least_seconds: float = 10.0
    limit: float = 120.0
    half_width: float = 0.02
    warm_calls: int = 3
    audited: int = 3

    @property
    def warm(self) -> float:
        """Seconds of warming up each method, at least; after ten times as many rounds begin."""
        return self.limit / 120

    @property
    def slow(self) -> float:
        """Seconds of a call from which on a method is timed apart, in three rounds."""
        return self.limit / (2 * self.least_rounds)


SHORT = Pace(
    block=2, least_rounds=11, most_rounds=12, least_seconds=0, limit=25, half_width=0.05,
    warm_calls=2, audited=1,
)  # fmt: skip
"""A quick look, as part of the default job."""


@dataclass
class Bout:
    """The rounds of one size and tier.

    Attributes:
        config: The size and tier.
        calls: Of each sample, by subject; who is not in it was not timed.
        refused: Why, by subject.
        slow: Who is timed apart.
        helped: Whose processes that keep running work too, which only wall time sees.
        status: ``converged`` or ``noisy``.
        basis: Clock of the ratios, but of methods that wait.
        means: By subject, round, block, and mean seconds of ``infer`` of each quick sample, by that
            clock and by wall time.
        spent: By subject, seconds of ``infer`` of its quick samples.
    """

    config: Config
    calls: dict[str, int] = field(default_factory=dict)
    refused: dict[str, Refused] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    helped: set[str] = field(default_factory=set)
    status: str = ""
    basis: str = ""
    seconds: float = 0.0
    rounds: int = 0
    slow_rounds: int = 0
    blocks: int = 0
    means: dict[str, list[tuple[int, int, float, float]]] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)

    def add(self, entry: str, calls: Sequence[Call], basis: str) -> None:
        """Take a quick sample in."""
        self.basis = basis
        mean, wall = (
            fmean(getattr(call.infer, each) for call in calls) for each in (basis, "wall")
        )
        self.means.setdefault(entry, []).append((self.rounds, self.blocks, mean, wall))
        self.spent[entry] = self.spent.get(entry, 0) + sum(call.infer.wall for call in calls)

    def clock(self, entry: str, basis: str, times: ArrayLike, anchor: ArrayLike) -> str:
        """The clock that can see a subject, as of `estimates.clock`."""
        apart = basis == "cpu" and entry in self.helped
        return "wall" if apart else estimates.clock(basis, times, anchor)

    def ratio(self, entry: str, anchor: str) -> estimates.Ratio:
        """Of a subject to an anchor, so far."""
        own, anchors = self.means.get(entry, []), self.means.get(anchor, [])
        times, theirs = ([row[2:] for row in side] for side in (own, anchors))
        basis = self.clock(entry, self.basis, times, theirs)
        place = 2 if basis == self.basis else 3
        held = {row[0]: row[place] for row in anchors}
        both = [(row[place], held[row[0]], row[1]) for row in own if row[0] in held]
        return estimates.ratio(*(zip(*both, strict=True) if both else ([], [], [])))
