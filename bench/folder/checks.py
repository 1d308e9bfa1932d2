"""What a table of a run folder is refused for: columns, types and nulls; rows of the same keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from bench.errors import InputError
from bench.folder import seal, upgrade
from bench.folder.columns import REAL, WORDS, Column, Table, format_of


def refuse_undeclared(
    path: Path, table: Table, columns: Callable[[Sequence[str]], list[Column]]
) -> None:
    """Refuse a file whose columns, types or nulls are not as declared; no row is read for it.

    Args:
        path: The file.
        table: What it is to be.
        columns: Gives the columns to look at, by the names that are there.

    Raises:
        InputError: If it is not so.
    """
    try:
        seal.check(path)
        with pq.ParquetFile(path) as file:
            expected = columns(file.schema_arrow.names)
            problem = next(_problems(table, file, expected), "")
    except Exception as error:  # pyarrow raises its own, OSError and ValueError
        raise InputError(f"{path}: cannot be read as a table: {error}; {table.anew}") from error
    if problem:
        raise InputError(f"{path}: expected {problem}; {table.anew}")


def _problems(table: Table, file: pq.ParquetFile, columns: Sequence[Column]) -> Iterator[str]:
    schema = file.schema_arrow
    for column in columns:
        if column.name not in schema.names:
            if column.required:
                yield f"a column {column.name} ({column.says}), found none"
            continue
        null = upgrade.may_be_null(table.name, column.name, format_of(schema))
        found = schema.field(column.name).type
        if not column.accepts(found, null=null or not file.metadata.num_rows):
            yield f"{column.name} as {WORDS[column.type]} in each row, found {found}"
        elif column.type != REAL and not null and (nulls := _nulls(file, column)):
            yield f"{column.name} in each row, found {nulls} rows without"


def _nulls(file: pq.ParquetFile, column: Column) -> int:
    """How many values of a column are null, by what the file says of its parts."""
    place = file.schema_arrow.names.index(column.name)
    parts = [
        file.metadata.row_group(number).column(place).statistics
        for number in range(file.metadata.num_row_groups)
    ]
    if all(part is not None and part.has_null_count for part in parts):
        return sum(part.null_count for part in parts)
    return int(file.read([column.name]).column(0).null_count)


def refuse_repeated(rows: pd.DataFrame, table: Table, path: Path) -> None:
    """Refuse rows of the same keys; these are numbered, so that a large table needs no copy."""
    number = np.zeros(len(rows), np.int64)
    for key in table.keys:
        values = rows[key]
        categories = isinstance(values.dtype, pd.CategoricalDtype)
        codes = values.cat.codes.to_numpy() if categories else pd.factorize(values)[0]
        number = number * (int(codes.max(initial=0)) + 1) + codes
    repeated = pd.Series(number).duplicated()
    if repeated.any():
        first = rows.loc[repeated.to_numpy(), list(table.keys)].iloc[0]
        name = "|".join(map(str, first))
        raise InputError(
            f"{path}: expected each {', '.join(table.keys)} once, but {name} is there twice; "
            f"{table.anew}"
        )
