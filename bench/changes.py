"""What changed between a baseline and a run, fill by fill, and what is missing or new.

Pure functions of data frames; ``bench.gate`` makes a verdict of what they find.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench import statistics
from bench.baseline import Results
from bench.store import KEYS, records
from bench.tolerances import CEILING, CEILING_TOLERANCE, STOCHASTIC_FACTOR, perfect

SAME, BETTER, REGRESSED, NOT_MEASURED = "same", "better", "regressed", "not measured"
CAP_DB: Final = 100.0
TIER = ["method", "tier"]
# Keys and texts are empty, draw and sample -1, where a row is not about one fill.
COLUMNS = [
    "kind", *KEYS, "metric", "old", "new", "worse", "tolerance", "ratio", "low", "high", "n",
    "reason",
]  # fmt: skip


def pair(baseline: pd.DataFrame, run: pd.DataFrame) -> pd.DataFrame:
    """All fills of either side; columns of the baseline end in ``_old``, of the run in ``_new``."""
    old = baseline.drop(columns="cluster", errors="ignore").set_index(KEYS).add_suffix("_old")
    new = run.set_index(KEYS).add_suffix("_new")
    return old.join(new, how="outer").reset_index()


def changes(
    paired: pd.DataFrame, metric: dict[str, Any], stochastic: set[str], confidence: float
) -> pd.DataFrame:
    """What one metric did: by case for deterministic methods, by tier for stochastic ones.

    Args:
        paired: Fills of both sides, from `pair`.
        metric: ``metric``, ``direction``, ``unit``, ``tolerance``.
        stochastic: Names of the stochastic methods.
        confidence: Of the intervals of stochastic methods.

    Returns:
        Rows of `COLUMNS`: every one that is not `SAME`, and of those the largest in each tier.
    """
    name = metric["metric"]
    rows = paired[(paired["status_old"] == "ok") & (paired["status_new"] == "ok")]
    rows = rows[[*KEYS, "cluster_new", f"{name}_old", f"{name}_new"]]
    rows = rows.set_axis([*KEYS, "cluster", "old", "new"], axis=1)
    rows = rows[rows["old"].notna()].assign(metric=name)
    ceiling = rows["method"] == CEILING
    rows.loc[ceiling, "old"] = perfect(metric["direction"], metric["unit"])
    rows["tolerance"] = np.where(ceiling, CEILING_TOLERANCE, metric["tolerance"])
    worse = _worse(rows["old"], rows["new"], metric["direction"])
    # Better than perfect is as wrong as worse.
    rows["worse"] = np.where(ceiling, np.abs(worse), worse)
    lost = rows["new"].isna()
    random = rows["method"].isin(stochastic) & ~lost
    parts = [
        rows[lost].assign(kind=NOT_MEASURED, reason="a number in the baseline, none in the run"),
        _by_case(rows[~lost & ~random]),
        _by_interval(rows[random], metric, confidence),
    ]
    return pd.concat([_notable(part) for part in parts if len(part)] or [rows.assign(kind=SAME)])


def _notable(rows: pd.DataFrame) -> pd.DataFrame:
    """Of the rows without change only the one of each tier that came closest to its tolerance."""
    if "ratio" not in rows:
        return rows
    largest = rows.sort_values("ratio", ascending=False, kind="stable").drop_duplicates(TIER)
    return rows[(rows["kind"] != SAME) | rows.index.isin(largest.index)]


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
    """Judge each tier by the interval over photos of how much worse it got."""
    found = []
    for (method, tier), group in rows.groupby(TIER):
        old, new = (
            # Of equal pictures the PSNR is infinite, which has no mean.
            group[side].clip(upper=CAP_DB) if metric["unit"] == "dB" else group[side]
            for side in ("old", "new")
        )
        better, worse = (old, new) if metric["direction"] == "lower" else (new, old)
        interval = statistics.paired_interval(
            worse, better, group["cluster"], confidence=confidence
        )
        tolerance = STOCHASTIC_FACTOR * float(metric["tolerance"])
        kind, reason = _of_interval(interval, tolerance)
        found.append(
            {
                "kind": kind, "method": method, "photo": "", "tier": tier, "draw": -1,
                "sample": -1, "metric": metric["metric"], "old": old.mean(), "new": new.mean(),
                "worse": interval.mean, "tolerance": tolerance,
                "ratio": interval.mean / tolerance, "low": interval.low, "high": interval.high,
                "n": interval.n, "reason": reason,
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def _of_interval(interval: statistics.Interval, tolerance: float) -> tuple[str, str]:
    if np.isfinite(interval.low):
        sure = {REGRESSED: interval.low > tolerance, BETTER: interval.high < -tolerance}
        return next((kind for kind, holds in sure.items() if holds), SAME), ""
    if abs(interval.mean) <= tolerance:
        return SAME, ""
    return NOT_MEASURED, f"stochastic, and its change cannot be judged: {interval.note}"


def missing(paired: pd.DataFrame, run: Results, metrics: pd.DataFrame) -> pd.DataFrame:
    """Findings on fills, methods and metrics of the baseline that the run does not have."""
    lost = paired[paired["status_old"].notna() & (paired["status_new"] != "ok")]
    lost = lost[lost["status_new"] != lost["status_old"]]
    gone = ~lost["method"].isin(run.methods["method"])
    rows = lost[~gone][KEYS].assign(reason=[_why(row) for row in records(lost[~gone])])
    parts = [rows, lost[gone][TIER].drop_duplicates().assign(reason="the run has no such method")]
    absent = metrics[metrics["state"] == "missing"][["metric"]]
    parts.append(absent.assign(reason="the run has no such metric"))
    if run.unfinished:
        parts.append(pd.DataFrame([{"reason": f"the run is not complete: {run.unfinished}"}]))
    table = pd.concat(parts).reindex(columns=COLUMNS)
    return table.assign(kind=NOT_MEASURED)


def _why(row: dict[str, Any]) -> str:
    if pd.isna(row["status_new"]):
        return "the run has no such fill"
    before = "" if row["status_old"] == "ok" else f" (was {row['status_old']})"
    return f"{row['status_new']}{before}: {row['reason_new'] or 'no reason given'}"


def additions(
    paired: pd.DataFrame, baseline: Results, run: Results, metrics: pd.DataFrame
) -> list[str]:
    """Say what the run has and the baseline lacks."""
    known = set(baseline.methods["method"])
    added = [f"method {name}" for name in run.methods["method"] if name not in known]
    added += [f"metric {name}" for name in metrics.loc[metrics["state"] == "new", "metric"]]
    own = paired[paired["method"].isin(known) & (paired["status_new"] == "ok")]
    for method, fills in own[own["status_old"] != "ok"].groupby("method"):
        added.append(f"{len(fills)} fills of {method} that have no value in the baseline")
    for name in metrics.loc[metrics["state"] == "compared", "metric"]:
        both = own[own["status_old"] == "ok"]
        count = int((both[f"{name}_old"].isna() & both[f"{name}_new"].notna()).sum())
        if count:
            added.append(f"{count} values of {name} that are absent from the baseline")
    return added
