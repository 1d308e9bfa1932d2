"""What the system does with files besides writing them: flush many at once, link one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

_CLONE = 0x40049409  # FICLONE of ioctl(2)


def flush(folder: Path) -> None:
    """Wait until all that was written to the file system of a folder is on its disk.

    Raises:
        OSError: If the disk failed to take it (Linux).
    """
    if sys.platform != "linux":
        if hasattr(os, "sync"):
            os.sync()
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(descriptor)


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
