"""Write run folders for tests: what a test states, and blanks of the schema for all the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from bench.folder.header import Environment, Fingerprint, Header
from bench.folder.read import Run
from bench.folder.schema import TABLES
from bench.folder.store import RunFolder

# By metric: label, unit, direction, scope, region.
METRICS = {
    "psnr_db": ("PSNR", "dB", "higher", "case", "picture"),
    "psnr_hole_db": ("PSNR in the hole", "dB", "higher", "case", "hole"),
    "ssim": ("SSIM", "", "higher", "case", "picture"),
    "ssim_hole": ("SSIM in the hole", "", "higher", "case", "hole"),
    "l1": ("L1", "", "lower", "case", "picture"),
    "l1_hole": ("L1 in the hole", "", "lower", "case", "hole"),
    "lpips": ("LPIPS", "", "lower", "case", "picture"),
    "lpips_hole": ("LPIPS in the hole", "", "lower", "case", "hole"),
    "ms_ssim": ("MS-SSIM", "", "higher", "case", "picture"),
    "gmsd": ("GMSD", "", "lower", "case", "picture"),
    "seam": ("Seam", "", "lower", "case", "ring"),
    "drift": ("Drift", "", "lower", "case", "known"),
    "swd": ("Sliced Wasserstein", "", "lower", "set", "picture"),
    "fid": ("FID", "", "lower", "set", "picture"),
    "kid_untrained": ("KID, untrained", "", "lower", "set", "picture"),
    "fid_untrained": ("FID, untrained", "", "lower", "set", "picture"),
}
Rows = pd.DataFrame | Iterable[Mapping[str, Any]]
_REQUIRED = ("plan", "inputs", "cases", "sets", "metrics", "methods")


def table(name: str, rows: Rows) -> pd.DataFrame:
    """Rows with every column of the schema."""
    return TABLES[name].typed(pd.DataFrame(rows))


def metrics(names: Iterable[str], absent: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The table of metrics.

    Args:
        names: Keys of `METRICS`.
        absent: Why those are absent that are.
    """
    keys = ("label", "unit", "direction", "scope", "region")
    absent = absent or {}
    return table(
        "metrics",
        (
            dict(zip(keys, METRICS[name], strict=True))
            | {"metric": name, "implementation": "made up", "version": "1",
               "status": "absent" if name in absent else "ok", "reason": absent.get(name, "")}
            for name in names
        ),
    )  # fmt: skip


def methods(families: Mapping[str, str], **columns: Mapping[str, Any]) -> pd.DataFrame:
    """The table of methods.

    Args:
        families: By method.
        columns: Values by method, where they are not blank.
    """
    rows = (
        {"method": name, "title": name, "family": family, "implementation": "made up",
         "licence": "CC0", "timed": True, "size": "any", "identity": f"sample:{name}",
         "status": "ok"}
        | {column: values[name] for column, values in columns.items() if name in values}
        for name, family in families.items()
    )  # fmt: skip
    return table("methods", rows)


def header(fingerprint: str, **stated: Any) -> Header:
    """The header of a complete run."""
    blank = dict(
        state="complete", created="", photo_set="own photos", protocol={}, size_rule="", samples=1,
        methods={}, fill_keys={}, made_anew={},
        fills_per_case={}, measurements={"": []}, measure_key="",
        features=[], environment=Environment({"numpy": "2.0"}, python="3.12.0"), starts=[],
        inputs_key="", missing=0, finished="2024-01-02T03:04:05+00:00", counts={},
        without_result=[], non_deterministic=[],
    )  # fmt: skip
    return Header(**(blank | {"fingerprint": Fingerprint.parse(fingerprint)} | stated))


def in_memory(**tables: Rows) -> Run:
    """A run that is nowhere."""
    names = (each.name for each in fields(Run) if each.name in TABLES)
    every = {name: table(name, tables.get(name, ())) for name in names}
    return Run(Path("nowhere"), header("photos:aa/1"), **every)


def write(folder: Path, facts: Header, **tables: Rows) -> Path:
    """Write a run folder; tables that every run has are empty where they are not given."""
    store = RunFolder(folder)
    for name in dict.fromkeys([*_REQUIRED, *tables]):
        store.write_table(f"{name}.parquet", table(name, tables.get(name, ())))
    facts.write(store)
    return folder
