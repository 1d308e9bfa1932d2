"""The latencies of one size and tier as a table, fastest first, with quality beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from bench.folder import latency_facts
from bench.folder.latency_facts import LatencyFacts
from bench.folder.read import Run
from bench.folder.store import records
from bench.statistics import MARKS
from bench.text import numbers
from reports.results import tables
from reports.results.budget import judged
from reports.results.budget import words as within
from reports.results.ranking import Ranking
from reports.results.tables import Cell, Column, Label

_FEW = 30
_PEAK = {"bf16": "bf16", "tf32": "tf32"}  # ceiling by the way a network is run


@dataclass(frozen=True)
class TimeRow:
    """One method: its times, what it takes, how sure that is."""

    label: Label
    cells: list[Cell]


@dataclass(frozen=True)
class Part:
    """One size and tier.

    Attributes:
        size: Of the photos, in words.
        tier: Of the holes.
        heads: Columns: a name, and a second line.
        rows: Methods that were timed, fastest first by the median call.
        absent: The others, with status and reason.
        anchor: How far the anchor was from itself, in words.
        notes: What must be known of the times of a method.
    """

    size: str
    tier: str
    heads: list[tuple[str, str]]
    rows: list[TimeRow]
    absent: list[tuple[Label, str, str]]
    anchor: str
    notes: list[tuple[Label, str]]

    @property
    def title(self) -> str:
        """Heading."""
        return f"{self.size}, {numbers.holes(self.tier)}"

    @property
    def brief(self) -> str:
        """What a reader sees before opening the table."""
        competing = [row for row in self.rows if row.label.family not in MARKS]
        if not competing:
            return "nothing timed"
        fast = competing[0]
        return f"{fast.label.title} is the fastest, {fast.cells[0].text} ms by the median call"


def part(
    run: Run,
    table: pd.DataFrame,
    facts: LatencyFacts,
    labels: dict[str, Label],
    side: int,
    tier: str,
    ranking: Ranking | None,
    budget: float | None = None,
) -> Part:
    """Lay out a size and tier.

    Args:
        run: The run whose quality is shown beside.
        table: Rows of ``latency.parquet``.
        facts: Content of ``latency.json``.
        labels: Of all methods.
        side: Which size.
        tier: Which tier.
        ranking: Of that tier in the run, if it has one.
        budget: Milliseconds a fill may take, if that is asked.
    """
    here = table[(table["side"] == side) & (table["tier"] == tier)]
    whole = {row["method"]: row for row in records(here[here["region"] == "e2e"])}
    inner = {row["method"]: row for row in records(here[here["region"] == "infer"])}
    loads = {row["method"]: row["mean_ms"] for row in records(table[table["region"] == "load"])}
    timed = sorted(
        (name for name, row in whole.items() if row["p50_ms"] > 0), key=lambda n: whole[n]["p50_ms"]
    )
    column = tables.columns(run, ranking)[0] if ranking and ranking.best is not None else None
    heads = [
        ("Picture to picture", "ms, median"),
        *([(within(budget), "picture to picture")] if budget else []),
        ("Calls", "rounds"), ("Peak memory", "MiB, largest hole"),
        *([(column.name, column.better)] if column else []),
        ("Network", "ms, median"), ("Ratio to the anchor", "network, 95 %"),
        ("First fill", "loading too"), ("Parameters", "million"),
        ("Operations", "billion, reached"),
    ]  # fmt: skip
    return Part(
        latency_facts.sizes(here)[side],
        tier,
        heads,
        [
            TimeRow(
                labels[name],
                [
                    _time(whole[name]),
                    *([_brief(judged(whole[name], budget))] if budget else []),
                    _calls(whole[name]),
                    _number(inner[name]["peak_bytes"] / 2**20, 0),
                    *([_quality(ranking, column, name)] if ranking and column else []),
                    *_network(inner[name], loads.get(name, math.nan), facts),
                ],
            )
            for name in timed
        ],
        [
            (labels[name], str(row["status"]), str(row["reason"]))
            for name, row in whole.items()
            if not row["p50_ms"] > 0
        ],
        _anchor(facts, side, tier),
        [(labels[name], str(whole[name]["note"])) for name in timed if whole[name]["note"]],
    )


def _network(inner: dict[str, Any], load: float, facts: LatencyFacts) -> list[Cell]:
    work = inner["products"] + inner["fourier"]
    ceiling = facts.ceilings.get(_ceiling(inner["method"]), math.nan)
    share = work / _seconds(inner) / ceiling
    reached = "" if math.isnan(share) else f"{numbers.number(100 * share, 1)} %"
    return [
        replace(_time(inner), interval="", remark=""),
        _ratio(inner),
        Cell(numbers.time(load), sort=repr(load)) if math.isfinite(load) else Cell(numbers.NOTHING),
        _number(inner["parameters"] / 1e6, 2),
        replace(_number(work / 1e9, 1), remark=reached),
    ]


def _time(row: dict[str, Any]) -> Cell:
    """The median with its interval, and p90 where there is one."""
    value, late, calls = float(row["p50_ms"]), float(row["p90_ms"]), int(row["n"])
    between = numbers.between_milliseconds(row["p50_low_ms"], row["p50_high_ms"])
    remark = f"p90 {numbers.milliseconds(late)}" if math.isfinite(late) else ""
    if not between:
        remark = f"of {numbers.counted(calls, 'call')}"
    return Cell(numbers.milliseconds(value), between, remark, sort=repr(value))


def _ratio(row: dict[str, Any]) -> Cell:
    value, low, high = (float(row[name]) for name in ("ratio", "ratio_low", "ratio_high"))
    if not math.isfinite(value):
        return Cell(numbers.NOTHING)
    width = (high - low) / 2
    decimals = numbers.decimals_for([width]) if width > 0 else 2
    between = numbers.interval(low, high, decimals)
    return Cell(numbers.number(value, decimals), interval=between, sort=repr(value))


def _number(value: float, decimals: int) -> Cell:
    if not math.isfinite(value):
        return Cell(numbers.NOTHING)
    return Cell(f"{value:,.{decimals}f}", sort=repr(float(value)))


def _brief(cell: Cell) -> Cell:
    """The verdict alone: the milliseconds stand beside it, the reason in the table of all."""
    return replace(cell, interval="", remark="")


def _calls(row: dict[str, Any]) -> Cell:
    """How many in how many rounds, and that they did not settle, if they did not."""
    words = numbers.counted(int(row["rounds"]), "round")
    if row["status"] not in ("converged", f"under {_FEW} rounds"):
        words += f", {row['status']}"
    return replace(_number(float(row["n"]), 0), remark=words)


def _seconds(row: dict[str, Any]) -> float:
    """Of a call of the network, by the device's own clock where it has one."""
    times = [row["device_p50_ms"], row["p50_ms"]]
    return next((time / 1e3 for time in times if math.isfinite(time)), math.nan)


def _ceiling(method: str) -> str:
    """The matrix products that a method's can be compared with, by what its name says."""
    ways = method.partition("@")[2].split("+")
    return next((_PEAK[way] for way in ways if way in _PEAK), "fp32")


def _quality(ranking: Ranking | None, column: Column, method: str) -> Cell:
    scores = {each.method: each for each in ranking.all_scores} if ranking else {}
    value = scores[method].values.get(column.metric) if method in scores else None
    if value is None:
        return Cell(numbers.NOTHING, remark="not in this run")
    return tables.value_cell(value, column)


def _anchor(facts: LatencyFacts, side: int, tier: str) -> str:
    for test in facts.self_tests:
        if (test.side, test.tier) == (side, tier):
            words = f"The anchor was {numbers.number(test.ratio, 3)} times itself"
            between = numbers.interval(test.low, test.high, 3)
            said = "" if test.trusted else ": too noisy for any comparison"
            return f"{words}{' ' + between if between else ''}{said}."
    return "It was interrupted before the first round."
