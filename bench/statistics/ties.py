"""Ranks that do not pretend: ranges of ranks, and groups of methods that cannot be told apart."""

from __future__ import annotations

import string
from collections.abc import Sequence

import pandas as pd


def rank_ranges(methods: Sequence[str], pairs: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """First and last possible rank of each method.

    The first is 1 plus the number of methods that are significantly better, the last is their
    number minus that of the significantly worse.

    Args:
        methods: The ranked methods.
        pairs: Columns ``a``, ``b``, ``verdict``; pairs with others are ignored.
    """
    chosen = pairs[pairs["a"].isin(list(methods)) & pairs["b"].isin(list(methods))]
    better = dict.fromkeys(methods, 0)
    worse = dict.fromkeys(methods, 0)
    for a, b, said in zip(chosen["a"], chosen["b"], chosen["verdict"], strict=True):
        if said in ("a better", "b better"):
            ahead, behind = (a, b) if said == "a better" else (b, a)
            better[behind] += 1
            worse[ahead] += 1
    return {name: (1 + better[name], len(methods) - worse[name]) for name in methods}


def tie_groups(ordered: Sequence[str], pairs: pd.DataFrame) -> dict[str, str]:
    """Letters of the groups each method belongs to, as in a compact letter display.

    A group is a maximal run, in the order given, in which no pair differs significantly. Sharing
    a letter means not told apart, not equal. Without a common letter two methods differ, or one
    between them differs from one of them.

    Args:
        ordered: The ranked methods, the best mean first.
        pairs: Columns ``a``, ``b``, ``significant``.
    """
    letters = dict.fromkeys(ordered, "")
    for count, (start, stop) in enumerate(tie_runs(ordered, pairs)):
        for name in ordered[start:stop]:
            letters[name] += _letter(count)
    return letters


def tie_runs(ordered: Sequence[str], pairs: pd.DataFrame) -> list[tuple[int, int]]:
    """The groups of `tie_groups` as places in the order: the first, and the one after the last.

    Args:
        ordered: The methods, the best first.
        pairs: Columns ``a``, ``b``, ``significant``.
    """
    apart = {
        frozenset(pair)
        for *pair, differs in zip(pairs["a"], pairs["b"], pairs["significant"], strict=True)
        if differs
    }
    runs: list[tuple[int, int]] = []
    for start in range(len(ordered)):
        stop = _run(ordered, start, apart)
        if not runs or stop > runs[-1][1]:  # else this run lies within the one before
            runs.append((start, stop))
    return runs


def _run(ordered: Sequence[str], start: int, apart: set[frozenset[str]]) -> int:
    """End of the longest run from ``start`` in which no pair differs."""
    stop = start + 1
    while stop < len(ordered) and not any(
        frozenset((ordered[stop], name)) in apart for name in ordered[start:stop]
    ):
        stop += 1
    return stop


def _letter(index: int) -> str:
    """a, b, c, ...; beyond 52 groups a number in brackets."""
    return string.ascii_letters[index] if index < 52 else f"({index + 1})"
