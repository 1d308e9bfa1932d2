"""One writer a folder; the system frees its lock, whatever kills the process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from bench.errors import BenchError


@contextlib.contextmanager
def held(path: Path, busy: str, patience: float = 0) -> Iterator[None]:
    """Hold a lock file, in a folder that is made.

    Args:
        path: The file; it stays.
        busy: What to say where another process holds it.
        patience: Seconds to wait for that.

    Raises:
        BenchError: If another process holds it.
        OSError: If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise BenchError(busy) from None
    try:
        yield
    finally:
        lock.release()
