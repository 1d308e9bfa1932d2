"""The temporary folder of a process that calls programs; loads nothing heavy.

It is removed as the process ends. Where that was killed, who saw it end removes it, or else the
next that makes such a folder: an open file that was locked tells who is alive.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sys
import tempfile
from multiprocessing.util import Finalize  # heard in child processes, too
from pathlib import Path

_PREFIX, _LOCK = "inpaint-bench-program-", "lock"


class Workplace:
    """The temporary folder of a process."""

    def __init__(self) -> None:
        """Make it, and remove those of processes that were killed.

        Raises:
            OSError: If there is no place for it.
        """
        import fcntl

        remove_abandoned()
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        # Locked before it has its name, as what has it and is not locked is removed.
        held = os.open(self.path / "new", os.O_CREAT | os.O_WRONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        os.rename(self.path / "new", self.path / _LOCK)
        self._numbers = itertools.count()
        Finalize(self, _remove, (self.path, held), exitpriority=0)

    def folder(self) -> Path:
        """Make a folder in it."""
        path = self.path / f"{next(self._numbers)}"
        path.mkdir()
        return path


def remove_abandoned() -> None:
    """Remove the folders of processes that were killed."""
    if sys.platform == "win32":  # where no program is called
        return
    import fcntl

    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
        with contextlib.suppress(OSError), lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody's any more
            shutil.rmtree(lock.parent, ignore_errors=True)


def _remove(folder: Path, held: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(held)
