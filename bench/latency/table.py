"""The table of latencies: samples summed up, a row per method, size, tier and region."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from bench.folder.latency_facts import AnchorTwice
from bench.folder.schema import LATENCY
from bench.latency import estimates
from bench.latency.anchors import ANCHOR, FOURIER
from bench.latency.answers import Loaded, Refused
from bench.latency.bout import Bout
from bench.latency.rounds import AGAIN, ratio_of, undisturbed
from bench.machine.flops import Operations

_DISTURBED = 0.9  # CPU time over wall time and threads, below which something else was running
_FEW = 30  # rounds
INTERRUPTED = "interrupted"


@dataclass
class Side:
    """What is known of a method besides its samples.

    Attributes:
        loaded: What came of loading; None where it did not load.
        operations: By side of the photos.
        memory: Bytes by side and tier.
        audits: By side and tier (see `MethodStopwatch.audit`).
        speeds: Pictures a second by batch, at the first size, or why there are none.
    """

    loaded: Loaded | None = None
    operations: dict[int, Operations] = field(default_factory=dict)
    memory: dict[tuple[int, str], dict[str, float]] = field(default_factory=dict)
    audits: dict[tuple[int, str], float] = field(default_factory=dict)
    speeds: dict[int, float | Refused] = field(default_factory=dict)


def build(
    samples: pd.DataFrame,
    bouts: Sequence[Bout],
    methods: Mapping[str, Side],
    setting: Mapping[str, Any],
) -> pd.DataFrame:
    """Sum up.

    Args:
        samples: Of `rounds.Rounds`.
        bouts: Finished.
        methods: By full name, in the order of the table.
        setting: ``device``, ``threads`` and ``basis`` (``cpu``, ``wall`` or ``device``: which clock
            the ratios are of, but for methods that wait).

    Returns:
        The columns of ``docs/run-folder.md``.
    """
    rows = []
    for name, side in methods.items():
        common = {"method": name, **setting, **(side.loaded.facts if side.loaded else {})}
        rows += [common | row for row in _rows(name, side, samples, bouts, setting)]
    return LATENCY.frame(rows)


def self_tests(samples: pd.DataFrame, bouts: Sequence[Bout], basis: str) -> list[AnchorTwice]:
    """The anchor against itself in each bout, and whether that lets anything be told."""
    found = []
    for bout in bouts:
        if not bout.blocks:  # interrupted before
            continue
        rows = _of(samples, bout, slow=False)
        twice = ratio_of(rows, ANCHOR + AGAIN, ANCHOR, f"infer_{basis}")
        found.append(
            AnchorTwice(
                side=bout.config.side,
                tier=bout.config.tier,
                ratio=twice.value,
                low=twice.low,
                high=twice.high,
                n=twice.n,
                trusted=bool(estimates.trusted(twice)),
            )
        )
    return found


def _rows(
    name: str, side: Side, samples: pd.DataFrame, bouts: Sequence[Bout], setting: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    for bout in bouts:
        place = _place(bout) | {"batch": 1}
        if name in bout.refused:
            refused = bout.refused[name]
            for region in ("e2e", "infer"):
                yield {
                    **place, "region": region, "n": 0,
                    "status": refused.status, "reason": refused.reason,
                }  # fmt: skip
            continue
        known = side.memory.get((bout.config.side, bout.config.tier), {})
        counted = side.operations.get(bout.config.side)
        for region in ("e2e", "infer"):
            row = place | {"region": region} | _summary(name, region, samples, bout, setting)
            if region == "infer":
                row |= known | {"audit": side.audits.get((bout.config.side, bout.config.tier))}
                row |= vars(counted) if counted else {}
            yield row
    first = _place(bouts[0]) | {"status": "ok"}
    if side.loaded and math.isfinite(side.loaded.seconds):
        yield first | {
            "region": "load", "batch": 1, "n": 1, "mean_ms": 1e3 * side.loaded.seconds,
        }  # fmt: skip
    for batch, speed in side.speeds.items():
        yield (
            first
            | {"region": "throughput", "batch": batch}
            | (
                {"status": speed.status, "reason": speed.reason}
                if isinstance(speed, Refused)
                else {"images_per_second": speed}
            )
        )


def _place(bout: Bout) -> dict[str, Any]:
    config = bout.config
    return {each: getattr(config, each) for each in ("side", "height", "width", "tier")}


def _summary(
    name: str, region: str, samples: pd.DataFrame, bout: Bout, setting: Mapping[str, Any]
) -> dict[str, Any]:
    slow = name in bout.slow
    rows = _of(samples, bout, slow=slow)
    own = rows[rows["method"] == name]
    wall, cpu = 1e3 * own[f"{region}_wall"], 1e3 * own[f"{region}_cpu"]
    on_device = 1e3 * own["infer_device"] if region == "infer" else pd.Series(dtype=float)
    basis = setting["basis"] if region == "infer" or setting["basis"] != "device" else "wall"
    anchor = rows.loc[rows["method"] == ANCHOR, ["infer_cpu", "infer_wall"]]
    basis = bout.clock(name, basis, own[[f"{region}_cpu", f"{region}_wall"]], anchor)
    by_wall = ratio_of(rows, name, ANCHOR, f"{region}_wall")
    ratio = ratio_of(rows, name, ANCHOR, f"{region}_{basis}")
    typical = own.assign(wall=wall).groupby("round")[["block", "wall"]].median()
    alone = estimates.ratio(typical["wall"], np.ones(len(typical)), typical["block"])
    quarters = np.quantile(wall, (0.25, 0.75)) if len(wall) else (math.nan, math.nan)
    rounds = own["round"].nunique()
    busy = cpu / (wall * setting["threads"])
    return {
        "n": len(own),
        "rounds": rounds,
        "p50_ms": estimates.middle(wall),
        "p50_low_ms": alone.low,
        "p50_high_ms": alone.high,
        "p90_ms": estimates.percentile(wall, 0.9),
        "p99_ms": estimates.percentile(wall, 0.99),
        "min_ms": wall.min(),
        "mean_ms": wall.mean(),
        "iqr_share": (quarters[1] - quarters[0]) / wall.median(),
        "cpu_p50_ms": estimates.middle(cpu),
        "device_p50_ms": estimates.middle(on_device.dropna()),
        "basis": basis,
        "ratio": ratio.value,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "ratio_wall": by_wall.value,
        "ratio_wall_low": by_wall.low,
        "ratio_wall_high": by_wall.high,
        "ratio_fft": ratio_of(rows, name, FOURIER, f"{region}_{basis}").value,
        "disturbed_share": (busy < _DISTURBED).mean() if setting["device"] == "cpu" else math.nan,
        "hole_share": own["hole_share"].mean(),
        "status": _status(rounds, bout),
        "reason": "",
    }


def _status(rounds: int, bout: Bout) -> str:
    if rounds == 0:
        return INTERRUPTED
    return f"under {_FEW} rounds" if rounds < _FEW else bout.status or INTERRUPTED


def _of(samples: pd.DataFrame, bout: Bout, *, slow: bool) -> pd.DataFrame:
    here = (samples["side"] == bout.config.side) & (samples["tier"] == bout.config.tier)
    return undisturbed(samples)[here & (samples["slow"] == slow)]
