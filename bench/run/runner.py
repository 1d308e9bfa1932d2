"""A run from request to tables: open the folder, let the scheduler work, close the tables."""

from __future__ import annotations

import contextlib
import random
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.errors import few
from bench.folder.header import Header
from bench.folder.same_fills import machines_agree
from bench.folder.store import Item, RunFolder
from bench.metrics.meter import weight_files
from bench.run import compaction
from bench.run.executors.executor import Executor
from bench.run.executors.inline import InlineExecutor
from bench.run.executors.local import LocalExecutor, prepare
from bench.run.fills import Fills
from bench.run.lock import only_writer
from bench.run.messages import Settled, Setup
from bench.run.new_header import digest
from bench.run.progress import Progress
from bench.run.request import Request
from bench.run.resume import Opened, open_run
from bench.run.scheduler import Scheduler
from bench.run.time_left import Forecast, seconds_a_fill
from bench.text.numbers import counted
from bench.text.plain import one_line
from methods.base import Inpainter

if TYPE_CHECKING:
    from bench.run.executors.ray import RayExecutor


def run(request: Request, progress: Progress | None = None) -> Header:
    """Do a run, or what is left of it.

    Args:
        request: What is asked for.
        progress: Where to tell how far it is, if somebody began to already.

    Returns:
        The content of ``run.json``.

    Raises:
        BenchError: Before any work, if the request cannot be served; later only if the folder
            cannot be read or written.
        KeyboardInterrupt: After what was done has been written; the same request continues.
    """
    with (
        progress or Progress() as progress,
        only_writer(request.out) as store,
        _cluster(request) as cluster,
    ):
        if cluster is not None:
            workers = request.workers or cluster.seats
            request = replace(request, nodes=cluster.machines, workers=workers)
        if request.executor == "local" and not store.file("run.json").exists():
            # On another core while the plan is made; of another start there may be nothing left.
            prepare(request.threads, request.measured if request.truth_known else ())
        opened = open_run(request, store, progress)
        _say_absent(opened)
        try:
            fragments = _work(request, opened, progress, cluster)
        except KeyboardInterrupt:
            compaction.finish(store, opened.header, state="interrupted")
            raise
        progress.stage("computing the metrics of sets")
        return compaction.finish(
            store,
            opened.header,
            state="complete",
            fragments=fragments,
            files=weight_files(opened.metrics),
            device=request.here,
            threads=request.processes * request.threads,
        )


def _say_absent(opened: Opened) -> None:
    """Say which metrics cannot be measured, and what mends it, once for each reason."""
    absent: dict[str, list[str]] = {}
    for entry in opened.metrics:
        if entry.status == "absent":
            absent.setdefault(entry.reason, []).append(entry.metric.name)
    for reason, names in absent.items():
        print(one_line(f"{', '.join(names)} not measured: {reason}"), file=sys.stderr)


def _work(
    request: Request, opened: Opened, progress: Progress, cluster: RayExecutor | None
) -> pd.DataFrame | None:
    """Settle every item of this shard that no earlier start settled.

    Returns:
        What all fragments hold, if there was nothing to do and so none was added.
    """
    store, header = opened.store, opened.header
    fragments = store.read_fragments(join=True)
    done, earlier, lost = compaction.settled(
        store, fragments, header, retry_failed=request.retry_failed
    )
    _say_damaged(store, lost, opened)
    todo = {}
    for method, fills in opened.wanted.items():
        ours, over = _of_shard(method, fills, request.shard, opened), done[done["method"] == method]
        todo[method] = ours.where(~ours.among(over)) + _made_again(opened, method, ours, over)
    for method, count in compaction.of_others(fragments, header).items():
        print(
            f"{method}: {count} kept fills are by other code, parameters, weights, files or "
            "libraries; they are made anew",
            file=sys.stderr,
        )
    setup = _setup(request, opened)
    unfilled = _of_gone(request, opened, fragments)
    for method, settled in unfilled.items():
        _give_up(setup, opened, method, settled)
    if not any(todo.values()):
        return None if unfilled else fragments
    paces = seconds_a_fill(fragments)
    del fragments, done  # no less than the table of all cases
    with _executor(request, setup, cluster) as executor:
        counts = {method: len(items) for method, items in todo.items() if items}
        forecast = Forecast(executor.capacity, paces, dict(counts))
        progress.filling(counts, forecast)

        def settle(method: str, settled: Sequence[Settled]) -> None:
            _give_up(setup, opened, method, [entry for entry in settled if not entry.written])
            progress.settled(method, [entry.status for entry in settled])

        tell = {name: partial(_told, opened, each) for name, each in opened.telling.items()}
        scheduler = Scheduler(executor, request.limits, settle, forecast, tell=tell)
        try:
            scheduler.run(todo, opened.plan, earlier)
        except KeyboardInterrupt:
            progress.stage("stopping: writing what is finished; Ctrl-C again stops at once")
            scheduler.wind_down()
            raise
    return None


