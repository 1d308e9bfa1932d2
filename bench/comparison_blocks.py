"""A comparison as tables of rounded text, whatever they are then written as."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.statistics import Comparison
from bench.store import records

_LETTERS_MEAN = (
    "Methods that share a letter are not told apart. A rank range counts who is significantly "
    "better and worse."
)
_TEST = (
    "Differences are a minus b with 95 % intervals; p: sign flips by photo, Wilcoxon: on the "
    "photos' means (symmetry about 0), both adjusted by Holm over all pairs of the table."
)


@dataclass(frozen=True)
class Block:
    """One table as text; the first ``names`` columns hold words, the others numbers."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    names: int


def blocks(comparison: Comparison) -> list[Block]:
    """Ranks, pairs and partial methods of each tier and metric as rounded text.

    Pairs that only confirm that a floor is worse and the ceiling better are counted, not shown;
    CSV and JSON hold all.
    """
    found = []
    for (tier, metric), ranks in comparison.ranks.groupby(["tier", "metric"], sort=False):
        pairs, partial = (
            table[(table["tier"] == tier) & (table["metric"] == metric)]
            for table in (comparison.pairs, comparison.partial)
        )
        digits = _decimals([*(ranks["high"] - ranks["low"]), *(pairs["high"] - pairs["low"])])
        title = f"{tier}, {metric} ({ranks['better'].iloc[0]} is better)"
        found.append(_ranks(title, ranks, digits))
        told = pairs[~_expected(pairs, dict(zip(ranks["method"], ranks["role"], strict=True)))]
        if len(pairs):
            hidden = len(pairs) - len(told)
            rest = f" ({hidden} with floors and ceiling came out as expected)" if hidden else ""
            found.append(_pairs(f"{title}: pairs{rest}", told, digits))
        if len(partial):
            found.append(_partial(f"{title}: not ranked, incomplete", partial, digits))
    return found


def notes(comparison: Comparison) -> list[str]:
    """What a reader of the tables must know, how to read them first."""
    said = [" ".join(note.split()) for note in comparison.notes]
    ranked = comparison.ranks["rank_first"].notna().any() if len(comparison.ranks) else False
    margins = comparison.pairs.drop_duplicates("metric").dropna(subset=["margin"])
    stated = ", ".join(f"{row['metric']} {row['margin']:g}" for row in records(margins))
    # That all photos agree on the ceiling is what it is for.
    noted = comparison.ranks.query("note != '' and role != 'ceiling'")
    remarks = {
        f"{tier}, {metric}: {note} ({', '.join(rows['method'])})"
        for (tier, metric, note), rows in noted.groupby(["tier", "metric", "note"])
    }
    return [
        *([_LETTERS_MEAN] if ranked else []),
        *([_TEST] if len(comparison.pairs) else []),
        *([f"equivalent: the 90 % interval lies within the margin ({stated})"] if stated else []),
        *said,
        *sorted(remarks),
    ]


def _expected(pairs: pd.DataFrame, role_of: Mapping[str, str]) -> pd.Series:
    """Pairs that only confirm that the floors are floors and the ceiling is the ceiling."""
    height = {"floor": 0, "ranked": 1, "compared": 1, "ceiling": 2}
    a, b = (pairs[side].map(role_of).map(height) for side in ("a", "b"))
    as_it_should = ((a > b) & (pairs["verdict"] == "a better")) | (
        (a < b) & (pairs["verdict"] == "b better")
    )
    return as_it_should | ((a == b) & (a != 1))


def _ranks(title: str, table: pd.DataFrame, digits: int) -> Block:
    rows = [
        [
            row["method"], _place(row), row["group"], _number(row["mean"], digits),
            _interval(row["low"], row["high"], digits), str(row["n"]), str(row["photos"]),
        ]
        for row in records(table)
    ]  # fmt: skip
    header = ["method", "rank", "group", "mean", "95 % interval", "n", "photos"]
    return Block(title, header, rows, names=3)


def _pairs(title: str, table: pd.DataFrame, digits: int) -> Block:
    rows = [
        [
            row["a"], row["b"], _said(row), _signed(row["difference"], digits),
            _interval(row["low"], row["high"], digits), _number(100 * row["win_rate"], 0),
            _p(row["p_holm"]), _p(row["p_wilcoxon_holm"]), str(row["n"]), str(row["photos"]),
        ]
        for row in records(table)
    ]  # fmt: skip
    header = ["a", "b", "verdict", "a - b", "95 % interval", "a wins %", "p", "Wilcoxon", "n",
              "photos"]  # fmt: skip
    return Block(title, header, rows, names=3)


def _partial(title: str, table: pd.DataFrame, digits: int) -> Block:
    rows = [
        [
            row["method"], row["reference"], _number(100 * row["coverage"], 0),
            _number(row["mean"], digits), _interval(row["low"], row["high"], digits),
            str(row["n"]), _signed(row["difference"], digits),
            _interval(row["difference_low"], row["difference_high"], digits),
            str(row["n_paired"]),
        ]
        for row in records(table)
    ]  # fmt: skip
    header = ["method", "best ranked", "coverage %", "mean", "95 % interval", "n",
              "minus best", "95 % interval", "n"]  # fmt: skip
    return Block(title, header, rows, names=2)


def _place(row: Mapping[str, Any]) -> str:
    first, last = row["rank_first"], row["rank_last"]
    if pd.isna(first):
        return "" if row["role"] == "compared" else str(row["role"])
    return str(first) if first == last else f"{first}-{last}"


def _said(row: Mapping[str, Any]) -> str:
    """The verdict with the method's name; that a difference is real but negligible."""
    verdict = str(row["verdict"])
    if not verdict.endswith("better"):
        return verdict
    text = f"{row[verdict[0]]} better"
    return f"{text}, negligibly" if row["equivalent"] else text


def _decimals(widths: Sequence[float]) -> int:
    """So many that the typical interval's half width shows two digits."""
    known = sorted(width for width in widths if width > 0)
    if not known:
        return 4
    return min(max(1 - math.floor(math.log10(known[len(known) // 2] / 2)), 0), 8)


def _number(value: float, digits: int) -> str:
    return "" if pd.isna(value) else f"{value:.{digits}f}"


def _signed(value: float, digits: int) -> str:
    return "" if pd.isna(value) else f"{value:+.{digits}f}"


def _interval(low: float, high: float, digits: int) -> str:
    return "" if pd.isna(low) else f"[{low:.{digits}f}, {high:.{digits}f}]"


def _p(value: float) -> str:
    if pd.isna(value):
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}"
