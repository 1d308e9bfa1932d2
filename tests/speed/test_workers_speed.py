"""Worker processes: how fast they start, and two of them against one.

Two can be twice as fast as one only where two cores are free, so the machine's load is kept, too.
"""

import multiprocessing as mp
import os
import sys
from functools import partial

import pandas as pd
import pytest

from bench.executors.local import LocalExecutor
from bench.jobs import Job, Setup
from bench.protocol import Protocol
from bench.request import Request
from bench.runner import run
from tests import runs
from tests.speed.turns import keep, take_turns


def test_two_workers_against_one(benchmark, tmp_path):
    methods, protocol = ("lama:small", "telea"), Protocol(draws=2)
    if not benchmark.enabled:
        methods, protocol = ("mean",), Protocol(limit=1)
    done = []

    def work(workers: int) -> None:
        out = tmp_path / str(len(done))
        run(Request(out, protocol, methods=methods, workers=workers, offline=True))
        done.append(out)

    forms = {"two workers": partial(work, 2), "one worker": partial(work, 1)}
    turns = take_turns(benchmark, forms, rounds=3)
    pd.testing.assert_frame_equal(runs.quality(done[0]), runs.quality(done[1]))
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    keep(benchmark, turns, *forms, "a run", load_of_each_core=load)


@pytest.mark.skipif(sys.platform != "linux", reason="workers are not forked here")
def test_starting_a_worker_against_a_fresh_process(benchmark, tmp_path):
    name = {"mean": "mean"}
    setup = Setup(tmp_path, 0, ("lpips_untrained",), (), {}, methods=name, fill_keys=name,
                  measure_key="")  # fmt: skip

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
