"""What scheduler, executors and workers say to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.folder import fill_keys
from bench.folder.store import Item
from bench.planning.case import PlannedCase
from bench.planning.scoring import USUAL, Scoring
from bench.run.fill_row import FillRow, Kept

ENDS = ("finished", "refused", "lost", "spoilt", "broken")
"""Kinds of events that end a job."""


@dataclass(frozen=True)
class Setup:
    """What every worker of a run needs to know.

    Attributes:
        folder: The run folder.
        seed: Seed of holes and stochastic methods.
        metrics: The case metrics to measure, as they were asked for.
        features: Names of the set metrics' feature extractors.
        weights: Files of metric networks, by checkpoint name.
        methods: For each method, the text that asked for it (``mine=module:Class``).
        fill_keys: For each method, a hash of what its fills depend on besides the case,
            as ``run.json`` has it.
        identities: For each method that can run, what that is a hash of.
        measure_key: A hash of what measurements depend on besides the fill.
        device: Where methods and metric networks run.
        threads: Threads of each worker.
        found: What a process found out of methods that are probed, by name.
        scoring: Which picture of a fill is scored, and kept.
    """

    folder: Path
    seed: int
    metrics: tuple[str, ...]
    features: tuple[str, ...]
    weights: Mapping[str, Path]
    methods: Mapping[str, str]
    fill_keys: Mapping[str, str]
    identities: Mapping[str, str]
    measure_key: str
    device: str = "cpu"
    threads: int = 1
    found: Mapping[str, str] = field(default_factory=dict)
    scoring: Scoring = USUAL

    def blank_row(self, method: str, item: Item, case: PlannedCase) -> FillRow:
        """The row of a fill before anything happened."""
        key = fill_keys.of_case(self.fill_keys[method], case.prompt)
        return FillRow(method, item, case, key, self.measure_key)


@dataclass(frozen=True)
class Job:
    """A chunk of work for one method.

    Attributes:
        id: Number of the job in this run.
        method: Full name of the method.
        items: What to fill.
        cases: Their cases, by number.
        earlier: Of those whose fill still holds and only has to be measured again, what stays.
        fresh: Whether it must be the first job of a worker.
        told: What the method says of them where it was shown all cases (`Inpainter.tell`).
    """

    id: int
    method: str
    items: Sequence[Item]
    cases: Mapping[int, PlannedCase] = field(default_factory=dict)
    earlier: Mapping[Item, Kept] = field(default_factory=dict)
    fresh: bool = False
    told: Mapping[Item, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    """Something a worker or an executor says about a job.

    Attributes:
        job: Number of the job.
        kind: ``loaded``; ``together``, all items are worked on at once; ``started`` an item;
            ``kept`` items in a complete fragment; ``finished``; ``refused`` to load, with the
            status for all its items; ``lost``, the worker died; ``spoilt``, an item or loading left
            the worker unfit for others, such as out of memory, and it ends; ``broken``, as the run
            folder cannot be read or written: the run cannot go on if that is so for a fresh worker
            too.
        item: The item started, or that spoilt the worker.
        kept: The items kept, with the status of their rows.
        status: For ``refused`` and ``spoilt``.
        reason: Why, in words.
        traceback: Path in the run folder of that of an error, if one is kept.
    """

    job: int
    kind: str
    item: Item | None = None
    kept: tuple[tuple[Item, str], ...] = ()
    status: str = ""
    reason: str = ""
    traceback: str = ""


class Settled(NamedTuple):
    """How an item ended.

    Attributes:
        item: Which.
        status: Its row's status.
        reason: Why, if the scheduler gave it up.
        written: Whether a worker wrote its row.
        tries: How often it was tried, if the scheduler gave it up; 0 if never.
        traceback: Path of one in the run folder, if the scheduler gave it up for an error.
    """

    item: Item
    status: str
    reason: str = ""
    written: bool = True
    tries: int = 1
    traceback: str = ""
