"""A run folder whose photos or holes have become more since its last start: kept fills stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bench.errors import InputError
from bench.folder.header import Fingerprint, Header
from bench.folder.schema import PLAN
from bench.folder.store import RunFolder
from bench.text.numbers import counted

_MAY_GROW = {"photos", "masks", "truth", "metrics"}  # parts of a fingerprint
_HOLE = ["photo", "photo_sha", "tier", "draw"]


def plan_of(store: RunFolder) -> pd.DataFrame | None:
    """The plan of earlier starts, if it can be read."""
    # With its statistics this takes as long as all else of `plan`, which has no earlier start.
    from bench.folder.read import Reader

    try:
        return Reader(store, ("plan",)).table("plan")
    except InputError:
        return None


def continues(
    header: Header,
    earlier: pd.DataFrame | None,
    now: Fingerprint,
    asked: tuple[Mapping[str, Any], Mapping[str, Any]],
    plan: pd.DataFrame,
) -> bool:
    """Whether a run of some request and plan continues an earlier one: its cases are all there.

    A case is its photo's and hole's content, and what its fills are held against.

    Args:
        header: Of the earlier run.
        earlier: Its plan, if it can be read.
        now: The fingerprint now.
        asked: The requests for photos and holes, then and now, as ``run.json`` holds them.
        plan: The plan now.
    """
    from bench.folder.differences import request_differences  # as in `plan_of`

    parts = {part.name for part in header.fingerprint.differences(now)}
    if parts <= {"metrics"}:
        return True
    if earlier is None or not parts <= _MAY_GROW or request_differences(*asked):
        return False
    case = ["case_key", "truth"]
    return len(earlier[case].merge(plan[case])) == len(earlier)


def with_earlier_holes(earlier: pd.DataFrame, plan: pd.DataFrame) -> pd.DataFrame:
    """A plan of generated holes with those that another version drew for what was there before."""
    if len(earlier[_HOLE].merge(plan[_HOLE])) < len(earlier):
        return plan
    drawn = pd.concat([earlier, plan]).drop_duplicates(_HOLE)
    kept = PLAN.typed(plan[_HOLE].merge(drawn, on=_HOLE))
    said = ("case", "cluster", "keep", "truth", "prompt", "group")
    return kept.assign(**{name: plan[name] for name in said})


def said(earlier: pd.DataFrame, plan: pd.DataFrame, fills: int) -> str:
    """What came to a plan, in words; empty if nothing did.

    Args:
        earlier: The plan before.
        plan: The plan now.
        fills: Of each case.
    """
    new = plan[~plan["case_key"].isin(earlier["case_key"])]
    photos = new["photo"].isin(earlier["photo"])
    counts = {"photo": new.loc[~photos, "photo"].nunique(), "hole": int(photos.sum())}
    added = " and ".join(counted(count, name) for name, count in counts.items() if count)
    return (
        f"{added} added since the last start: {counted(len(new), 'case')} x {fills} fills to make"
        if added
        else ""
    )
