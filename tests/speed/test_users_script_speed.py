"""A whole run beside the script that a user would write, each a process of its own on one thread.

Both begin with starting Python and end with their files written. The run plans, draws its holes,
measures the ceiling and what the packages lack (texture and structure, seam, drift, sliced
distance), and keeps what resuming and comparing need; the script is given the holes. The report is
no part of either. What both measure must be the same numbers.
"""

import os
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from bench.planning.pictures import mask_file, photo_file
from tests.support.turns import Turns, keep, take_turns

ROOT = Path(__file__).parents[2]
# Of the package's single precision.
TOLERANCES = {
    "psnr_db": 1e-3, "psnr_hole_db": 1e-3, "ssim": 1e-5, "ms_ssim": 2e-5, "l1": 1e-6,
    "l1_hole": 1e-6, "lpips_untrained": 1e-5,
}  # fmt: skip


def processors_time() -> float:
    """Seconds of the processor that the processes that were waited for have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def python(*words: object) -> None:
    one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [sys.executable, "-m", *map(str, words)]
    subprocess.run(command, cwd=ROOT, env=os.environ | one, check=True, capture_output=True)


def a_run(out: Path, method: str, amount: tuple[str, ...]) -> None:
    quiet = ("--executor", "inline", "--offline", "--no-report")
    python("bench", "run", "--out", out, "--methods", method, *amount, *quiet)


def cases_of(run: Path) -> Path:
    """The photos and holes of a run, as a list of files for the script."""
    plan = pd.read_parquet(run / "plan.parquet")
    files = {"photo": plan["photo_sha"].map(photo_file), "mask": plan["mask_sha"].map(mask_file)}
    pd.DataFrame(files).map(lambda name: run / name).to_csv(run / "cases.csv", index=False)
    return run / "cases.csv"


@pytest.mark.parametrize("method", ["telea", "lama:small"])
def test_a_run_beside_the_script_of_a_user(benchmark, tmp_path, method):
    if method != "telea" and not benchmark.enabled:
        pytest.skip("one method will do to see that all works")
    amount = ("--draws", "2") if benchmark.enabled else ("--limit", "1")
    wall: dict[str, list[float]] = {"run": [], "script": []}

    def timed(name: str, work) -> None:
        start = time.perf_counter()
        work(tmp_path / f"{name}-{len(wall[name])}")
        wall[name].append(time.perf_counter() - start)

    def script(out: Path) -> None:
        python("tests.speed.users_script", cases_of(tmp_path / "run-0"), method, out)

    work = {"run": partial(a_run, method=method, amount=amount), "script": script}
    forms = {name: partial(timed, name, each) for name, each in work.items()}
    turns = take_turns(benchmark, forms, rounds=3, clock=processors_time)

    table = pd.read_parquet(tmp_path / "run-0" / "cases.parquet")
    ours = table[table["method"] == method].reset_index(drop=True)
    theirs = pd.read_csv(tmp_path / "script-0" / "scores.csv")
    for name, tolerance in TOLERANCES.items():
        assert theirs[name].tolist() == pytest.approx(ours[name].tolist(), abs=tolerance), name
    what = f"{len(ours)} fills by {method}, CPU time of the processes"
    keep(benchmark, turns, "run", "script", what, by_wall_time=Turns(wall).ratio("run", "script"))
