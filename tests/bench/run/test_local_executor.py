"""Worker processes: where they come from, and what they know. Faults are in ``tests/faults``."""

import json
import os
import sys
from contextlib import closing

import cv2
import psutil
import pytest
import torch

from bench.planning.protocol import Protocol
from bench.run.executors.inline import InlineExecutor
from bench.run.executors.local import LocalExecutor
from bench.run.messages import Job, Setup
from bench.run.request import Request
from bench.run.runner import run
from tests.support import commands

linux = pytest.mark.skipif(sys.platform != "linux", reason="workers are not forked here")


@linux
@pytest.mark.slow
def test_workers_are_forked_from_a_process_of_one_thread_that_loaded_the_libraries(tmp_path):
    name = {"mean": "mean"}
    setup = Setup(tmp_path, 0, ("lpips_untrained",), (), {}, name, name, name, "", threads=4)
    ours = psutil.Process()
    before = ours.children(recursive=True)
    with closing(LocalExecutor(setup, 1)) as executor:
        executor.submit(Job(0, "mean", ()))
        while executor.next(60).kind != "finished":
            pass
        found = [each for each in ours.children(recursive=True) if each not in before]
        # The worker's keeper, and the worker.
        (keeper,) = [each for each in found if each.children() and each.parent() != ours]
        (worker,) = keeper.children()
        source = keeper.parent()
        assert len({os.getsid(each.pid) for each in (ours, keeper, worker)}) == 3
        assert source.num_threads() == 1
        loaded = {path.path for path in source.memory_maps()}
        assert any("libtorch" in path for path in loaded)


@pytest.mark.slow
def test_workers_see_the_environment_of_their_own_start(tmp_path, photos, monkeypatch):
    protocol = Protocol(photos=str(photos), size=64, limit=1)
    found = []
    for name in ("missing", "there"):
        (tmp_path / "there").touch()
        monkeypatch.setenv("WEIGHTS_FILE", str(tmp_path / name))
        out = tmp_path / f"run-{name}"
        own = ("WantsWeights=tests.support.faulty:WantsWeights",)
        run(Request(out, protocol, own, metrics=("psnr_db",), offline=True))
        found.append(set(commands.cases(out).loc["WantsWeights"]["status"]))
    assert found == [{"unavailable"}, {"ok"}]


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("executor", ["local", "inline"])
def test_a_method_runs_on_as_many_threads_as_asked_for(tmp_path, photos, executor, threads):
    # In a process of its own: PyTorch gives other last digits once it had another number.
    own = ["--methods", "counting=tests.support.faulty:CountsThreads", "--limit", "1"]
    done = commands.run(tmp_path, photos, *own, "--executor", executor, "--threads", threads)
    assert done.returncode == 0, done.stderr
    counted = commands.cases(tmp_path).query("method == 'counting'")["counts"].map(json.loads)
    assert [each["torch"] for each in counted] == [int(threads)] * 3
    if sys.platform == "linux":  # elsewhere OpenCV may use threads of the system's choice
        assert [each["opencv"] for each in counted] == [int(threads)] * 3


def test_an_executor_in_this_process_gives_its_threads_back(tmp_path):
    before = torch.get_num_threads(), cv2.getNumThreads()
    name = {"mean": "mean"}
    with closing(InlineExecutor(Setup(tmp_path, 0, (), (), {}, name, name, name, "", threads=1))):
        assert torch.get_num_threads() == 1
    assert (torch.get_num_threads(), cv2.getNumThreads()) == before
