"""Which cases a report will show of a run, so that workers can make its pictures ready."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

ALL_UP_TO, AT_RANDOM = 100, 40


def case_hash(photo: str, tier: str, draw: int) -> str:
    """16 hex digits that name a case; their order is one that nobody chose."""
    key = "\0".join((photo, tier, str(draw)))
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16]


def case_hashes(plan: pd.DataFrame) -> pd.Series:
    """`case_hash` of each row of a plan."""
    keys = zip(plan["photo"], plan["tier"], plan["draw"], strict=True)
    return pd.Series([case_hash(*key) for key in keys], index=plan.index, dtype=object)


def surely_shown(plan: pd.DataFrame) -> pd.Series:
    """Which cases a report shows whatever the results turn out to be.

    All of a tier of up to 100 cases; of a larger one 40, the first by their hash.
    """
    tier = plan["tier"].astype(str)
    place = case_hashes(plan).groupby(tier).rank()
    count = tier.groupby(tier).transform("size")
    return place <= np.where(count <= ALL_UP_TO, ALL_UP_TO, AT_RANDOM)
