"""The protocol: warm up, then rounds over all methods and anchors, in blocks, until it is enough.

Where nothing is said otherwise the rules are those of asv (interleaved rounds), nvbench (stop when
the noise is small, with a limit, and say so) and MLPerf (different inputs, warm-up apart).
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench.folder.schema import LATENCY_SAMPLES
from bench.latency import estimates
from bench.latency.answers import Call, Refused
from bench.latency.bout import Bout, Pace
from bench.latency.clocks import Clocks
from bench.latency.processes import NoAnswer, Process

AGAIN = "-again"
"""Behind the name of the anchor where it is timed a second time in a round."""
_SAMPLE_SECONDS = 0.02  # at least, so that the clock's own time is small beside it
_MOST_CALLS = 64  # of a sample
_FEWEST = 3  # rounds of a slow method
_SLOW_CLOCK = 0.75  # of the fastest clock of the run; slower samples are left out


class Rounds:
    """Times subjects on configs.

    Args:
        processes: Of methods and anchors, by name; the first two are the anchors.
        device: Type of the device, ``cpu`` or ``cuda``.
        pace: How long.
        seed: Of the order within rounds.
        tell: Called with a line of progress.
        look: Called with each method and bout once it is warm, to learn more of it.
        threads: Of each process.
    """

    def __init__(
        self,
        processes: dict[str, Process],
        anchors: Sequence[str],
        device: str,
        pace: Pace,
        seed: int,
        tell: Callable[[str], None],
        look: Callable[[str, Bout], None] = lambda name, bout: None,
        *,
        threads: int = 1,
    ) -> None:
        """Take the parts."""
        self._processes = processes
        self._anchors = tuple(anchors)
        self._device = device
        self._pace = pace
        self._rng = np.random.default_rng(seed)
        self._tell = tell
        self._look = look
        self._clocks = Clocks(device)
        self.samples: list[dict[str, Any]] = []
        # Threads that wait for each other take CPU time too.
        self.basis = "device" if device != "cpu" else "wall" if threads > 1 else "cpu"

    def run(self, bouts: Sequence[Bout]) -> None:
        """Do all rounds: block after block, going over the bouts in turn.

        Each is warmed up before its first block, so that who stops early has the first ones.
        """
        open_bouts = list(bouts)
        while open_bouts:
            for bout in list(open_bouts):
                self._block(bout)
                if bout.status:
                    open_bouts.remove(bout)

    def _warm_up(self, bout: Bout) -> None:
        """Warm all subjects up for a bout and see how long their calls take."""
        pace = self._pace
        for name, process in self._processes.items():
            if name in bout.refused:
                continue
            try:
                if name not in self._anchors:
                    process.ask("use", bout.config)
                process.ask("call", 0)  # kernels are chosen, compiled or recorded in it
                seconds = process.ask("warm_up", pace.warm_calls, pace.warm, 10 * pace.warm)
            except NoAnswer as error:
                bout.refused[name] = error.refused
                continue
            bout.calls[name] = min(_MOST_CALLS, max(1, math.ceil(_SAMPLE_SECONDS / seconds)))
            if name in self._anchors:
                continue
            if seconds > pace.slow:
                bout.slow.add(name)
            self._look(name, bout)

    def table(self) -> pd.DataFrame:
        """All samples, a row each."""
        return LATENCY_SAMPLES.frame(self.samples)

    def _block(self, bout: Bout) -> None:
        if not bout.blocks:
            self._warm_up(bout)
        start = time.monotonic()
        for name in [name for name in self._processes if name in bout.calls]:
            if name not in self._anchors:
                self._use(name, bout)
        quick = [name for name in bout.calls if name not in bout.slow]
        for _ in range(self._pace.block):
            self._round(bout, quick)
            # Where calls are slow, blocks are short, so that there are enough for an interval.
            if time.monotonic() - start > self._pace.limit / estimates.FEWEST_BLOCKS:
                break
        if bout.slow and bout.slow_rounds < _FEWEST:
            self._round(bout, [*self._anchors, *sorted(bout.slow)], slow=True)
            bout.slow_rounds += 1
        bout.blocks += 1
        bout.seconds += time.monotonic() - start
        bout.status = self._end(bout)
        size, tier = bout.config.size, bout.config.tier
        self._tell(f"{size}, {tier}: {bout.rounds} rounds in {bout.seconds:.0f} s {bout.status}")

    def _use(self, name: str, bout: Bout) -> None:
        try:
            self._processes[name].ask("use", bout.config)
        except NoAnswer as error:
            self._drop(name, bout, error.refused)

    def _round(self, bout: Bout, names: Sequence[str], *, slow: bool = False) -> None:
        entries = [name for name in names if name in bout.calls] + [self._anchors[0] + AGAIN]
        first = bout.rounds * max(bout.calls.values(), default=1)
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
        for number, entry in enumerate(self._rng.permutation(entries)):
            name = str(entry).removesuffix(AGAIN)
            clock = self._clocks.read()
            try:
                calls = self._processes[name].ask("sample", first, bout.calls[name])
            except NoAnswer as error:
                self._drop(name, bout, error.refused)
                continue
            place = {
                "method": str(entry),
                "side": bout.config.side,
                "tier": bout.config.tier,
                "block": bout.blocks,
                "round": bout.rounds,
                "place": number,
                "slow": slow,
                "clock_mhz": clock,
                "load": load,
            }
            self.samples += [place | _row(call) for call in calls]
            if not slow:
                bout.add(str(entry), calls, self.basis)
        bout.rounds += 1

    def _drop(self, name: str, bout: Bout, refused: Refused) -> None:
        """Time a subject no more in this bout."""
        bout.refused[name] = refused
        bout.calls.pop(name, None)

    def _end(self, bout: Bout) -> str:
        """The status, if this bout is over."""
        pace = self._pace
        if bout.slow & bout.calls.keys() and bout.slow_rounds < _FEWEST:
            return ""
        converged = self._converged(bout)
        if bout.rounds >= pace.least_rounds and converged:
            return "converged"
        over = bout.seconds >= pace.limit or bout.rounds >= pace.most_rounds
        return ("converged" if converged else "noisy") if over else ""

    def _converged(self, bout: Bout) -> bool:
        quick = [n for n in bout.calls if n not in bout.slow and n != self._anchors[0]]
        return all(
            bout.spent.get(name, 0) >= self._pace.least_seconds
            and bout.ratio(name, self._anchors[0]).half_width < self._pace.half_width
            for name in quick
        )


def ratio_of(rows: pd.DataFrame, name: str, anchor: str, column: str) -> estimates.Ratio:
    """The ratio of a subject to an anchor on samples of one bout, mean times of each round."""
    theirs = rows[rows["method"] == anchor].groupby("round")[column.replace("e2e", "infer")].mean()
    own = rows[rows["method"] == name].groupby("round")[["block", column]].mean()
    both = own.join(theirs.rename("anchor"), how="inner")
    return estimates.ratio(both[column], both["anchor"], both["block"])


def _row(call: Call) -> dict[str, float]:
    return {
        "hole_share": call.hole_share,
        "e2e_wall": call.e2e.wall,
        "e2e_cpu": call.e2e.cpu,
        "infer_wall": call.infer.wall,
        "infer_cpu": call.infer.cpu,
        "infer_device": call.infer.device,
    }


def undisturbed(samples: pd.DataFrame) -> pd.DataFrame:
    """Leave out samples that a device took at a low clock."""
    clocks = samples["clock_mhz"]
    return samples[~(clocks < _SLOW_CLOCK * clocks.max())]
