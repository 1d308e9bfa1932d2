"""The worker loop: one method in one process; load, fill, measure, write a fragment.

It knows no engine: `Worker.run` is a generator of events, which an executor carries to the
scheduler over whatever connects the two. Keys and events travel, pictures never.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from bench.errors import StoreError, WeightsMissing, describe, faults, out_of_memory
from bench.folder.store import RunFolder
from bench.run.fill_row import FillRow
from bench.run.messages import Event, Job, Setup

if TYPE_CHECKING:
    from bench.run.one_case import Casework

# Rows are written after so many seconds, at first, and at last: what a kill costs at most.
_FIRST_FLUSH, _LAST_FLUSH = 2.0, 30.0


class Worker:
    """One method, with everything to measure its fills."""

    def __init__(self, setup: Setup, method: str) -> None:
        """Remember what to do; `run` loads on first use, so that a failure is an event."""
        self._setup = setup
        self._name = method
        self._process = os.getpid()
        self._tag = f"{self._process}-{uuid.uuid4().hex[:8]}"
        self._fragments = 0
        self._flush_after = _FIRST_FLUSH
        self._bench: Casework | None = None

    def run(self, job: Job, enough: Callable[[], bool] = bool) -> Iterator[Event]:
        """Work through a job, telling what happens as it happens.

        Args:
            job: The job.
            enough: Asked after each fill whether to leave the rest of the job.
        """
        bench = self._bench or self._load(job)
        if isinstance(bench, Event):
            yield bench
            return
        self._bench = bench
        yield Event(job.id, "loaded")
        bench.hear(job)
        rows: list[FillRow] = []
        flushed = time.monotonic()
        try:
            if bench.in_jobs and len(job.items) > 1:
                yield Event(job.id, "together")
                bench.begin_job(job)
            for item, following in zip_longest(job.items, job.items[1:]):
                yield Event(job.id, "started", item=item)
                row = bench.row(
                    item,
                    job.cases[item.case],
                    job.earlier.get(item),
                    job.cases[following.case] if following else None,
                )
                if os.getpid() != self._process:  # a child that the method forked came back here
                    os._exit(0)
                if _spoils(row):
                    if rows:
                        yield self._flush(bench, job, rows)
                    yield Event(job.id, "spoilt", item, (), row.status, row.reason, row.traceback)
                    return
                rows.append(replace(row, worker=self._tag, written=time.time_ns()))
                if enough():
                    break
                if time.monotonic() - flushed > self._flush_after:
                    yield self._flush(bench, job, rows)
                    rows, flushed = [], time.monotonic()
                    self._flush_after = min(2 * self._flush_after, _LAST_FLUSH)
            if rows:
                yield self._flush(bench, job, rows)
        except KeyboardInterrupt:  # in the process of the run itself, which hears Ctrl-C
            if rows:
                self._flush(bench, job, rows)
            raise
        except StoreError as error:
            yield Event(job.id, "broken", reason=str(error))
            return
        yield Event(job.id, "finished")

    def _load(self, job: Job) -> Casework | Event:
        """The method with its metrics; or why not."""
        # Imported here because it takes torch, which the scheduler's process may do without.
        from bench.run.one_case import Casework

        try:
            return Casework(self._setup, self._name)
        except StoreError as error:
            return Event(job.id, "broken", reason=str(error))
        except faults() as error:
            status = _load_status(error)
            return Event(
                job.id,
                "spoilt" if status == "oom" else "refused",
                status=status,
                reason=describe(error),
                traceback=RunFolder(self._setup.folder).write_traceback(error),
            )

    def _flush(self, bench: Casework, job: Job, rows: list[FillRow]) -> Event:
        bench.write(f"{self._tag}-{self._fragments:05d}", rows)
        self._fragments += 1
        kept = tuple((row.item, row.status) for row in rows)
        return Event(job.id, "kept", kept=kept)


def _load_status(error: BaseException) -> str:
    if isinstance(error, WeightsMissing):
        return "unavailable"
    return "oom" if out_of_memory(error) else "failed"


def _spoils(row: FillRow) -> bool:
    """Whether later cases would fail here as well; after an error of CUDA nothing of it works."""
    return row.status == "oom" or (row.status == "failed" and "CUDA error:" in row.reason)
