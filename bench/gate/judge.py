"""The verdict of a run against a baseline: same or better, regressed, not comparable, not measured.

Pure functions of data frames. Methods are compared case by case, each metric with its tolerance;
a tier of a stochastic one that moved, by its paired interval; the ceiling with perfection.
Whatever the baseline has and the run lacks is a finding. Where several outcomes apply, the
verdict is the first of: *regressed* (shown by a comparison that was possible, so nothing may hide
it), *not comparable*, *not measured*, *same or better*. Latency is gated by its ratio to the
anchor of the same run, if the baseline has it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from bench.errors import InputError
from bench.folder.header import Fingerprint
from bench.folder.store import records
from bench.gate import baseline as baselines
from bench.gate import changes
from bench.gate.baseline import Results
from bench.gate.changes import BETTER, COLUMNS, NOT_MEASURED, REGRESSED, SAME, TIER
from bench.gate.tolerances import CEILING, TOLERANCES, require_tolerances
from bench.gate.verdict import NOT_COMPARABLE, SAME_OR_BETTER, Verdict
from bench.latency import compare
from bench.latency.estimates import CANNOT_TELL, SLOWER

NOT_COMPARED, NOTHING_COMPARED = "not compared", "nothing compared"
ALPHA: Final = 0.05

_METRICS = ["metric", "direction", "unit", "tolerance", "state", "baseline", "run"]
_METHODS = ["method", "stochastic", "baseline", "run"]
_CHECKS = [
    *TIER, "outcome", "cases", "compared", "regressed", "better", "missing", "metric", "photo",
    "draw", "ratio",
]  # fmt: skip


def judge(baseline: Results, run: Results) -> Verdict:
    """Compare a run with a baseline.

    Raises:
        InputError: If the baseline is an unfinished run, holds no value at all, or has a metric
            without tolerance.
    """
    baselines.refuse_unfinished(baseline)
    _refuse_empty(baseline)
    require_tolerances(baseline.metrics["metric"], baseline.source)
    metrics = _metric_states(baseline.metrics, run.metrics)
    protocol = protocol_differences(baseline.fingerprint, run.fingerprint)
    paired = changes.pair(baseline.cases, run.cases)
    comparable = protocol.empty
    found = [
        changes.missing(paired, baseline, run, metrics, comparable=comparable),
        changes.ceiling(paired, run, comparable=comparable),
    ]
    if comparable:
        found += _changes(paired, baseline, metrics)
    latency = _latency(baseline, run)
    findings, largest = _worst_first([*found, _timing_findings(latency)])
    return Verdict(
        outcome=_outcome(findings, protocol, metrics),
        baseline=_described(baseline),
        run=_described(run),
        protocol=protocol,
        metrics=metrics,
        methods=_methods(baseline.methods, run.methods),
        checks=_checks(
            paired,
            changes.values_compared(paired, metrics, run),
            findings,
            largest,
            comparable=comparable,
        ),
        findings=findings,
        latency=latency,
        new=tuple(changes.additions(paired, baseline, run, metrics, comparable=comparable)),
        notes=_notes(baseline, run, latency),
    )


def _changes(paired: pd.DataFrame, baseline: Results, metrics: pd.DataFrame) -> list[pd.DataFrame]:
    """What each metric that can be compared did."""
    compared = records(metrics[metrics["state"] == "compared"])
    # The baseline decides: a method cannot escape its gate by calling itself stochastic.
    stochastic = set(baseline.methods.loc[baseline.methods["stochastic"], "method"])
    tiers = paired[paired["method"].isin(stochastic)][TIER].drop_duplicates()
    # Bonferroni: all intervals of a verdict together are wrong in at most 5 % of verdicts.
    confidence = 1 - ALPHA / max(1, len(tiers) * len(compared))
    return [changes.changes(paired, row, stochastic, confidence) for row in compared]


def incomparable(baseline: Results, run: Results, newer: dict[str, str]) -> Verdict:
    """Say that a side cannot be read because a newer version of this project wrote it.

    Args:
        baseline: The baseline, or `bench.gate.baseline.unread`.
        run: The run, or `bench.gate.baseline.unread`.
        newer: What is wrong with the format, by side (``baseline``, ``run``).
    """
    sides = {side: newer.get(side, "known") for side in ("baseline", "run")}
    return Verdict(
        outcome=NOT_COMPARABLE,
        baseline=_described(baseline),
        run=_described(run),
        protocol=pd.DataFrame([{"part": "format", **sides}]),
        metrics=pd.DataFrame(columns=_METRICS),
        methods=pd.DataFrame(columns=_METHODS),
        checks=pd.DataFrame(columns=_CHECKS),
        findings=pd.DataFrame(columns=COLUMNS),
        latency=pd.DataFrame(columns=compare.COLUMNS),
        new=(),
    )


def protocol_differences(baseline: str, run: str) -> pd.DataFrame:
    """Parts of two fingerprints that differ, but for the metrics, which are compared one by one.

    Returns:
        ``part``, ``baseline``, ``run``; no row if the two are comparable.
    """
    differences = Fingerprint.parse(baseline).differences(Fingerprint.parse(run))
    return pd.DataFrame(
        [part for part in differences if part.name != "metrics"],
        columns=["part", "baseline", "run"],
    )


# -- metrics and methods --------------------------------------------------------------------


def _metric_states(baseline: pd.DataFrame, run: pd.DataFrame) -> pd.DataFrame:
    """Which metrics can be compared."""
    rows = []
    old = {row["metric"]: row for row in records(baseline)}
    new = {row["metric"]: row for row in records(run)}
    for name in dict.fromkeys([*old, *new]):
        a, b = old.get(name), new.get(name)
        same = a is not None and b is not None and a["signature"] == b["signature"]
        state = "new" if a is None else "missing" if b is None else "compared" if same else ""
        about = a or b or {}
        rows.append(
            {
                "metric": name,
                "direction": about["direction"],
                "unit": about["unit"],
                "tolerance": TOLERANCES.get(name, np.nan),
                "state": state or "redefined",
                "baseline": a["signature"] if a else "",
                "run": b["signature"] if b else "",
            }
        )
    return pd.DataFrame(rows, columns=_METRICS)


def _methods(baseline: pd.DataFrame, run: pd.DataFrame) -> pd.DataFrame:
    both = baseline.merge(run, on="method", how="outer", suffixes=("", "_run"))
    return pd.DataFrame(
        {
            "method": both["method"],
            "stochastic": both["stochastic"].fillna(both["stochastic_run"]).astype(bool),
            "baseline": both["identity"].fillna(""),
            "run": both["identity_run"].fillna(""),
        }
    )


def _described(results: Results) -> dict[str, Any]:
    names = ("source", "fingerprint", "packages", "finished")
    return {**{name: getattr(results, name) for name in names}, "cases": results.cases_hash}


def _latency(baseline: Results, run: Results) -> pd.DataFrame:
    if baseline.latency is None:
        return pd.DataFrame(columns=compare.COLUMNS)
    return compare.judge(baseline.latency, run.latency)


def _timing_findings(latency: pd.DataFrame) -> pd.DataFrame:
    """What became slower and what was not timed, as findings about a method and tier."""
    kinds = {SLOWER: REGRESSED, compare.NOT_MEASURED: NOT_MEASURED}
    rows = latency[latency["verdict"].isin(kinds)]
    return pd.DataFrame(
        {
            "kind": rows["verdict"].map(kinds),
            "method": rows["method"],
            "tier": rows["tier"],
            "photo": "",
            "metric": "latency, " + rows["region"] + " at " + rows["side"].astype(str) + " px",
            "old": rows["before"].astype(float),
            "new": rows["now"].astype(float),
            "reason": rows["reason"],
        }
    )


def _notes(baseline: Results, run: Results, latency: pd.DataFrame) -> tuple[str, ...]:
    names = ", ".join(baseline.set_metrics)
    notes = [f"set metrics ({names}) are not gated"] if names else []
    own = dict.fromkeys((*baseline.without_tolerance, *run.without_tolerance))
    notes += [f"metric {name}: not gated: no tolerance" for name in own]
    notes += [f"{name} was unavailable in the baseline, not gated" for name in baseline.unavailable]
    unknown = latency[latency["verdict"] == CANNOT_TELL]
    for reason, rows in unknown.fillna({"reason": ""}).groupby("reason", sort=False):
        names = ", ".join(rows["method"].unique())
        why = str(reason) or "the interval is wider than the margin"
        notes.append(f"latency: {len(rows)} timings of {names} cannot be told: {why}")
    return tuple(notes)


def _refuse_empty(baseline: Results) -> None:
    gated = baseline.cases[baseline.cases["method"] != CEILING]
    values = gated[baseline.metrics["metric"].tolist()]
    if not values.notna().to_numpy().any():
        raise InputError(
            f"{baseline.source}: expected a baseline with measured values, found none, so that "
            "nothing could ever fail; make one with inpaint-bench baseline update"
        )


# -- summing up -------------------------------------------------------------------------------


def _worst_first(found: list[pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The findings, and the largest change for the worse of each method and tier."""
    tables = [table.dropna(axis=1, how="all") for table in found if len(table)]
    if not tables:
        return pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=COLUMNS)
    every = pd.concat(tables, ignore_index=True)
    every = every.reindex(columns=COLUMNS).fillna({"draw": -1, "sample": -1})
    texts = ["method", "photo", "tier", "metric", "reason"]
    every[texts] = every[texts].astype(object).fillna("")
    every = every.astype({"draw": "int64", "sample": "int64"})
    order = every["kind"].map({REGRESSED: 0, NOT_MEASURED: 1, BETTER: 2, SAME: 3})
    sizes = every["ratio"].abs().fillna(0)
    every = every.assign(order=order, size=sizes).sort_values(
        ["order", "size"], ascending=[True, False], kind="stable"
    )
    findings = every[every["kind"] != SAME][COLUMNS].reset_index(drop=True)
    measured = every[every["ratio"].notna()].sort_values("ratio", ascending=False, kind="stable")
    return findings, measured.drop_duplicates(TIER)[COLUMNS]


