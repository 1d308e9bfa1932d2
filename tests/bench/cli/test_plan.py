"""What a run would do, told by `inpaint-bench plan`, against what it then does."""

import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from bench.cli import main
from bench.folder.schema import LATENCY
from bench.folder.store import RunFolder
from tests.support import commands

METHODS = ("--methods", "telea,noise", "--samples", "2", "--executor", "inline")


def planned(out, photos, *more):
    return ["plan", *commands.words(out, photos, *METHODS, *more)[1:]]


@pytest.fixture(scope="module")
def before(tmp_path_factory, photos):
    """What plan says of a folder that is not there, and that folder after the run."""
    out = tmp_path_factory.mktemp("runs") / "out"
    said = subprocess.run(
        [sys.executable, "-m", "bench", *planned(out, photos)], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    assert not out.exists()
    assert main(commands.words(out, photos, *METHODS)) == 0
    return said.stdout, out


def rows(said):
    """Cells of the table of methods by name."""
    found = (re.split(r"\s{2,}", line.strip()) for line in said.splitlines())
    return {cells[0]: cells[1:] for cells in found if cells[0] in ("telea", "noise", "original")}


def test_what_is_foretold_is_what_is_done(before):
    said, out = before
    plan = pd.read_parquet(out / "plan.parquet")
    assert said.startswith(f"3 photos, {len(plan)} holes: 3 small, 3 region, 3 large\n")
    done = commands.cases(out).reset_index()["method"].value_counts().to_dict()
    assert {name: int(cells[0]) for name, cells in rows(said).items()} == done
    assert all(cells[-1] == "unknown: no earlier run" for cells in rows(said).values())
    assert "time: unknown;" in said
    assert "metrics: psnr_db, ssim_hole, drift\n" in said


def test_disk_is_weighed_and_estimated(before):
    said, out = before
    kinds = {
        kind: sum(path.stat().st_size for path in (out / kind).rglob("*.png"))
        for kind in ("photos", "masks", "outputs")
    }
    pictures, fills, tables, _ = map(float, re.findall(r"([\d.]+) [MG]B", said))
    blocks = 4096 * 12 / 1e6  # the last of each file, full or not
    weighed = (kinds["photos"] + kinds["masks"]) / 1e6
    assert weighed - 0.05 < pictures < weighed + blocks + 0.05
    assert fills == pytest.approx(kinds["outputs"] / 1e6, abs=0.1)
    assert tables < 0.1


def test_times_are_those_of_the_earlier_runs_given(before, photos, tmp_path, capsys):
    _, out = before
    assert main(planned(tmp_path / "new", photos, "--earlier", str(out), "--draws", "2")) == 0
    said = capsys.readouterr().out
    cases = pd.read_parquet(out / "cases.parquet")
    spent = (cases["seconds"] + cases["measure_seconds"]).groupby(cases["method"]).mean()
    for name, (_, there, each, _, source) in rows(said).items():
        assert float(each.removesuffix(" s")) == pytest.approx(spent[name], rel=0.01)
        assert (there, source) == ("0", f"{(cases['method'] == name).sum()} fills in {out}")
    # Of photos of four times the pixels a fill is taken to last four times as long.
    larger = planned(tmp_path / "new", photos, "--earlier", str(out), "--size", "128")
    assert main(larger) == 0
    for name, (_, _, each, _, source) in rows(capsys.readouterr().out).items():
        assert float(each.removesuffix(" s")) == pytest.approx(4 * spent[name], rel=0.01)
        assert source.endswith(", times 4 for the size of the photos")


def test_what_is_there_already_is_not_to_be_done_again(before, photos, capsys):
    _, out = before
    written = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert main(planned(out, photos)) == 0
    said = capsys.readouterr().out
    assert {name: cells[1] for name, cells in rows(said).items()} == {
        "telea": "9", "noise": "18", "original": "9"
    }  # fmt: skip
    assert {cells[3] for cells in rows(said).values()} == {"0 s"}
    assert main(planned(out, photos, "--seed", "1")) == 0
    assert "another protocol (other masks), which run would refuse" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == written


def test_timings_of_the_nearest_size_tell_where_no_fills_do(before, photos, tmp_path, capsys):
    _, out = before
    timed = tmp_path / "timed"
    timed.mkdir()
    shutil.copy(out / "run.json", timed)
    timing = {"method": "telea", "region": "e2e", "batch": 1, "device": "cpu", "tier": "small"}
    rows_timed = [
        {**timing, "side": 128, "p50_ms": 100.0},
        {**timing, "side": 1024, "p50_ms": 9000.0},
        {**timing, "side": 64, "p50_ms": 1.0, "device": "cuda"},
        {**timing, "side": 64, "p50_ms": 2.0, "region": "infer"},
        {**timing, "side": 64, "p50_ms": float("nan"), "method": "noise"},
    ]
    RunFolder(timed).write_table(LATENCY.file, LATENCY.frame(rows_timed))
    assert main(planned(tmp_path / "new", photos, "--earlier", str(timed))) == 0
    found = rows(capsys.readouterr().out)
    source = (
        f"{timed / 'latency.parquet'}, without measuring, times 0.25 for the size of the photos"
    )
    assert found["telea"][2:] == ["0.025 s", "1 s", source]
    assert found["noise"][-1] == "unknown: no earlier run"


def test_mistakes_and_strict_have_status_2(photos, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    shutil.copy(photos / "a.png", tmp_path / "photos")
    (tmp_path / "photos" / "bad.png").touch()
    there = planned(tmp_path / "out", tmp_path / "photos")
    assert main(there) == 0
    said = capsys.readouterr().out
    assert said.startswith("1 photo, 3 holes: 1 small, 1 region, 1 large\nused: 1 of 2 photos, ")
    assert "1 photo refused: an empty file; export it again (bad.png)" in said
    assert main([*there, "--strict"]) == 2
    assert "--strict: not all that was given can be used" in capsys.readouterr().err
    assert main([*there, "--methods", "mine=none.py:Mine"]) == 2
    assert "none.py, found none" in capsys.readouterr().err
    assert main([*there, "--metrics", "pnsr_db"]) == 2
    assert main([*there, "--earlier", str(tmp_path / "none")]) == 2
    assert not (tmp_path / "out").exists()


def test_missing_weights_are_named_with_the_command(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert main(planned(tmp_path / "out", photos, "--methods", "lama:big-lama")) == 0
    assert "would not run: no weights here; run: inpaint-bench weights fetch" in (
        capsys.readouterr().out
    )
