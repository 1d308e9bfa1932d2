"""Supervised worker processes on this machine.

Each worker is a spawned process with a pipe of its own. The parent waits on pipes and process
sentinels together, so that a death is seen at once and charged to the case that was running.
Workers die with their parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing as mp
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from bench.jobs import Event, Job, Setup
from bench.worker import Worker

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


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
        self._context = mp.get_context("spawn")
        self._workers: list[_Process] = []
        self._events: deque[Event] = deque()
        # Read by numerical libraries when a child loads them.
        for variable in _THREAD_VARIABLES:
            os.environ[variable] = str(setup.threads)

    def submit(self, job: Job) -> None:
        """Give a job to a free worker of its method, else to a new one."""
        idle = [worker for worker in self._workers if worker.job is None]
        worker = next((w for w in idle if w.method == job.method), None)
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
        """Kill the worker of a job."""
        for worker in self._workers:
            if worker.job == job:
                worker.process.kill()

    def close(self) -> None:
        """End all workers, by force if need be."""
        for worker in list(self._workers):
            self._retire(worker)

    def _start(self, method: str) -> _Process:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_serve, args=(self._setup, method, theirs), daemon=True
        )
        with _interrupts_held():
            process.start()
        theirs.close()
        worker = _Process(process, ours, method)
        self._workers.append(worker)
        return worker

    def _retire(self, worker: _Process) -> None:
        self._workers.remove(worker)
        worker.pipe.close()
        if worker.job is not None:
            worker.process.terminate()
        worker.process.join(5)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()

    def _receive(self, worker: _Process) -> None:
        """Take what lies in the pipe; a broken message counts as the end of its worker."""
        try:
            while worker.pipe.poll():
                event: Event = worker.pipe.recv()
                self._events.append(event)
                if event.kind in ("finished", "refused", "broken"):
                    worker.job = None
        except (EOFError, OSError):
            worker.process.kill()

    def _bury(self, worker: _Process) -> None:
        worker.process.join()
        self._receive(worker)  # what it said before it died
        if worker in self._workers:
            self._workers.remove(worker)
            worker.pipe.close()
        if worker.job is not None:
            reason = _cause(worker.process.exitcode)
            self._events.append(Event(worker.job, "lost", reason=reason))
            worker.job = None


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back, so that a child inherits the block and never sees one, even starting."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _cause(exitcode: int | None) -> str:
    if exitcode is None or exitcode >= 0:
        return f"ended by itself with exit status {exitcode}"
    try:
        name = signal.Signals(-exitcode).name
    except ValueError:
        name = f"signal {-exitcode}"
    hint = " (out of memory, or stopped from outside)" if name == "SIGKILL" else ""
    return f"killed by {name}{hint}"


def _serve(setup: Setup, method: str, pipe: Connection) -> None:
    """Be a worker: take jobs until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    _die_with_parent()
    _limit_threads(setup.threads)
    worker = Worker(setup, method)
    try:
        while True:
            for event in worker.run(pipe.recv()):
                pipe.send(event)
    except (EOFError, OSError):
        return


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


def _limit_threads(threads: int) -> None:
    import cv2
    import torch

    cv2.setNumThreads(threads)
    torch.set_num_threads(threads)
