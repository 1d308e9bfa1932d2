"""Fragments that are put together hold what they held, and no loss costs more than a little."""

import numpy as np
import pandas as pd
import pytest

from bench.folder import fragments
from bench.folder.store import RunFolder


@pytest.fixture
def store(tmp_path, monkeypatch) -> RunFolder:
    monkeypatch.setattr(fragments, "MANY", 10)
    return RunFolder(tmp_path)


def fill(store: RunFolder, files: int, rows: int, seconds: float) -> None:
    """Write fragments; some rows are of failures, which have no numbers."""
    for file in range(files):
        written = [
            {"method": "a", "case": file * rows + row, "status": "ok", "seconds": seconds,
             "measure_seconds": 0.0, "reason": ""}
            for row in range(rows)
        ]  # fmt: skip
        if file % 3 == 0:
            written[0] = {"method": "a", "case": file * rows, "status": "failed", "reason": "why"}
        store.write_fragment(f"{file:04d}", written)


def content(store: RunFolder, **options) -> pd.DataFrame:
    return store.read_fragments(**options).sort_values("case").reset_index(drop=True)


def files(store: RunFolder) -> list:
    return sorted(store.file("fragments").iterdir())


def test_all_rows_are_there_before_while_and_after(store):
    fill(store, 30, 4, 0.1)
    before = content(store)
    pd.testing.assert_frame_equal(content(store, join=True), before)
    assert len(files(store)) == 1
    pd.testing.assert_frame_equal(content(store), before)
    fill(store, 3, 4, 0.1)  # as if it had been killed before it deleted all
    assert len(content(store)) == len(before) + 12
    assert len(content(store).drop_duplicates()) == len(before)


def test_few_stay_as_they_are(store):
    fill(store, 10, 4, 0.1)
    content(store, join=True)
    assert len(files(store)) == 10


@pytest.mark.parametrize(("rows", "seconds"), [(4, 0.0), (4, 40.0), (1, 1000.0), (1500, 0.001)])
def test_no_file_is_made_whose_loss_costs_much(store, rows, seconds):
    fill(store, 30, rows, seconds)
    before = content(store, join=True)
    assert before["case"].nunique() == 30 * rows
    for path in files(store):
        made = pd.read_parquet(path)
        joined = path.name.startswith("joined")
        assert not joined or len(made) <= fragments._ROWS
        assert not joined or np.nansum(made["seconds"]) <= fragments._SECONDS
    damaged = files(store)[0]
    lost = len(pd.read_parquet(damaged))
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert len(store.read_fragments()) == len(before) - lost
    assert store.file(f"quarantine/fragments/{damaged.name}").exists()
