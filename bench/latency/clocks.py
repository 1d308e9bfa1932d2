"""The clock of a CUDA device, as NVIDIA's management library reads it, where it is installed."""

from __future__ import annotations

import math
from typing import Any


class Clocks:
    """Reads the clock of the multiprocessors.

    Args:
        device: ``cpu``, whose clock is not read, or ``cuda``.
    """

    def __init__(self, device: str) -> None:
        """Find the device."""
        self._library: Any = None
        if device != "cuda":
            return
        try:
            import pynvml

            pynvml.nvmlInit()
            self._handle = pynvml.nvmlDeviceGetHandleByIndex(0)
            self._library = pynvml
        except Exception:  # not installed, or no driver that it knows: the clock stays unknown
            self._library = None

    def read(self) -> float:
        """MHz now; NaN where it cannot be read."""
        if self._library is None:
            return math.nan
        try:
            kind = self._library.NVML_CLOCK_SM
            return float(self._library.nvmlDeviceGetClockInfo(self._handle, kind))
        except self._library.NVMLError:
            return math.nan
