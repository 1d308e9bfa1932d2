"""The tables of a run folder as a comparison reads them, and what two runs differ in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench import statistics
from bench.errors import BenchError, InputError
from bench.folder.store import RunFolder, records
from bench.statistics import Facts

ALL = "all"
_SIGNATURE = ["region", "implementation", "version", "weights"]
_ENVIRONMENT = ("python", "system", "processor", "accelerator", "code")


@dataclass(frozen=True)
class Run:
    """The tables of a run folder; columns as in ``docs/run-folder.md``."""

    folder: RunFolder
    header: Mapping[str, Any]
    plan: pd.DataFrame
    cases: pd.DataFrame
    metrics: pd.DataFrame
    methods: pd.DataFrame
    sets: pd.DataFrame

    @property
    def tiers(self) -> list[str]:
        """Tiers in the order of the plan."""
        return list(dict.fromkeys(self.plan["tier"]))


def read_run(path: Path) -> Run:
    """Read the tables of a run folder.

    Raises:
        InputError: If a file is missing or damaged.
    """
    folder = RunFolder(path)
    header = folder.read_json()
    names = ("plan", "cases", "metrics", "methods")
    tables = {name: folder.read_table(f"{name}.parquet") for name in names}
    # Numbers of whole sets are computed last; those of an interrupted run may be of other fills.
    sets = (
        folder.read_table("sets.parquet")
        if header.get("state") == "complete"
        else pd.DataFrame(columns=["method", "tier", "metric", "value", "n", "note"])
    )
    return Run(folder=folder, header=header, sets=sets, **tables)


def facts(run: Run, names: Sequence[str] | None) -> list[Facts]:
    """What a comparison must know of the metrics asked for.

    Args:
        run: The run.
        names: Names; ``all`` for every measured one; the headline metric if omitted.

    Raises:
        BenchError: If one is unknown or was not measured.
    """
    table = run.metrics.set_index("metric", drop=False)
    if names is None:
        names = [statistics.headline_metric(run.metrics).metric]
    elif ALL in names:
        names = list(table.index[table["status"] == "ok"])
    found = []
    for name in dict.fromkeys(names):
        if name not in table.index:
            raise BenchError(
                f"--metrics: expected some of {', '.join(table.index)}, found {name!r}"
            )
        row = records(table.loc[[name]])[0]
        if row["status"] != "ok":
            raise BenchError(f"{name} was not measured: {row['reason']}")
        found.append(Facts(name, row["direction"] == "higher", row["unit"], row["scope"]))
    return found


def tiers_of(runs: Sequence[Run], asked: Sequence[str] | None) -> list[str]:
    """The tiers asked for, of those that all runs have; all of these if omitted.

    Raises:
        BenchError: If one is unknown.
        InputError: If the runs share none.
    """
    shared = [tier for tier in runs[0].tiers if all(tier in run.tiers for run in runs)]
    if not shared:
        raise InputError(f"{' and '.join(str(r.folder.path) for r in runs)} have no tier in common")
    unknown = [tier for tier in asked or [] if tier not in shared]
    if unknown:
        raise BenchError(
            f"--tiers: expected some of {', '.join(shared)}, found {', '.join(unknown)}"
        )
    return [tier for tier in shared if asked is None or tier in asked]


def protocol_differences(a: Run, b: Run, metrics: Sequence[str]) -> list[str]:
    """Which parts of the protocol of two runs differ, in words.

    Of the metrics only those that are compared count: one run may have measured more.
    """
    parts_a, parts_b = (
        dict(part.split(":", 1) for part in run.header["fingerprint"].split()) for run in (a, b)
    )
    found = [
        f"{part}: {parts_a.get(part, 'none')} in A, {parts_b.get(part, 'none')} in B"
        for part in dict.fromkeys([*parts_a, *parts_b])
        if part != "metrics" and parts_a.get(part) != parts_b.get(part)
    ]
    signatures = [run.metrics.set_index("metric")[_SIGNATURE] for run in (a, b)]
    for name in metrics:
        one, other = (table.loc[name] for table in signatures)
        found += [
            f"metric {name}: {part} {one[part]!r} in A, {other[part]!r} in B"
            for part in _SIGNATURE
            if one[part] != other[part]
        ]
    return found


def environment_differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """Libraries and machines that differ: to be known, no obstacle."""
    sides = []
    for header in (a, b):
        environment = header.get("environment", {})
        machine = {key: environment.get(key) for key in _ENVIRONMENT}
        sides.append({**machine, **environment.get("packages", {})})
    changed = [
        f"{key} {sides[0].get(key)} -> {sides[1].get(key)}"
        for key in dict.fromkeys([*sides[0], *sides[1]])
        if sides[0].get(key) != sides[1].get(key)
    ]
    return [f"environment differs: {', '.join(changed)}"] if changed else []
