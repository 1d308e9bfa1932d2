"""Work in this process: for tests and debugging. A crash or a hang here is the run's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bench.machine import threads
from bench.run.messages import Event, Job, Setup
from bench.run.worker import Worker


class InlineExecutor:
    """One worker in the calling process, one method at a time."""

    capacity = 1

    def __init__(self, setup: Setup) -> None:
        """Let OpenCV and torch use as many threads as in a worker; the first job loads a method."""
        self._setup = setup
        self._held = contextlib.ExitStack()
        self._held.enter_context(threads.held_to(setup.threads))
        self._worker: tuple[str, Worker] | None = None
        self._place = Path.cwd()
        self._job: int | None = None
        self._events: Iterator[Event] = iter(())

    def submit(self, job: Job) -> None:
        """Take a job; `next` does the work."""
        if self._worker is None or self._worker[0] != job.method or job.fresh:
            self._worker = (job.method, Worker(self._setup, job.method))
            self._place = Path.cwd()
        self._job, self._events = job.id, self._worker[1].run(job)

    def next(self, timeout: float) -> Event | None:
        """Work until the next event, however long it takes."""
        with contextlib.chdir(self._place):  # where the method went, and back
            event = next(self._events, None)
            self._place = Path.cwd()
        return event

    def stop(self, job: int) -> None:
        """Do nothing: code in this process cannot be stopped from it."""

    def wind_down(self) -> None:
        """The worker was interrupted with this process, and has written its rows."""
        if self._job is not None:
            self._events = iter([Event(self._job, "finished")])

    def close(self) -> None:
        """Forget the worker, and use as many threads as before."""
        self._worker = None
        self._held.close()
