"""What a report reads: the tables of one run folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import InputError
from bench.folder.store import RunFolder

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
# Of `cases`, where they are there, and every metric of single cases; the rest of its columns,
# such as keys and hashes, are most of a large table, and are read by nobody here.
_ALSO = {"hole_share", "hole_width", "cpu_seconds", "note", "counts", "pictures", "thumbnail"}
_LARGE = ("plan", "cases", "inputs")
_REPEATED = ("method", "photo", "cluster", "tier")


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
        folders: Of runs that were joined, by the name that begins the paths in the tables.
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
    folders: Mapping[str, Path] = field(default_factory=dict)

    def file(self, name: str) -> Path | None:
        """A file of the run by its path in the tables; None if it is not there.

        Tables may come from elsewhere: no file outside of the run's own folders is given.
        """
        label, _, rest = name.partition("/")
        if label in self.folders:
            places = [(self.folders[label], rest)]
        else:
            places = [(folder, name) for folder in (*self.folders.values(), self.folder)]
        for folder, inside in places:
            path = (folder / inside).resolve()
            if inside and path.is_relative_to(folder.resolve()) and path.is_file():
                return path
        return None

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
    def differences(self) -> list[str]:
        """What runs shown together differ in that should not, in words; empty for one run."""
        return list(self.info.get("differences", []))

    @property
    def bundled(self) -> bool:
        """Whether the photos are the bundled demonstration set."""
        return bool(self.info.get("photo_set") == "bundled")


def read_run(folder: Path, folders: Mapping[str, Path] | None = None) -> Run:
    """Read the tables of a run folder.

    Args:
        folder: The run folder.
        folders: Where the pictures of runs that were joined lie, by the name that begins their
            paths in the tables; photos and holes are looked for in all of them.

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
    tables = {name: _table(store, name) for name in _COLUMNS if name not in absent | {"cases"}}
    measured = tables["metrics"].loc[tables["metrics"]["scope"] == "case", "metric"]
    tables["cases"] = _table(store, "cases", {*measured, *_ALSO})
    tables |= {name: pd.DataFrame(columns=_COLUMNS[name]) for name in absent}
    methods = tables.pop("methods").set_index("method", drop=False)
    mentioned = {*tables["cases"]["method"], *tables["receptive"]["method"]}
    strangers = mentioned - set(methods.index)
    if strangers:
        raise InputError(
            f"{folder}: methods.parquet has no row for {', '.join(sorted(strangers))}, which "
            "other tables mention; run the same command again to complete the folder"
        )
    return Run(folder=folder, info=info, methods=methods, folders=folders or {}, **tables)


def _table(store: RunFolder, name: str, also: Collection[str] = ()) -> pd.DataFrame:
    path = store.file(f"{name}.parquet")
    if not path.exists():
        raise InputError(
            f"expected {path}, found none; if the run was interrupted, give the same command "
            "again: it continues and then writes its tables"
        )
    wanted = {*_COLUMNS[name], *also} if name in _LARGE else None
    table = store.read_table(f"{name}.parquet", wanted, categories=_REPEATED)
    missing = [column for column in _COLUMNS[name] if column not in table.columns]
    if missing:
        raise InputError(f"{path}: columns {', '.join(missing)} are missing")
    for column in ("reason", "note", "output"):
        if column in table:
            table[column] = table[column].fillna("")
    return table
