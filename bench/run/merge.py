"""Join run folders of one protocol: shards from several machines, or methods run apart."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import InputError
from bench.folder.store import RunFolder
from bench.run import compaction

_FOLDERS = ("photos", "masks", "fragments", "features", "outputs", "pictures", "thumbs")


def merge(out: Path, runs: Sequence[Path]) -> dict[str, Any]:
    """Write a run folder that holds all rows of several.

    Args:
        out: Folder to write, new or empty.
        runs: Run folders with the same fingerprint.

    Returns:
        The content of the new ``run.json``.

    Raises:
        InputError: If ``out`` holds something, or the runs differ in protocol or in the code of a
            method.
    """
    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty; give a new folder")
    stores = [RunFolder(run) for run in runs]
    headers = [store.read_json() for store in stores]
    header = headers[0]
    for run, other in zip(runs[1:], headers[1:], strict=True):
        header = _joined(header, other, runs[0], run)
    target = RunFolder(out)
    for store in stores:
        for folder in _FOLDERS:
            _copy(store.file(folder), target.file(folder))
    for name in ("plan.parquet", "inputs.parquet", "metrics.parquet"):
        target.write_table(name, stores[0].read_table(name))
    described = pd.concat([store.read_table("methods.parquet") for store in stores])
    target.write_table("methods.parquet", described.drop_duplicates("method"))
    name = "training.parquet"  # which runs of before there was such a table lack
    trained = [store.read_table(name) for store in stores if store.file(name).exists()]
    if trained:
        target.write_table(name, pd.concat(trained).drop_duplicates())
    header["merged_from"] = [str(run) for run in runs]
    return compaction.finish(target, header, state="complete")


def _joined(a: dict[str, Any], b: dict[str, Any], run_a: Path, run_b: Path) -> dict[str, Any]:
    if a["fingerprint"] != b["fingerprint"]:
        raise InputError(
            f"expected runs of one protocol, found {run_a}: {a['fingerprint']}; "
            f"{run_b}: {b['fingerprint']}"
        )
    for method in a["fill_keys"].keys() & b["fill_keys"].keys():
        if a["fill_keys"][method] != b["fill_keys"][method]:
            raise InputError(
                f"{method} was run by different code or settings in {run_a} and {run_b}; "
                "run it again in one of them"
            )
    return {
        **a,
        **{
            key: {**a[key], **b[key]}
            for key in ("methods", "fill_keys", "fills_per_case", "measurements")
        },
        "starts": [*a["starts"], *b["starts"]],
    }


def _copy(source: Path, target: Path) -> None:
    """Copy a tree; a hard link where the file system allows, since these files never change."""
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_file() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, place)
            except OSError:
                shutil.copy2(path, place)
