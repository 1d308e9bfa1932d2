"""Whether fills that should be equal are: one identity, one machine, one case, one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

_MACHINE = ("system", "processor", "accelerator")
_START = ("device", "threads")
_SHOWN = 3


def machines_agree(starts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether all starts of runs were on machines that must give the same bytes.

    Processors, accelerators and numbers of threads differ in last digits, which rounding may show.
    """
    settings = {
        (
            *(str(start.get("environment", {}).get(name)) for name in _MACHINE),
            *(str(start.get(name)) for name in _START),
        )
        for start in starts
    }
    return len(settings) < 2


def differing(
    a: pd.DataFrame,
    b: pd.DataFrame,
    keys_a: Mapping[str, str],
    keys_b: Mapping[str, str],
    deterministic: Sequence[str],
) -> pd.DataFrame:
    """Fills of two runs that have one identity and different pictures.

    Args:
        a: Cases of a run.
        b: Cases of another.
        keys_a: Key of the fills of each method in the first.
        keys_b: In the second.
        deterministic: Methods that are not stochastic.

    Returns:
        ``method``, ``photo``, ``tier``, ``draw``, ``sample``; ``first`` and ``last``, the hashes of
        the two pictures.
    """
    same = [name for name in deterministic if keys_a.get(name, "") == keys_b.get(name)]
    columns = ["method", "photo", "tier", "draw", "sample", "case_key"]
    sides = [
        table.loc[
            table["method"].isin(same) & table["output_sha"].fillna("").ne(""),
            [*columns, "output_sha"],
        ].astype({"method": str, "photo": str, "tier": str})
        for table in (a, b)
    ]
    both = (
        sides[0]
        .rename(columns={"output_sha": "first"})
        .merge(sides[1].rename(columns={"output_sha": "last"}), on=columns)
    )
    return both[both["first"] != both["last"]]


def other_pictures(rows: Sequence[Mapping[str, Any]], where: str) -> str:
    """Say which fills differ though nothing known does, and what to do."""
    shown = [
        f"{row['method']} on {row['photo']} ({row['tier']}, draw {row['draw']}): picture "
        f"{row['first']} and {row['last']}"
        for row in rows[:_SHOWN]
    ]
    more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return (
        f"{where}: same method, other pictures: {'; '.join(shown)}{more}. By all that is known the "
        "same code made both, so its numbers cannot be trusted: it depends on something that is "
        "not part of its identity, such as a file it opens or a server it asks. Name the file in "
        "the class's `files`, add the rest to `identity`, or set stochastic on its card if it is "
        "random; then give another --out"
    )
