"""What the system does with files besides writing them: flush many at once, link one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path
from typing import Any

_CLONE = 0x40049409  # FICLONE of ioctl(2)


def flush(folder: Path) -> bool:
    """Flush all that was written to the file system of a folder; whether the system can do it.

    Raises:
        OSError: If the disk did not take it.
    """
    library: Any = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if not hasattr(library, "syncfs"):
        return False
    place = os.open(folder, os.O_RDONLY)
    try:
        if library.syncfs(place):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(place)
    return True


def link(source: Path, target: Path) -> None:
    """Give a file a second name that takes no room.

    Where the file system can, as Btrfs and XFS, it is a clone, which shares the disk until one of
    both is changed; elsewhere it is one file of two names: what changes one changes both.

    Raises:
        OSError: If neither can be, as between file systems, or the target is there.
    """
    if sys.platform == "linux":
        import fcntl

        with source.open("rb") as given, target.open("xb") as copy, contextlib.suppress(OSError):
            fcntl.ioctl(copy.fileno(), _CLONE, given.fileno())
            return
        target.unlink()
    os.link(source.resolve(), target)
