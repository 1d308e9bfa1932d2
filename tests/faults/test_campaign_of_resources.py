"""The campaign of what runs out: disk, inodes, file handles, memory, shared memory, permission.

Whatever runs out, a command ends with words of ours and leaves no temporary file; given again with
enough of it, it ends as one that never lacked anything.
"""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.test_campaign_of_kills import same
from tests.support import commands, strikes
from tests.support.hub import files_of
from tests.support.trainings import SIDE

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="limits and mounts are Linux's"),
    pytest.mark.nightly,
]
BENCH = [sys.executable, "-m", "bench"]
METHODS = ("--methods", "telea,noise", "--workers", "2")
MIB = 1 << 20


@pytest.fixture(scope="module")
def whole(tmp_path_factory, photos) -> Path:
    out = tmp_path_factory.mktemp("whole") / "out"
    done = commands.run(out, photos, *METHODS)
    assert done.returncode == 0, done.stderr
    return out


@contextlib.contextmanager
def small_disk(place: Path, options: str) -> Iterator[Callable[[str], None]]:
    """A file system in memory; gives what changes its options."""

    def mount(options: str) -> None:
        again = ",remount" if os.path.ismount(place) else ""
        words = ["mount", "-t", "tmpfs", "-o", options + again, "tmpfs", str(place)]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr}")

    place.mkdir()
    mount(options)
    try:
        yield mount
    finally:
        subprocess.run(["umount", str(place)], check=True)


def in_words(done: subprocess.CompletedProcess[str], *statuses: int) -> None:
    """It ended as it may, without a traceback."""
    assert done.returncode in statuses, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 0 or "inpaint-bench: " in done.stderr, done.stderr


def continued(out: Path, photos: Path, whole: Path, *more: str) -> None:
    """The same command, now that there is enough, ends equal."""
    done = commands.run(out, photos, *METHODS, *more)
    assert done.returncode == 0, done.stderr
    assert strikes.temporary(out) == []
    same(out, whole)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_full_disk(tmp_path, photos, whole, share):
    used = sum(-(-len(data) // 4096) * 4096 for data in files_of(whole).values())
    with small_disk(tmp_path / "disk", f"size={int(share * used) // 4096 * 4096}") as mount:
        out = tmp_path / "disk" / "out"
        in_words(commands.run(out, photos, *METHODS), 2)
        mount("size=1g")
        continued(out, photos, whole)


@pytest.mark.parametrize("inodes", [3, 45])
def test_no_inodes(tmp_path, photos, whole, inodes):
    with small_disk(tmp_path / "disk", f"size=1g,nr_inodes={inodes}") as mount:
        out = tmp_path / "disk" / "out"
        in_words(commands.run(out, photos, *METHODS), 2)
        mount("size=1g,nr_inodes=100k")
        continued(out, photos, whole)


@pytest.mark.parametrize("command", ["report", "merge", "latency", "train", "masks"])
def test_a_full_disk_of_another_command(tmp_path, photos, whole, archive, command):
    run = tmp_path / "disk" / "run"
    words = {
        "report": ["report", str(run)],
        "merge": ["merge", str(run.with_name("merged")), str(whole)],
        "latency": ["latency", "--methods", "mean", "--sizes", "32", "--tiers", "region",
                    "--short", "--limit", "1", "--device", "cpu", "--out", str(run)],
        "train": ["train", "lama", "--images", str(archive), "--budget", "8", "--batch", "4",
                  "--block", "4", "--crop", str(SIDE), "--networks", "none",
                  "--out", str(run.with_name("training"))],
        "masks": ["masks", str(run.with_name("masks")), "--size", "64", "--count", "40"],
    }[command]  # fmt: skip
    with small_disk(tmp_path / "disk", "size=1g") as mount:
        if command in ("report", "latency"):
            shutil.copytree(whole, run)
        used = sum(-(-p.stat().st_size // 4096) * 4096 for p in run.rglob("*") if p.is_file())
        folders = sum(1 for p in run.rglob("*") if p.is_dir())
        mount(f"size={used + (folders + 8) * 4096}")
        in_words(subprocess.run([*BENCH, *words], capture_output=True, text=True, timeout=300), 2)
        mount("size=1g")
        done = subprocess.run([*BENCH, *words], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert strikes.temporary(tmp_path / "disk") == []


@pytest.mark.parametrize("command", ["compare", "list", "plan"])
def test_what_is_printed_onto_a_full_disk(whole, photos, command):
    words = {"compare": ["compare", str(whole)], "list": ["list"],
             "plan": ["plan", "--images", str(photos), *METHODS[:2]]}[command]  # fmt: skip
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*BENCH, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=300
        )
    in_words(done, 2)


@pytest.mark.parametrize("handles", [20, 48, 128])
def test_few_file_handles(tmp_path, photos, whole, handles):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (handles, handles))

    out = tmp_path / "out"
    in_words(commands.run(out, photos, *METHODS, preexec_fn=limit), 0, 1, 2)
    continued(out, photos, whole, "--retry-failed")


@pytest.mark.parametrize("mebibytes", [300, 2000, 5000])
def test_little_memory(tmp_path, photos, whole, mebibytes):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (mebibytes * MIB, mebibytes * MIB))

    out = tmp_path / "out"
    in_words(commands.run(out, photos, *METHODS, preexec_fn=limit), 0, 1, 2)
    continued(out, photos, whole, "--retry-failed")


def test_a_small_shared_memory(tmp_path, photos, whole):
    out = tmp_path / "out"
    inner = commands.command(out, photos, *METHODS)
    script = 'mount -t tmpfs -o size=64k tmpfs /dev/shm && exec "$@"'
    words = ["unshare", "-m", "sh", "-c", script, "sh", *inner]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    if "inpaint-bench" not in done.stderr:
        pytest.skip(f"no file system can be mounted here: {done.stderr}")
    in_words(done, 0)
    same(out, whole)


@pytest.mark.parametrize("folder", ["outputs/telea", "."])
def test_a_folder_that_may_not_be_written_for_a_while(tmp_path, photos, whole, folder):
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    for path in (out / "fragments").iterdir():
        path.unlink()  # so that all is made again
    (out / folder).chmod(0o555)
    unprivileged = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
    words = [*unprivileged, *commands.command(out, photos, *METHODS)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    (out / folder).chmod(0o755)
    in_words(done, 2)
    continued(out, photos, whole)
