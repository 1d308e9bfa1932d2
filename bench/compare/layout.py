"""A comparison as tables of rounded text, whatever they are then written as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.folder.store import records
from bench.statistics import MARKS, Comparison
from bench.statistics.groups import JACKKNIFE
from bench.text import numbers

_LETTERS_MEAN = (
    "Same letter = statistically tied: p is 0.05 or more. A rank range counts who is significantly "
    "better and worse."
)
_DIFFERENCES = (
    "Differences are a minus b. p is adjusted for the pairs of methods of a tier and metric, pairs "
    "with a floor or the ceiling apart; the joint interval holds for all of these pairs at 95 %, "
    "and leaves out 0 exactly where p is below 0.05. The plain interval is that of the pair alone; "
    "equivalence is not adjusted for the number of pairs."
)
_CASE_TEST = (
    "Metrics of single fills: p and joint intervals by the symmetric bootstrap-t over photos, of "
    "the largest ratio of all pairs (single step); below 10 photos also by flipping signs, and "
    "whichever is larger stands; from 10,000 on by the normal law that this tends to."
)
_SET_TEST = (
    "Metrics of sets: p by Student's t of the jackknife's error of the difference, p and joint "
    "interval by Bonferroni; a set has no wins."
)
_EQUIVALENT = "equivalent: the 90 % interval, of 5 photos or more, lies within the margin"


@dataclass(frozen=True)
class Block:
    """One table as text; ``align`` has ``l`` for each column of words, ``r`` for numbers."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    align: str


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
        widths = [*(ranks["high"] - ranks["low"]), *(pairs["high"] - pairs["low"])]
        digits = numbers.decimals_for(width / 2 for width in widths)
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
    first = comparison.pairs.drop_duplicates("metric")
    margins = first.dropna(subset=["margin"])
    unstated = ", ".join(first.loc[first["margin"].isna(), "metric"])
    stated = ", ".join(f"{row['metric']} {row['margin']:g}" for row in records(margins))
    # That all photos agree on the ceiling is what it is for.
    noted = comparison.ranks.query("note != '' and role != 'ceiling'")
    remarks = {
        f"{tier}, {metric}: {note} ({', '.join(rows['method'])})"
        for (tier, metric, note), rows in noted.groupby(["tier", "metric", "note"])
    }
    return [
        *([_LETTERS_MEAN] if ranked else []),
        *([_DIFFERENCES] if len(comparison.pairs) else []),
        *([_CASE_TEST] if (comparison.pairs["note"] != JACKKNIFE).any() else []),
        *([_SET_TEST] if (comparison.pairs["note"] == JACKKNIFE).any() else []),
        *([f"{_EQUIVALENT} ({stated})"] if stated else []),
        *([f"no margin is stated, so no equivalence is found: {unstated}"] if unstated else []),
        *said,
        *sorted(remarks),
    ]


def _expected(pairs: pd.DataFrame, role_of: Mapping[str, str]) -> pd.Series:
    """Pairs that only confirm that the floors are floors and the ceiling is the ceiling."""
    height = {"floor": 0, "ranked": 1, "compared": 1, "ceiling": 2}
    a, b = (pairs[side].map(role_of).map(height) for side in ("a", "b"))
    return ((a > b) & (pairs["verdict"] == "a better")) | (
        (a < b) & (pairs["verdict"] == "b better")
    )


def _ranks(title: str, table: pd.DataFrame, digits: int) -> Block:
    rows = [
        [
            row["method"], _place(row), row["group"], numbers.number(row["mean"], digits),
            numbers.interval(row["low"], row["high"], digits), str(row["n"]), str(row["photos"]),
        ]
        for row in records(table)
    ]  # fmt: skip
    header = ["method", "rank", "group", "mean", "95 % interval", "n", "photos"]
    return Block(title, header, rows, "lrlrrrr")


def _pairs(title: str, table: pd.DataFrame, digits: int) -> Block:
    of_sets = bool((table["note"] == JACKKNIFE).any())
    rows = [
        [
            row["a"], row["b"], _said(row), numbers.signed(row["difference"], digits),
            numbers.interval(row["low"], row["high"], digits),
            numbers.interval(row["low_joint"], row["high_joint"], digits),
            numbers.p_number(row["p_adjusted"]),
            *([] if of_sets else [numbers.number(100 * row["win_rate"], 0)]),
            str(row["n"]), str(row["photos"]),
        ]
        for row in records(table)
    ]  # fmt: skip
    wins = [] if of_sets else ["a wins %"]
    header = ["a", "b", "verdict", "a - b", "95 % interval", "joint interval", "p", *wins, "n",
              "photos"]  # fmt: skip
    return Block(title, header, rows, "lll".ljust(len(header), "r"))


def _partial(title: str, table: pd.DataFrame, digits: int) -> Block:
    rows = [
        [
            row["method"], row["reference"], numbers.number(100 * row["coverage"], 0),
            numbers.number(row["mean"], digits), numbers.interval(row["low"], row["high"], digits),
            str(row["n"]), numbers.signed(row["difference"], digits),
            numbers.interval(row["difference_low"], row["difference_high"], digits),
            str(row["n_paired"]),
        ]
        for row in records(table)
    ]  # fmt: skip
    header = ["method", "best ranked", "coverage %", "mean", "95 % interval", "n",
              "minus best", "95 % interval", "n"]  # fmt: skip
    return Block(title, header, rows, "ll".ljust(len(header), "r"))


def _place(row: Mapping[str, Any]) -> str:
    first, last = row["rank_first"], row["rank_last"]
    if pd.isna(first):
        return str(row["role"]) if row["role"] in MARKS else ""
    return numbers.places(first, last)


def _said(row: Mapping[str, Any]) -> str:
    """The verdict with the method's name; that a difference is real but negligible."""
    verdict = str(row["verdict"])
    if verdict == "cannot tell" and pd.isna(row["margin"]):
        return "cannot tell (no margin)"
    if not verdict.endswith("better"):
        return verdict
    text = f"{row[verdict[0]]} better"
    return f"{text}, negligibly" if row["equivalent"] else text
