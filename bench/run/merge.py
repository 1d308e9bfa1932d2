"""Join run folders of one protocol: shards from several machines, or methods run apart."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import BenchError, InputError
from bench.folder import same_fills
from bench.folder.differences import protocol_differences
from bench.folder.header import Header
from bench.folder.read import Run, read_run
from bench.folder.store import RunFolder
from bench.run import compaction

_FOLDERS = ("photos", "masks", "fragments", "features", "outputs", "pictures", "thumbs",
            "tracebacks")  # fmt: skip


def merge(out: Path, runs: Sequence[Path]) -> Header:
    """Write a run folder that holds all rows of several.

    Args:
        out: Folder to write, new or empty, or the one above the shards that Slurm has run.
        runs: Run folders with the same fingerprint.

    Returns:
        The content of the new ``run.json``.

    Raises:
        InputError: If ``out`` holds something, or the runs differ in protocol or in the code of a
            method.
        BenchError: If what is one method by all that is known of it gave different pictures; then
            nothing is written into a new folder.
    """
    shards_below = (out / "slurm").exists()  # which are merged again whenever they have more
    if out.exists() and any(out.iterdir()) and not shards_below:
        raise InputError(f"{out} is not empty; give a new folder")
    # Cases are not taken over but made of the fragments: a run that was killed has none.
    parts = [read_run(run, ("plan", "inputs", "metrics", "methods", "training")) for run in runs]
    header = parts[0].header
    for run, other in zip(runs[1:], parts[1:], strict=True):
        _require_same_protocol(parts[0], other)
        header = _joined(header, other.header, runs[0], run)
    same_fills.check(parts)
    target = RunFolder(out)
    for part in parts:
        for folder in _FOLDERS:
            _copy(part.store.file(folder), target.file(folder))
    for name in ("plan", "inputs", "metrics"):
        target.write_table(f"{name}.parquet", getattr(parts[0], name))
    described = pd.concat([part.methods for part in parts])
    target.write_table("methods.parquet", described.drop_duplicates("method"))
    name = "training.parquet"  # which runs of before there was such a table lack
    if any(part.store.file(name).exists() for part in parts):
        trained = pd.concat([part.training for part in parts])
        target.write_table(name, trained.drop_duplicates())
    header = replace(header, merged_from=[str(run) for run in runs])
    try:
        return compaction.finish(target, header, state="complete")
    except BenchError:  # such as one method that gave two pictures of one case
        if not shards_below:
            shutil.rmtree(out)
        raise


def _require_same_protocol(a: Run, b: Run) -> None:
    if a.header.fingerprint == b.header.fingerprint:
        return
    measured = [set(run.metrics.loc[run.metrics["status"] == "ok", "metric"]) for run in (a, b)]
    differs = protocol_differences(a, b, sorted(measured[0] & measured[1]))
    differs += [f"metric {name}: only in A" for name in sorted(measured[0] - measured[1])]
    differs += [f"metric {name}: only in B" for name in sorted(measured[1] - measured[0])]
    raise InputError(
        f"expected runs of one protocol, found {'; '.join(differs)} (A: {a.folder}, B: "
        f"{b.folder}); run one of them again with the options of the other"
    )


def _joined(a: Header, b: Header, run_a: Path, run_b: Path) -> Header:
    for method in a.fill_keys.keys() & b.fill_keys.keys():
        if a.fill_keys[method] != b.fill_keys[method]:
            anew = a.made_anew.get(method) or b.made_anew.get(method)
            way = (
                f"its fills hold only for the start that made them ({anew}): run it in one folder"
                if anew
                else "run it again in one of them; methods.parquet has its identity in each"
            )
            raise InputError(
                f"{method} was run by different code, libraries or settings in {run_a} and {run_b};"
                f" {way}"
            )
    names = ("methods", "fill_keys", "made_anew", "fills_per_case", "measurements")
    both: dict[str, Any] = {name: {**getattr(a, name), **getattr(b, name)} for name in names}
    return replace(a, **both, starts=[*a.starts, *b.starts])


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
