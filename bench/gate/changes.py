"""What changed between a baseline and a run, fill by fill or in the mean over photos.

Pure functions of data frames; ``bench.gate.judge`` makes a verdict of what they find.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.folder.header import PHOTO, UNKNOWN, Fingerprint
from bench.folder.store import KEYS, records
from bench.gate.baseline import Results
from bench.gate.tolerances import (
    CEILING,
    CEILING_TOLERANCE,
    HOLE_ALONE,
    NEVER_PERFECT,
    TOLERANCES,
    perfect,
)
from bench.statistics import CAP_DB, CASE
from bench.statistics.intervals import student_reach

SAME, BETTER, REGRESSED, NOT_MEASURED = "same", "better", "regressed", "not measured"
TRADE_OFF: Final = "trade-off"  # worse, and outweighed by what leads
FEWEST_PHOTOS: Final = 5
TIER = ["method", "tier"]
_TEXTS = ("method", "photo", "tier", "status", "reason")
# Keys and texts are empty, draw and sample -1, where a row is not about one fill.
COLUMNS = [
    "kind", *KEYS, "metric", "old", "new", "worse", "tolerance", "ratio", "low", "high", "n",
    "reason",
]  # fmt: skip


def pair(baseline: pd.DataFrame, run: pd.DataFrame) -> pd.DataFrame:
    """All fills of either side; columns of the baseline end in ``_old``, of the run in ``_new``."""
    old = baseline.drop(columns="cluster", errors="ignore")
    # As categories of both, which take few bytes a row.
    texts = {
        name: pd.CategoricalDtype(sorted({*old[name].unique(), *run[name].unique()}))
        for name in _TEXTS
    }
    old, new = (
        side.astype(texts).rename(columns={n: f"{n}{end}" for n in side if n not in KEYS})
        for side, end in ((old, "_old"), (run, "_new"))
    )
    return old.merge(new, on=KEYS, how="outer")


def changes(
    paired: pd.DataFrame, metric: dict[str, Any], by_mean: set[str], confidence: float
) -> pd.DataFrame:
    """What one metric did: fill by fill; of methods judged by their mean, where that moved, by it.

    Seeds are fixed by the plan, so unchanged code gives the same fills of stochastic methods, too.
    Only a tier of theirs in which a fill moved by more than its tolerance is judged by interval.

    Args:
        paired: Fills of both sides, from `pair`; those of the ceiling are left to `ceiling`.
        metric: ``metric``, ``direction``, ``unit``, ``tolerance``.
        by_mean: Names of the methods that are judged by the mean over photos.
        confidence: Of the intervals.

    Returns:
        Rows of `COLUMNS`: every one that is not `SAME`, and of those the largest in each tier.
    """
    name = metric["metric"]
    both = (paired["status_old"] == "ok") & (paired["status_new"] == "ok")
    columns = [*KEYS, "cluster_new", f"{name}_old", f"{name}_new"]
    rows = paired.loc[both & (paired["method"] != CEILING), columns]
    rows = rows.set_axis([*KEYS, "cluster", "old", "new"], axis=1)
    rows = rows[rows["old"].notna()].assign(metric=name, tolerance=metric["tolerance"])
    rows["worse"] = _worse(rows["old"], rows["new"], metric["direction"])
    lost = rows["new"].isna()
    found = _by_case(rows[~lost])
    moved = pd.MultiIndex.from_frame(found.loc[found["kind"] != SAME, TIER])
    unsettled = found["method"].isin(by_mean) & found.set_index(TIER).index.isin(moved)
    return _notable(
        rows[lost].assign(kind=NOT_MEASURED, reason="a number in the baseline, none in the run"),
        found[~unsettled],
        _by_interval(found[unsettled], metric, confidence),
    )


def ceiling(paired: pd.DataFrame, run: Results, *, comparable: bool) -> pd.DataFrame:
    """Whether the ceiling is in the run and perfect there, whatever the baseline holds.

    There is none where the truth is unknown. Another truth than the photo may differ from it
    outside of the hole, too: the ceiling is then perfect in the hole alone.

    Args:
        paired: Fills of both sides, from `pair`.
        run: The run; all its metrics count, for perfection needs no baseline.
        comparable: Whether the baseline has the same cases, so that they are expected, too.

    Returns:
        Rows like those of `changes`.
    """
    fingerprint = Fingerprint.parse(run.fingerprint)
    if fingerprint.truth == UNKNOWN or "-jpeg-" in fingerprint.scored:
        return pd.DataFrame(columns=COLUMNS)
    cases = paired if comparable else paired[paired["status_new"].notna()]
    expected = cases[CASE].drop_duplicates().assign(method=CEILING, sample=0)
    own = expected.merge(paired, on=KEYS, how="left")
    if (run.cases["method"] != CEILING).all():
        gone = own[TIER].drop_duplicates()
        return gone.assign(kind=NOT_MEASURED, reason="the run has no ceiling")
    there = own["status_new"] == "ok"
    failed = own.loc[~there, KEYS].assign(
        kind=NOT_MEASURED, reason=[why(row) for row in records(own[~there])]
    )
    metrics = records(run.metrics[run.metrics["metric"].isin(held(run))])
    parts = [_perfection(paired, own[there], metric) for metric in metrics]
    return pd.concat([failed, *parts])


def held(run: Results) -> set[str]:
    """The metrics in which the ceiling must be perfect."""
    # What is perfect in a metric of one's own is not known.
    names = (set(run.metrics["metric"]) & TOLERANCES.keys()) - NEVER_PERFECT
    return names if Fingerprint.parse(run.fingerprint).truth == PHOTO else names & HOLE_ALONE


def _perfection(paired: pd.DataFrame, own: pd.DataFrame, metric: dict[str, Any]) -> pd.DataFrame:
    """Hold the fills of the ceiling against the best value of a metric."""
    name = metric["metric"]
    rows = own[KEYS].assign(
        metric=name,
        old=perfect(metric["direction"], metric["unit"]),
        new=own[f"{name}_new"],
        tolerance=CEILING_TOLERANCE,
    )
    # Better than perfect is as wrong as worse.
    rows["worse"] = np.abs(_worse(rows["old"], rows["new"], metric["direction"]))
    absent = rows["new"].isna()
    # Some metrics have no value on some photos, such as very small ones, for any method.
    others = paired[(paired["method"] != CEILING) & (paired["status_new"] == "ok")]
    valued = others.set_index(CASE)[f"{name}_new"].notna().groupby(level=CASE).any()
    without = rows.set_index(CASE).index.isin(valued.index[~valued.to_numpy(bool)])
    return _notable(
        rows[absent & ~without].assign(
            kind=NOT_MEASURED, reason="the ceiling has no number, and always must"
        ),
        _by_case(rows[~absent]),
    )


def _notable(*parts: pd.DataFrame) -> pd.DataFrame:
    """Of the rows without change only the one of each tier that came closest to its tolerance."""
    rows = pd.concat([part for part in parts if len(part)] or parts[:1])
    if "ratio" not in rows:
        return rows
    ratio = rows["ratio"].fillna(-np.inf).to_numpy()
    most = pd.Series(ratio).groupby([rows[key].to_numpy() for key in TIER]).transform("max")
    rows = rows[(rows["kind"] != SAME).to_numpy() | (ratio == most.to_numpy())]
    rows = rows.sort_values("ratio", ascending=False, kind="stable")
    notable: pd.DataFrame = rows[(rows["kind"] != SAME) | ~rows.duplicated(TIER)]
    return notable


def _worse(old: pd.Series, new: pd.Series, direction: str) -> NDArray[np.float64]:
    """Change for the worse, positive if it is one; infinite equals only infinite."""
    a, b = old.to_numpy(float), new.to_numpy(float)
    with np.errstate(invalid="ignore"):  # inf - inf, which is no change
        change = a - b if direction == "higher" else b - a
    return np.where(a == b, 0.0, change)


def _by_case(rows: pd.DataFrame) -> pd.DataFrame:
    ratio = rows["worse"] / rows["tolerance"]
    kind = np.select([ratio > 1, ratio < -1], [REGRESSED, BETTER], SAME)
    return rows.assign(ratio=ratio, kind=kind, reason="")


def _by_interval(rows: pd.DataFrame, metric: dict[str, Any], confidence: float) -> pd.DataFrame:
    """Judge each tier by Student's interval of how much worse its photos got."""
    found = []
    for (method, tier), group in rows.groupby(TIER):
        sides = group[["old", "new"]]
        if metric["unit"] == "dB":
            # Of equal pictures the PSNR is infinite, which has no mean.
            sides = sides.clip(upper=CAP_DB)
        photos = sides.groupby(group["cluster"].to_numpy(), dropna=False).mean()
        worse = _worse(photos["old"], photos["new"], metric["direction"])
        low, high = student_interval(worse, confidence)
        tolerance = float(metric["tolerance"])
        kind, reason = _of_interval(low, high, len(worse), tolerance)
        found.append(
            {
                "kind": kind, "method": method, "photo": "", "tier": tier, "draw": -1,
                "sample": -1, "metric": metric["metric"], "old": photos["old"].mean(),
                "new": photos["new"].mean(), "worse": worse.mean(), "tolerance": tolerance,
                "ratio": worse.mean() / tolerance, "low": low, "high": high,
                "n": len(worse), "reason": reason,
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def student_interval(values: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Student's interval of a mean; NaN below `FEWEST_PHOTOS` values.

    Unlike the bootstrap's it keeps its coverage at the confidence of many intervals together with
    as few as five photos.

    Args:
        values: ``(k,)`` mean difference of each photo.
        confidence: Coverage, between 0 and 1.
    """
    if len(values) < FEWEST_PHOTOS:
        return np.nan, np.nan
    margin = student_reach(values, confidence)
    return float(values.mean() - margin), float(values.mean() + margin)


def _of_interval(low: float, high: float, photos: int, tolerance: float) -> tuple[str, str]:
    if photos < FEWEST_PHOTOS:
        return NOT_MEASURED, (
            "judged by its mean, fills moved by more than a tolerance, and an interval needs "
            f"{FEWEST_PHOTOS} photos, found {photos}"
        )
    sure = {REGRESSED: low > tolerance, BETTER: high < -tolerance}
    return next((kind for kind, holds in sure.items() if holds), SAME), ""


def outweighed(findings: pd.DataFrame, by_mean: set[str], lead: str) -> pd.DataFrame:
    """Findings in which a loss is a trade-off where the leading metric of that tier surely gained.

    Args:
        findings: Rows of all metrics, from `changes`.
        by_mean: Names of the methods that this holds for.
        lead: The metric.
    """
    gains = findings[(findings["metric"] == lead) & (findings["kind"] == BETTER)]
    gained = findings.set_index(TIER).index.isin(gains.set_index(TIER).index)
    lost = (findings["kind"] == REGRESSED) & findings["method"].isin(by_mean)
    return findings.assign(kind=findings["kind"].mask(lost & gained, TRADE_OFF))


def why(row: dict[str, Any]) -> str:
    """Say why a fill of the baseline has no value in the run."""
    if pd.isna(row["status_new"]):
        return "the run has no such fill"
    known = pd.isna(row["status_old"]) or row["status_old"] == "ok"
    before = "" if known else f" (was {row['status_old']})"
    return f"{row['status_new']}{before}: {row['reason_new'] or 'no reason given'}"
