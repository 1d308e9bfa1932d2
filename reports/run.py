"""What a report reads: the tables of one run folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import InputError
from bench.store import RunFolder

_COLUMNS = {
    "plan": ["photo", "cluster", "tier", "draw", "height", "width", "photo_sha", "mask_sha",
             "mask_source", "family", "hole_share", "hole_width", "components", "border"],
    "cases": ["method", "photo", "tier", "draw", "sample", "cluster", "seconds", "peak_bytes",
              "status", "reason", "output"],
    "metrics": ["metric", "label", "unit", "direction", "scope", "region", "implementation",
                "version", "weights", "note", "status", "reason"],
    "methods": ["method", "title", "family", "summary", "paper", "url", "implementation",
                "licence", "stochastic", "timed", "size", "limits", "verified", "identity",
                "status", "reason"],
    "inputs": ["path", "kind", "status", "reason", "note", "sha256", "height", "width"],
    "sets": ["method", "tier", "metric", "value", "low", "high", "n", "note"],
    "training": ["method", "pictures", "stage", "kind", "quantity", "value"],
    "samples": ["method", "photo", "tier", "draw", "cluster", "samples", "note"],
    "receptive": ["method", "identity", "status", "reason", "r50", "r90", "r99", "known_share",
                  "sigma", "r_squared", "network_side", "hole_top", "hole_bottom", "hole_left",
                  "hole_right", "photos", "side"],
    "latency": ["method", "side", "tier", "region", "batch", "device", "p50_ms", "ratio",
                "ratio_low", "ratio_high", "n", "status"],
}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One run, as far as a report needs it; columns as in ``docs/run-folder.md``.

    Attributes:
        folder: The run folder, for its pictures.
        info: Content of ``run.json``.
        plan: One row per case.
        cases: One row per method, case and sample.
        sets: One row per method, tier and set metric.
        training: How networks were trained, one row per method, block and figure.
        samples: One row per method and case of a run with several samples of a case.
        receptive: One row per method whose receptive field was asked for.
        latency: One row per method, size, tier, region of the code and batch that was timed.
        metrics: One row per metric, measured or absent.
        methods: One row per method, index = full name.
        inputs: One row per file given.
    """

    folder: Path
    info: dict[str, Any]
    plan: pd.DataFrame
    cases: pd.DataFrame
    sets: pd.DataFrame
    training: pd.DataFrame
    samples: pd.DataFrame
    receptive: pd.DataFrame
    latency: pd.DataFrame
    metrics: pd.DataFrame
    methods: pd.DataFrame
    inputs: pd.DataFrame

    @property
    def tiers(self) -> list[str]:
        """Tiers in the order of the plan."""
        return list(dict.fromkeys(self.plan["tier"]))

    @property
    def state(self) -> str:
        """``complete``, or how far the run is: ``running``, ``interrupted``, ``incomplete``."""
        return str(self.info.get("state", "unknown"))

    @property
    def complete(self) -> bool:
        """Whether every fill of the run was tried."""
        return self.state == "complete"

    @property
    def missing(self) -> int:
        """Number of fills that were not tried; 0 also where the run ended too early to count."""
        return int(self.info.get("missing", 0))

    @property
    def bundled(self) -> bool:
        """Whether the photos are the bundled demonstration set."""
        return bool(self.info.get("photo_set") == "bundled")


def read_run(folder: Path) -> Run:
    """Read the tables of a run folder.

    Raises:
        InputError: If a file or a column is missing, or a method has no card.
    """
    store = RunFolder(folder)
    info = store.read_json("run.json")
    # What looks at several fills is computed last; an earlier end's would be of other fills.
    absent = {"sets", "samples"} if info.get("state") != "complete" else set()
    for name in ("samples", "training", "receptive", "latency"):
        if not store.file(f"{name}.parquet").exists():  # not asked for, or of before it was made
            absent.add(name)
    tables = {name: _table(store, name) for name in _COLUMNS if name not in absent}
    tables |= {name: pd.DataFrame(columns=_COLUMNS[name]) for name in absent}
    methods = tables.pop("methods").set_index("method", drop=False)
    mentioned = {*tables["cases"]["method"], *tables["receptive"]["method"]}
    strangers = mentioned - set(methods.index)
    if strangers:
        raise InputError(
            f"{folder}: methods.parquet has no row for {', '.join(sorted(strangers))}, which "
            "other tables mention; run the same command again to complete the folder"
        )
    return Run(folder=folder, info=info, methods=methods, **tables)


def _table(store: RunFolder, name: str) -> pd.DataFrame:
    path = store.file(f"{name}.parquet")
    if not path.exists():
        raise InputError(
            f"expected {path}, found none; if the run was interrupted, give the same command "
            "again: it continues and then writes its tables"
        )
    table = store.read_table(f"{name}.parquet")
    missing = [column for column in _COLUMNS[name] if column not in table.columns]
    if missing:
        raise InputError(f"{path}: columns {', '.join(missing)} are missing")
    for column in ("reason", "note", "output"):
        if column in table:
            table[column] = table[column].fillna("")
    return table