def _checks(
    paired: pd.DataFrame,
    values: pd.Series,
    findings: pd.DataFrame,
    largest: pd.DataFrame,
    *,
    comparable: bool,
) -> pd.DataFrame:
    ceiling = paired["method"] == CEILING
    rows = paired.assign(values=values if comparable else values.where(ceiling, 0))
    rows = rows[rows["status_old"].notna() | ceiling]
    table = rows.groupby(TIER)["values"].agg(cases="size", compared="sum")
    for column, kind in (("regressed", REGRESSED), ("better", BETTER), ("missing", NOT_MEASURED)):
        counts = findings[findings["kind"] == kind].groupby(TIER).size()
        table[column] = counts.reindex(table.index, fill_value=0)
    nothing = NOTHING_COMPARED if comparable else NOT_COMPARED
    kinds = {REGRESSED: "regressed", NOT_MEASURED: "missing", BETTER: "better"}
    tests = [*(table[column] > 0 for column in kinds.values()), table["compared"] == 0]
    table["outcome"] = np.select(tests, [*kinds, nothing], SAME)
    worst = largest.set_index(TIER)[["metric", "photo", "draw", "ratio"]]
    checks: pd.DataFrame = table.join(worst).reset_index()[_CHECKS]
    return checks


def _outcome(findings: pd.DataFrame, protocol: pd.DataFrame, metrics: pd.DataFrame) -> str:
    if (findings["kind"] == REGRESSED).any():
        return REGRESSED
    if len(protocol) or (metrics["state"] == "redefined").any():
        return NOT_COMPARABLE
    if (findings["kind"] == NOT_MEASURED).any():
        return NOT_MEASURED
    return SAME_OR_BETTER
