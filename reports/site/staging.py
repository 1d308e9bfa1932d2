"""The folder of a report: replaced as a whole, with unchanged files left as they are."""

from __future__ import annotations

import contextlib
import filecmp
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.errors import BenchError
from bench.folder.lock import held

_PATIENCE = 600.0  # seconds to wait for another report in the same place


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give an empty folder that takes the place of ``target`` when all went well.

    Files that did not change keep their time of change, so that whoever mirrors the folder
    copies only what is new; files that are no longer written go. If anything fails, ``target``
    stays as it was.

    Raises:
        BenchError: If ``target`` holds something else than a report, or cannot be written.
    """
    staging, lock = (target.parent / f".{target.name}.{each}" for each in ("staging", "lock"))
    busy = f"{target}: another report is being written there; wait for it, or give another --out"
    try:
        with held(lock, busy, _PATIENCE):
            previous, fresh = staging / "previous", staging / "fresh"
            if previous.exists() and not target.exists():
                previous.replace(target)  # of one that was killed between the two
            shutil.rmtree(staging, ignore_errors=True)
            _check(target)
            fresh.mkdir(parents=True)
            try:
                yield fresh
                _keep_unchanged(target, fresh)
                _swap(fresh, target, previous)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise BenchError(
            f"cannot write {target}: {error}; what was there is as it was: make room, fix the "
            "permissions, or give another --out"
        ) from error


@contextlib.contextmanager
def placed(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``, and put it there when all went well.

    Raises:
        BenchError: If it cannot be written.
    """
    temporary = target.with_name(f".{target.name}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(target)
    except OSError as error:
        raise BenchError(f"cannot write {target}: {error}; give another place") from error
    finally:
        temporary.unlink(missing_ok=True)


def take_over(source: Path, target: Path) -> None:
    """Put a file that never changes at another place too: as a hard link where that is possible."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        try:
            os.link(source, target)
        except FileExistsError:
            raise
        except OSError:
            shutil.copy2(source, target)


def _check(target: Path) -> None:
    if not target.exists():
        return
    # One of the two may have been lost.
    is_report = any((target / each).exists() for each in ("assets/report.css", "data/summary.md"))
    if not target.is_dir() or (any(target.iterdir()) and not is_report):
        raise BenchError(
            f"{target}: expected a new, an empty or an earlier report folder, found something "
            "else; give another folder, nothing was changed"
        )


def _keep_unchanged(old: Path, fresh: Path) -> None:
    for path in sorted(fresh.rglob("*")):
        before = old / path.relative_to(fresh)
        if not path.is_file() or not before.is_file() or before.samefile(path):
            continue
        if filecmp.cmp(path, before, shallow=False):
            path.unlink()
            take_over(before, path)


def _swap(fresh: Path, target: Path, previous: Path) -> None:
    """Put the new report in place; bring the old one back if that fails."""
    if target.exists():
        target.replace(previous)
    try:
        fresh.replace(target)
    except OSError:
        if previous.exists():
            previous.replace(target)
        raise
