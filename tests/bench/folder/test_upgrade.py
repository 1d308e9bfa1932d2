"""A run folder that was written before format 2 is read, joined, merged and continued."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from bench.compare import asked
from bench.compare.runs import compare_within
from bench.errors import InputError
from bench.folder import side_by_side
from bench.folder.read import read_run
from bench.folder.schema import TABLES
from bench.gate import baseline
from bench.gate.judge import judge
from bench.planning.protocol import Protocol
from bench.run.merge import merge
from bench.run.request import Request
from bench.run.runner import run
from reports.build import build

FORMAT_1 = Path(__file__).parent / "format-1"
PHOTOS = Path(__file__).parent / "format-1-photos"


@pytest.fixture
def old(tmp_path) -> Path:
    return Path(shutil.copytree(FORMAT_1, tmp_path / "old"))


def test_tables_hold_what_the_files_hold():
    found = read_run(FORMAT_1)
    for name in ("plan", "inputs", "cases", "sets", "samples", "metrics", "training", "receptive"):
        raw = pd.read_parquet(FORMAT_1 / f"{name}.parquet")
        # The Gaussian fitted to a field is no longer told.
        raw = raw.drop(columns=["sigma", "r_squared"], errors="ignore")
        pd.testing.assert_frame_equal(getattr(found, name)[list(raw)], raw, check_dtype=False)
    assert not found.latency["reason"].isna().any()
    assert [*found.cases] == [column.name for column in TABLES["cases"].among(found.cases)]


def test_it_is_compared_judged_shown_and_joined(old, tmp_path):
    found = compare_within(asked.read(old), ["ssim"])
    assert set(found.ranks["method"]) >= {"telea", "pennet:small", "mean", "noise", "original"}
    results = baseline.read_run(old)
    assert judge(results, results).outcome == "same or better"
    assert build(old, tmp_path / "report").exists()
    folders = side_by_side.join(tmp_path / "joined", [old, FORMAT_1])
    assert build(tmp_path / "joined", tmp_path / "both", folders).exists()


def test_it_is_merged(old, tmp_path):
    merged = merge(tmp_path / "merged", [old, FORMAT_1])
    assert (merged.state, merged.counts) == ("complete", {"ok": 24, "unavailable": 4})
    assert json.loads((tmp_path / "merged" / "run.json").read_text())["format"] == 2
    key = ["method", "photo", "tier", "draw", "sample"]
    both = [read_run(folder).cases.sort_values(key) for folder in (tmp_path / "merged", old)]
    pd.testing.assert_series_equal(*(cases["ssim"].reset_index(drop=True) for cases in both))


def asked_again(out: Path) -> Request:
    protocol = Protocol(photos=str(PHOTOS), size=64, tiers=("small", "large"))
    return Request(out, protocol, methods=("mean", "navier_stokes"), samples=2, offline=True,
                   executor="inline")  # fmt: skip


def test_a_new_run_of_the_same_has_other_holes_and_is_told_so(old, tmp_path):
    run(asked_again(tmp_path / "new"))
    with pytest.raises(InputError, match="4 that differ, as another version draws them"):
        merge(tmp_path / "merged", [old, tmp_path / "new"])


def test_it_is_continued_in_todays_format(old):
    header = run(asked_again(old))
    assert header.state == "complete"
    assert [start.executor for start in header.starts] == ["local", "inline"]
    cases = read_run(old).cases
    assert set(cases["method"]) >= {"mean", "navier_stokes", "telea"}
    before = read_run(FORMAT_1).cases.query("method == 'mean'").reset_index(drop=True)
    now = cases.query("method == 'mean'").reset_index(drop=True)
    assert now["output_sha"].tolist() == before["output_sha"].tolist()
