"""Running the command as a user does, and comparing what it made."""

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

KEYS = ["method", "photo", "tier", "draw", "sample"]
NOT_QUALITY = ["seconds", "cpu_seconds", "measure_seconds", "peak_bytes", "worker"]
FAST = ["--size", "64", "--metrics", "psnr_db,ssim_hole,drift", "--no-report", "--offline"]


def words(out: Path, photos: Path, *more: str) -> list[str]:
    return ["run", "--out", str(out), "--images", str(photos), *FAST, *more]


def command(out: Path, photos: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "bench", *words(out, photos, *more)]


def run(
    out: Path,
    photos: Path,
    *more: str,
    before: Sequence[str] = (),
    **options,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, *command(out, photos, *more)], capture_output=True, text=True, timeout=300,
        **options,
    )  # fmt: skip


def hear_interrupts() -> None:
    """Make a child hear Ctrl-C and a closed terminal, which some callers tell it to ignore."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def header(out: Path) -> dict[str, Any]:
    return json.loads((out / "run.json").read_text("utf-8"))


def cases(out: Path) -> pd.DataFrame:
    return pd.read_parquet(out / "cases.parquet").set_index(KEYS)


def quality(out: Path) -> pd.DataFrame:
    """The part of a run's table that must not depend on how it came about."""
    table = pd.read_parquet(out / "cases.parquet").drop(columns=NOT_QUALITY)
    return table.sort_values(KEYS).reset_index(drop=True)


def on_terminal(arguments: list[str], columns: int = 100, **environment: str) -> tuple[int, str]:
    """Run a command on a terminal of its own; give its exit status and all that it wrote there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    # What runs tests in parallel may tell its workers another size of the terminal.
    inherited = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    settings = {**inherited, "TERM": "xterm", **environment}
    process = subprocess.Popen(
        arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=settings, close_fds=True
    )
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # Linux tells of the end of a terminal by an error
        while got := os.read(ours, 1 << 16):
            said += got
    os.close(ours)
    return process.wait(timeout=300), said.decode()
