"""The scheduler: queue, retries, timeouts; it knows no engine.

Every item given to it ends in exactly one of two ways: a worker kept its row, or the scheduler
gave up on it and says why.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bench.errors import BenchError, StoreError
from bench.store import Item
from bench.worker import Event, Job

_BAD = ("failed", "timeout", "killed", "oom")


class Executor(Protocol):
    """Where workers live. Events of a job come in order; `next` never raises for its faults."""

    capacity: int

    def submit(self, job: Job) -> None:
        """Start a job on a free worker."""

    def next(self, timeout: float) -> Event | None:
        """Wait for the next event, at most so many seconds."""

    def stop(self, job: int) -> None:
        """Kill the worker of a job; a ``lost`` event follows."""

    def close(self) -> None:
        """End all workers."""


@dataclass(frozen=True)
class Limits:
    """When to give up.

    Attributes:
        timeout: Seconds for one case; None adapts to the method: ten times its slowest case so
            far, at least 60 s, and 600 s for the first.
        load_timeout: Seconds for loading a method.
        retries: How often a case is tried again after it killed or outlasted its worker.
        suspend_after: Failures in a row after which the rest of a method is not tried.
        chunk: Cases of one job.
    """

    timeout: float | None = None
    load_timeout: float = 300.0
    retries: int = 1
    suspend_after: int = 20
    chunk: int = 16


@dataclass
class _Running:
    """A job in flight."""

    job: Job
    since: float
    loaded: bool = False
    item: Item | None = None
    timed_out: bool = False
    left: list[Item] = field(default_factory=list)


class Scheduler:
    """Runs work on an executor until every item is settled.

    Args:
        executor: Where to run.
        limits: When to give up.
        settle: Called once for each item, with the method, the item, the status and a reason;
            ``written`` is False for items that no worker wrote a row for.
    """

    def __init__(
        self,
        executor: Executor,
        limits: Limits,
        settle: Callable[[str, Item, str, str, bool], None],
    ) -> None:
        """Take the parts; nothing runs yet."""
        self._executor = executor
        self._limits = limits
        self._settle = settle
        self._queue: deque[Job] = deque()
        self._running: dict[int, _Running] = {}
        self._tries: Counter[tuple[str, Item]] = Counter()
        self._load_tries: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._slowest: dict[str, float] = {}
        self._next_id = 0

    def run(
        self,
        work: Mapping[str, Sequence[Item]],
        earlier: Mapping[str, Mapping[Item, Mapping[str, Any]]] | None = None,
    ) -> None:
        """Do all work.

        Args:
            work: Items by method; methods start in this order.
            earlier: Rows whose fill still holds, by method and item.

        Raises:
            StoreError: If a worker could not read or write the run folder.
        """
        for method, items in work.items():
            size = self._limits.chunk
            for start in range(0, len(items), size):
                self._enqueue(method, items[start : start + size], (earlier or {}).get(method, {}))
        while self._queue or self._running:
            while self._queue and len(self._running) < self._executor.capacity:
                job = self._queue.popleft()
                self._running[job.id] = _Running(job, time.monotonic(), left=list(job.items))
                self._executor.submit(job)
            event = self._executor.next(timeout=0.5)
            if event is not None and event.job in self._running:
                self._handle(event, self._running[event.job])
            self._stop_overdue()

    def _enqueue(
        self,
        method: str,
        items: Sequence[Item],
        earlier: Mapping[Item, Mapping[str, Any]],
        *,
        first: bool = False,
    ) -> None:
        if not items:
            return
        rows = {item: earlier[item] for item in items if item in earlier}
        job = Job(self._next_id, method, tuple(items), rows)
        self._next_id += 1
        if first:
            self._queue.appendleft(job)
        else:
            self._queue.append(job)

    def _handle(self, event: Event, running: _Running) -> None:
        now = time.monotonic()
        method = running.job.method
        if running.item is not None and event.kind in ("started", "kept"):
            took = now - running.since
            self._slowest[method] = max(self._slowest.get(method, 0.0), took)
        running.since = now
        if event.kind == "loaded":
            running.loaded = True
        elif event.kind == "started":
            running.item = event.item
        elif event.kind == "kept":
            running.item = None
            self._keep(method, event, running)
        elif event.kind == "finished":
            del self._running[event.job]
        elif event.kind == "refused":
            del self._running[event.job]
            self._give_up(method, running.left, event.status, event.reason)
            self._drop(method, event.status, event.reason)
        elif event.kind == "lost":
            del self._running[event.job]
            self._lost(event, running)
        elif event.kind == "broken":
            raise StoreError(event.reason)
        else:
            raise BenchError(f"executor sent an event of unknown kind {event.kind!r}")

    def _keep(self, method: str, event: Event, running: _Running) -> None:
        for item, status in event.kept:
            running.left.remove(item)
            self._settle(method, item, status, "", True)
            self._count(method, status)
        self._suspend_if_hopeless(method)

    def _lost(self, event: Event, running: _Running) -> None:
        """Blame the case that was running, try it again alone, give the others back."""
        method, job = running.job.method, running.job
        status = "timeout" if running.timed_out else "killed"
        if running.item is None or not running.loaded:
            self._load_tries[method] += 1
            if self._load_tries[method] > self._limits.retries:
                reason = f"worker {event.reason} before it took a case"
                self._give_up(method, running.left, status, reason)
                self._drop(method, status, reason)
            else:
                self._enqueue(method, running.left, job.earlier, first=True)
            return
        blamed = running.item
        rest = [item for item in running.left if item != blamed]
        self._enqueue(method, rest, job.earlier, first=True)
        self._tries[method, blamed] += 1
        if self._tries[method, blamed] > self._limits.retries:
            tries = self._tries[method, blamed]
            self._give_up(method, [blamed], status, f"{event.reason}; tried {tries} times")
            self._count(method, status)
            self._suspend_if_hopeless(method)
        else:
            self._enqueue(method, [blamed], job.earlier)

    def _give_up(self, method: str, items: Sequence[Item], status: str, reason: str) -> None:
        for item in items:
            self._settle(method, item, status, reason, False)

    def _drop(self, method: str, status: str, reason: str) -> None:
        """Give up on all that is queued for a method."""
        dropped = [job for job in self._queue if job.method == method]
        self._queue = deque(job for job in self._queue if job.method != method)
        for job in dropped:
            self._give_up(method, job.items, status, reason)

    def _count(self, method: str, status: str) -> None:
        self._failures[method] = self._failures[method] + 1 if status in _BAD else 0

    def _suspend_if_hopeless(self, method: str) -> None:
        if self._failures[method] >= self._limits.suspend_after:
            count = self._failures[method]
            self._drop(method, "failed", f"not tried: {count} cases before it failed in a row")

    def _stop_overdue(self) -> None:
        now = time.monotonic()
        for running in list(self._running.values()):
            if not running.timed_out and now - running.since > self._allowed(running):
                running.timed_out = True
                self._executor.stop(running.job.id)

    def _allowed(self, running: _Running) -> float:
        if not running.loaded:
            return self._limits.load_timeout
        if self._limits.timeout is not None:
            return self._limits.timeout
        slowest = self._slowest.get(running.job.method)
        return 600.0 if slowest is None else max(60.0, 10 * slowest)
