"""What a run lacks of a baseline, what it has beyond it, and how much of it could be compared.

Pure functions of data frames; ``bench.gate.judge`` makes a verdict of what they find.
"""

from __future__ import annotations

import pandas as pd

from bench.folder.store import KEYS, records
from bench.gate.baseline import Results
from bench.gate.changes import COLUMNS, NOT_MEASURED, TIER, held, why
from bench.gate.tolerances import CEILING
from bench.text.numbers import counted


def missing(
    paired: pd.DataFrame,
    baseline: Results,
    run: Results,
    metrics: pd.DataFrame,
    *,
    comparable: bool,
) -> pd.DataFrame:
    """Findings on fills, methods and metrics of the baseline that the run does not have.

    The ceiling is left to `changes.ceiling`; fills count only where the two are comparable.
    """
    lost = paired[paired["status_old"].notna() & (paired["status_new"] != "ok")]
    lost = lost[(lost["status_new"] != lost["status_old"]) & (lost["method"] != CEILING)]
    gone = ~lost["method"].isin(run.methods["method"])
    fills = lost[~gone] if comparable else lost.iloc[:0]
    parts = [
        fills[KEYS].assign(reason=[why(row) for row in records(fills)]),
        lost[gone][TIER].drop_duplicates().assign(reason="the run has no such method"),
    ]
    filled = baseline.cases["method"].unique()
    empty = baseline.methods[~baseline.methods["method"].isin(filled)]
    empty = empty[empty["method"] != CEILING]
    parts.append(empty[["method"]].assign(reason="the baseline has no fill of it"))
    absent = metrics[metrics["state"] == "missing"][["metric"]]
    parts.append(absent.assign(reason="the run has no such metric"))
    if run.unfinished:
        parts.append(pd.DataFrame([{"reason": f"the run is not complete: {run.unfinished}"}]))
    table = pd.concat(parts).reindex(columns=COLUMNS)
    return table.assign(kind=NOT_MEASURED)


def additions(
    paired: pd.DataFrame,
    baseline: Results,
    run: Results,
    metrics: pd.DataFrame,
    *,
    comparable: bool,
) -> list[str]:
    """Say what the run has and the baseline lacks; of fills only where they are comparable."""
    known = set(baseline.methods["method"])
    added = [f"method {name}" for name in run.methods["method"] if name not in known]
    added += [f"metric {name}" for name in metrics.loc[metrics["state"] == "new", "metric"]]
    if not comparable:
        return added
    own = paired[paired["method"].isin(known) & (paired["status_new"] == "ok")]
    for method, fills in own[own["status_old"] != "ok"].groupby("method"):
        added.append(f"{counted(len(fills), 'fill')} of {method} with no value in the baseline")
    for name in metrics.loc[metrics["state"] == "compared", "metric"]:
        both = own[own["status_old"] == "ok"]
        count = int((both[f"{name}_old"].isna() & both[f"{name}_new"].notna()).sum())
        if count:
            added.append(f"{name} of {counted(count, 'fill')} that is absent from the baseline")
    return added


def values_compared(paired: pd.DataFrame, metrics: pd.DataFrame, run: Results) -> pd.Series:
    """Number of values of each fill of `paired` that something was held against."""
    both = (paired["status_old"] == "ok") & (paired["status_new"] == "ok")
    count = pd.Series(0, index=paired.index)
    for name in metrics.loc[metrics["state"] == "compared", "metric"]:
        count += both & paired[f"{name}_old"].notna() & paired[f"{name}_new"].notna()
    # The ceiling is held against perfection, whatever the baseline has.
    measured = paired[[f"{name}_new" for name in sorted(held(run))]].notna().sum(axis=1)
    own = measured.where(paired["status_new"] == "ok", 0)
    return count.where(paired["method"] != CEILING, own)
