"""Latency from request to tables: start the processes, follow the protocol, sum up."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import torch

import methods
from bench.errors import BenchError, writing
from bench.folder.latency_facts import AnchorPlace, AnchorTwice, LatencyFacts
from bench.folder.store import RunFolder, records
from bench.latency import anchors, inputs, table
from bench.latency.answers import NOT_TIMED, Loaded, Refused, Subject
from bench.latency.bout import Bout, Pace
from bench.latency.compare import TABLE
from bench.latency.processes import Process, data_limit, started
from bench.latency.questions import SLOW, load_all, look, speeds
from bench.latency.rounds import Rounds
from bench.latency.table import Side
from bench.machine import flops, provenance
from bench.planning import bundled

SAMPLES = "latency-samples.parquet"


@dataclass(frozen=True)
class LatencyRequest:
    """What to time, and where.

    Attributes:
        methods: As asked for, such as ``lama:small@bf16``.
        device: As torch writes it.
        sizes: Of the photos, as `inputs.geometries` takes them.
        tiers: Of the holes.
        images: Folder of photos, or a bundled set.
        masks: Masks of these photos, in place of generated holes of all tiers.
        threads: Of each process.
        shared: Whether others use this machine: margins are wider then.
        pace: How long.
        batches: Whether throughput is measured at growing batches, at the first size.
        by_rule: Whether all weights are made by rule, to see how fast a network is without them.
        together: Whether all methods are loaded at once, which is sooner but leaves out how long
            loading takes.
        seed: Of holes and of the order.
        timeout: Seconds for one call.
        quiet: Whether what methods found out when they were loaded is known already.
    """

    methods: tuple[str, ...]
    device: str = "cpu"
    sizes: tuple[int | str, ...] = (256,)
    tiers: tuple[str, ...] = ("small", "region", "large")
    images: str = bundled.BUNDLED
    masks: str | None = None
    threads: int = 1
    shared: bool = False
    pace: Pace = field(default_factory=Pace)
    batches: bool = False
    by_rule: bool = False
    together: bool = False
    seed: int = 0
    timeout: float = 600.0
    quiet: bool = False


@dataclass(frozen=True)
class Measured:
    """What came of it.

    Attributes:
        table: As of `table.build`.
        samples: All samples.
        facts: The machine, the settings, the anchors, and how far they agree with themselves.
    """

    table: pd.DataFrame
    samples: pd.DataFrame
    facts: LatencyFacts

    @property
    def untimed(self) -> dict[str, Refused]:
        """Why, of methods of which no call was timed."""
        timed = set(self.table.loc[self.table["n"] > 0, "method"])
        first = self.table[~self.table["method"].isin(timed)].drop_duplicates("method")
        return {r["method"]: Refused(r["status"], r["reason"]) for r in records(first)}

    @property
    def failed(self) -> bool:
        """Whether a method that was to be timed was not."""
        return any(refused.status != NOT_TIMED for refused in self.untimed.values())


def fastest_device() -> str:
    """The first CUDA device, or the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def threads_here() -> int:
    """Physical cores that this process may use."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(psutil.cpu_count(logical=False) or 1, here or 1)


def measure(request: LatencyRequest, tell: Callable[[str], None] = print) -> Measured:
    """Time methods.

    Args:
        request: What.
        tell: Called with lines of progress.

    Raises:
        BenchError: If a method is unknown, none can be timed, or an anchor fails.
    """
    names = _names(request.methods)
    kind = request.device.partition(":")[0]
    with (
        tempfile.TemporaryDirectory(prefix="inpaint-bench-") as folder,
        started(_subjects(names, request), request.timeout) as processes,
    ):
        configs = inputs.write(
            Path(folder),
            request.images,
            request.masks,
            request.sizes,
            request.tiers if request.masks is None else (inputs.OWN,),
            request.seed,
        )
        words, ceilings = _anchors(processes)
        sides = {name: Side() for name in names}
        bouts = [Bout(config) for config in configs]
        loading = {name: processes[name] for name in names}
        load_all(loading, sides, bouts, request.together, request.quiet, tell)
        protocol = Rounds(
            processes,
            anchors.NAMES,
            kind,
            request.pace,
            request.seed,
            tell,
            lambda name, bout: look(processes[name], sides[name], bout),
            threads=request.threads,
        )
        try:
            protocol.run(bouts)
            if request.batches:
                for name, side in sides.items():
                    if name in bouts[0].calls:
                        slow = name in bouts[0].slow
                        side.speeds = SLOW if slow else speeds(processes[name], configs[0], tell)
        except KeyboardInterrupt:
            if not protocol.samples:
                raise
            tell("interrupted: what was measured is kept")
    setting = {"device": kind, "threads": request.threads, "basis": protocol.basis}
    samples = protocol.table()
    twice = table.self_tests(samples, bouts, protocol.basis)
    facts = _facts(request, setting, words, ceilings, twice)
    return Measured(table.build(samples, bouts, sides, setting), samples, facts)


def measure_into(
    folder: Path, request: LatencyRequest, tell: Callable[[str], None] = print
) -> Measured:
    """Measure, and put it into a run folder, where it replaces what was there.

    Raises:
        BenchError: As `measure`, or if the folder cannot be written.
    """
    store = RunFolder(folder)
    with writing(folder):  # learned before, and not after, what takes minutes
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    tell("a stop (Ctrl-C, SIGTERM) keeps the rounds measured until then; a kill loses all of them")
    measured = measure(request, tell)
    store.write_table(SAMPLES, measured.samples)
    store.write_table(TABLE, measured.table)
    measured.facts.write(store)
    return measured


def _names(asked: Sequence[str]) -> dict[str, str]:
    """What asks for each method, by its full name.

    Raises:
        BenchError: If there is no such method, or nothing of it can be timed.
    """
    specs = [methods.parse(text) for text in asked]
    folders = [spec.name for spec in specs if spec.kind == "folder"]
    if folders:
        raise BenchError(
            f"latency: {', '.join(folders)}: outputs made elsewhere take no time here; leave them "
            "out"
        )
    if not specs:
        raise BenchError("latency: expected a method at least, found none")
    return {spec.name: spec.text for spec in specs}


def _subjects(names: dict[str, str], request: LatencyRequest) -> list[Subject]:
    """Each anchor and each method."""
    limit = data_limit(request.device)
    return [
        Subject(name, text, request.device, request.threads, request.by_rule, limit)
        for name, text in (dict.fromkeys(anchors.NAMES, "") | names).items()
    ]


def _anchors(processes: dict[str, Process]) -> tuple[dict[str, str], dict[str, float]]:
    """What the anchors are, and the ceilings of their device."""
    loaded: dict[str, Loaded] = {name: processes[name].ask("load") for name in anchors.NAMES}
    ceilings: dict[str, float] = processes[anchors.ANCHOR].ask("ceilings")
    return {name: str(each.facts["words"]) for name, each in loaded.items()}, ceilings


def _facts(
    request: LatencyRequest,
    setting: dict[str, Any],
    words: dict[str, str],
    ceilings: dict[str, float],
    twice: Sequence[AnchorTwice],
) -> LatencyFacts:
    environment = provenance.collect()
    return LatencyFacts(
        time=provenance.now(),
        request=asdict(request),
        anchors=words,
        anchor_identity=AnchorPlace(
            torch=str(torch.__version__),
            processor=environment["processor"],
            accelerator=environment["accelerator"] if setting["device"] != "cpu" else "",
            threads=request.threads,
        ),
        basis=setting["basis"],
        kind="shared" if request.shared else "dedicated",
        settings={
            "number format": "float32, TF32 off, but where a row's name says otherwise",
            "cudnn.benchmark": True,
            "memory format": "contiguous, but @channels_last",
            "compiled": "no, but @compile",
            "gradients": "off (inference mode)",
            "garbage collection": "off within a sample",
            "threads": f"{request.threads}, OpenCV likewise",
            "denormal numbers": "kept",
            "operations": flops.RULE,
        },
        ceilings=ceilings,
        environment=environment,
        self_tests=twice,
    )
