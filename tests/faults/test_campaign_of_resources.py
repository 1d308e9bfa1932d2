"""The campaign of what runs out: disk, inodes, file handles, memory, shared memory, permission.

Whatever runs out, a command ends with words of ours and leaves no temporary file; given again with
enough of it, it ends as one that never lacked anything.
"""

import contextlib
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.cli import main
from tests.faults.test_campaign_of_kills import same
from tests.support import commands, strikes
from tests.support.hub import files_of
from tests.support.trainings import SIDE

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="limits and mounts are Linux's"),
    pytest.mark.nightly,
]
BENCH = [sys.executable, "-m", "bench"]
METHODS = ("--methods", "telea,noise")
MIB = 1 << 20


class Ended(NamedTuple):
    """How a command ended, as `subprocess` tells it."""

    returncode: int
    stderr: str


def of_limits(**limits: int) -> Callable[[], None]:
    """Sets limits of a process, by their names in `resource`."""

    def set_them() -> None:
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value))

    return set_them


def _command(words: Sequence[str], said: Path, limits: dict[str, int]) -> None:
    with said.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    of_limits(**limits)()
    sys.exit(main([str(word) for word in words]))


def inline(folder: Path, words: Sequence[str], **limits: int) -> Ended:
    """A command in a process that has loaded all there is to load: it takes a tenth of the time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench.run.one_case", "bench.run.runner", "reports.build"])
    said = folder / "said"
    process = context.Process(target=_command, args=(words, said, limits))
    process.start()
    process.join(300)
    assert process.exitcode is not None, "it hangs"
    return Ended(process.exitcode, said.read_text())


def run(out: Path, photos: Path, *more: str, **limits: int) -> Ended:
    words = commands.words(out, photos, *METHODS, "--executor", "inline", *more)
    return inline(photos.parent, words, **limits)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, photos) -> Path:
    out = tmp_path_factory.mktemp("whole") / "out"
    in_words(run(out, photos), 0)
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


def in_words(done: Ended | subprocess.CompletedProcess[str], *statuses: int) -> None:
    """It ended as it may, without a traceback."""
    assert done.returncode in statuses, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 0 or "inpaint-bench: " in done.stderr, done.stderr


def continued(out: Path, photos: Path, whole: Path, *more: str) -> None:
    """The same command, now that there is enough, ends equal."""
    in_words(run(out, photos, *more), 0)
    assert strikes.temporary(out) == []
    same(out, whole)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_full_disk(tmp_path, photos, whole, share):
    used = sum(-(-len(data) // 4096) * 4096 for data in files_of(whole).values())
    with small_disk(tmp_path / "disk", f"size={int(share * used) // 4096 * 4096}") as mount:
        out = tmp_path / "disk" / "out"
        in_words(run(out, photos), 2)
        mount("size=1g")
        continued(out, photos, whole)


@pytest.mark.parametrize("inodes", [3, 45])
def test_no_inodes(tmp_path, photos, whole, inodes):
    with small_disk(tmp_path / "disk", f"size=1g,nr_inodes={inodes}") as mount:
        out = tmp_path / "disk" / "out"
        in_words(run(out, photos), 2)
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
        in_words(inline(tmp_path, words), 2)
        mount("size=1g")
        in_words(inline(tmp_path, words), 0)
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


@pytest.mark.parametrize("executor", ["inline", "local"])
@pytest.mark.parametrize("handles", [20, 48, 128])
def test_few_file_handles(tmp_path, photos, whole, handles, executor):
    limited(tmp_path, photos, whole, executor, RLIMIT_NOFILE=handles)


@pytest.mark.parametrize("executor", ["inline", "local"])
@pytest.mark.parametrize("mebibytes", [300, 2000, 5000])
def test_little_memory(tmp_path, photos, whole, mebibytes, executor):
    limited(tmp_path, photos, whole, executor, RLIMIT_AS=mebibytes * MIB)


def limited(tmp_path: Path, photos: Path, whole: Path, executor: str, **limits: int) -> None:
    out = tmp_path / "out"
    if executor == "inline":
        done = run(out, photos, **limits)
        aborted = "cannot allocate memory for thread-local data: ABORT" in done.stderr  # by glibc
        in_words(done, *((127,) if aborted else (0, 1, 2)))
    else:
        in_words(commands.run(out, photos, *METHODS, preexec_fn=of_limits(**limits)), 0, 1, 2)
    continued(out, photos, whole, "--retry-failed")


def test_a_small_shared_memory(tmp_path, photos, whole):
    out = tmp_path / "out"
    inner = commands.command(out, photos, *METHODS, "--workers", "2")
    script = 'mount -t tmpfs -o size=64k tmpfs /dev/shm && exec "$@"'
    words = ["unshare", "-m", "sh", "-c", script, "sh", *inner]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    if "inpaint-bench" not in done.stderr:
        pytest.skip(f"no file system can be mounted here: {done.stderr}")
    in_words(done, 0)
    same(out, whole)


@pytest.mark.parametrize("folder", ["outputs/telea/large", "."])
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
