"""A damaged run folder gives one and the same error, whoever reads it."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import get_type_hints

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.compare import asked
from bench.errors import InputError
from bench.folder import header, page, side_by_side
from bench.folder.columns import REAL, TEXT
from bench.folder.read import read_run
from bench.folder.schema import TABLES, VOTES
from bench.folder.store import RunFolder
from bench.gate import baseline
from bench.run.merge import merge
from reports.build import build
from tests.support import run_builder

FORMAT_1 = Path(__file__).parent / "format-1"
DOCS = Path(__file__).parents[3] / "docs" / "run-folder.md"
EVERY = ("plan", "inputs", "cases", "sets", "samples", "metrics", "methods", "training",
         "receptive", "latency", "votes")  # fmt: skip
REQUIRED_KEYS = [
    field.name
    for field in dataclasses.fields(header.Header)
    if field.default is dataclasses.MISSING
]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A real run in today's format."""
    folder = tmp_path_factory.mktemp("contract") / "run"
    shutil.copytree(FORMAT_1, folder)
    found = read_run(folder)
    for name in EVERY:
        RunFolder(folder).write_table(f"{name}.parquet", getattr(found, name))
    RunFolder(folder).write_table("votes.parquet", VOTES.frame([{"voter": "Ann"}]))
    found.header.write(RunFolder(folder))
    return folder


@pytest.fixture(scope="module")
def other(run) -> Path:
    return Path(shutil.copytree(run, run.parent / "other"))


def errors(run: Path, other: Path, tmp: Path) -> set[str]:
    """What compare, gate, report, joined report and merge say; empty texts where they work."""
    said = set()
    for read in (
        lambda: asked.read(run),
        lambda: baseline.read_run(run),
        lambda: build(run, tmp / "report"),
        lambda: side_by_side.join(tmp / "joined", [run, other]),
        lambda: merge(tmp / "merged", [run, other]),
    ):
        try:
            read()
        except InputError as error:
            said.add(str(error))
        else:
            said.add("")
    return said


def refused(path: Path, content: bytes, run: Path, other: Path, tmp: Path) -> str:
    """The one error of all five, with this content of a file."""
    kept = path.read_bytes()
    path.write_bytes(content)
    try:
        (said,) = errors(run, other, tmp)
    finally:
        path.write_bytes(kept)
    assert said.startswith(f"{path}: expected "), said
    assert "; " in said  # what to do next
    return said


def packed(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


@pytest.mark.parametrize("name", TABLES)
def test_each_required_column_that_is_missing_null_or_of_another_type(name, run, other, tmp_path):
    path = run / f"{name}.parquet"
    table = pq.read_table(path)
    for column in TABLES[name].columns:
        if column.pattern or not column.required:
            continue
        damaged = {"none": table.drop_columns([column.name])}
        numbers = pa.array(range(len(table)), pa.int64())
        strange = numbers if column.type == TEXT else numbers.cast(pa.string())
        damaged[str(strange.type)] = with_column(table, column.name, strange)
        if column.type != REAL:
            values = table[column.name].to_pylist()
            nulls = pa.array([None, *values[1:]], column.type)
            damaged["1 rows without"] = with_column(table, column.name, nulls)
        for found, each in damaged.items():
            said = refused(path, packed(each), run, other, tmp_path)
            assert column.name in said
            assert f"found {found}" in said


def test_each_measured_metric_has_its_column(run, other, tmp_path):
    path = run / "cases.parquet"
    table = pq.read_table(path)
    said = refused(path, packed(table.drop_columns(["ssim"])), run, other, tmp_path)
    assert "a column ssim" in said
    texts = with_column(table, "ssim", pa.array(["x"] * len(table)))
    assert "ssim as number" in refused(path, packed(texts), run, other, tmp_path)


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.keys])
def test_a_row_that_is_there_twice(name, run, other, tmp_path):
    path = run / f"{name}.parquet"
    table = pq.read_table(path)
    twice = pa.concat_tables([table, table.slice(1, 1) if len(table) > 1 else table])
    assert "is there twice" in refused(path, packed(twice), run, other, tmp_path)


def test_a_method_without_a_card(run, other, tmp_path):
    path = run / "methods.parquet"
    table = pq.read_table(path)
    said = refused(path, packed(table.slice(1)), run, other, tmp_path)
    assert "found none for telea" in said


@pytest.mark.parametrize("key", REQUIRED_KEYS)
def test_each_key_of_the_header_that_is_missing_or_of_another_type(key, run, other, tmp_path):
    path = run / "run.json"
    value = json.loads(path.read_text("utf-8"))
    del value["checksum"]  # as who edits it is told to do
    less = {name: each for name, each in value.items() if name != key}
    wrong = value | {key: 3.5 if get_type_hints(header.Header)[key] is not float else "x"}
    for damaged, words in ((less, "found none"), (wrong, "found 3.5")):
        said = refused(path, json.dumps(damaged).encode(), run, other, tmp_path)
        assert key in said
        assert words in said


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"format": "2"}', b'{"format": 2, "format": 2}']
)
def test_a_header_that_is_none(content, run, other, tmp_path):
    refused(run / "run.json", content, run, other, tmp_path)


@pytest.mark.parametrize("column", ["ssim", "photo", "attempt"])
def test_a_flipped_bit_in_a_table_is_noticed(column, run, tmp_path):
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    path = folder / "cases.parquet"
    file = pq.ParquetFile(path)
    chunk = file.metadata.row_group(0).column(file.schema_arrow.names.index(column))
    whole = bytearray(path.read_bytes())
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    whole[start + chunk.total_compressed_size - 1] ^= 1
    path.write_bytes(whole)
    with pytest.raises(InputError, match=r"cases\.parquet: cannot be read as a table"):
        read_run(folder)


def test_a_newer_format_is_refused_everywhere(run, other, tmp_path):
    path = run / "run.json"
    kept = path.read_bytes()
    path.write_text('{"format": 99}')
    (said,) = errors(run, other, tmp_path)
    path.write_bytes(kept)
    assert said == f"{path}: format 99 is newer than 2; update inpaint-bench"


def test_an_intact_run_is_read_by_all(run, other, tmp_path):
    assert errors(run, other, tmp_path) == {""}


def test_the_documentation_lists_exactly_the_schema():
    text = DOCS.read_text("utf-8")
    assert text.endswith("\n".join(page.lines()) + "\n"), "python -m bench.folder.page prints it"


def test_a_blank_run_of_the_builder_is_a_run(tmp_path):
    run_builder.write(tmp_path, run_builder.header("photos:aa/1"))
    assert all(getattr(read_run(tmp_path), name).empty for name in EVERY)


@pytest.mark.parametrize("name", TABLES)
def test_what_is_not_as_declared_is_not_written(name, tmp_path):
    store, table = RunFolder(tmp_path), TABLES[name].frame([{}])
    store.write_table(f"{name}.parquet", table)
    first = table.columns[0]
    for wrong in (table.drop(columns=first), table.assign(**{first: [None]})):
        with pytest.raises(ValueError, match=f"{name}: .*{first}"):
            store.write_table(f"{name}.parquet", pd.DataFrame(wrong))
