"""What of a process's state decides how numbers are computed, and code of a user's may change."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator

import numpy as np
import torch

_CPU = torch.device("cpu")


@contextlib.contextmanager
def as_started() -> Iterator[None]:
    """Compute as a new process would: how NumPy and PyTorch do it by default; then as before."""
    kind, device = torch.get_default_dtype(), torch.get_default_device()
    precision, strict = (
        torch.get_float32_matmul_precision(),
        torch.get_deterministic_debug_mode(),
    )
    torch.set_default_dtype(torch.float32)
    torch.set_float32_matmul_precision("highest")
    torch.set_deterministic_debug_mode("default")
    elsewhere = torch.device(_CPU) if device != _CPU else contextlib.nullcontext()
    try:
        with elsewhere, np.errstate(all="warn", under="ignore"), warnings.catch_warnings():
            warnings.filterwarnings("default")
            yield
    finally:
        torch.set_default_dtype(kind)
        torch.set_float32_matmul_precision(precision)
        torch.set_deterministic_debug_mode(strict)
