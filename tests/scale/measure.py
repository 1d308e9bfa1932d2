"""What a run costs by its number of cases: CPU time and peak memory of each of its processes.

    python tests/scale/measure.py FOLDER 1000 10000 100000

Prints the table of ``docs/scale.md``. Everything a run starts is watched from outside, five times
a second: its CPU time, and the most memory that the system saw it have (Linux).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.scale import photos

_TIERS = 3
_HEAD = "| cases | step | CPU s, driver | CPU s, others | ms a case | MB, driver | MB, worker |"


@dataclass
class Watched:
    """What was seen of a command and what it started.

    Attributes:
        times: Moment of each look.
        cpu: Seconds by process at each look, the command itself under 0.
        peak: Bytes by process at each look; the most since the last one, or since its start.
    """

    times: list[float] = field(default_factory=list)
    cpu: list[dict[int, float]] = field(default_factory=list)
    peak: list[dict[int, int]] = field(default_factory=list)

    def look(self, root: psutil.Process) -> None:
        """See how it is now."""
        cpu = dict(self.cpu[-1]) if self.cpu else {}
        peak = {}
        for process in (root, *root.children(recursive=True)):
            key = 0 if process == root else process.pid
            try:
                spent = process.cpu_times()
                peak[key] = _peak(process.pid)
            except (psutil.Error, OSError):
                continue
            cpu[key] = spent.user + spent.system
        self.times.append(time.time())
        self.cpu.append(cpu)
        self.peak.append(peak)

    @property
    def alone(self) -> float:
        """The moment from which on the command worked alone."""
        others = [sum(spent.values()) - spent.get(0, 0.0) for spent in self.cpu]
        return self.times[others.index(others[-1])]

    def of(self, begin: float, end: float) -> tuple[float, float, int, int]:
        """CPU seconds of the command and of others, and the most bytes of both, between moments."""
        inside = [n for n, at in enumerate(self.times) if begin <= at < end]
        if not inside:
            return 0.0, 0.0, 0, 0
        first, last = self.cpu[max(inside[0] - 1, 0)], self.cpu[inside[-1]]
        spent = {key: seconds - first.get(key, 0.0) for key, seconds in last.items()}
        peak: Mapping[int, int] = defaultdict(int)
        for number in inside:
            for key, size in self.peak[number].items():
                peak[key] = max(peak[key], size)
        driver = spent.pop(0, 0.0)
        own = peak.pop(0, 0)
        return driver, sum(spent.values()), own, max(peak.values(), default=0)


def _peak(pid: int) -> int:
    """The most bytes a process had; 0 of one that has ended and is not yet forgotten."""
    _, found, after = Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")
    return int(after.split(maxsplit=1)[0]) * 1024 if found else 0


def watch(*arguments: object) -> Watched:
    """Run ``inpaint-bench`` and see what it takes."""
    found = Watched()
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        root = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                found.look(root)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.2)
        said = process.stderr.read().decode() if process.stderr else ""
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit status {process.returncode}\n{said}")
    return found


def measure(folder: Path, cases: int, workers: int) -> None:
    """Print the rows of one size."""
    given, out = folder / f"photos-{cases}", folder / f"run-{cases}"
    photos.write(given, -(-cases // _TIERS))
    shutil.rmtree(out, ignore_errors=True)
    options = (
        "--out", out, "--images", given, "--size", "native", "--methods", "mean",
        "--metrics", "l1,psnr_db", "--workers", workers, "--offline",
    )  # fmt: skip
    _row(cases, "`plan`", watch("plan", *options))
    run = watch("run", *options, "--no-report")
    planned = out.joinpath("plan.parquet").stat().st_mtime
    _row(cases, "`run`: plan", run, end=planned)
    _row(cases, "`run`: fill and measure", run, planned, run.alone)
    _row(cases, "`run`: compact", run, run.alone)
    _row(cases, "the same command again", watch("run", *options, "--no-report"))


def _row(
    cases: int, step: str, found: Watched, begin: float = 0.0, end: float = float("inf")
) -> None:
    driver, others, own, worker = found.of(begin, end)
    cells = (
        f"{cases:,}", step, f"{driver:.1f}", f"{others:.1f}",
        f"{1000 * (driver + others) / cases:.2f}", f"{own / 1e6:.0f}", f"{worker / 1e6:.0f}",
    )  # fmt: skip
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="for photos and runs; both stay there")
    parser.add_argument("cases", type=int, nargs="+")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    print(f"{_HEAD}\n|{'---|' * _HEAD.count(' |')}")
    for size in asked.cases:
        measure(asked.folder, size, asked.workers)
