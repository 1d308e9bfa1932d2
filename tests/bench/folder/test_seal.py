"""No flipped bit of a table that we wrote goes unseen, or ends the process that reads it."""

import random

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from bench.errors import InputError
from bench.folder import seal
from bench.folder.schema import METHODS
from bench.folder.store import RunFolder


@pytest.fixture
def store(tmp_path):
    store = RunFolder(tmp_path)
    rows = [{"method": name, "title": "A method", "stochastic": False} for name in "abc"]
    store.write_table("methods.parquet", METHODS.frame(rows))
    store.write_fragment("a", [{"case": n, "method": "m", "psnr_db": n / 7} for n in range(9)])
    return store


@pytest.mark.parametrize("name", ["methods.parquet", "fragments/a.parquet"])
def test_each_flipped_bit_is_seen_or_changes_nothing(store, name):
    path = store.file(name)
    whole, before = path.read_bytes(), pd.read_parquet(path)
    rng = random.Random(0)
    unseen = 0
    for bit in rng.sample(range(len(whole) * 8), 600):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            seal.check(path)
        except ValueError:
            continue
        unseen += 1  # of the mark itself
        pd.testing.assert_frame_equal(pd.read_parquet(path), before)
    assert unseen < 60


def test_other_readers_see_no_seal(store):
    path = store.file("methods.parquet")
    assert pq.read_table(path)["method"].to_pylist() == ["a", "b", "c"]
    assert pq.ParquetFile(path, page_checksum_verification=True).read().num_rows == 3


def test_a_table_of_another_writer_has_no_seal_and_is_read(store):
    path = store.file("methods.parquet")
    pq.write_table(pq.read_table(path), path)
    seal.check(path)
    assert len(store.read_table("methods.parquet")) == 3


@pytest.mark.parametrize("left", [0, 3, 9, 400])
def test_a_table_cut_short_is_refused(store, left):
    path = store.file("methods.parquet")
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputError, match="methods"):
        store.read_table("methods.parquet")


def test_a_damaged_table_is_refused_in_words(store):
    path = store.file("methods.parquet")
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    with pytest.raises(InputError, match=r"methods\.parquet: .*checksum"):
        store.read_table("methods.parquet")


def test_large_tables_are_hashed_in_parts(tmp_path):
    store = RunFolder(tmp_path)
    noise = np.random.default_rng(0).random(400_000)
    store.write_fragment("big", [{"x": value} for value in noise])
    path = store.file("fragments/big.parquet")
    assert path.stat().st_size > 3 << 20
    seal.check(path)
    with path.open("rb+") as file:
        file.seek(2 << 20)
        byte = file.read(1)[0]
        file.seek(2 << 20)
        file.write(bytes([byte ^ 4]))
    with pytest.raises(ValueError, match="checksum"):
        seal.check(path)
