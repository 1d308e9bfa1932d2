"""What a reader of a comparison must know: who is missing, and what could not be found."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from bench.statistics.pairs import METHODS
from bench.statistics.significance import smallest_p


def absence_notes(tier: str, cases: pd.DataFrame, absent: Iterable[str]) -> list[str]:
    """Name the methods that completed no case, with their most frequent reason."""
    notes = []
    for name in absent:
        own = cases[cases["method"] == name]
        why = (own["status"] + ": " + own["reason"]).value_counts()
        said = f" ({why.index[0]})" if len(why) else ""
        notes.append(f"{tier}: {name} completed no case{said}")
    return notes


def shared_note(tier: str, metric: str, shared: int, expected: int, ranked: int) -> list[str]:
    """Say where the cases that rank are not all that were planned.

    Args:
        tier: The tier.
        metric: Name of the metric.
        shared: Number of cases that all ranked methods completed.
        expected: Number planned.
        ranked: Number of ranked methods.
    """
    subject = f"{tier}, {metric}"
    if ranked == 0:
        return [f"{subject}: no method has values on 95 % of the {expected} cases: none is ranked"]
    if shared == 0:
        return [f"{subject}: no case was completed by all {ranked} ranked methods"]
    if shared < expected:
        return [f"{subject}: ranked on {shared} of {expected} cases, those with a value of all "
                f"{ranked} ranked methods"]  # fmt: skip
    return []


def power_note(tier: str, metric: str, pairs: pd.DataFrame) -> list[str]:
    """Say where there are too few photos for any difference of methods to be significant."""
    own = pairs[pairs["family"] == METHODS]
    tested = int(own["p"].notna().sum())
    if tested == 0:
        return []
    photos = int(own["photos"].max())
    least = smallest_p(photos) * tested
    if least < 0.05:
        return []
    return [
        f"{tier}, {metric}: with {photos} photos the smallest possible p-value, adjusted for "
        f"{tested} pairs, is {min(least, 1):.2g}: no difference can be significant here, however "
        "large; more photos are needed"
    ]
