"""Worker processes: how fast they start, and two of them on two cores against one on one.

A worker that may use two cores does, for a third of its time: it packs fills while it measures. So
all processes are held to as many cores as there are workers. Two can be twice as fast as one only
where two cores are free, so the machine's load is kept, too.
"""

import contextlib
import multiprocessing as mp
import os
import sys
from functools import partial

import pandas as pd
import psutil
import pytest

from bench.planning.protocol import Protocol
from bench.run.executors.local import LocalExecutor
from bench.run.messages import Job, Setup
from bench.run.request import Request
from bench.run.runner import run
from tests.support import commands
from tests.support.turns import keep, take_turns

CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def hold_to(count: int) -> None:
    """Let this process and those that it started use so many cores."""
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        for thread in process.threads():
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.sched_setaffinity(thread.id, sorted(CORES)[:count])


@pytest.mark.skipif(len(CORES) < 2, reason="needs two cores that processes can be held to")
def test_two_workers_against_one(benchmark, tmp_path):
    methods, protocol = ("lama:small", "telea"), Protocol(draws=2)
    if not benchmark.enabled:
        methods, protocol = ("mean",), Protocol(limit=1)
    done = []

    def work(workers: int) -> None:
        out = tmp_path / str(len(done))
        hold_to(workers)
        try:
            run(Request(out, protocol, methods=methods, workers=workers, offline=True))
        finally:
            hold_to(len(CORES))
        done.append(out)

    forms = {"two workers": partial(work, 2), "one worker": partial(work, 1)}
    turns = take_turns(benchmark, forms, rounds=3)
    pd.testing.assert_frame_equal(commands.quality(done[0]), commands.quality(done[1]))
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    keep(benchmark, turns, *forms, "a run", load_of_each_core=load)


@pytest.mark.skipif(sys.platform != "linux", reason="workers are not forked here")
def test_starting_a_worker_against_a_fresh_process(benchmark, tmp_path):
    name = {"mean": "mean"}
    setup = Setup(tmp_path, 0, ("lpips_untrained",), (), {}, name, name, name, measure_key="")

    def start(method: str) -> None:
        executor = LocalExecutor(setup, 1)
        executor._context = mp.get_context(method)
        executor.submit(Job(0, "mean", ()))
        kinds = []
        while "finished" not in kinds:
            event = executor.next(60)
            kinds.append(event.kind)
        executor.close()
        assert kinds == ["loaded", "finished"]

    start("forkserver")
    forms = {
        "forked worker": partial(start, "forkserver"),
        "fresh process": partial(start, "spawn"),
    }
    keep(benchmark, take_turns(benchmark, forms, rounds=5), *forms, "starting a worker")
