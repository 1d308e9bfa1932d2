"""What a table of a run folder is made of: declared columns, and tables written by them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

FORMAT: Final = 2
"""Of a run folder; each table carries that it was written in."""
TEXT, WHOLE, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
WORDS: Final = {TEXT: "text", WHOLE: "whole number", REAL: "number", FLAG: "true or false"}
_BLANKS: Final = {TEXT: "", WHOLE: 0, REAL: float("nan"), FLAG: False}
_DTYPES: Final = {TEXT: "str", WHOLE: "int64", REAL: "float64", FLAG: "bool"}


@dataclass(frozen=True)
class Column:
    """One column. Numbers may be NaN, which files hold as null; nothing else is ever null.

    Attributes:
        name: Its name, or of a column that stands for several, how these are called.
        type: `TEXT`, `WHOLE`, `REAL` or `FLAG`.
        says: What it holds, in a few words.
        unit: Of the number.
        required: Whether a folder without it is damaged; what older runs lack is read as blank.
        pattern: What the names of the columns match that this one stands for.
    """

    name: str
    type: pa.DataType
    says: str
    unit: str = ""
    required: bool = True
    pattern: str = ""

    @property
    def blank(self) -> Any:
        """What stands where there is nothing to say."""
        return _BLANKS[self.type]

    @property
    def dtype(self) -> str:
        """The type in a data frame."""
        return _DTYPES[self.type]

    def accepts(self, found: pa.DataType, *, null: bool = False) -> bool:
        """Whether values of a file's type are of this one.

        Args:
            found: The type in the file.
            null: Whether all or some of the values may be null.
        """
        types = pa.types
        if types.is_dictionary(found):
            found = found.value_type
        if self.type == REAL:
            return bool(types.is_floating(found) or types.is_integer(found) or types.is_null(found))
        if null and (types.is_null(found) or (self.type == WHOLE and types.is_floating(found))):
            return True
        if self.type == WHOLE:
            return bool(types.is_integer(found))
        if self.type == FLAG:
            return bool(types.is_boolean(found))
        return bool(types.is_string(found) or types.is_large_string(found))


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: Of its file, without ``.parquet``.
        says: What a row is.
        columns: In their order.
        keys: What tells rows apart; empty where rows may be equal.
        anew: How it is written anew.
        about: More on the columns, for the documentation.
    """

    name: str
    says: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...] = ()
    anew: str = "delete it and give the run's command again, which writes it anew"
    about: str = ""
    _declared: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Know the names."""
        names = frozenset(column.name for column in self.columns if not column.pattern)
        object.__setattr__(self, "_declared", names)

    @property
    def file(self) -> str:
        """Its file in the run folder."""
        return f"{self.name}.parquet"

    @cached_property
    def names(self) -> list[str]:
        """Names of the columns that stand for themselves, in order."""
        return [column.name for column in self.columns if not column.pattern]

    def among(self, there: Iterable[str]) -> list[Column]:
        """The columns, those that stand for several replaced by which of them are there."""
        rest = [name for name in there if name not in self._declared]
        found: list[Column] = []
        for column in self.columns:
            if column.pattern:
                own = [name for name in rest if re.fullmatch(column.pattern, name)]
                found += [Column(n, column.type, column.says, column.unit) for n in own]
                rest = [name for name in rest if name not in own]
            else:
                found.append(column)
        return found

    def frame(self, rows: Iterable[Mapping[str, Any]], further: Iterable[str] = ()) -> pd.DataFrame:
        """Rows as a table with all columns, in order and typed; blank where a row has no value.

        Args:
            rows: By column.
            further: The columns of which one stands for several.
        """
        return self.typed(pd.DataFrame(list(rows)), further)

    def typed(
        self, table: pd.DataFrame, further: Iterable[str] = (), without: Collection[str] = ()
    ) -> pd.DataFrame:
        """A table with all columns but some, in order and typed; blank where there is nothing."""
        columns = self.among(dict.fromkeys([*further, *map(str, table)]))
        values = {each.name: _typed(table, each) for each in columns if each.name not in without}
        return pd.DataFrame(values, index=table.index, copy=False)

    def arrow(self, table: pd.DataFrame) -> pa.Table:
        """What is written of a table.

        Raises:
            ValueError: If a required column is missing, one is not declared, or a value is null or
                of another type, which is a mistake of who writes.
        """
        columns = self.among(map(str, table))
        lacking = [each.name for each in columns if each.required and each.name not in table]
        unknown = [str(name) for name in table if name not in {each.name for each in columns}]
        if lacking or unknown:
            raise ValueError(f"{self.name}: columns {lacking} are missing, {unknown} not declared")
        arrays = [_array(table, column) for column in columns]
        for column, array in zip(columns, arrays, strict=True):
            if column.type != REAL and array.null_count:
                raise ValueError(f"{self.name}: {column.name} is null in {array.null_count} rows")
        types = [pa.field(c.name, c.type, c.type == REAL) for c in columns]
        schema = pa.schema(types, {"format": str(FORMAT)})
        return pa.Table.from_arrays(arrays, schema=schema)


def format_of(schema: pa.Schema) -> int:
    """The format that a table was written in; those of format 1 do not say it."""
    return int((schema.metadata or {}).get(b"format", 1))


def _typed(table: pd.DataFrame, column: Column) -> pd.Series:
    if column.name not in table:
        return pd.Series(column.blank, index=table.index, dtype=column.dtype)
    values = table[column.name]
    if column.type == TEXT and isinstance(values.dtype, pd.CategoricalDtype):
        return values
    if column.type != REAL and values.isna().any():
        values = values.astype(object).where(values.notna(), column.blank)
    dtype: Any = column.dtype
    return values if values.dtype == dtype else values.astype(dtype)


def _array(table: pd.DataFrame, column: Column) -> pa.Array:
    if column.name not in table:
        return pa.array(np.full(len(table), column.blank, dtype=object), column.type)
    values = table[column.name]
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("str")
    try:
        array = pa.array(values, from_pandas=True)
        array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
        if not column.accepts(array.type, null=True):
            raise ValueError(f"found {array.type}")
        return array.cast(column.type)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{column.name}: expected {WORDS[column.type]}: {error}") from error
