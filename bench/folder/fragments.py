"""Many small fragments put together into a few, which are read in a fraction of the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

MANY: Final = 200
"""Fragments that are read one by one in about a third of a second."""

# What a damaged file costs at most, since it is done again.
_ROWS, _SECONDS = 4096, 300.0


class Fragment(NamedTuple):
    """A file and its rows."""

    path: Path
    rows: pa.Table


def together(found: Iterable[Fragment]) -> Iterator[Sequence[Fragment]]:
    """Groups of fragments to make one of each, such that losing one loses little work."""
    group: list[Fragment] = []
    rows, seconds = 0, 0.0
    for each in found:
        more = _seconds(each.rows)
        if group and (rows + each.rows.num_rows > _ROWS or seconds + more > _SECONDS):
            if len(group) > 1:
                yield group
            group, rows, seconds = [], 0, 0.0
        group.append(each)
        rows, seconds = rows + each.rows.num_rows, seconds + more
    if len(group) > 1:
        yield group


def _seconds(rows: pa.Table) -> float:
    """How long it took to make and to measure them."""
    spent = 0.0
    for name in {"seconds", "measure_seconds"} & {*rows.column_names}:
        values = rows[name].drop_null().cast(pa.float64())
        spent += pc.sum(values.filter(pc.is_finite(values))).as_py() or 0.0
    return spent
