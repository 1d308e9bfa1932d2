"""Two measurements of latency compared by ratios to the anchor, never by seconds.

A machine, its load and its libraries change seconds; the anchor of the same run takes that out.
What does not vary (operations, parameters, peak memory on a CUDA device) is compared as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from bench.folder import latency_facts
from bench.folder.latency_facts import AnchorPlace, AnchorTwice
from bench.folder.read import Run
from bench.folder.schema import LATENCY
from bench.folder.store import records
from bench.latency import estimates
from bench.latency.estimates import CANNOT_TELL, SAME, SLOWER, Ratio

NOT_MEASURED = "not measured"
TABLE = LATENCY.file
PLACE = ["method", "side", "tier", "region"]
EXACT = ("products", "fourier", "parameters")
_PEAK = 1.01  # of peak memory on a CUDA device, which its allocator rounds
NUMBERS = [
    "ratio", "ratio_low", "ratio_high", "ratio_wall", "ratio_wall_low", "ratio_wall_high",
    "rounds", *EXACT, "peak_bytes",
]  # fmt: skip
ROW = [*PLACE, "device", "status", "basis", *NUMBERS]
COLUMNS = [*PLACE, "basis", "verdict", "before", "now", "change", "low", "high", "margin", "reason"]


@dataclass(frozen=True)
class Timings:
    """What is compared of a measurement.

    Attributes:
        rows: One per method, size, tier and region ``e2e`` or ``infer``; the columns `ROW`.
        anchor: What the anchor is and runs on; ratios to another say nothing.
        kind: ``dedicated`` or ``shared``, of the machine.
        self_tests: The anchor against itself.
    """

    rows: pd.DataFrame
    anchor: AnchorPlace
    kind: str
    self_tests: Sequence[AnchorTwice]

    def twice(self, side: int, tier: str) -> Ratio:
        """The anchor over itself in the rounds of a size and tier."""
        for test in self.self_tests:
            if (test.side, test.tier) == (side, tier):
                return Ratio(test.ratio, test.low, test.high, test.n)
        return Ratio(math.nan, math.nan, math.nan, 0)


def read(run: Run) -> Timings | None:
    """Read the latency of a run; None where none was measured.

    Raises:
        InputError: If it is damaged.
    """
    if run.latency.empty:
        return None
    facts = latency_facts.read(run.store)
    calls = run.latency[run.latency["region"].isin(["e2e", "infer"])]
    return Timings(calls[ROW], facts.anchor_identity, facts.kind, facts.self_tests)


def judge(before: Timings, now: Timings | None) -> pd.DataFrame:
    """Compare row by row.

    Returns:
        A row per row of ``before`` that was timed there; ``basis`` is the clock now, ``verdict`` is
        ``slower``, ``faster``, ``same``, ``cannot tell`` or ``not measured``, ``before`` and
        ``now`` are ratios to the anchor, ``change`` the one over the other with its 95 % interval,
        ``reason`` in words.
    """
    rows = records(before.rows[before.rows["rounds"] > 0])
    found = {} if now is None else {_place(row): row for row in records(now.rows)}
    return pd.DataFrame(
        (_judged(old, found.get(_place(old)), before, now) for old in rows), columns=COLUMNS
    )


def _judged(
    old: dict[str, Any], new: dict[str, Any] | None, before: Timings, now: Timings | None
) -> dict[str, Any]:
    row = {name: old[name] for name in PLACE} | {"before": old["ratio"]}
    if new is None or now is None or not new["rounds"] > 0:
        status = f"{new['status']} in this run" if new else "not timed in this run"
        return row | {"verdict": NOT_MEASURED, "reason": status}
    # Where one waits and the other did not, only wall time saw both.
    waited = {old["basis"], new["basis"]} == {"cpu", "wall"}
    row |= {"basis": new["basis"]}
    if waited:
        old, new = (_by_wall(each) for each in (old, new))
    row |= {"before": old["ratio"], "now": new["ratio"]}
    obstacle = next(_obstacles(old, before, now), "")
    if grown := _grown(old, new):
        return row | {"verdict": SLOWER, "reason": grown}
    if obstacle:
        return row | {"verdict": CANNOT_TELL, "reason": obstacle}
    margin = estimates.margin(now.kind, now.twice(old["side"], old["tier"]))
    said, change = estimates.verdict(_ratio(old), _ratio(new), margin)
    by_wall, seen = estimates.verdict(_ratio(_by_wall(old)), _ratio(_by_wall(new)), margin)
    row |= {"change": change.value, "low": change.low, "high": change.high, "margin": margin}
    if said == SLOWER and not new["ratio_wall"] > old["ratio_wall"]:
        return row | {"verdict": CANNOT_TELL, "reason": "more CPU time, but no more wall time"}
    if said != SLOWER == by_wall:
        reason = f"no more CPU time, but by wall time {_words(by_wall, seen, margin)}"
        return row | {"verdict": CANNOT_TELL, "reason": reason}
    words = _words(said, change, margin)
    if waited:
        words = f"by wall time, as it waits now or did before: {words or said}"
    return row | {"verdict": said, "reason": words}


def _obstacles(old: dict[str, Any], before: Timings, now: Timings) -> Iterator[str]:
    """Why ratios of the two say nothing about each other."""
    then, here = asdict(before.anchor), asdict(now.anchor)
    differing = [
        f"{name} {then[name]!r} before, {here[name]!r} now"
        for name in sorted(then)
        if then[name] != here[name]
    ]
    if differing:
        yield f"another anchor: {', '.join(differing)}"
    for timings, when in ((before, "then"), (now, "now")):
        twice = timings.twice(old["side"], old["tier"])
        if not estimates.trusted(twice):
            yield f"too noisy: the anchor was {twice.value:.3f} times itself {when}"


def _grown(old: dict[str, Any], new: dict[str, Any]) -> str:
    """What must not grow and did, in words."""
    if old["region"] != "infer":
        return ""
    for name in EXACT:
        if new[name] > old[name]:
            return f"{name}: {old[name]:,.0f} before, {new[name]:,.0f} now"
    same_device = old["device"] == new["device"] != "cpu"
    if same_device and new["peak_bytes"] > _PEAK * old["peak_bytes"]:
        return f"peak memory: {old['peak_bytes']:,.0f} bytes before, {new['peak_bytes']:,.0f} now"
    return ""


def _by_wall(row: dict[str, Any]) -> dict[str, Any]:
    ends = {f"ratio{end}": row[f"ratio_wall{end}"] for end in ("", "_low", "_high")}
    return row | ends | {"basis": "wall"}


def _ratio(row: dict[str, Any]) -> Ratio:
    return Ratio(row["ratio"], row["ratio_low"], row["ratio_high"], int(row["rounds"]))


def _words(said: str, change: Ratio, margin: float) -> str:
    text = f"{change.value:.2f} times the time before"
    if not math.isnan(change.low):
        text += f" [{change.low:.2f}, {change.high:.2f}]"
    return "" if said == SAME else f"{text}, margin {margin:.0%}"


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in PLACE)
