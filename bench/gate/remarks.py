"""What a verdict says besides its findings: what explains them, and what is not gated."""

from __future__ import annotations

import pandas as pd

from bench.folder.store import records
from bench.gate.baseline import Results
from bench.gate.changes import NOT_MEASURED
from bench.gate.tolerances import CEILING
from bench.latency.estimates import CANNOT_TELL


def other_pictures(baseline: Results, run: Results, findings: pd.DataFrame) -> tuple[str, ...]:
    """What is said of methods that are the same by all that is known and gave other results."""
    keys = ["method", "identity"]
    both = baseline.methods.merge(run.methods, on=keys, suffixes=("_old", "_new"))
    known = both[(both["fills_old"] != "") & (both["fills_new"] != "") & ~both["stochastic_old"]]
    machines = ", ".join(baseline.machine.differs_from(run.machine))
    moved = set(findings.loc[findings["kind"] != NOT_MEASURED, "method"])
    flags = []
    for row in records(known):
        name = row["method"]
        if row["fills_old"] != row["fills_new"]:
            flags.append(
                f"{name}: the same code and weights gave other pictures on another machine "
                f"({machines})"
                if machines
                else f"{name} is not deterministic: the same code and weights gave other pictures; "
                "seed it, or set stochastic on its card, or judge it by --rule "
                f"{name}=mean (inpaint-bench baseline update)"
            )
        elif name in moved and name != CEILING:
            flags.append(f"{name}: the pictures are the same to the last bit, what measures them "
                         "is not")  # fmt: skip
    return tuple(flags)


def notes(
    baseline: Results, protocol: pd.DataFrame, without_tolerance: set[str], latency: pd.DataFrame
) -> tuple[str, ...]:
    """What is not gated, and what to do where nothing can be."""
    names = ", ".join(baseline.set_metrics)
    said = [f"set metrics ({names}) are not gated"] if names else []
    if protocol["part"].str.match("device|number format").any():
        said.append(
            "a network differs between devices and number formats by several tolerances though "
            "nothing was changed: keep a baseline for each (inpaint-bench baseline update RUN "
            "--file FILE), or ask whether one is worse (inpaint-bench compare OLD_RUN RUN "
            "--fail-if-worse)"
        )
    said += [
        f"metric {name}: not gated: no tolerance; state one under tolerances in the baseline file"
        for name in sorted(without_tolerance)
    ]
    said += [f"{name} was unavailable in the baseline, not gated" for name in baseline.unavailable]
    unknown = latency[latency["verdict"] == CANNOT_TELL]
    for reason, rows in unknown.fillna({"reason": ""}).groupby("reason", sort=False):
        names = ", ".join(rows["method"].unique())
        why = str(reason) or "the interval is wider than the margin"
        said.append(f"latency: {len(rows)} timings of {names} cannot be told: {why}")
    return tuple(said)
