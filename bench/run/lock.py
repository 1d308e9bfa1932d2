"""One writer a run folder, and only into a folder that is one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from bench.errors import BenchError, few
from bench.folder.store import RunFolder

_LOCK = ".lock"
# What only this project writes: a start that was killed early leaves the lock alone.
_OURS = (_LOCK, "run.json", "latency.json", "slurm/shards.sbatch")
_SHOWN = 3


@contextlib.contextmanager
def only_writer(folder: Path) -> Iterator[RunFolder]:
    """Hold a run folder's lock; the system frees it whatever kills this process.

    Raises:
        BenchError: If another run holds it, the folder holds something else, or it cannot be
            written.
    """
    store = RunFolder(folder)
    lock = FileLock(store.file(_LOCK))
    try:
        require_run_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise BenchError(
            f"another run is writing into {folder}; wait for it, or give another --out"
        ) from None
    except OSError as error:
        raise BenchError(f"cannot write into {folder}: {error}; give another --out") from error
    try:
        store.sweep()
        yield store
    finally:
        lock.release()


def require_run_folder(folder: Path) -> None:
    """Refuse a folder that holds something and no sign of a run.

    Raises:
        BenchError: If it is such a folder.
    """
    if not folder.exists() or any((folder / name).exists() for name in _OURS):
        return
    found = sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))
    if found:
        raise BenchError(
            f"{folder} is no run folder: it holds {few(found, _SHOWN)}; give a new or an empty "
            "--out, nothing was written"
        )
