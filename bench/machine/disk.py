"""What was written, brought to disk."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path


def flushed(folder: Path) -> None:
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
