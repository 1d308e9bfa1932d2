"""A measurement of latency made up from plain numbers, put into a run folder by the real code."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.folder.latency_facts import AnchorPlace, LatencyFacts
from bench.folder.store import RunFolder
from bench.latency import anchors, table
from bench.latency.answers import Call, Loaded, Refused
from bench.latency.bout import Bout, Pace
from bench.latency.compare import TABLE
from bench.latency.inputs import Config
from bench.latency.measure import SAMPLES
from bench.latency.rounds import AGAIN, Rounds
from bench.latency.table import Side
from bench.machine.flops import Operations
from methods.harness import Spent

ROUNDS = 66
SHARES = {"small": 0.05, "region": 0.2, "large": 0.45}
STRANGER = "netx:<b>big</b>@graph"
SETTING = {"device": "cpu", "threads": 1, "basis": "cpu"}


class _Made:
    """Stands for a process: answers with times that are a plain function of size and hole."""

    def __init__(self, milliseconds, whole=True) -> None:
        self.milliseconds, self.whole = milliseconds, whole
        self.rng = np.random.default_rng(0)

    def ask(self, question, *arguments):
        if question == "use":
            self.config = arguments[0]
            return None
        if question == "call":
            return None
        if question == "warm_up":
            return self._seconds(0.2)
        _first, count = arguments
        return [self._call() for _ in range(count)]

    def _seconds(self, share: float) -> float:
        side = self.config.side if self.whole else 64
        return self.milliseconds(side, share) / 1e3

    def _call(self) -> Call:
        share = SHARES[self.config.tier] * self.rng.uniform(0.8, 1.2) if self.whole else 0.2
        seconds = self._seconds(share) * self.rng.lognormal(0, 0.02)
        infer = Spent(seconds, seconds, np.nan)
        whole = Spent(1.2 * seconds, 1.2 * seconds, np.nan)
        return Call(whole if self.whole else Spent(*[np.nan] * 3), infer, share)


def write(folder: Path, *, twice: float = 1.0) -> None:
    """Time three methods at two sizes and tiers: Telea grows with the hole, one runs out.

    Args:
        folder: Run folder of `tests.support.sample_run`.
        twice: The anchor over itself.
    """
    anchor = _Made(lambda side, share: 40.0, whole=False)
    anchor.config = Config(0, 0, "region", folder)
    processes = {
        anchors.ANCHOR: anchor,
        anchors.FOURIER: _anchor(folder),
        "telea": _Made(lambda side, share: 2 * (side / 64) ** 2 * (1 + 10 * share)),
        "ns": _Made(lambda side, share: 3.5 * (side / 64) ** 2),
        "mean": _Made(lambda side, share: 0.1),
        STRANGER: _Made(lambda side, share: 8 * (side / 64) ** 2),
    }
    bouts = [
        Bout(Config(side, side, tier, folder)) for side in (64, 128) for tier in ("small", "large")
    ]
    for bout in bouts[2:]:
        bout.refused[STRANGER] = Refused("oom", "tried to allocate <lots>")
    pace = Pace(least_seconds=0, most_rounds=ROUNDS, least_rounds=ROUNDS, half_width=1)
    protocol = Rounds(processes, anchors.NAMES, "cpu", pace, 0, lambda line: None)
    protocol.run(bouts)
    samples = protocol.table()
    again = samples["method"] == anchors.ANCHOR + AGAIN
    samples.loc[again, ["infer_wall", "infer_cpu"]] *= twice
    store = RunFolder(folder)
    store.write_table(SAMPLES, samples)
    store.write_table(TABLE, table.build(samples, bouts, _sides(), SETTING))
    _facts(table.self_tests(samples, bouts, "cpu")).write(store)


def _anchor(folder: Path) -> _Made:
    made = _Made(lambda side, share: 20.0, whole=False)
    made.config = Config(0, 0, "region", folder)
    return made


def _sides() -> dict[str, Side]:
    network = Loaded(
        2.5,
        {"title": "NetX (big), CUDA graph", "family": "CNN", "identity": "netx", "weights": "w",
         "parameters": 1.5e6, "weight_bytes": 6e6},
    )  # fmt: skip
    plain = {"identity": "x", "weights": "", "parameters": np.nan, "weight_bytes": np.nan}
    loaded = {
        name: Loaded(0.02, {"title": name, "family": family, **plain})
        for name, family in (("telea", "diffusion-based"), ("ns", "diffusion-based"),
                             ("mean", "floor"))
    }  # fmt: skip
    sides = {name: Side(each) for name, each in (loaded | {STRANGER: network}).items()}
    sides[STRANGER].operations = {64: Operations(2_000_000_000, 1_000_000, 5_000_000)}
    sides[STRANGER].memory = {(64, "small"): {"peak_bytes": 32 * 2**20}}
    sides[STRANGER].speeds = {1: 100.0, 2: 150.0, 4: 152.0}
    sides["ns"].speeds = {1: 40.0, 2: Refused("failed", "one picture at a time")}
    return sides


def _facts(self_tests: list) -> LatencyFacts:
    return LatencyFacts(
        time="2026-01-01T00:00:00+00:00", kind="shared", basis="cpu",
        anchors=dict.fromkeys(anchors.NAMES, "a fixed workload"),
        anchor_identity=AnchorPlace("2.14", "a processor", "", 1),
        settings={"number format": "float32", "cudnn.benchmark": True},
        ceilings={"copy": 1e10, "fp32": 1e12}, self_tests=self_tests,
    )  # fmt: skip
