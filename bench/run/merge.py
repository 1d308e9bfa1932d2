"""Join run folders of one protocol: shards from several machines, or methods run apart."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import BenchError, InputError, StoreError, few
from bench.folder import header as headers
from bench.folder import same_fills
from bench.folder.differences import protocol_differences
from bench.folder.header import Header
from bench.folder.read import Run, read_run
from bench.folder.store import RunFolder
from bench.run import compaction
from bench.run.lock import only_writer
from bench.text.numbers import counted

# Rows first: what they name was there before them, also in a part that still works.
_FOLDERS = ("fragments", "photos", "masks", "features", "outputs", "pictures", "thumbs",
            "tracebacks")  # fmt: skip
_TABLES = ("plan", "inputs", "metrics", "methods", "training", "cases", "sets", "samples")
_BEGUN = ".merging"  # a file that is there until all is
_SHARDS = "slurm"  # the folder of those that Slurm runs, in that which they are merged into


def merge(out: Path, runs: Sequence[Path]) -> Header:
    """Write a run folder that holds all rows of several.

    Killed at any moment, it begins anew when it is called again; so it does after parts were
    continued or repaired, or while they still work. Files are linked, not copied, where the file
    system allows.

    Args:
        out: Folder to write: new, empty, what an earlier merge wrote, or one with shards of Slurm.
        runs: Run folders with the same fingerprint.

    Returns:
        The content of the new ``run.json``.

    Raises:
        InputError: If ``out`` holds something else, or the runs differ in protocol or in the code
            of a method.
        BenchError: If what is one method by all that is known of it gave different pictures, or
            something else writes into ``out``; then nothing is written.
        StoreError: If ``out`` cannot be written.
    """
    new = not out.exists()
    if out.resolve() in (run.resolve() for run in runs):
        raise InputError(f"{out} is to be written and one of the parts; give a new folder")
    _require_free(out)
    # Cases are not taken over but made of the fragments: a run that was killed has none.
    parts = [read_run(run, ("plan", "inputs", "metrics", "methods", "training")) for run in runs]
    header = parts[0].header
    for run, other in zip(runs[1:], parts[1:], strict=True):
        _require_same_protocol(parts[0], other)
        header = _joined(header, other.header, runs[0], run)
    same_fills.check(parts)
    header = replace(header, merged_from=[str(run) for run in runs])
    with only_writer(out) as target:
        _require_free(out)
        try:
            _take_over(target, parts)
            fragments = target.read_fragments()
            _say_damaged(target, fragments, header)
            header = compaction.finish(target, header, state="complete", fragments=fragments)
            target.file(_BEGUN).unlink()
        except BenchError:  # such as one method that gave two pictures of one case
            if new:
                shutil.rmtree(out, ignore_errors=True)  # on Windows its lock stays
            else:
                _clear(target)
            raise
    return header


def _require_free(out: Path) -> None:
    """Refuse a folder with anything that a merge did not write."""
    store = RunFolder(out)
    if store.file(headers.FILE).exists():
        if not headers.read(store).merged_from:
            raise InputError(f"{out} is not empty: it holds a run's own fills; give a new folder")
    elif out.exists() and not store.file(_BEGUN).exists():
        found = sorted(each.name for each in out.iterdir() if each.name[0] != ".")
        if other := [name for name in found if name != _SHARDS]:
            raise InputError(f"{out} is not empty: it holds {few(other, 3)}; give a new folder")


def _take_over(target: RunFolder, parts: Sequence[Run]) -> None:
    """Write all but what is made of the fragments."""
    try:
        target.file(_BEGUN).touch()
        _clear(target)
        for part in parts:
            for folder in _FOLDERS:
                _take_folder(target, part.folder, folder)
    except OSError as error:
        raise StoreError(
            f"cannot write into {target.path}: {error}; make room or fix the permissions, then "
            "give the same command again"
        ) from error
    target.flush()
    for name in ("plan", "inputs", "metrics"):
        target.write_table(f"{name}.parquet", getattr(parts[0], name))
    described = pd.concat([part.methods for part in parts])
    target.write_table("methods.parquet", described.drop_duplicates("method"))
    name = "training.parquet"  # which runs of before there was such a table lack
    if any(part.store.file(name).exists() for part in parts):
        trained = pd.concat([part.training for part in parts])
        target.write_table(name, trained.drop_duplicates())


def _take_folder(target: RunFolder, part: Path, folder: str) -> None:
    """Take over all files of a folder; a part that works may put fragments together meanwhile."""
    seen: set[Path] = set()
    while new := {path for path in (part / folder).rglob("[!.]*") if path.is_file()} - seen:
        for path in sorted(new):
            with contextlib.suppress(FileNotFoundError):  # then its rows are in a newer file
                target.take_over(path, path.relative_to(part).as_posix())
        seen |= new


def _clear(target: RunFolder) -> None:
    """Delete what an earlier merge wrote; that it had begun is told until all is there again."""
    for name in (headers.FILE, *(f"{table}.parquet" for table in _TABLES)):
        target.file(name).unlink(missing_ok=True)
    for folder in _FOLDERS:
        if target.file(folder).exists():
            shutil.rmtree(target.file(folder))


def _say_damaged(target: RunFolder, fragments: pd.DataFrame, header: Header) -> None:
    """Set aside what came damaged from the parts, and say so."""
    *_, lost = compaction.settled(target, fragments, header, retry_failed=False)
    if lost or target.aside:
        print(
            f"{counted(sum(lost.values()), 'fill')} of the parts have pictures that are damaged or "
            f"gone, and {counted(len(target.aside), 'file')} of theirs are left out; give the "
            "command of each part again, which makes them anew, then merge again",
            file=sys.stderr,
        )


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
