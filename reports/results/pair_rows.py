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
    return _alike(run, records(ranking.pairs), unit)


def against(run: Run, ranking: Ranking, method: str, unit: str) -> list[tuple[str, Pair]]:
    """The pairs of a method, with it as the first and the other by name, as they rank."""
    order = [scores.method for scores in ranking.all_scores]
    rows = sorted(_own(ranking, method), key=lambda row: order.index(row["b"]))
    return [(row["b"], pair) for row, pair in zip(rows, _alike(run, rows, unit), strict=True)]


def tally(ranking: Ranking, method: str) -> str:
    """How many others a method is significantly better and worse than; empty without any pair."""
    rows = _own(ranking, method)
    verdicts = [str(row["verdict"]) if row["significant"] else "" for row in rows]
    better, worse = verdicts.count("a better"), verdicts.count("b better")
    if not rows:
        return ""
    return (
        f"Significantly better than {better} of {len(rows)} others, worse than {worse}; no "
        f"significant difference from {len(rows) - better - worse}."
    )


def _own(ranking: Ranking, method: str) -> list[dict[str, Any]]:
    rows = records(ranking.pairs[(ranking.pairs[["a", "b"]] == method).any(axis=1)])
    return [row if row["a"] == method else _turned(row) for row in rows]


def _turned(row: dict[str, Any]) -> dict[str, Any]:
    """A pair seen from its second method."""
    verdict = {"a better": "b better", "b better": "a better"}
    return row | {
        "a": row["b"],
        "b": row["a"],
        "difference": -row["difference"],
        **{low + end: -row[high + end]
           for low, high in (("low", "high"), ("high", "low")) for end in ("", "_joint")},
        "win_rate": 1 - row["win_rate"],
        "verdict": verdict.get(row["verdict"], row["verdict"]),
    }  # fmt: skip


def _alike(run: Run, rows: list[dict[str, Any]], unit: str) -> list[Pair]:
    """Pairs of the same digits down a column."""
    widths = [(row["high"] - row["low"]) / 2 for row in rows]
    decimals = max((numbers.decimals_for([width], unit=unit) for width in widths), default=0)
    return [_pair(run, row, decimals) for row in rows]


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
