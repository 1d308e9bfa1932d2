"""CSV that is safe to open in a spreadsheet."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def written(table: pd.DataFrame, *, header: bool = True) -> str:
    """A table as CSV; texts, not numbers, that would run as a formula get an apostrophe.

    Args:
        table: The table.
        header: Whether a line with the names of the columns comes first.
    """
    texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    safe = table.assign(**{str(name): table[name].map(_cell) for name in texts})
    return str(safe.to_csv(index=False, lineterminator="\n", header=header))


def guarded(value: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would run as a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _cell(value: Any) -> Any:
    """`guarded`; a lone carriage return, which pandas does not quote, would end the row."""
    return re.sub("\r\n?", "\n", guarded(value)) if isinstance(value, str) else value
