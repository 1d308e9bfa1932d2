"""Which cases and which methods may be compared, and on which metric."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.errors import require_one_of, spelt_like

CASE = ["photo", "tier", "draw"]
FULL_COVERAGE = 0.95
CAP_DB = 100.0
MARKS = ("ceiling", "floor")
HEADLINES = (
    "lpips_hole", "lpips", "texture_structure", "lpips_untrained_hole", "lpips_untrained",
    "cw_ssim_hole", "swd_hole",
)  # fmt: skip
"""What may rank, best first: each puts the better fill of a pair first often enough, as
``inpaint-bench orders`` measures it; LPIPS with its weights by what studies of people found."""
HEADLINES_WITHOUT_TRUTH = ("rc_s", "self_consistency")
"""What may rank where the truth is unknown, best first."""
_WITH_WEIGHTS = HEADLINES[:2]
_BEST = ("lpips_hole", "texture_structure")  # with weights, and without
_OWN = r"\bcode [0-9a-f]+"  # in the version of a metric that is not ours, whose code is hashed


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


def roles(methods: pd.DataFrame) -> dict[str, str]:
    """``ranked``, ``floor`` or ``ceiling`` by method, from the table ``methods``."""
    families = methods["family"].where(methods["family"].isin(MARKS), "ranked")
    return dict(zip(methods["method"], families, strict=True))


def coverage_of(cases: pd.DataFrame, methods: Iterable[str], expected: int) -> dict[str, float]:
    """Share of a tier's planned cases that each method completed, 0 to 1."""
    counts = completed(cases).groupby("method").size()
    return {name: float(counts.get(name, 0)) / expected for name in methods}


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


def reference_of(methods: pd.DataFrame, name: str | None) -> str | None:
    """The method that all others are compared with, by its full name; None if none is asked for.

    Args:
        methods: The table ``methods`` of a run.
        name: As the user wrote it.

    Raises:
        BenchError: If the run has none of that name.
    """
    known = list(map(str, methods["method"]))
    found = name if name is None else spelt_like(name, known)
    if found is not None:
        require_one_of(found, known, "--reference")
    return found


def headline_metric(metrics: pd.DataFrame) -> Headline:
    """The metric that ranks: the first of `HEADLINES` that was measured.

    A metric of the user's own ranks if none of these was measured, and nothing does if there is
    none: SSIM, PSNR and the like prefer blur, see ``docs/right-orders.md``.

    Args:
        metrics: The table ``metrics`` of a run.

    Returns:
        The metric, empty if none can rank; and why it is not a better one.
    """
    cases = metrics[metrics["scope"] == "case"].set_index("metric")
    measured = cases[cases["status"] == "ok"]
    for place, name in enumerate(HEADLINES):
        if name in measured.index:
            why = [
                "measured with its published weights" if name in _WITH_WEIGHTS
                else "the first measured of those that need no weights",
                *(_lacking(cases, better) for better in HEADLINES[:place] if better in _BEST),
            ]  # fmt: skip
            return Headline(name, "; ".join(why))
    lacking = "; ".join(_lacking(cases, name) for name in _BEST)
    own = measured[measured["version"].astype(str).str.contains(_OWN)]
    if len(own):
        return Headline(
            own.index.tolist()[0],
            "a metric of your own; nobody knows how often it puts the better fill first, "
            "inpaint-bench orders --metrics, named as for the run, measures it; " + lacking,
        )
    return Headline(
        "",
        "nothing ranks, since no metric was measured that orders fills as the eye does; run again "
        f"with --metrics texture_structure added; {lacking}",
    )


def headline_without_truth(metrics: pd.DataFrame) -> Headline:
    """The metric that ranks where the truth is unknown, the first of those that may.

    Args:
        metrics: The table ``metrics`` of a run.

    Returns:
        The metric, empty if none can rank; and what to keep in mind.
    """
    why = "the truth is unknown, so no method is ranked by fidelity"
    measured = metrics[metrics["status"] == "ok"].set_index("metric")
    for name in HEADLINES_WITHOUT_TRUTH:
        if name in measured.index:
            label, note = (measured[column].to_dict()[name] for column in ("label", "note"))
            return Headline(
                name, f"{why}; {label} tells whether fills suit their surroundings, which a wrong "
                f"fill may and the right one need not: {note}",
            )  # fmt: skip
    return Headline("", why)


def _lacking(cases: pd.DataFrame, name: str) -> str:
    """Why a metric was not measured, and what to do."""
    if name in cases.index:
        return f"{name} is absent: {cases['reason'].to_dict()[name]}"
    return f"{name} was not among the metrics of the run (--metrics {name})"
