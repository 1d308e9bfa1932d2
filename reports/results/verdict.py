"""The verdict of the gate on a run, if it was given: what ``RUN/verdict.json`` says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from bench.errors import InputError
from bench.folder.read import Run
from bench.folder.store import KEYS, RunFolder

FILE = "verdict.json"
WORST = 12  # changes whose pictures are shown
_FIELDS = {
    "protocol": ["part", "baseline", "run"],
    "metrics": ["metric", "direction", "unit", "tolerance", "state", "baseline", "run"],
    "methods": ["method", "stochastic", "baseline", "run"],
    "checks": ["method", "tier", "outcome", "cases", "compared", "metric", "ratio"],
    "findings": ["kind", *KEYS, "metric", "old", "new", "tolerance", "ratio", "low", "high", "n",
                 "reason"],
    "latency": ["method", "side", "tier", "region", "verdict", "before", "now", "change", "low",
                "high", "margin", "reason"],
}  # fmt: skip
_SIDE = {"source", "fingerprint", "packages", "finished", "cases"}


@dataclass(frozen=True)
class StoredVerdict:
    """A verdict as read; fields as ``docs/gate.md`` describes them.

    Attributes:
        outcome: ``same or better``, ``regressed``, ``not comparable`` or ``not measured``.
        sentence: The reason in one line.
        baseline: ``source``, ``fingerprint``, ``packages``, ``finished``, ``cases`` (a hash).
        run: The same of the run as it was judged.
        protocol: Differing parts.
        metrics: One row per case metric of either.
        methods: One row per method of either.
        checks: One row per method and tier of the baseline.
        findings: Changes beyond their tolerance and missing things, worst first.
        latency: One row per timing of the baseline.
        new: What only the run has, in words.
        notes: What else is not gated, in words.
        rules: Which method is judged how, in words; empty of older verdicts.
        outdated: Why the verdict is not about the run as it is now; empty if it is.
    """

    outcome: str
    sentence: str
    baseline: dict[str, Any]
    run: dict[str, Any]
    protocol: list[dict[str, Any]]
    metrics: list[dict[str, Any]]
    methods: list[dict[str, Any]]
    checks: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    latency: list[dict[str, Any]]
    new: list[str]
    notes: list[str]
    rules: str
    outdated: str

    def regressed(self) -> list[dict[str, Any]]:
        """The regressed cases (or tiers, of stochastic methods), worst first, by worst metric.

        A method that became slower is not among them: that is no case, and has no tolerance.
        """
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row in self.findings:
            if row["kind"] == "regressed" and row["ratio"] is not None:
                found.setdefault(tuple(row[key] for key in KEYS), row)
        return list(found.values())


def read_verdict(run: Run) -> StoredVerdict | None:
    """Read the verdict that lies in the run folder; None if there is none.

    Raises:
        InputError: If it is damaged.
    """
    path = run.folder / FILE
    if not path.exists():
        return None
    content = {"rules": ""} | RunFolder(run.folder).read_json(FILE)
    try:
        for table, fields in _FIELDS.items():
            content[table] = [{name: row[name] for name in fields} for row in content[table]]
        for side in ("baseline", "run"):
            content[side] = {name: content[side][name] for name in _SIDE}
        return StoredVerdict(
            outdated=_outdated(run, content),
            **{name: content[name] for name in StoredVerdict.__annotations__ if name != "outdated"},
        )
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path}: expected a verdict as inpaint-bench gate writes it, but {error!r}; "
            "give inpaint-bench gate again, or delete the file"
        ) from error


def _outdated(run: Run, content: dict[str, Any]) -> str:
    """Why a verdict cannot be about the run as it is: whatever it says of the run must hold."""
    judged = content["run"]
    if judged["fingerprint"] not in ("", str(run.header.fingerprint)):
        return f"it is of a run with the fingerprint {judged['fingerprint']}"
    packages = run.header.environment.packages
    if judged["packages"] and judged["packages"] != packages:
        return "it is of a run with other packages"
    for row in content["methods"]:
        here = run.methods["identity"].get(row["method"], "")
        if row["run"] != here:
            return f"it is of another version of {row['method']}"
    cases = hashlib.sha256((run.folder / "cases.parquet").read_bytes()).hexdigest()[:16]
    if judged["cases"] not in ("", cases):
        return f"it is of other values, those of the run finished at {judged['finished']}"
    return ""
