"""Shards as jobs of a real Slurm: submitted, requeued, cancelled, merged, given again."""

import contextlib
import os

import pandas as pd
import pytest

from tests.support import commands, slurm

METHODS = ("--methods", "telea,Slow=tests/support/faulty.py:Slow")

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with contextlib.ExitStack() as running:
        try:
            found = running.enter_context(slurm.running(tmp_path_factory.mktemp("slurm")))
        except slurm.Absent as reason:
            pytest.skip(f"Slurm: {reason}")
        yield found


def give(cluster, out, photos, *more, seconds="0"):
    environment = {**cluster.environment, "SLOW_SECONDS": seconds}
    words = (*METHODS, "--executor", "slurm", "--shards", "3", *more)
    return commands.run(out, photos, *words, env=environment)


def jobs(done) -> tuple[str, str]:
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("submitted:")]
    words = line.replace(",", "").split()
    return words[words.index("shards") + 1], words[words.index("merge") + 1]


def ended(cluster, job):
    over = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"}
    return lambda: set(cluster.tasks(job).values()) <= over


def test_requeued_and_cancelled_shards_lose_nothing(tmp_path, photos, cluster):
    whole = tmp_path / "whole"
    fast = {**os.environ, "SLOW_SECONDS": "0"}
    assert commands.run(whole, photos, *METHODS, env=fast).returncode == 0
    out = tmp_path / "a 'run' of 50%"
    array, merge = jobs(give(cluster, out, photos, seconds="5"))
    assert set(cluster.tasks(array)) == {f"{array}_{number}" for number in range(3)}
    assert cluster.tasks(merge) == {merge: "PENDING"}

    refused = give(cluster, out, photos)
    assert refused.returncode == 2
    assert f"scancel {array} {merge}" in refused.stderr

    parts = [out / f"slurm/{number}-of-3" for number in range(3)]
    cluster.wait(lambda: any((parts[0] / "fragments").glob("*")), "shard 0 made nothing")
    cluster("scontrol", "requeue", f"{array}_0")
    cluster.wait(lambda: cluster.tasks(array)[f"{array}_0"] == "PENDING", "it was not requeued")
    kept = set((parts[0] / "fragments").glob("*"))
    assert kept
    cluster("scontrol", "update", f"JobId={array}_0", "StartTime=now")  # not in two minutes
    cluster.wait(lambda: (parts[2] / "run.json").exists(), "shard 2 did not begin")
    cluster("scancel", f"{array}_2")
    cluster.wait(ended(cluster, merge), "the merge did not end", 600)
    assert cluster.tasks(array) == {
        f"{array}_0": "COMPLETED", f"{array}_1": "COMPLETED", f"{array}_2": "CANCELLED",
    }  # fmt: skip
    assert kept <= set((parts[0] / "fragments").glob("*"))
    assert len(commands.header(parts[0])["starts"]) == 2
    assert cluster.tasks(merge) == {merge: "FAILED"}
    assert "ExitCode=1:0" in cluster("scontrol", "show", "job", merge)
    said = (out / "slurm/merge.log").read_text()
    assert "shards not finished: 2;" in said
    assert commands.header(out)["state"] == "incomplete"
    there = commands.quality(out)
    assert len(there) >= len(commands.cases(parts[0])) + len(commands.cases(parts[1]))

    array, merge = jobs(give(cluster, out, photos))
    cluster.wait(ended(cluster, merge), "the merge did not end", 600)
    assert set(cluster.tasks(array).values()) == {"COMPLETED"}
    assert cluster.tasks(merge) == {merge: "COMPLETED"}
    pd.testing.assert_frame_equal(commands.quality(out), commands.quality(whole))
    assert commands.header(out)["state"] == "complete"


def test_what_slurm_refuses_is_told_and_nothing_waits(tmp_path, photos, cluster):
    done = give(cluster, tmp_path / "out", photos, "--sbatch=--partition=nowhere")
    assert done.returncode == 2
    assert "sbatch refused: " in done.stderr
    assert "partition" in done.stderr
    assert "Traceback" not in done.stderr
    assert not cluster("squeue", "--noheader")


def test_a_shard_has_the_workers_that_slurm_gave_and_hears_that_its_time_is_over(
    tmp_path, photos, cluster
):
    out = tmp_path / "out"
    two = ("--sbatch=--cpus-per-task=2 --time=2", "--shards", "1", "--threads", "1")
    _, merge = jobs(give(cluster, out, photos, *two, seconds="600"))
    cluster.wait(ended(cluster, merge), "the merge did not end", 400)
    log = (out / "slurm/shard-0.log").read_text()
    assert "interrupted; the same command continues" in log
    part = commands.header(out / "slurm/0-of-1")
    assert part["state"] == "interrupted"
    assert part["starts"][-1]["workers"] == 2
    assert "not finished: 0;" in (out / "slurm/merge.log").read_text()
