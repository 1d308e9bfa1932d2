from __future__ import annotations

import os
from datetime import datetime

import pandas as pd
import pytest

from bench.folder.header import read
from bench.folder.store import RunFolder
from reports.build import build
from tests.speed import default_job
from tests.support.reading import change_header
from tests.support.sample_run import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job") / "run"
    write_run(folder, names=["coffee.png"], tiers=["small"])
    change_header(folder, created="2026-01-01T00:00:00+00:00")
    build(folder)
    return folder


def test_parts_follow_each_other_from_the_start(run):
    start = datetime.fromisoformat(read(RunFolder(run)).created).timestamp()
    for number, (_, file) in enumerate(default_job.PARTS):
        if (run / file).exists():
            os.utime(run / file, (start, start + (number + 1) ** 2))
    spent = default_job.parts(run)
    assert "latency" not in spent  # no such pass: its seconds are those of what follows
    assert spent.to_dict() == {
        "photos, holes, plan": 1, "fills and measuring": 3, "metrics of sets, tables": 5,
        "report": 16,
    }  # fmt: skip


def test_methods_and_bytes_are_all_there(run, capsys):
    cases = pd.read_parquet(run / "cases.parquet")
    table = default_job.methods(run)
    assert table["fills"].sum() == len(cases)
    assert table["seconds"].sum() == pytest.approx(cases["seconds"].sum())
    size = sum(path.stat().st_size for path in (run / "report").rglob("*") if path.is_file())
    assert default_job.megabytes(run / "report").sum() == pytest.approx(size / 1e6)
    default_job.main(run)
    said = capsys.readouterr().out
    assert "fills and measuring" in said
    assert f"report: {size / 1e6:.1f} MB" in said