def _told(opened: Opened, method: Inpainter, item: Item) -> str:
    return method.tell(opened.plan[item.case].key_of(item.sample))


def _say_damaged(store: RunFolder, lost: Mapping[str, int], opened: Opened) -> None:
    """Say what an earlier start left and is damaged, and what becomes of it."""
    if again := sum(count for method, count in lost.items() if method in opened.wanted):
        print(f"{counted(again, 'fill')} whose kept pictures were damaged or gone are made anew",
              file=sys.stderr)  # fmt: skip
    for method in lost.keys() - opened.wanted.keys():
        print(
            f"{method}: kept pictures of {counted(lost[method], 'fill')} are damaged or gone, and "
            "are not made anew, as it is not asked for or cannot run now",
            file=sys.stderr,
        )
    if store.aside:
        print(
            f"{counted(len(store.aside), 'damaged file')} set aside in {store.file('quarantine')}: "
            f"{few(store.aside, 3)}; what they held is made anew where it can be",
            file=sys.stderr,
        )


def _give_up(setup: Setup, opened: Opened, method: str, settled: Sequence[Settled]) -> None:
    """Write the rows of fills that no worker wrote."""
    rows = [
        replace(
            setup.blank_row(method, entry.item, opened.plan[entry.item.case]),
            status=entry.status,
            reason=entry.reason,
            attempt=entry.tries,
            traceback=entry.traceback,
        ).columns()
        for entry in settled
    ]
    if rows:
        opened.store.write_fragment(f"scheduler-{uuid.uuid4().hex}", rows)


def _of_gone(request: Request, opened: Opened, fragments: pd.DataFrame) -> dict[str, list[Settled]]:
    """What methods of earlier starts lack, as of photos added since, that cannot run now."""
    found = {}
    for method, why in opened.gone.items():
        reason = f"it cannot run now, and had not filled this before: {why}"
        tried = compaction.tried(opened.store, fragments, opened.header, method)
        fills = Fills.of(len(opened.plan), opened.header.fills_per_case[method])
        ours = _of_shard(method, fills, request.shard, opened)
        found[method] = [
            Settled(item, "unavailable", reason, written=False, tries=0)
            for item in ours.where(~ours.among(tried))
        ]
    return {method: settled for method, settled in found.items() if settled}


def _made_again(opened: Opened, method: str, fills: Fills, done: pd.DataFrame) -> Fills:
    """A few kept fills of a deterministic method, to be made again and compared.

    What a method's identity does not see, such as a file it opens at every fill, shows here, if
    this is the machine that made them.
    """
    starts = opened.header.starts
    kept = fills.where(fills.among(done[done["status"] == "ok"]))
    if method not in opened.deterministic or len(starts) < 2 or not machines_agree(starts):
        return kept[:0]
    pick = random.Random(f"{len(starts)} {method}")  # others at each start
    count = min(len(kept), 1 + min(len(kept) // 100, 4))
    chosen = pick.sample(range(len(kept)), count)
    return Fills(kept.numbers[chosen], kept.samples)


def _setup(request: Request, opened: Opened) -> Setup:
    present = [entry for entry in opened.metrics if entry.status == "ok"]
    header = opened.header
    return Setup(
        folder=request.out.absolute(),  # methods may change the directory
        seed=request.protocol.seed,
        # Drift needs the raw output, so it is measured with every fill, asked for or not.
        metrics=tuple(
            entry.text
            for entry in present
            if entry.metric.scope == "case" and entry.metric.name != "drift"
        ),
        features=tuple(header.features),
        weights=weight_files(opened.metrics),
        methods=dict(header.methods),
        fill_keys=dict(header.fill_keys),
        identities=opened.identities,
        measure_key=header.measure_key,
        device=request.device,
        threads=request.threads,
        found=opened.found,
        scoring=request.protocol.scoring,
    )


@contextlib.contextmanager
def _cluster(request: Request) -> Iterator[RayExecutor | None]:
    """Where workers of other machines live; joined before any work, as it may be refused."""
    if request.executor != "ray":
        yield None
        return
    from bench.run.executors.ray import RayExecutor

    with contextlib.closing(RayExecutor(request)) as cluster:
        yield cluster


@contextlib.contextmanager
def _executor(request: Request, setup: Setup, cluster: RayExecutor | None) -> Iterator[Executor]:
    executor: Executor
    if cluster is not None:
        cluster.begin(setup)
        yield cluster
        return
    if request.executor == "inline":
        executor = InlineExecutor(setup)
    else:
        executor = LocalExecutor(setup, request.workers)
    try:
        yield executor
    finally:
        executor.close()


def _of_shard(method: str, fills: Fills, shard: tuple[int, int], opened: Opened) -> Fills:
    """The fills of a shard: by their case, which keeps its shard as photos are added."""
    index, count = shard
    if count == 1:
        return fills
    ours = [int(digest(method, key), 16) % count == index for key in opened.plan.keys]
    return fills.of_cases(np.array(ours))
