"""The verdict of a run against a baseline: same or better, regressed, not comparable, not measured.

Pure functions of data frames. Methods are compared case by case, each metric with its tolerance,
or by the mean over photos, as the baseline says (`bench.gate.rules`); the ceiling with perfection.
Whatever the baseline has and the run lacks is a finding. Where several outcomes apply, the
verdict is the first of: *regressed* (shown by a comparison that was possible, so nothing may hide
it), *not comparable*, *not measured*, *same or better*. Latency is gated by its ratio to the
anchor of the same run, if the baseline has it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import InputError
from bench.folder.header import Fingerprint
from bench.folder.store import records
from bench.gate import baseline as baselines
from bench.gate import changes, gaps, machine, remarks
from bench.gate.baseline import Results
from bench.gate.changes import BETTER, COLUMNS, NOT_MEASURED, REGRESSED, SAME, TIER, TRADE_OFF
from bench.gate.rules import BY_MEAN, Rules
from bench.gate.tolerances import CEILING
from bench.gate.verdict import NOT_COMPARABLE, SAME_OR_BETTER, Verdict
from bench.latency import compare
from bench.latency.estimates import SLOWER
from bench.statistics import ALPHA

NOT_COMPARED, NOTHING_COMPARED = "not compared", "nothing compared"

_METRICS = ["metric", "direction", "unit", "tolerance", "state", "baseline", "run"]
_METHODS = ["method", "stochastic", "rule", "baseline", "run"]
_CHECKS = [
    *TIER, "outcome", "cases", "compared", "regressed", "better", "missing", "metric", "photo",
    "draw", "ratio",
]  # fmt: skip


def judge(baseline: Results, run: Results) -> Verdict:
    """Compare a run with a baseline.

    Raises:
        InputError: If the baseline is an unfinished run, or holds no value that can be gated.
    """
    baselines.refuse_unfinished(baseline)
    rules = baseline.rules
    every = pd.concat([baseline.metrics["metric"], run.metrics["metric"]]).unique()
    baseline, run = (replace(x, metrics=rules.gated(x.metrics)) for x in (baseline, run))
    _refuse_empty(baseline)
    metrics = _metric_states(baseline.metrics, run.metrics, rules)
    methods = _methods(baseline.methods, run.methods, rules)
    lead = _lead(rules, run, metrics)
    protocol = protocol_differences(baseline, run)
    paired = changes.pair(baseline.cases, run.cases)
    comparable = protocol.empty
    found = [
        gaps.missing(paired, baseline, run, metrics, comparable=comparable),
        changes.ceiling(paired, run, comparable=comparable),
    ]
    if comparable:
        by_mean = set(methods.loc[methods["rule"] == BY_MEAN, "method"])
        found.append(_changes(paired, metrics, by_mean, lead))
    latency = _latency(baseline, run)
    findings, largest = _worst_first([*found, _timing_findings(latency)])
    return Verdict(
        outcome=_outcome(findings, protocol, metrics),
        baseline=_described(baseline),
        run=_described(run),
        protocol=protocol,
        metrics=metrics,
        methods=methods,
        checks=_checks(
            paired,
            gaps.values_compared(paired, metrics, run),
            findings,
            largest,
            comparable=comparable,
        ),
        findings=findings,
        latency=latency,
        new=tuple(gaps.additions(paired, baseline, run, metrics, comparable=comparable)),
        rules=replace(rules, lead=lead).in_words(methods),
        flags=remarks.other_pictures(baseline, run, findings) if comparable else (),
        notes=remarks.notes(baseline, protocol, set(every) - set(metrics["metric"]), latency),
    )


def _changes(
    paired: pd.DataFrame, metrics: pd.DataFrame, by_mean: set[str], lead: str
) -> pd.DataFrame:
    """What each metric that can be compared did."""
    compared = records(metrics[metrics["state"] == "compared"])
    tiers = len(paired[paired["method"].isin(by_mean)][TIER].drop_duplicates())
    # Bonferroni: all intervals of a verdict together are wrong in at most 5 % of verdicts. The
    # lead decides most, and has half of that for itself.
    others = max(1, len(compared) - bool(lead))
    shares = {row["metric"]: others * (2 if lead else 1) for row in compared} | {lead: 2}
    parts = [
        changes.changes(paired, row, by_mean, 1 - ALPHA / max(1, tiers * shares[row["metric"]]))
        for row in compared
    ]
    found = pd.concat(parts) if parts else pd.DataFrame(columns=COLUMNS)
    return changes.outweighed(found, by_mean, lead)


def _lead(rules: Rules, run: Results, metrics: pd.DataFrame) -> str:
    """The metric that leads: as the baseline says, else the run's headline; empty for none."""
    compared = set(metrics.loc[metrics["state"] == "compared", "metric"])
    return next((name for name in (rules.lead, run.lead) if name in compared), "")


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


def protocol_differences(baseline: Results, run: Results) -> pd.DataFrame:
    """Parts of two protocols that differ, but for the metrics, which are compared one by one.

    Returns:
        ``part``, ``baseline``, ``run``; no row if the two are comparable.
    """
    prints = (Fingerprint.parse(side.fingerprint) for side in (baseline, run))
    parts = [part for part in next(prints).differences(next(prints)) if part.name != "metrics"]
    made_on = machine.differences(baseline.machine, run.machine, baseline.methods, run.methods)
    return pd.DataFrame([*parts, *made_on], columns=["part", "baseline", "run"])


# -- metrics and methods --------------------------------------------------------------------


def _metric_states(baseline: pd.DataFrame, run: pd.DataFrame, rules: Rules) -> pd.DataFrame:
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
                "tolerance": rules.tolerance(name),
                "state": state or "redefined",
                "baseline": a["signature"] if a else "",
                "run": b["signature"] if b else "",
            }
        )
    return pd.DataFrame(rows, columns=_METRICS)


def _methods(baseline: pd.DataFrame, run: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    both = baseline.merge(run, on="method", how="outer", suffixes=("", "_run"))
    # The baseline decides: a method cannot escape its gate by calling itself stochastic.
    stochastic = both["stochastic"].fillna(both["stochastic_run"]).astype(bool)
    return pd.DataFrame(
        {
            "method": both["method"],
            "stochastic": stochastic,
            "rule": [
                rules.rule(name, stochastic=drawn)
                for name, drawn in zip(both["method"], stochastic, strict=True)
            ],
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
    order = every["kind"].map([REGRESSED, NOT_MEASURED, TRADE_OFF, BETTER, SAME].index)
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
    rows = paired[TIER].assign(values=values if comparable else values.where(ceiling, 0))
    rows = rows[paired["status_old"].notna() | ceiling]
    table = rows.groupby(TIER)["values"].agg(cases="size", compared="sum")
    for column, kind in (("regressed", REGRESSED), ("better", BETTER), ("missing", NOT_MEASURED)):
        counts = findings[findings["kind"] == kind].groupby(TIER).size()
        table[column] = counts.reindex(table.index, fill_value=0)
    nothing = NOTHING_COMPARED if comparable else NOT_COMPARED
    kinds = {REGRESSED: "regressed", NOT_MEASURED: "missing", BETTER: "better"}
    # A trade-off has what outweighs it among the better ones.
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
