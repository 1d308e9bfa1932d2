"""How far the methods of a tier are from the best, or from the reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.folder.store import records
from bench.statistics import Comparison, Interval
from bench.statistics.significance import FEW


@dataclass(frozen=True)
class Gap:
    """A method's headline metric minus that of the best, or the reference, on the cases of both.

    Attributes:
        interval: Mean difference; its interval holds at 95 % for all pairs that p is adjusted for,
            or, where nothing was tested, for itself.
        p: P-value adjusted for the pairs of ranked methods, or for those with floors and ceiling;
            NaN if it was not tested.
        significant: Whether that is below 0.05.
        equivalent: Whether the difference is shown to lie within the margin.
        identical: Whether there is none on any photo.
    """

    interval: Interval
    p: float = float("nan")
    significant: bool = False
    equivalent: bool = False
    identical: bool = False


def from_base(found: Comparison, reference: str | None) -> dict[str, Gap]:
    """Each method minus the best, or the reference: from the pairs with it, and the partial."""
    best = found.ranks.loc[found.ranks["role"] == "ranked", "method"].head(1)
    base = str(next(iter(best), "")) if reference is None else reference
    gaps = {}
    for pair in records(found.pairs[(found.pairs[["a", "b"]] == base).any(axis=1)]):
        # The best is the first of its pairs, the reference the second.
        turned = pair["a"] == base
        ends = -pair["difference"], -pair["high_joint"], -pair["low_joint"]
        if not turned:
            ends = pair["difference"], pair["low_joint"], pair["high_joint"]
        note = "too few photos for a joint interval" if np.isnan(ends[1]) else pair["note"]
        gaps[pair["b" if turned else "a"]] = Gap(
            Interval(*ends, pair["n"], pair["photos"], note),
            pair["p_adjusted"], pair["significant"], pair["equivalent"],
            pair["difference"] == 0 and (pair["photos"] == 1 or pair["low"] == pair["high"]),
        )  # fmt: skip
    for row in records(found.partial):
        # Untested: of few photos it could leave out 0 where no test would.
        few = row["photos"] < FEW
        low, high = (np.nan if few else row[f"difference_{end}"] for end in ("low", "high"))
        value = Interval(row["difference"], low, high, row["n_paired"], row["photos"])
        gaps[row["method"]] = Gap(value)
    gaps.pop(base, None)  # which may be among the partial ones
    return gaps
