"""Parquet files as a run folder has them: with checksums of their pages, and sealed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bench.folder import seal


def packed(table: pa.Table) -> Sequence[bytes | memoryview]:
    """The bytes of a file that holds a table, in parts that follow each other."""
    stream = pa.BufferOutputStream()
    pq.write_table(table, stream, write_page_checksum=True)
    return seal.sealed(memoryview(stream.getvalue()))


def whole(path: Path) -> pa.Table:
    """All of a file; one that is missing or damaged raises errors of many kinds."""
    seal.check(path)
    return pq.ParquetFile(path, page_checksum_verification=True).read()


def frame(table: pa.Table) -> pd.DataFrame:
    """A table in pandas, which takes its columns over one by one: it cannot be used afterwards."""
    found: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    return found


def read(
    path: Path, columns: Collection[str] | None, categories: Collection[str], method: str | None
) -> pd.DataFrame:
    """Columns of a file, those of these names that it has, all if None; raises like `whole`.

    Args:
        path: The file.
        columns: Their names.
        categories: Those to be read as categories, if not only a method's rows are.
        method: Whose rows to read; all if None.
    """
    if columns is None and method is None:
        return frame(whole(path))
    seal.check(path)
    there = [name for name in pq.read_schema(path).names if columns is None or name in columns]
    if method is not None:
        own = [("method", "==", method)]
        rows = pq.read_table(path, columns=there, filters=own, page_checksum_verification=True)
        return frame(rows)
    # Column by column, since a whole table would be in memory twice for a moment.
    as_codes = [*{*there} & {*categories}]
    with pq.ParquetFile(path, read_dictionary=as_codes, page_checksum_verification=True) as file:
        found = {column: file.read([column]).column(0).to_pandas() for column in there}
    for column in as_codes:
        # In the order of the texts, as sorting them one by one would have it.
        in_order = sorted(found[column].cat.categories)
        found[column] = found[column].cat.reorder_categories(in_order)
    pa.default_memory_pool().release_unused()
    return pd.DataFrame(found, copy=False)
