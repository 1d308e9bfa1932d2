"""How fills are lost, and when the scheduler gives up."""

from __future__ import annotations

from dataclasses import dataclass

LOST = ("failed", "timeout", "killed", "oom")
"""How a fill ends that was neither completed nor declined, by a method that could be loaded."""


@dataclass(frozen=True)
class Limits:
    """When to give up.

    Attributes:
        timeout: Seconds for one case.
        load_timeout: Seconds for loading a method; no less than for a case, as it may be tried on
            one then.
        retries: How often a case is tried again after it killed, outlasted or spoilt its worker.
        suspend_after: Failures in a row after which the rest of a method is not tried.
        chunk: Cases of one job, at most.
    """

    timeout: float = 600.0
    load_timeout: float = 300.0
    retries: int = 1
    suspend_after: int = 20
    chunk: int = 32

    def __post_init__(self) -> None:
        """Give loading its time."""
        object.__setattr__(self, "load_timeout", max(self.load_timeout, self.timeout))
