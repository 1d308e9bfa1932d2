"""Whether this machine, now, can see a difference of a tenth: the anchor against a slower one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.latency import anchors, estimates
from bench.latency.answers import Subject
from bench.latency.bout import Bout, Pace
from bench.latency.estimates import Ratio
from bench.latency.inputs import Config
from bench.latency.processes import started
from bench.latency.rounds import AGAIN, Rounds, ratio_of

MORE_WORK = 70 / 64
"""Of the slower anchor: rows of its picture over those of the anchor's."""


@dataclass(frozen=True)
class SelfTest:
    """What the machine showed.

    Attributes:
        same: The anchor over itself.
        slower: The slower anchor over the anchor.
        seconds: That it took.
    """

    same: Ratio
    slower: Ratio
    seconds: float

    @property
    def sees(self) -> bool:
        """Whether the slower one is seen to be slower, and the same one is not."""
        return estimates.trusted(self.same) and self.slower.low > max(1.0, self.same.high)


def run(device: str, threads: int, pace: Pace, tell: Callable[[str], None] = print) -> SelfTest:
    """Time the anchor against itself and against a slower one.

    Raises:
        BenchError: If an anchor fails.
    """
    names = (anchors.ANCHOR, anchors.SLOWER)
    subjects = [Subject(name, "", device, threads) for name in names]
    kind = device.partition(":")[0]
    bout = Bout(Config(0, 0, "anchor", Path(tempfile.gettempdir())))
    with started(subjects, timeout=60) as processes:
        for process in processes.values():
            process.ask("load")
        protocol = Rounds(processes, names, kind, pace, 0, tell, threads=threads)
        protocol.run([bout])
    rows = protocol.table()
    column = f"infer_{protocol.basis}"
    same, slower = (
        ratio_of(rows, name, anchors.ANCHOR, column)
        for name in (anchors.ANCHOR + AGAIN, anchors.SLOWER)
    )
    return SelfTest(same, slower, bout.seconds)
