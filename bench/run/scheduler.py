"""The scheduler: queue, retries, timeouts; it knows no engine.

Every item given to it ends in exactly one of two ways: a worker kept its row, or the scheduler
gave up on it and says why.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bench.errors import BenchError, StoreError
from bench.folder.store import Item
from bench.planning.case import PlannedCase
from bench.run.executors.executor import Executor
from bench.run.fill_row import Kept
from bench.run.limits import LOST, Limits
from bench.run.messages import ENDS, Event, Job, Settled
from bench.run.time_left import SMALLEST_JOB, Forecast

_PATIENCE = 5.0  # seconds in which workers may end the fill they are at, once a run is to stop


@dataclass
class _Running:
    """A job in flight."""

    job: Job
    since: float
    loaded: bool = False
    item: Item | None = None
    timed_out: bool = False
    together: bool = False
    left: list[Item] = field(default_factory=list)


class Scheduler:
    """Runs work on an executor until every item is settled.

    Args:
        executor: Where to run.
        limits: When to give up.
        settle: Called with a method and items of it that ended, each item once.
        forecast: Is told what happens, for those who want to know how long the rest takes.
        clock: Seconds.
        tell: What a method says of an item to the worker that fills it, by name.
    """

    def __init__(
        self,
        executor: Executor,
        limits: Limits,
        settle: Callable[[str, Sequence[Settled]], None],
        forecast: Forecast | None = None,
        clock: Callable[[], float] = time.monotonic,
        tell: Mapping[str, Callable[[Item], str]] = MappingProxyType({}),
    ) -> None:
        """Take the parts; nothing runs yet."""
        self._executor = executor
        self._limits = limits
        self._settle = settle
        self._forecast = forecast or Forecast(executor.capacity)
        self._clock = clock
        self._tell = tell
        self._queues: dict[str, deque[Job]] = {}  # by method, in the order to start in
        self._running: dict[int, _Running] = {}
        self._tries: Counter[tuple[str, Item]] = Counter()
        self._load_tries: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._broken: set[tuple[str, Item | None]] = set()
        self._loaded: set[str] = set()
        self._next_id = 0

    def run(
        self,
        work: Mapping[str, Sequence[Item]],
        plan: Sequence[PlannedCase],
        earlier: Mapping[str, Mapping[Item, Kept]] | None = None,
    ) -> None:
        """Do all work.

        Args:
            work: Items by method; methods start in this order.
            plan: The cases, by number.
            earlier: What stays of fills that still hold, by method and item.

        Raises:
            StoreError: If a worker could not read or write the run folder.
        """
        for method, items in work.items():
            self._forecast.waiting[method] = len(items)
            start, size = 0, min(SMALLEST_JOB, self._limits.chunk)
            while start < len(items):  # small ones first, so that a run soon has something to keep
                self._enqueue(method, items[start : start + size], (earlier or {}).get(method, {}))
                start, size = start + size, min(2 * size, self._limits.chunk)
        while any(self._queues.values()) or self._running:
            while len(self._running) < self._executor.capacity and (job := self._next_job()):
                self._running[job.id] = _Running(job, self._clock(), left=list(job.items))
                self._forecast.begins(job.id, job.method, len(job.items))
                self._executor.submit(self._whole(job, plan))
            event = self._executor.next(timeout=0.5)
            if event is not None and event.job in self._running:
                self._handle(event, self._running[event.job])
            self._stop_overdue()

    def _whole(self, job: Job, plan: Sequence[PlannedCase]) -> Job:
        """All that a worker must know; what is queued is no more than its numbers."""
        items, tell = tuple(job.items), self._tell.get(job.method)
        told = {item: tell(item) for item in items} if tell else {}
        cases = {item.case: plan[item.case] for item in items}
        return replace(job, items=items, cases=cases, told=told)

    def wind_down(self) -> None:
        """After `run` was interrupted: keep what is finished, for as long as a few seconds.

        What a worker is still at then, or loads, is not waited for.
        """
        self._executor.wind_down()
        until = self._clock() + _PATIENCE
        while any(each.loaded for each in self._running.values()):
            if (left := until - self._clock()) <= 0:
                return
            event = self._executor.next(min(left, 0.5))
            if event is None or event.job not in self._running:
                continue
            if event.kind == "kept":
                self._keep(self._running[event.job].job.method, event, self._running[event.job])
            elif event.kind in ENDS:
                del self._running[event.job]

    def _enqueue(
        self,
        method: str,
        items: Sequence[Item],
        earlier: Mapping[Item, Kept],
        *,
        first: bool = False,
        fresh: bool = False,
    ) -> None:
        if not items:
            return
        own = {item: earlier[item] for item in items if item in earlier} if earlier else {}
        job = Job(self._next_id, method, items, earlier=own, fresh=fresh)
        self._next_id += 1
        queue = self._queues.setdefault(method, deque())
        if first:
            queue.appendleft(job)
        else:
            queue.append(job)

    def _next_job(self) -> Job | None:
        """The next job of a method that nobody is at, so that each is loaded by few workers."""
        waiting = [method for method, queue in self._queues.items() if queue]
        if not waiting:
            return None
        busy = {running.job.method for running in self._running.values()}
        alone = [method for method in waiting if method not in busy]
        method = (alone or waiting)[0]
        job = self._queues[method].popleft()
        return job if len(alone) > 1 else self._shared(job)

    def _shared(self, job: Job) -> Job:
        """The beginning of a job that the last workers share, so that they end at about once."""
        workers = self._executor.capacity
        # Not further than to see that there is enough: a queue may be long.
        enough, left = 2 * workers * len(job.items), len(job.items)
        for other in self._queues[job.method]:
            if left >= enough:
                break
            left += len(other.items)
        size = max(SMALLEST_JOB, left // (2 * workers))
        if workers == 1 or len(job.items) <= size:
            return job
        for part in (job.items[size:], job.items[:size]):
            self._enqueue(job.method, part, job.earlier, first=True)
        return self._queues[job.method].popleft()

    def _handle(self, event: Event, running: _Running) -> None:
        method = running.job.method
        now = self._clock()
        if running.item is not None and event.kind in ("started", "kept"):
            self._forecast.ended(event.job, now - running.since)
        elif running.together:
            self._forecast.spent(event.job, now - running.since)
        running.since = now
        if event.kind == "loaded":
            running.loaded = True
            self._loaded.add(method)
            self._load_tries[method] = 0
        elif event.kind == "together":
            running.together = True
        elif event.kind == "started":
            running.item, running.together = event.item, False
        elif event.kind == "kept":
            running.item = None
            self._keep(method, event, running)
        elif event.kind in ENDS:
            del self._running[event.job]
            self._forecast.over(event.job, len(running.left))
            if event.kind == "refused":
                self._refused(event, running)
            elif event.kind == "finished":  # before its end, if something asked its worker to
                self._enqueue(method, running.left, running.job.earlier, first=True)
            else:
                self._lost(event, running)
        else:
            raise BenchError(f"executor sent an event of unknown kind {event.kind!r}")

    def _keep(self, method: str, event: Event, running: _Running) -> None:
        for item, status in event.kept:
            running.left.remove(item)
            self._count(method, status)
        self._settle(method, [Settled(item, status) for item, status in event.kept])
        self._suspend_if_hopeless(method)

    def _refused(self, event: Event, running: _Running) -> None:
        """Give up on a method that cannot be loaded, unless it could elsewhere."""
        method = running.job.method
        if method in self._loaded and self._load_tries[method] < self._limits.retries:
            self._load_tries[method] += 1
            self._enqueue(method, running.left, running.job.earlier)
            return
        self._give_all_up(running, event.status, event.reason, event.traceback)

    def _lost(self, event: Event, running: _Running) -> None:
        """Blame the case that was running, give the others back, and try it in a fresh worker."""
        method, job = running.job.method, running.job
        if event.kind == "broken":  # once it may be the method's fault, as of too many open files
            if (method, running.item) in self._broken:
                raise StoreError(event.reason)
            self._broken.add((method, running.item))
        status, reason = event.status or "killed", event.reason
        if running.timed_out:
            status, reason = "timeout", f"took more than {self._allowed(running):g} s"
        if not running.loaded:
            self._load_tries[method] += 1
            if self._load_tries[method] > self._limits.retries:
                reason = f"loading the method: {reason}"
                self._give_all_up(running, status, reason, event.traceback)
            else:
                self._enqueue(method, running.left, job.earlier, first=True)
            return
        if running.together:  # each tells for itself
            for item in running.left:
                self._enqueue(method, [item], job.earlier)
            return
        blamed = event.item or running.item
        # What was filled before it and not yet written is a job of its own, written at its end:
        # else each death would cost it again.
        place = running.left.index(blamed) if blamed else 0
        for part in (running.left[place + bool(blamed) :], running.left[:place]):
            self._enqueue(method, part, job.earlier, first=True)
        if blamed is None:
            return
        self._tries[method, blamed] += 1
        tries = self._tries[method, blamed]
        if tries > self._limits.retries:
            reason = f"{reason}; tried {tries} times"
            self._give_up(method, [blamed], status, reason, tries, event.traceback)
            self._count(method, status)
            self._suspend_if_hopeless(method)
        else:
            self._enqueue(method, [blamed], job.earlier, first=True, fresh=True)

    def _give_up(
        self,
        method: str,
        items: Sequence[Item],
        status: str,
        reason: str,
        tries: int = 0,
        traceback: str = "",
    ) -> None:
        ended = [Settled(item, status, reason, False, tries, traceback) for item in items]
        if ended:
            self._forecast.dropped(method, len(ended))
            self._settle(method, ended)

    def _give_all_up(self, running: _Running, status: str, reason: str, traceback: str) -> None:
        method = running.job.method
        for items in (running.left, *self._dropped(method)):
            self._give_up(method, items, status, reason, traceback=traceback)

    def _dropped(self, method: str) -> list[Sequence[Item]]:
        """Take all that is queued for a method out of the queue, to give it up."""
        return [job.items for job in self._queues.pop(method, ())]

    def _count(self, method: str, status: str) -> None:
        self._failures[method] = self._failures[method] + 1 if status in LOST else 0

    def _suspend_if_hopeless(self, method: str) -> None:
        if self._failures[method] >= self._limits.suspend_after:
            count = self._failures[method]
            for items in self._dropped(method):
                reason = f"not tried: {count} cases before it failed in a row"
                self._give_up(method, items, "failed", reason)

    def _stop_overdue(self) -> None:
        now = self._clock()
        for running in list(self._running.values()):
            if not running.timed_out and now - running.since > self._allowed(running):
                running.timed_out = True
                self._executor.stop(running.job.id)

    def _allowed(self, running: _Running) -> float:
        if not running.loaded:
            return self._limits.load_timeout
        return self._limits.timeout * (len(running.left) if running.together else 1)
