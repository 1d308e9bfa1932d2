import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from bench.folder.store import RunFolder
from tests.support import commands
from tests.support.hub import files_of

METHODS = "telea,noise,Slow=tests.support.faulty:Slow"


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, photos) -> Path:
    out = tmp_path_factory.mktemp("whole") / "out"
    done = commands.run(out, photos, "--methods", METHODS, env={**os.environ, "SLOW_SECONDS": "0"})
    assert done.returncode == 0, done.stderr
    return out


def start(
    out: Path, photos: Path, marker: Path, *words: str, **environment: str
) -> subprocess.Popen:
    """Start a run in a process group of its own and wait until a worker is at work."""
    process = subprocess.Popen(
        commands.command(out, photos, "--methods", METHODS, *words),
        env={**os.environ, "SLOW_STARTED": str(marker), "SLOW_SECONDS": "3", **environment},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=commands.hear_interrupts,
    )
    deadline = time.monotonic() + 120
    while not marker.exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


def wait_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 30
    while any(psutil.pid_exists(p) and psutil.Process(p).status() != "zombie" for p in pids):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.1)


def finish(out: Path, photos: Path) -> None:
    done = commands.run(out, photos, "--methods", METHODS, env={**os.environ, "SLOW_SECONDS": "0"})
    assert done.returncode == 0, done.stderr


def test_a_killed_run_leaves_no_orphan_and_continues_to_the_same_tables(
    tmp_path, photos, uninterrupted
):
    out = tmp_path / "out"
    process = start(out, photos, tmp_path / "started")
    workers = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    wait_gone(workers)
    finish(out, photos)
    pd.testing.assert_frame_equal(commands.quality(out), commands.quality(uninterrupted))
    assert not list(out.rglob(".*.tmp"))


def test_a_worker_whose_method_lets_no_other_thread_run_ends_with_its_parent(tmp_path, photos):
    endless = {"SLOW_SECONDS": "3600", "SLOW_AND_ALONE": "1"}
    process = start(tmp_path / "out", photos, tmp_path / "started", **endless)
    children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    assert int((tmp_path / "started").read_text()) in children
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    wait_gone(children)


def test_control_c_says_how_to_go_on_and_leaves_no_orphan(tmp_path, photos, uninterrupted):
    out = tmp_path / "out"
    process = start(out, photos, tmp_path / "started")
    workers = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    os.killpg(process.pid, signal.SIGINT)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command continues" in messages
    assert "Traceback" not in messages
    wait_gone(workers)
    finish(out, photos)
    pd.testing.assert_frame_equal(commands.quality(out), commands.quality(uninterrupted))


STRUCK = """
import os, signal, sys
class Strikes:
    def find_spec(name, *_):
        if name == "bench.cli.run":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Strikes)
"""


