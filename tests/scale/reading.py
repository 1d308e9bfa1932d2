"""What comparing, judging, joining and reporting cost by the number of cases and of methods.

    python tests/scale/reading.py FOLDER 1000 10000 100000 --methods 3 10

Prints the table of ``docs/scale.md``: CPU time and peak memory of each command in a process of its
own, on one thread; of the report its size, and the most elements of a page. Run folders of made-up
numbers are written to FOLDER, where they are not there yet, and stay there.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support.large_run import TIERS, write_large_run

_MARKS = 2  # floor and ceiling
_HEAD = "| cases | methods | command | CPU s | CPU ms a row | peak MB | |"


def folders(base: Path, cases: int, methods: int) -> tuple[Path, Path, Path]:
    """A run; one of the same code, each with the fragments of half the methods; a later one."""
    ways = {
        "": {"pictures": True, "fragments": range(0, methods + _MARKS, 2)},
        "-rest": {"fragments": range(1, methods + _MARKS, 2)},
        "-later": {"later": True},
    }
    for name, way in ways.items():
        folder, part = (base / f"{cases}-{methods}{name}{end}" for end in ("", ".part"))
        if not folder.exists():
            photos = -(-cases // len(TIERS))
            shutil.rmtree(part, ignore_errors=True)
            write_large_run(part, photos=photos, methods=methods + _MARKS, side=128, **way)
            part.rename(folder)
    first, rest, later = (base / f"{cases}-{methods}{name}" for name in ways)
    return first, rest, later


def commands(run: Path, rest: Path, later: Path, scratch: Path) -> Iterator[tuple[str, list[str]]]:
    """What is measured: words, and what Python is told."""
    ours = ["-m", "bench"]
    read = f"import sys, inpaint_bench as ib; ib.read_run({str(run)!r}).cases['lpips'].mean()"
    yield "`inpaint_bench.read_run`", ["-c", read]
    yield "`compare`", [*ours, "compare", str(run)]
    yield "`compare`, all metrics of cases", [
        *ours, "compare", str(run), "--metrics", "psnr_db,ssim,l1,lpips,lpips_hole,ms_ssim",
    ]  # fmt: skip
    yield "`compare` of two runs", [*ours, "compare", str(run), str(later), "--fail-if-worse"]
    yield "`gate` of two runs", [*ours, "gate", str(run), str(later)]
    kept = str(scratch / "baseline.json")
    yield "`baseline update`", [*ours, "baseline", "update", str(later), "--file", kept]
    merged = [str(scratch / "merged"), str(run), str(rest)]
    yield "`merge`, with its report", [*ours, "merge", *merged]
    report = str(scratch / "report")
    yield "`report`", [*ours, "report", str(run), "--out", report]
    yield "`report` again", [*ours, "report", str(run), "--out", report]


def measured(words: list[str]) -> tuple[float, int]:
    """CPU seconds and peak bytes of a command; one may find that something got worse."""
    settings = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=settings
    ) as process:
        said = process.stderr.read().decode() if process.stderr else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1) or "Traceback" in said:
        raise SystemExit(f"{' '.join(words)}: exit status {process.returncode}\n{said}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def size_of(report: Path) -> str:
    """Files, megabytes, and the largest page of a report."""
    files = [path for path in report.rglob("*") if path.is_file()]
    pages = [path for path in files if path.suffix == ".html"]
    tables = sum(path.stat().st_size for path in files if path.parent.name == "data") / 1e6
    rest = sum(path.stat().st_size for path in files) / 1e6 - tables
    elements = max(len(re.findall(rb"<[a-z]", path.read_bytes())) for path in pages)
    heaviest = max(path.stat().st_size for path in pages) / 1e3
    return (
        f"{len(pages)} pages of at most {elements:,} elements and {heaviest:.0f} kB; {rest:.1f} MB "
        f"and {tables:.1f} MB of tables"
    )


def measure(base: Path, cases: int, methods: int, only: str) -> None:
    """Print the rows of one size."""
    scratch = base / f"{cases}-{methods}-out"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    for name, words in commands(*folders(base, cases, methods), scratch):
        if only in name:
            seconds, peak = measured(words)
            rows = cases * (methods + _MARKS)
            about = size_of(scratch / "report") if name == "`report`" else ""
            cells = (
                f"{cases:,}", str(methods), name, f"{seconds:.1f}", f"{1e3 * seconds / rows:.3f}",
                f"{peak / 1e6:.0f}", about,
            )  # fmt: skip
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="for run folders; they stay there")
    parser.add_argument("cases", type=int, nargs="+")
    parser.add_argument("--methods", type=int, nargs="+", default=[3, 10])
    parser.add_argument("--only", default="", help="commands whose name holds this")
    asked = parser.parse_args()
    print(f"{_HEAD}\n|{'---|' * _HEAD.count(' |')}")
    for methods in asked.methods:
        for size in asked.cases:
            measure(asked.folder, size, methods, asked.only)
