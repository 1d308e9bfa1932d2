"""What an executor is to the scheduler."""

from __future__ import annotations

from typing import Protocol

from bench.run.messages import Event, Job


class Executor(Protocol):
    """Where workers live. Events of a job come in order; `next` never raises for its faults."""

    capacity: int

    def submit(self, job: Job) -> None:
        """Start a job on a free worker."""

    def next(self, timeout: float) -> Event | None:
        """Wait for the next event, at most so many seconds."""

    def stop(self, job: int) -> None:
        """Kill the worker of a job; a ``lost`` event follows."""

    def wind_down(self) -> None:
        """Ask all workers to end their jobs after the fill they are at, and to write what they did.

        It returns at once; `next` gives the ``kept`` and ``finished`` events that follow.
        """

    def close(self) -> None:
        """End all workers."""
