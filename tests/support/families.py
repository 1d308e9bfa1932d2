"""Methods that start processes of many kinds and leave them, each named in a file of its own."""

import multiprocessing as mp
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bench.errors import BenchError
from methods.base import Inpainter
from methods.card import Card

FOLDER = "FAMILY_FOLDER"
KINDS = ("child", "session", "orphan", "pool", "deaf")
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
ORPHAN = (
    "import os, subprocess, sys; "
    "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], "
    "start_new_session=True, stdin=subprocess.DEVNULL, stdout=sys.stderr).pid)"
)


def note(kind: str, pid: int) -> None:
    """Tell the test of a process."""
    (Path(os.environ[FOLDER]) / f"{kind}-{pid}").touch()


def of_a_pool(_: int) -> None:
    note("pool", os.getpid())
    time.sleep(600)


def start_all() -> None:
    """One process of each kind; all hold what this one writes to."""
    note("child", subprocess.Popen(SLEEP).pid)
    note("session", subprocess.Popen(SLEEP, start_new_session=True).pid)
    # Its parent ends at once, and it leads a session: a daemon.
    note("orphan", int(subprocess.run([sys.executable, "-c", ORPHAN], check=True,
                                      stdout=subprocess.PIPE).stdout))  # fmt: skip
    deaf = lambda: [signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGHUP)]  # noqa: E731
    note("deaf", subprocess.Popen(SLEEP, preexec_fn=deaf).pid)
    pool = mp.get_context("fork").Pool(1)
    pool.apply_async(of_a_pool, (0,))
    while "pool" not in told(Path(os.environ[FOLDER])):
        time.sleep(0.01)
    Family.pool = pool


class Family(Inpainter):
    """Starts all of them with its first fill and then does as it is asked."""

    card = Card("family", "Family", "elsewhere")
    pool = None

    def __init__(self, name="", *, device="cpu", then="go on", at="infer"):
        super().__init__(name, device=device)
        self.then, self.at = then, at

    def load(self):
        self.act("load")

    def infer(self, images, masks, generator):
        self.act("infer")
        return images + 0.5 * masks

    def act(self, at: str) -> None:
        if at != self.at or Family.pool:
            return
        start_all()
        note("worker", os.getpid())
        if self.then == "hang":
            time.sleep(600)
        if self.then == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.then == "kill the group":
            os.killpg(0, signal.SIGKILL)
        if self.then == "exit":
            os._exit(3)
        if self.then == "fail":
            raise ValueError("no idea")


def told(folder: Path) -> dict[str, set[int]]:
    """The processes by kind, as far as they were started."""
    found: dict[str, set[int]] = {}
    for path in folder.iterdir():
        kind, pid = path.name.split("-")
        found.setdefault(kind, set()).add(int(pid))
    return found


def wait_started(folder: Path, process: subprocess.Popen) -> None:
    """Until one of each kind is there."""
    deadline = time.monotonic() + 120
    while not told(folder).keys() >= {*KINDS, "worker"}:
        if process.poll() is not None or time.monotonic() > deadline:
            raise BenchError(f"only {sorted(told(folder))} were started")
        time.sleep(0.05)


def alive(pids: set[int]) -> set[int]:
    """Those that have not ended; a zombie has."""
    return {pid for pid in pids if _runs(pid)}


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
