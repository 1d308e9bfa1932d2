"""Files changed at random: their bytes, and of JSON, TOML, tables and texts their values too."""

import io
import json
import random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.masks.test_damaged_pictures import damaged

_VALUES: list[Any] = [
    None, True, -1, 0, 1e308, float("nan"), float("inf"), 2**63, -(2**31), 10**30, "", "x" * 300,
    "=1+1", "../../x", "\x1b[31m", "\ud800", [], {}, [[]], [None], {"a": None}, [1, 2, 3], "1", 0.5,
]  # fmt: skip
_CELLS = [
    None,
    True,
    -1,
    2**62,
    1e308,
    float("nan"),
    "",
    "x",
    "=1+1",
    "../../x",
    b"x",
    [1],
    {"a": 1},
]
_WORDS = [b"", b"-1", b"0", b"1e309", b"nan", b"9" * 5000, b"[" * 3000, b"{" * 3000, b'"', b"'",
          b"\0", b"\xff", b"\n", b",", b";", b"=", b":", b"(", b")", b"null", b"true", b"&x;", b"<",
          b"..", b"/", b"\\", b"%n", b"\xef\xbb\xbf", b"--", b"@", b"*"]  # fmt: skip


def mutated(data: bytes, dice: random.Random) -> bytes:
    """A file that is much like another, in one to three places not."""
    way = dice.randrange(3)
    if way and data.startswith(b"PAR1"):
        return _tabled(data, dice)
    if way == 0:
        return damaged(data, dice)
    if way == 1:
        try:
            value = json.loads(data)
        except ValueError:
            return _reworded(data, dice)
        for _ in range(dice.randint(1, 2)):
            value = _revalued(value, dice)
        return json.dumps(value).encode("utf-8", "surrogatepass")
    return _reworded(data, dice)


def _revalued(value: Any, dice: random.Random) -> Any:
    """A value of JSON with one inside of it exchanged, left out or twice."""
    if not (isinstance(value, (dict, list)) and value) or dice.random() < 0.1:
        return dice.choice(_VALUES)
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key = dice.choice(keys)
    if dice.random() < 0.15:
        copy = value.copy()
        copy.pop(key)
        return copy
    changed = value.copy()
    changed[key] = _revalued(value[key], dice)
    if isinstance(value, list) and dice.random() < 0.1:
        changed.append(value[key])
    return changed


def _tabled(data: bytes, dice: random.Random) -> bytes:
    """A table, without the checksums of ours, with a column or some rows not as they should be."""
    table = pq.read_table(io.BytesIO(data))
    for _ in range(dice.randint(1, 2)):
        at = dice.randrange(table.num_columns)
        name = table.column_names[at]
        way = dice.randrange(5)
        if way == 0 and table.column_names.count(name) == 1:
            table = table.drop_columns([name])
        elif way == 1:
            values = [dice.choice(_CELLS)] * table.num_rows
            table = table.set_column(at, name, pa.array(values))
        elif way == 2:
            rows = sorted(dice.choices(range(table.num_rows), k=table.num_rows))
            table = table.take(rows)
        elif way == 3:
            values = table.column(at).to_pylist()
            values[dice.randrange(len(values))] = None
            table = table.set_column(at, name, pa.array(values, table.column(at).type))
        elif way == 4:
            table = table.append_column(dice.choice(table.column_names), table.column(at))
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def _reworded(data: bytes, dice: random.Random) -> bytes:
    """A word put in, or in the place of another."""
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(data) + 1)
        to = min(len(data), at + dice.choice((0, 0, 1, 4, 16)))
        data = data[:at] + dice.choice(_WORDS) + data[to:]
    return data
