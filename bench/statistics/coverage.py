"""Which cases and which methods may be compared, and on which metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

CASE = ["photo", "tier", "draw"]
FULL_COVERAGE = 0.95
CAP_DB = 100.0
MARKS = ("ceiling", "floor")


class Headline(NamedTuple):
    """The metric that ranks, and why it is this one."""

    metric: str
    reason: str


def completed(cases: pd.DataFrame) -> pd.DataFrame:
    """Rows with status ``ok`` of sample 0.

    Only sample 0 counts: with more samples a stochastic method would weigh more than others,
    and the best of several would not be comparable with a single fill.
    """
    return cases[(cases["status"] == "ok") & (cases["sample"] == 0)]


def common_cases(cases: pd.DataFrame, methods: Sequence[str]) -> pd.DataFrame:
    """Rows of the cases that every one of the methods completed (sample 0).

    Args:
        cases: The table ``cases`` of a run.
        methods: Full names of the methods to compare.

    Returns:
        The rows of these methods with status ``ok``, in the order of ``cases``.
    """
    rows = completed(cases)
    rows = rows[rows["method"].isin(list(methods))]
    completed_by = rows.groupby(CASE)["method"].transform("nunique")
    return rows[completed_by == len(set(methods))]


def cap_infinite(values: pd.Series) -> tuple[pd.Series, int]:
    """Count infinite decibels (equal pictures) as 100 dB; also say how many there were.

    Missing values stay missing.
    """
    numbers = values.astype(float)
    infinite = np.isposinf(numbers)
    return numbers.where(~infinite, CAP_DB), int(infinite.sum())


def headline_metric(metrics: pd.DataFrame) -> Headline:
    """The metric that ranks: LPIPS if it was measured with its weights, else SSIM in the hole.

    If neither was measured it is the first measured metric of single cases, if there is one.

    LPIPS with untrained features never ranks: it does not measure what the published one does.

    Args:
        metrics: The table ``metrics`` of a run.
    """
    row = metrics[metrics["metric"] == "lpips"]
    if len(row) == 0:
        why = "LPIPS was not among the metrics of this run"
    elif row["status"].iloc[0] == "ok":
        return Headline("lpips", "LPIPS was measured with its published weights")
    else:
        why = f"LPIPS is absent: {row['reason'].iloc[0]}"
    usable = (metrics["status"] == "ok") & (metrics["scope"] == "case")
    measured = metrics.loc[usable & ~metrics["metric"].str.startswith("lpips_untrained"), "metric"]
    if len(measured) and "ssim_hole" not in set(measured):
        return Headline(
            str(measured.iloc[0]),
            f"{why}; SSIM in the hole was not measured either, this is the first metric that was",
        )
    return Headline("ssim_hole", why)
