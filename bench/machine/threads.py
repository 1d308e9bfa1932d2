"""How many threads OpenCV and PyTorch use in this process."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def held_to(threads: int) -> Iterator[None]:
    """Let each of the two use so many threads, and afterwards as many as before.

    PyTorch is not loaded for that: where it comes later, ``OMP_NUM_THREADS`` says how many, which
    children of ours are given (`bench.machine.children`).
    """
    import cv2

    torch = sys.modules.get("torch")
    before = cv2.getNumThreads(), torch.get_num_threads() if torch else 0
    cv2.setNumThreads(threads)
    if torch:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        if torch:
            torch.set_num_threads(before[1])
