"""The campaign of kills: each phase of each command struck; the same command then ends the same.

``pytest tests/faults/test_campaign_of_kills.py -m nightly -s`` prints how often each phase was hit.
"""

import json
import os
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.support import commands, strikes
from tests.support.hub import files_of
from tests.support.strikes import Moment, Struck

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="children end with us by other means there"),
    pytest.mark.nightly,
]
RUN = ("starting", "planning", "preparing", "filling", "measuring", "compacting", "reporting")
WITH_CHILDREN = {"filling": 7, "measuring": 7}  # times of the nine that are surely seen
METRICS = "psnr_db,ssim_hole,drift,swd,told=tests.support.phases:told"
METHODS = "noise,Tells=tests.support.phases:Tells"
PICTURES = ("photos", "masks", "outputs", "pictures", "thumbs", "tracebacks")


def of_run(folder: Path, said: str) -> str:
    if re.search(r"^(\d+) of \1 fills", said, re.MULTILINE):
        state = json.loads((folder / "run.json").read_text("utf-8"))["state"]
        return "reporting" if state == "complete" else "compacting"
    told = [line for line in said.splitlines() if line in WITH_CHILDREN]
    if told:
        return told[-1]
    if (folder / "plan.parquet").exists():
        return "preparing"
    return "planning" if (folder / "photos").exists() else "starting"


def run_of(folder: Path, photos: Path, *, report: bool) -> Struck:
    words = commands.command(folder, photos, "--methods", METHODS, "--workers", "2")
    if report:
        words.remove("--no-report")
    words[words.index("--metrics") + 1] = METRICS
    return Struck(words, folder, of_run, RUN)


def result(folder: Path) -> tuple[dict[str, pd.DataFrame], dict[str, bytes], object]:
    """All of a run that must not depend on how it came about."""
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in (
        "plan", "inputs", "metrics", "methods", "samples", "sets", "training")}  # fmt: skip
    tables["sets"] = tables["sets"].drop(columns="seconds")
    tables["cases"] = commands.quality(folder)
    files = {name: data for name, data in files_of(folder).items() if name.startswith(PICTURES)}
    facts = {key: commands.header(folder)[key] for key in ("state", "missing", "counts")}
    return tables, files, facts


def same(one: Path, other: Path) -> None:
    """Two run folders hold the same, bit for bit, and no row twice."""
    (tables, files, facts), (others, other_files, other_facts) = result(one), result(other)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, others[name], check_exact=True, obj=name)
    assert not tables["cases"].duplicated(commands.KEYS).any()
    assert files == other_files
    assert facts == other_facts


@pytest.fixture(scope="module")
def whole(tmp_path_factory, photos):
    """A run that nobody struck, and how long it was in each phase."""
    struck = run_of(tmp_path_factory.mktemp("whole") / "out", photos, report=True)
    return struck, strikes.lengths(struck)


@pytest.mark.parametrize("moment", strikes.moments(RUN, 30, WITH_CHILDREN), ids=str)
def test_a_run(tmp_path, photos, whole, tally, moment):
    reference, usual = whole
    report = moment.phase == "reporting"  # which takes as long as all else
    struck = run_of(tmp_path / "out", photos, report=report)
    hit = strikes.strike(struck, moment, usual)
    strikes.again(struck)
    assert (struck.folder / "report" / "index.html").exists() == report
    same(struck.folder, reference.folder)
    tally["run", hit, moment.how] += 1


CLOCK = """
import os, time
ahead = float(os.environ.get("CLOCK_AHEAD_DAYS", "0")) * 86400
if ahead:
    seconds, nanoseconds = time.time, time.time_ns
    time.time = lambda: seconds() + ahead
    time.time_ns = lambda: nanoseconds() + int(ahead * 1e9)
"""


@pytest.mark.parametrize("days", [400, -3000])
def test_a_run_that_was_begun_by_another_clock(tmp_path, photos, whole, days):
    (tmp_path / "sitecustomize.py").write_text(CLOCK)
    path = os.pathsep.join([str(tmp_path), *sys.path[:1], os.environ.get("PYTHONPATH", "")])
    struck = run_of(tmp_path / "out", photos, report=False)
    other = replace(struck, environment={"CLOCK_AHEAD_DAYS": str(days), "PYTHONPATH": path})
    reference, usual = whole
    assert strikes.strike(other, Moment("measuring", 6, 0.5, "group killed"), usual) != "ended"
    written = pd.read_parquet(struck.folder / "fragments")["written"]
    assert (abs(written - time.time_ns()) / 86_400e9 > 300).all()  # by that other clock
    strikes.again(struck)
    same(struck.folder, reference.folder)
