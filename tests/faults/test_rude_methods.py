"""What a method does to its process costs its own case at most, and disturbs no number."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from bench.planning.protocol import Protocol
from bench.run.request import Request
from bench.run.runner import run
from tests.support import commands, rude

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="these methods speak to POSIX"),
]
RUDE = "tests.support.rude:Rude"
# What its row says where the case is lost; all others are filled, at most with a second try.
LOST = {
    "exits": "SystemExit: bye",
    "interrupts": "KeyboardInterrupt",
    "asks": "EOFError",
}
HARMLESS = (
    "goes_away", "dies", "closes_output", "closes_all", "reads", "leaves_a_thread", "is_deaf",
    "clears_environment", "sets_all", "prints", "breaks_built_ins", "takes_all_files", "is_two",
)  # fmt: skip
LIVED_THROUGH = ("goes_away", "clears_environment", "is_deaf", "sets_all")


@pytest.fixture(scope="module")
def table(tmp_path_factory, photos) -> pd.DataFrame:
    """All in one run, from a relative folder into a relative one."""
    place = tmp_path_factory.mktemp("rude")
    (place / "photos").symlink_to(photos)
    own = [f"{does}={RUDE}(does={does})" for does in (*LOST, *HARMLESS)]
    own += [f"{does}_first={RUDE}(does={does}, at=load)" for does in LIVED_THROUGH]
    own += [f"{kind}=tests.support.rude:{kind}" for kind in ("Fills", "FillsAndDies")]
    own += ["FillsAndSpoils=tests.support.rude:FillsAndSpoils"]
    with contextlib.chdir(place):
        done = commands.run(
            Path("out"), Path("photos"), "--methods", ",".join(["mean", *own]), "--metrics",
            "psnr_hole_db,ssim_hole,texture_structure", "--tiers", "region", "--workers", "2",
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "this is a bug" not in done.stderr
    return commands.cases(place / "out").reset_index()


@pytest.mark.parametrize(("does", "words"), LOST.items())
def test_its_fault_costs_one_case(table, does, words):
    own = table[table["method"] == does]
    assert sorted(own["status"]) == ["failed", "ok", "ok"]
    assert own["reason"].str.contains(words).sum() == 1


@pytest.mark.parametrize(
    "method", ["Fills", "FillsAndDies", "FillsAndSpoils", *HARMLESS,
               *(f"{does}_first" for does in LIVED_THROUGH)],
)  # fmt: skip
def test_all_is_filled_and_measured_alike(table, method):
    own = table[table["method"] == method].reset_index(drop=True)
    assert own["status"].tolist() == ["ok"] * 3, own["reason"].tolist()
    quiet = table[table["method"] == "prints"]
    numbers = ["psnr_hole_db", "ssim_hole", "texture_structure"]
    pd.testing.assert_frame_equal(own[numbers], quiet[numbers].reset_index(drop=True))


def test_a_method_in_this_process_may_change_the_directory(tmp_path, photos, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = tuple(f"{at}={RUDE}(does=goes_away, at={at})" for at in ("load", "infer"))
    protocol = Protocol(photos=str(photos), size=64)
    run(Request(Path("out"), protocol, own, metrics=("psnr_db",), offline=True, executor="inline"))
    assert Path.cwd() == tmp_path
    assert set(commands.cases(Path("out"))["status"]) == {"ok"}


@pytest.mark.parametrize(
    "start", ["fork", pytest.param("spawn", marks=pytest.mark.nightly),
              pytest.param("forkserver", marks=pytest.mark.nightly)],
)  # fmt: skip
def test_a_method_may_have_processes_of_its_own(tmp_path, photos, start):
    (tmp_path / "mine.py").write_text(Path(rude.__file__).read_text("utf-8"))
    own = f"file={tmp_path}/mine.py:Pools(start={start})"
    with contextlib.chdir(tmp_path):
        done = commands.run(
            Path("out"), photos, "--methods", f"{own},module=mine:Pools(start={start})",
            "--timeout", "60", env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(commands.cases(tmp_path / "out")["status"]) == {"ok"}


@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.nightly)])
def test_check_of_a_method_with_processes_of_its_own(tmp_path, start):
    (tmp_path / "mine.py").write_text(Path(rude.__file__).read_text("utf-8"))
    done = subprocess.run(
        [sys.executable, "-m", "bench", "check", f"mine={tmp_path}/mine.py:Pools(start={start})"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ": 0 of " in done.stdout, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
