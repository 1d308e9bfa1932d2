"""Peak memory of this process, as the operating system accounts for it."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from pathlib import Path

import psutil

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


def reset_peak() -> bool:
    """Start a new peak; False where the system offers none, and the peak is the process's."""
    try:
        with _CLEAR.open("wb", buffering=0) as file:
            file.write(b"5")
    except OSError:
        return False
    return True


def trim() -> None:
    """Give memory that is free back to the system, where the C library can (glibc)."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def resident_bytes() -> float:
    """Resident bytes of this process now."""
    return float(psutil.Process().memory_info().rss)


def peak_bytes() -> float:
    """Peak resident bytes since `reset_peak` (Linux), else since the start of the process."""
    try:
        with _STATUS.open("rb", buffering=0) as file:
            _, found, after = file.readall().partition(b"VmHWM:")
        if found:
            return float(after.split(maxsplit=1)[0]) * 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)
