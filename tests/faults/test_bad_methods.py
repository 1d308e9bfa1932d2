"""Methods that are bad each in its own way in one run: each has its row, and none harms another."""

import os
import uuid
from pathlib import Path

import pandas as pd
import psutil
import pytest

from tests.support import bad, commands

TEN = [
    "RaisesMade", "ExitsLoading", "RaisesInALibrary", "RaisesSilently", "Interrupts", "GivesAList",
    "Vanishes", "ForksAndHangs", "LeaksThreads", "PatchesLibraries",
]  # fmt: skip


def run(out: Path, photos: Path, names: list[str], seconds: int) -> tuple[pd.DataFrame, str]:
    """Run bad methods beside a good one; gives the rows and what was said, after all has ended."""
    mark = uuid.uuid4().hex
    own = [f"{name}=tests.support.bad:{name}" for name in names]
    marks = {**os.environ, "BAD_METHODS": mark, "BAD_PHOTOS": str(photos)}
    done = commands.run(
        out, photos, "--methods", ",".join(["telea", *own]), "--limit", "1", "--tiers", "region",
        "--workers", "2", "--timeout", str(seconds), env=marks,
    )  # fmt: skip
    assert left(mark) == []
    assert done.returncode == (1 if names else 0), done.stderr
    return commands.cases(out).reset_index(), done.stderr


def left(mark: str) -> list[psutil.Process]:
    """Processes that a run left, whoever their parent is now."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("BAD_METHODS") == mark:
                found.append(process)
        except psutil.Error:
            continue
    return found


def check(table: pd.DataFrame, said: str, names: list[str], out: Path) -> None:
    assert len(table) == 2 + len(names)
    rows = table.set_index("method").to_dict("index")
    ends = {name: (rows[name]["status"], rows[name]["reason"]) for name in names}
    wrong = {n: e for n, e in ends.items() if e[0] != bad.ENDS[n][0] or bad.ENDS[n][1] not in e[1]}
    assert wrong == {}
    for name in names:
        row, (status, _) = rows[name], bad.ENDS[name]
        assert len(row["reason"]) < 3000
        assert (f"inpaint-bench: {name} completed no case: 1 {status}: " in said) == (
            status != "ok"
        )
        if " (bad.py:" in row["reason"]:
            text = (out / row["traceback"]).read_text()
            assert 'bad.py", line ' in text
            assert len(text) < 11_000


def test_ten_bad_methods_in_one_run_harm_no_other(tmp_path, photos):
    table, said = run(tmp_path / "ten", photos, TEN, 4)
    check(table, said, TEN, tmp_path / "ten")
    alone, _ = run(tmp_path / "alone", photos, [], 60)
    same_fills(table, alone)


@pytest.mark.nightly
def test_all_bad_methods_in_one_run_harm_no_other(tmp_path, photos):
    assert len(bad.ENDS) >= 40
    table, said = run(tmp_path / "all", photos, list(bad.ENDS), 10)
    check(table, said, list(bad.ENDS), tmp_path / "all")
    alone, _ = run(tmp_path / "alone", photos, [], 60)
    same_fills(table, alone)


def same_fills(table: pd.DataFrame, alone: pd.DataFrame) -> None:
    """Telea and the ceiling filled the same, bit for bit, and were measured the same."""
    columns = ["method", "photo", "status", "output_sha", "psnr_db", "ssim_hole", "drift"]
    both = [each[each["method"].isin(["telea", "original"])] for each in (table, alone)]
    pd.testing.assert_frame_equal(*(each[columns].reset_index(drop=True) for each in both))
