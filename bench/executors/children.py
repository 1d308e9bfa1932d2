"""What all child processes of ours do: end with their parent, keep to their threads."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing as mp
import os
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import wait

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def announce_threads(threads: int) -> None:
    """Tell the numerical libraries of children to come, which read it when they are loaded."""
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(threads)


def settle(threads: int) -> None:
    """Called first in a child: leave Ctrl-C to the parent, end with it, keep to the threads."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    import cv2
    import torch

    cv2.setNumThreads(threads)
    torch.set_num_threads(threads)


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back, so that a child inherits the block and never sees one, even starting."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def cause(exitcode: int | None) -> str:
    """Why a child ended, in words."""
    if exitcode is None or exitcode >= 0:
        return f"ended by itself with exit status {exitcode}"
    try:
        name = signal.Signals(-exitcode).name
    except ValueError:
        name = f"signal {-exitcode}"
    hint = " (out of memory, or stopped from outside)" if name == "SIGKILL" else ""
    return f"killed by {name}{hint}"


def _die_with_parent() -> None:
    """End when the parent does, even in the middle of a long call."""
    if sys.platform == "linux":
        # PR_SET_PDEATHSIG: also ends code that holds the interpreter's lock.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    parent = mp.parent_process()

    def watch() -> None:
        if parent is not None:
            wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
