"""Ranks that do not pretend: ranges of ranks, and groups of methods that cannot be told apart."""

from __future__ import annotations

import itertools
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
    """Letters of the groups each method belongs to: a compact letter display.

    Two methods share a letter if and only if they do not differ significantly. Sharing one means
    not told apart, not equal.

    Args:
        ordered: The ranked methods, the best mean first.
        pairs: Columns ``a``, ``b``, ``significant``.
    """
    letters = dict.fromkeys(ordered, "")
    for count, places in enumerate(tied_sets(ordered, pairs)):
        for place in places:
            letters[ordered[place]] += _letter(count)
    return letters


def tied_sets(ordered: Sequence[str], pairs: pd.DataFrame) -> list[tuple[int, ...]]:
    """The groups of `tie_groups`, each as rising places in the order; by their first places.

    Insert and absorb (Piepho, "An algorithm for a letter-based representation of all-pairwise
    comparisons", Journal of Computational and Graphical Statistics 2004): one group of all is
    split by each pair that differs, and what lies within another group is absorbed. Groups whose
    pairs are all in others are left out.

    Args:
        ordered: The methods, the best first.
        pairs: Columns ``a``, ``b``, ``significant``; pairs with others are ignored.
    """
    place = {name: number for number, name in enumerate(ordered)}
    groups = [frozenset(place.values())] if place else []
    for a, b, differs in zip(pairs["a"], pairs["b"], pairs["significant"], strict=True):
        if differs and a in place and b in place:
            apart = {place[a], place[b]}
            split = [group - {each} for group in groups if apart <= group for each in apart]
            kept = [group for group in groups if not apart <= group]
            groups = kept + [g for g in dict.fromkeys(split) if not any(g <= k for k in kept)]
            groups = [group for group in groups if not any(group < other for other in groups)]
    return sorted(tuple(sorted(group)) for group in _needed(groups))


def _needed(groups: list[frozenset[int]]) -> list[frozenset[int]]:
    """The groups without those that join nobody who is not joined by another."""
    needed = list(groups)
    for group in sorted(groups, key=lambda each: (len(each), sorted(each))):
        others = [each for each in needed if each != group]
        pairs = itertools.combinations(group, 2)
        if len(group) > 1 and all(any({*pair} <= each for each in others) for pair in pairs):
            needed = others
    return needed


def _letter(index: int) -> str:
    """a, b, c, ...; beyond 52 groups a number in brackets."""
    return string.ascii_letters[index] if index < 52 else f"({index + 1})"
