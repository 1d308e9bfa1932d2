"""Supervised worker processes on this machine.

Each worker is a process with a pipe of its own. The parent waits on pipes and process sentinels
together, so that a death is seen at once and charged to the case that was running. Workers end
with their parent, and what a worker started ends with it.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from bench.machine import children
from bench.metrics.meter import libraries
from bench.run.messages import Event, Job, Setup
from bench.run.worker import Worker


@dataclass
class _Process:
    """A worker process as its parent sees it."""

    process: BaseProcess
    pipe: Connection
    method: str
    job: int | None = None


class LocalExecutor:
    """As many supervised processes as asked for, each serving one method."""

    def __init__(self, setup: Setup, workers: int) -> None:
        """Start nothing yet: processes start with the first jobs."""
        self.capacity = workers
        self._setup = setup
        self._context = prepare(setup.threads, setup.metrics)
        self._workers: list[_Process] = []
        self._events: deque[Event] = deque()

    def submit(self, job: Job) -> None:
        """Give a job to a free worker of its method, else to a new one, as one that asks for it."""
        idle = [worker for worker in self._workers if worker.job is None]
        fit = () if job.fresh else (w for w in idle if w.method == job.method)
        worker = next(iter(fit), None)
        if worker is None:
            if len(self._workers) >= self.capacity:
                self._retire(idle[0])
            worker = self._start(job.method)
        worker.job = job.id
        with contextlib.suppress(OSError):  # it died while idle; its sentinel tells the rest
            worker.pipe.send(job)

    def next(self, timeout: float) -> Event | None:
        """Return the next event of any worker."""
        if not self._events:
            pipes: dict[Any, _Process] = {worker.pipe: worker for worker in self._workers}
            ends: dict[Any, _Process] = {w.process.sentinel: w for w in self._workers}
            ready = wait([*pipes, *ends], timeout)
            for source in ready:
                if source in pipes:
                    self._receive(pipes[source])
            for source in ready:
                if source in ends:
                    self._bury(ends[source])
        return self._events.popleft() if self._events else None

    def stop(self, job: int) -> None:
        """End the worker of a job."""
        for worker in list(self._workers):
            if worker.job == job:
                self._bury(worker)

    def wind_down(self) -> None:
        """Tell each worker at a job that it is enough."""
        for worker in self._workers:
            if worker.job is not None:
                with contextlib.suppress(OSError):  # it has ended
                    worker.pipe.send(None)

    def close(self) -> None:
        """End all workers, by force if need be."""
        for worker in self._workers:
            worker.pipe.close()  # of all at once: each takes a moment to end by itself
        for worker in list(self._workers):
            self._retire(worker)

    def _start(self, method: str) -> _Process:
        ours, theirs = self._context.Pipe()
        threads = self._setup.threads
        process = children.start(self._context, threads, _serve, self._setup, method, theirs)
        theirs.close()
        worker = _Process(process, ours, method)
        self._workers.append(worker)
        return worker

    def _retire(self, worker: _Process) -> None:
        self._workers.remove(worker)
        worker.pipe.close()
        if worker.job is None:
            worker.process.join(5)
        children.end(worker.process)

    def _receive(self, worker: _Process) -> None:
        """Take what lies in the pipe; a broken message counts as the end of its worker."""
        try:
            while worker.pipe.poll():
                event: Event = worker.pipe.recv()
                self._events.append(event)
                if event.kind in ("finished", "refused", "broken", "spoilt"):
                    worker.job = None
                if event.kind in ("spoilt", "broken"):
                    self._bury(worker)
                    return
        except Exception:  # it ended, or its method disturbed what it says
            self._bury(worker)

    def _bury(self, worker: _Process) -> None:
        """End a worker, if it has not ended; the job that it was at is lost."""
        if worker not in self._workers:
            return
        self._workers.remove(worker)
        status = children.end(worker.process)
        self._receive(worker)  # what it said before it ended
        worker.pipe.close()
        if worker.job is not None:
            self._events.append(Event(worker.job, "lost", reason=children.cause(status)))
            worker.job = None


def prepare(threads: int, metrics: Iterable[str]) -> children.Context:
    """Begin to load what workers with so many threads need to measure these metrics."""
    return children.context(threads, ["bench.run.one_case", *libraries(metrics)])


def _serve(setup: Setup, method: str, pipe: Connection) -> None:
    """Be a worker: take jobs until the pipe closes, or says None; it may do so amid a job."""
    worker = Worker(setup, method)
    try:
        while (job := pipe.recv()) is not None:
            for event in worker.run(job, enough=pipe.poll):
                pipe.send(event)
    except (EOFError, OSError):
        return
