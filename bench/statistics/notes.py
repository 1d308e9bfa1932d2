"""What a reader of a comparison must know: who is missing, and what could not be found."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd
from scipy import special

from bench.statistics.equivalence import ALPHA
from bench.statistics.pairs import METHODS
from bench.statistics.significance import smallest_p
from bench.text.numbers import counted
from bench.text.plain import kind_of

_FEW = 0.05  # of a method's fills, as odd as may be
_EQUIVALENT_ERRORS = float(special.ndtri(0.95) + special.ndtri(0.9))


def absence_notes(tier: str, cases: pd.DataFrame, absent: Iterable[str]) -> list[str]:
    """Name the methods that completed no case, with their most frequent reason."""
    notes = []
    for name in absent:
        own = cases[cases["method"] == name]
        said = f" ({most_frequent(own)[0]})" if len(own) else ""
        notes.append(f"{tier}: {name} completed no case{said}")
    return notes


def most_frequent(cases: pd.DataFrame) -> tuple[str, int]:
    """The most frequent kind of status and reason, as its first case says it, and how many."""
    why = cases["status"].astype(str) + ": " + cases["reason"].astype(str)
    kinds = why.map(kind_of)
    counts = kinds.value_counts(sort=False)
    return str(why[kinds == counts.idxmax()].iloc[0]), int(counts.max())


def flagged(cases: pd.DataFrame) -> dict[str, str]:
    """By method, how many of its fills are flagged and why most are; none with only a few."""
    good = cases.loc[cases["status"] == "ok", ["method", "flags"]]
    found = {}
    for method, odd in good[good["flags"] != ""].groupby("method", sort=False, observed=True):
        fills = int((good["method"] == method).sum())
        if len(odd) > _FEW * fills:
            # What is in brackets differs from case to case.
            flags = odd["flags"].astype(str).str.split("; ").explode()
            why = flags.str.replace(r" \([^)]*\)$", "", regex=True).value_counts().index[0]
            found[str(method)] = f"{len(odd):,} of {counted(fills, 'fill')} flagged: {why}"
    return found


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


def reference_note(tier: str, metric: str, reference: str, known: Collection[str]) -> list[str]:
    """Say where nothing is compared, since the reference itself is not."""
    if reference in known:
        return []
    return [f"{tier}, {metric}: {reference} has too few cases here, so nothing is compared with it"]


def pair_notes(tier: str, metric: str, pairs: pd.DataFrame) -> list[str]:
    """What `powerless` and `out_of_reach` say of the pairs of a tier and metric."""
    said = filter(None, (powerless(pairs), out_of_reach(pairs)))
    return [f"{tier}, {metric}: {words}" for words in said]


def powerless(pairs: pd.DataFrame) -> str:
    """Why no difference of methods can be significant: too few photos; empty if one can."""
    photos = photos_tested(pairs)
    least = smallest_p(photos) if photos else 0.0
    if least < ALPHA:
        return ""
    return (
        f"with {counted(photos, 'photo')} the smallest possible p-value is {least:.2g}: no "
        "difference can be significant here, however large; more photos are needed"
    )


def photos_tested(pairs: pd.DataFrame) -> int:
    """Number of photos behind the tests of methods, of the pair with most; 0 without a test."""
    own = pairs[(pairs["family"] == METHODS) & pairs["p"].notna()]
    return 0 if own.empty else int(own["photos"].max())


def out_of_reach(pairs: pd.DataFrame) -> str:
    """Where equivalence is out of reach of so many photos, and how many it would take, or empty.

    Two one-sided tests at 5 % find two equal methods equivalent with 80 % power where the margin is
    ``z(0.95) + z(0.9)`` standard errors; an error falls with the root of the number of photos.
    """
    open_ = pairs[(pairs["family"] == METHODS) & (pairs["verdict"] == "cannot tell")]
    reach = special.stdtrit(np.maximum(open_["photos"].to_numpy(float) - 1, 1), 0.95)
    error = (open_["high90"] - open_["low90"]).to_numpy(float) / 2 / reach
    needed = open_["photos"] * (_EQUIVALENT_ERRORS * error / open_["margin"].to_numpy(float)) ** 2
    short = needed[needed > open_["photos"]].sort_values()
    if short.empty:
        return ""
    least, most = (f"{float(f'{value:.2g}'):,.0f}" for value in (short.iloc[0], short.iloc[-1]))
    between = f"about {least}" if least == most else f"about {least} to {most}"
    return (
        f"equivalence is out of reach of {int(open_['photos'].max())} photos for {len(short)} of "
        "the pairs without a significant difference: even for methods of equal means it takes "
        f"{between} photos (two one-sided tests, 80 % power, the spread found here)"
    )
