"""The worker loop: one method in one process; load, fill, measure, write a fragment.

It knows no engine: `Worker.run` is a generator of events, which an executor carries to the
scheduler over whatever connects the two. Keys and events travel, pictures never.
"""

from __future__ import annotations

import os
import time
import traceback
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import BenchError, StoreError, WeightsMissing
from bench.store import Item

_FLUSH_SECONDS = 30.0
_REASON_LIMIT = 2000


@dataclass(frozen=True)
class Setup:
    """What every worker of a run needs to know.

    Attributes:
        folder: The run folder.
        seed: Seed of holes and stochastic methods.
        metrics: Names of the case metrics to measure.
        features: Names of the set metrics' feature extractors.
        weights: Files of metric networks, by checkpoint name.
        methods: For each method, the text that asked for it (``mine=module:Class``).
        fill_keys: For each method, a hash of what its fills depend on besides the case.
        measure_key: A hash of what measurements depend on besides the fill.
        device: Where methods and metric networks run.
        threads: Threads of each worker.
    """

    folder: Path
    seed: int
    metrics: tuple[str, ...]
    features: tuple[str, ...]
    weights: Mapping[str, Path]
    methods: Mapping[str, str]
    fill_keys: Mapping[str, str]
    measure_key: str
    device: str = "cpu"
    threads: int = 1


@dataclass(frozen=True)
class Job:
    """A chunk of work for one method.

    Attributes:
        id: Number of the job in this run.
        method: Full name of the method.
        items: What to fill.
        earlier: Rows whose fill still holds and only has to be measured again.
    """

    id: int
    method: str
    items: tuple[Item, ...]
    earlier: Mapping[Item, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """Something a worker or an executor says about a job.

    Attributes:
        job: Number of the job.
        kind: ``loaded``; ``started`` an item; ``kept`` items in a complete fragment;
            ``finished``; ``refused`` to load, with the status for all its items; ``lost``, the
            worker died; ``broken``, the run cannot go on.
        item: The item started.
        kept: The items kept, with the status of their rows.
        status: For ``refused``.
        reason: Why, in words.
    """

    job: int
    kind: str
    item: Item | None = None
    kept: tuple[tuple[Item, str], ...] = ()
    status: str = ""
    reason: str = ""


class Worker:
    """One method, with everything to measure its fills."""

    def __init__(self, setup: Setup, method: str) -> None:
        """Remember what to do; `run` loads on first use, so that a failure is an event."""
        self._setup = setup
        self._name = method
        self._tag = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._fragments = 0
        self._bench: Any = None

    def run(self, job: Job) -> Iterator[Event]:
        """Work through a job, telling what happens as it happens."""
        # Imported here because it takes torch, which the scheduler's process may do without.
        from bench.casework import Casework

        if self._bench is None:
            try:
                self._bench = Casework(self._setup, self._name)
            except StoreError as error:
                yield Event(job.id, "broken", reason=str(error))
                return
            except Exception as error:
                yield Event(job.id, "refused", status=_load_status(error), reason=describe(error))
                return
        yield Event(job.id, "loaded")
        rows: list[dict[str, Any]] = []
        flushed = time.monotonic()
        try:
            for item in job.items:
                yield Event(job.id, "started", item=item)
                row = self._bench.row(item, job.earlier.get(item))
                rows.append({**row, "worker": self._tag, "written": time.time_ns()})
                if time.monotonic() - flushed > _FLUSH_SECONDS:
                    yield self._flush(job, rows)
                    rows, flushed = [], time.monotonic()
            if rows:
                yield self._flush(job, rows)
        except StoreError as error:
            yield Event(job.id, "broken", reason=str(error))
            return
        yield Event(job.id, "finished")

    def _flush(self, job: Job, rows: list[dict[str, Any]]) -> Event:
        self._bench.write(f"{self._tag}-{self._fragments:05d}", rows)
        self._fragments += 1
        kept = tuple((Item(row["case"], row["sample"]), row["status"]) for row in rows)
        return Event(job.id, "kept", kept=kept)


def out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out; torch's own class for it is not a MemoryError."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"


def _load_status(error: Exception) -> str:
    if isinstance(error, WeightsMissing):
        return "unavailable"
    return "oom" if out_of_memory(error) else "failed"


def describe(error: BaseException) -> str:
    """Say what went wrong in a row: our own errors as they are, others with where they arose."""
    if isinstance(error, BenchError):
        text = str(error)
    else:
        frames = traceback.extract_tb(error.__traceback__)
        where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
        text = f"{type(error).__name__}: {error}{where}"
    # Text that is no valid UTF-8 could not be written into a table.
    return text[:_REASON_LIMIT].encode("utf-8", "backslashreplace").decode()