def test_control_c_while_the_command_loads_is_no_traceback(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(STRUCK)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [commands.sys.executable, "-m", "bench", "list"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": path}, preexec_fn=commands.hear_interrupts,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def kept_fills(out: Path, method: str) -> set[str]:
    """The pictures that rows of fragments are of."""
    rows = RunFolder(out).read_fragments()
    return set(rows.loc[rows["method"] == method, "output"])


@pytest.mark.parametrize("executor", ["local", "inline"])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_what_is_finished_is_kept_when_a_run_is_asked_to_end(
    tmp_path, photos, uninterrupted, executor, sent
):
    out = tmp_path / "out"
    pace = {"SLOW_SECONDS": "0.2"}
    process = start(out, photos, tmp_path / "started", "--executor", executor, **pace)
    made = out / "outputs/Slow"
    while len(list(made.rglob("*.png"))) < 3:  # less than what is written at once
        time.sleep(0.01)
    process.send_signal(sent)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 128 + sent, messages
    kept, there = (
        kept_fills(out, "Slow"),
        {f"{path.relative_to(out)}" for path in made.rglob("*.png")},
    )
    assert kept <= there
    # Inline the signal ends what is at work: of one fill the picture may be there, but no row.
    assert len(there - kept) <= (executor == "inline")
    finish(out, photos)
    pd.testing.assert_frame_equal(commands.quality(out), commands.quality(uninterrupted))
    assert files_of(out / "outputs") == files_of(uninterrupted / "outputs")


def test_a_fill_that_hangs_does_not_hold_a_run_that_is_to_end(tmp_path, photos):
    process = start(tmp_path / "out", photos, tmp_path / "started", SLOW_SECONDS="3600")
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 130, messages


def test_a_killed_worker_is_replaced(tmp_path, photos, uninterrupted):
    out, marker = tmp_path / "out", tmp_path / "started"
    process = start(out, photos, marker, SLOW_SECONDS="1")
    os.kill(int(marker.read_text()), signal.SIGKILL)
    _, messages = process.communicate(timeout=120)
    assert process.returncode == 0, messages
    pd.testing.assert_frame_equal(commands.quality(out), commands.quality(uninterrupted))


def test_a_second_run_into_the_folder_is_refused(tmp_path, photos):
    out = tmp_path / "out"
    process = start(out, photos, tmp_path / "started")
    second = commands.run(out, photos, "--methods", "telea")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert second.returncode == 2
    assert "another run is writing" in second.stderr


def test_a_full_disk_stops_the_run_and_what_was_done_is_kept(tmp_path, photos, uninterrupted):
    out = tmp_path / "out"

    size = min(path.stat().st_size for path in (uninterrupted / "fragments").iterdir()) - 1

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    stopped = commands.run(
        out, photos, "--methods", METHODS, preexec_fn=limit,
        env={**os.environ, "SLOW_SECONDS": "0"},
    )  # fmt: skip
    assert stopped.returncode == 2
    assert "File too large" in stopped.stderr
    assert "cannot write" in stopped.stderr
    assert not list(out.rglob(".*.tmp"))
    finish(out, photos)
    pd.testing.assert_frame_equal(commands.quality(out), commands.quality(uninterrupted))


def test_a_damaged_fragment_is_set_aside_and_computed_again(tmp_path, photos, uninterrupted):
    out = tmp_path / "out"
    finish(out, photos)
    fragment = sorted((out / "fragments").glob("*.parquet"))[0]
    fragment.write_bytes(fragment.read_bytes()[:-100])
    finish(out, photos)
    assert [p.name for p in (out / "quarantine/fragments").iterdir()] == [fragment.name]
    pd.testing.assert_frame_equal(commands.quality(out), commands.quality(uninterrupted))


def test_shards_merged_equal_the_whole(tmp_path, photos, uninterrupted):
    parts = [tmp_path / "part0", tmp_path / "part1"]
    environment = {**os.environ, "SLOW_SECONDS": "0"}
    for index, part in enumerate(parts):
        shard = ("--methods", METHODS, "--shard", f"{index}/2")
        assert commands.run(part, photos, *shard, env=environment).returncode == 0
        assert 0 < len(commands.cases(part)) < len(commands.cases(uninterrupted))
    merged = tmp_path / "merged"
    words = ["-m", "bench", "merge", str(merged), *map(str, parts)]
    subprocess.run([commands.sys.executable, *words], check=True, timeout=120)
    pd.testing.assert_frame_equal(commands.quality(merged), commands.quality(uninterrupted))


@pytest.mark.nightly
def test_each_of_many_kills_soon_after_a_start_leaves_more_than_was_there(tmp_path, photos):
    out = tmp_path / "out"
    kept = 0
    for number in range(5):
        marker = tmp_path / f"started-{number}"
        process = start(out, photos, marker, "--tiers", "small,region,large", "--draws", "20",
                        SLOW_SECONDS="0.5")  # fmt: skip
        time.sleep(8)  # of some 90 s of work
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()
        assert len(kept_fills(out, "Slow")) > kept
        kept = len(kept_fills(out, "Slow"))
