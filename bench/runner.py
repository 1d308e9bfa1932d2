"""A run from request to tables: plan -> scheduler -> tables."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

import methods
from bench import plan as planning
from bench import provenance, tables
from bench.casework import blank_row
from bench.errors import BenchError, InputError
from bench.executors.inline import InlineExecutor
from bench.executors.local import LocalExecutor
from bench.images import BUNDLED
from bench.metrics import DEFAULT
from bench.metrics.meter import MetricStatus, resolve_metrics
from bench.plan import Protocol
from bench.progress import Progress
from bench.scheduler import Executor, Limits, Scheduler
from bench.store import FORMAT, Item, RunFolder, records
from bench.worker import Setup
from methods.base import CaseKey, Inpainter
from methods.harness import CEILING


@dataclass(frozen=True)
class Request:
    """What the user asks for.

    Attributes:
        out: The run folder; an existing one is continued.
        protocol: Photos, holes, sizes.
        methods: Full names; the ceiling is always added, since it checks the harness.
        metrics: Names of metrics; the default ones if None.
        samples: Fills per case of stochastic methods.
        executor: ``local`` or ``inline``.
        workers: Worker processes.
        threads: Threads of each worker.
        device: Where methods run.
        shard: ``(i, n)``: do only the i-th of n parts, from 0.
        retry_failed: Try again what failed, timed out or was killed before.
        offline: Fetch nothing.
        lpips_weights: File of the LPIPS backbone, instead of a search.
        fid_weights: File of the Inception network, likewise.
        limits: When to give up on a case or a method.
    """

    out: Path
    protocol: Protocol = field(default_factory=Protocol)
    methods: tuple[str, ...] = ()
    metrics: tuple[str, ...] | None = None
    samples: int = 1
    executor: str = "local"
    workers: int = 1
    threads: int = 1
    device: str = "cpu"
    shard: tuple[int, int] = (0, 1)
    retry_failed: bool = False
    offline: bool = False
    lpips_weights: Path | None = None
    fid_weights: Path | None = None
    limits: Limits = field(default_factory=Limits)


def run(request: Request) -> dict[str, Any]:
    """Do a run, or what is left of it.

    Returns:
        The content of ``run.json``.

    Raises:
        BenchError: Before any work, if the request cannot be served; later only if the folder
            cannot be written.
        KeyboardInterrupt: After what was done has been written; the same request continues.
    """
    store = RunFolder(request.out)
    store.path.mkdir(parents=True, exist_ok=True)
    with _only_writer(store, request.shard):
        specs = _methods(request, store)
        chosen = list(specs.values())
        plan, inputs, key = _plan(request, store)
        metrics = resolve_metrics(
            DEFAULT if request.metrics is None else request.metrics,
            offline=request.offline,
            lpips_weights=request.lpips_weights,
            fid_weights=request.fid_weights,
        )
        signatures = [m.metric.signature for m in metrics if m.status == "ok"]
        fingerprint = planning.fingerprint(plan, request.protocol, signatures)
        _same_protocol(store, fingerprint)
        wanted = _items(plan, chosen, request.samples)
        for method in chosen:
            method.expect([_case_key(plan, item) for item in wanted[method.name]])
        store.write_table("inputs.parquet", inputs)
        store.write_table("plan.parquet", plan)
        store.write_table("metrics.parquet", tables.metrics_table(metrics))
        store.write_table("methods.parquet", tables.methods_table(chosen))
        header = _header(request, store, chosen, metrics) | {
            "methods": {method.name: text for text, method in specs.items()},
            "fingerprint": fingerprint,
            "inputs_key": key,
            "fills_per_case": {m: len(items) // len(plan) for m, items in wanted.items()},
        }
        store.write_json("run.json", header)
        try:
            _work(request, store, plan, header, metrics, wanted)
        except KeyboardInterrupt:
            tables.finish(store, header, state="interrupted")
            raise
        return tables.finish(store, header, state="complete")


@contextlib.contextmanager
def _only_writer(store: RunFolder, shard: tuple[int, int]) -> Iterator[None]:
    """Hold the folder's lock; the system frees it whatever kills this process."""
    index, count = shard
    lock = FileLock(store.file(f".lock-{index}-of-{count}"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise BenchError(
            f"another run is writing into {store.path}; wait for it, or give another --out"
        ) from None
    except OSError as error:
        raise BenchError(f"cannot write into {store.path}: {error}; give another --out") from error
    try:
        if count == 1:
            store.sweep()
        yield
    finally:
        lock.release()


def _methods(request: Request, store: RunFolder) -> dict[str, Inpainter]:
    """The methods asked for, the ceiling, and those that the folder compares already.

    Returns:
        Methods by the text that asked for them.
    """
    earlier = store.read_json()["methods"] if store.file("run.json").exists() else {}
    asked = {methods.parse(text).name: text for text in [*request.methods, CEILING]}
    texts = {**earlier, **asked}.values()
    return {text: methods.get(text, device=request.device) for text in texts}


def _plan(request: Request, store: RunFolder) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Take the plan of an earlier start if its request and files are the same, else make it."""
    key = planning.inputs_key(request.protocol)
    if store.file("run.json").exists() and store.read_json().get("inputs_key") == key:
        with contextlib.suppress(InputError):
            return store.read_table("plan.parquet"), store.read_table("inputs.parquet"), key
    return (*planning.make(request.protocol, store), key)


def _same_protocol(store: RunFolder, fingerprint: str) -> None:
    """Refuse to mix two protocols in one folder; another set of metrics is measured anew."""
    if not store.file("run.json").exists():
        return
    before = store.read_json()["fingerprint"].split()
    differs = [
        f"{old} there, {new} now"
        for old, new in zip(before, fingerprint.split(), strict=True)
        if old != new and not new.startswith("metrics:")
    ]
    if differs:
        raise BenchError(
            f"{store.path} holds a run with another protocol ({'; '.join(differs)}); "
            "give another --out, or the options of that run"
        )


def _items(plan: pd.DataFrame, chosen: list[Inpainter], samples: int) -> dict[str, list[Item]]:
    """All fills of the run, slow methods first so that no slow one is left for the end."""
    ordered = sorted(chosen, key=lambda method: -method.card.cost)
    return {
        method.name: [
            Item(case, sample)
            for case in range(len(plan))
            for sample in range(samples if method.card.stochastic else 1)
        ]
        for method in ordered
    }


def _case_key(plan: pd.DataFrame, item: Item) -> CaseKey:
    row = plan.iloc[item.case]
    return CaseKey(row["photo"], row["tier"], int(row["draw"]), item.sample)


def _work(
    request: Request,
    store: RunFolder,
    plan: pd.DataFrame,
    header: dict[str, Any],
    metrics: list[MetricStatus],
    wanted: dict[str, list[Item]],
) -> None:
    """Settle every item of this shard that no earlier start settled."""
    done, earlier = tables.settled(store, header, retry_failed=request.retry_failed)
    todo = {
        method: [
            i for i in items if (method, i) not in done and _in_shard(method, i, request.shard)
        ]
        for method, items in wanted.items()
    }
    total = sum(map(len, todo.values()))
    if not total:
        return
    setup = _setup(request, header, metrics)
    facts = records(plan)
    with Progress(total) as progress, _executor(request, setup) as executor:

        def settle(method: str, item: Item, status: str, reason: str, written: bool) -> None:
            if not written:
                row = blank_row(facts[item.case], method, item, setup)
                row |= {"status": status, "reason": reason, "worker": "scheduler"}
                name = f"{setup.prefix}scheduler-{_digest(method, str(item))}"
                store.write_fragment(name, [row])
            progress.settled(status)

        Scheduler(executor, request.limits, settle).run(todo, earlier)


def _setup(request: Request, header: dict[str, Any], metrics: list[MetricStatus]) -> Setup:
    present = [m for m in metrics if m.status == "ok"]
    return Setup(
        folder=request.out,
        seed=request.protocol.seed,
        metrics=tuple(m.metric.name for m in present if m.metric.scope == "case"),
        features=tuple(header["features"]),
        weights={m.metric.network: m.weights for m in present if m.weights},
        methods=header["methods"],
        fill_keys=header["fill_keys"],
        measure_key=header["measure_key"],
        device=request.device,
        threads=request.threads,
        prefix=f"{request.shard[0]}-" if request.shard[1] > 1 else "",
    )


@contextlib.contextmanager
def _executor(request: Request, setup: Setup) -> Iterator[Executor]:
    executor: Executor
    if request.executor == "inline":
        executor = InlineExecutor(setup)
    elif request.executor == "local":
        executor = LocalExecutor(setup, request.workers)
    else:
        raise BenchError(f"executor: expected local or inline, found {request.executor!r}")
    try:
        yield executor
    finally:
        executor.close()


def _in_shard(method: str, item: Item, shard: tuple[int, int]) -> bool:
    index, count = shard
    return count == 1 or int(_digest(method, str(item.case)), 16) % count == index


def _header(
    request: Request, store: RunFolder, chosen: list[Inpainter], metrics: list[MetricStatus]
) -> dict[str, Any]:
    """The content of ``run.json`` before any work."""
    earlier = store.read_json() if store.file("run.json").exists() else {}
    present = [entry.metric for entry in metrics if entry.status == "ok"]
    seed = str(request.protocol.seed)
    return {
        "format": FORMAT,
        "state": "running",
        "created": earlier.get("created", provenance.now()),
        "photo_set": BUNDLED if request.protocol.photos == BUNDLED else "own photos",
        "protocol": asdict(request.protocol),
        "size_rule": request.protocol.geometry,
        "fill_keys": {m.name: _digest(m.name, m.identity, seed) for m in chosen},
        "measure_key": _digest(*sorted(metric.signature for metric in present)),
        "features": sorted({m.network for m in present if m.scope == "set" and m.network}),
        "environment": provenance.collect(),
    }


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
