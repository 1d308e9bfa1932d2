"""All pairs of a tier as rows of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.folder.read import Run
from bench.folder.store import records
from bench.text import numbers
from reports.results import sentences
from reports.results.ranking import Ranking
from reports.results.tables import Cell


@dataclass(frozen=True)
class Pair:
    """Two methods: the difference first minus second, p, wins, and what may be said.

    The interval of ``difference`` is the joint one, which leaves out 0 exactly where p is small.
    """

    a: str
    b: str
    difference: Cell
    p: str
    win_rate: str
    n: int
    photos: int
    verdict: str


def pairs(run: Run, ranking: Ranking, unit: str) -> list[Pair]:
    """All pairs by the headline metric, as compared; better methods come first."""
    found = records(ranking.pairs)
    widths = [(row["high"] - row["low"]) / 2 for row in found]
    decimals = max((numbers.decimals_for([width], unit=unit) for width in widths), default=0)
    return [_pair(run, row, decimals) for row in found]


def _pair(run: Run, row: dict[str, Any], decimals: int) -> Pair:
    a, b = (sentences.title(run, row[side]) for side in ("a", "b"))
    return Pair(
        a=a,
        b=b,
        difference=Cell(
            numbers.signed(row["difference"], decimals),
            interval=numbers.interval(row["low_joint"], row["high_joint"], decimals),
            remark=row["note"],
            sort=repr(float(row["difference"])),
        ),
        p=numbers.p_number(row["p_adjusted"]),
        win_rate=f"{numbers.number(100 * row['win_rate'], 0)} %",
        n=row["n"],
        photos=row["photos"],
        verdict=_verdict(row, a, b),
    )


def _verdict(row: dict[str, Any], a: str, b: str) -> str:
    if not row["significant"]:
        return str(row["verdict"])
    # A difference of exactly zero is significant for nobody.
    said = {"a better": f"{a} better", "b better": f"{b} better"}[row["verdict"]]
    return f"{said}, but within the margin" if row["equivalent"] else said
