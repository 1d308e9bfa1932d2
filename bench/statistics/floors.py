"""Where a floor, a method nobody would use, scores better than a ranked one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from bench.text.numbers import joined

SUGGESTS = (
    "whoever a floor beats adds nothing that this metric can see: either its fills are of no use "
    "in such holes, or the metric does not suit them; look at the pictures before you choose by it"
)
"""What is to be thought of it, as the end of a sentence."""


class Outranked(NamedTuple):
    """A floor and the ranked methods with worse means on the same cases.

    Attributes:
        floor: Full name.
        surely: Those that are significantly worse, best first.
        perhaps: Those whose difference is not significant, best first.
    """

    floor: str
    surely: list[str]
    perhaps: list[str]


def outranked(ranks: pd.DataFrame, pairs: pd.DataFrame) -> list[Outranked]:
    """The floors that outrank somebody in one tier by one metric, the best first.

    Args:
        ranks: Table of a `Comparison`, of one tier and metric.
        pairs: Likewise.
    """
    sign = -1 if (ranks["better"] == "lower").any() else 1
    mean = dict(zip(ranks["method"], sign * ranks["mean"], strict=True))
    tested = pairs[pairs["significant"].astype(bool)]
    apart = {frozenset(pair) for pair in zip(tested["a"], tested["b"], strict=True)}
    found = []
    for floor in ranks.loc[ranks["role"] == "floor", "method"]:
        below = [m for m in ranks.loc[ranks["role"] == "ranked", "method"] if mean[m] < mean[floor]]
        surely = [name for name in below if {name, floor} in apart]
        if below:
            found.append(Outranked(floor, surely, [name for name in below if name not in surely]))
    return found


def said(
    found: Outranked,
    title: Callable[[str], str] = str,
    listed: Callable[[list[str]], str] = joined,
) -> str:
    """``mean is significantly better than telea, and better than lama, which may be chance``."""
    surely, perhaps = (listed([title(m) for m in of]) if of else "" for of in found[1:])
    parts = [f"significantly better than {surely}"] if surely else []
    if perhaps:
        parts.append(f"better than {perhaps}, which may be chance")
    return f"{title(found.floor)} is {', and '.join(parts)}"


def floor_note(tier: str, metric: str, ranks: pd.DataFrame, pairs: pd.DataFrame) -> list[str]:
    """Say which floors outrank ranked methods in a tier."""
    every = [said(found) for found in outranked(ranks, pairs)]
    return [f"{tier}, {metric}: the floor {'; '.join(every)}: {SUGGESTS}"] if every else []
