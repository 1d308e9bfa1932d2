"""Whether fills that should be equal are: one identity, one machine, one case, one picture."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import pandas as pd

from bench.errors import BenchError
from bench.folder.header import Start
from bench.folder.read import Run
from bench.folder.schema import CASES
from bench.folder.store import KEYS, records

_MACHINE = attrgetter("system", "processor", "accelerator")
_START = attrgetter("device", "threads")
_COLUMNS = [*KEYS, "case_key", "fill_key", "output_sha"]
_SHOWN = 3


def machines_agree(starts: Sequence[Start]) -> bool:
    """Whether all starts of runs were on machines that must give the same bytes.

    Processors, accelerators and numbers of threads differ in last digits, which rounding may show.
    """
    return len({(each, _START(start)) for start in starts for each in _machines(start)}) < 2


def _machines(start: Start) -> Sequence[str]:
    return start.nodes or ["; ".join(_MACHINE(start.environment))]


def check(runs: Sequence[Run], *, anyway: bool = False) -> list[str]:
    """Look whether what is one method in several runs gave the same pictures in all.

    Args:
        runs: Runs; their cases are read from the folder, a method at a time, if not here.
        anyway: Say it in the notes instead of refusing.

    Returns:
        What readers of the runs together must know.

    Raises:
        BenchError: If a method that is not stochastic gave other pictures though all that is known
            of it is the same, on machines that are alike.
    """
    notes = []
    for a, b in itertools.combinations(runs, 2):
        alike = machines_agree([*a.header.starts, *b.header.starts])
        for method in _same(a, b):
            found = _differing(_rows(a, method), _rows(b, method))
            if found.empty:
                continue
            where = f"{a.folder} and {b.folder}"
            if alike and not anyway:
                raise BenchError(other_pictures(records(found), where))
            why = "" if alike else ", made on machines or with settings that are not alike"
            notes.append(
                f"{len(found)} pictures of {method} differ between {where} though its code and "
                f"settings are the same{why}"
            )
    return notes


def other_pictures(rows: Sequence[Mapping[str, Any]], where: str) -> str:
    """Say which fills differ though nothing known does, and what to do.

    Args:
        rows: The keys of fills, and the hashes of the ``first`` and the ``last`` picture.
        where: The run folders.
    """
    shown = [
        f"{row['method']} on {row['photo']} ({row['tier']}, draw {row['draw']}): picture "
        f"{row['first']} and {row['last']}"
        for row in rows[:_SHOWN]
    ]
    more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return (
        f"{where}: same method, other pictures: {'; '.join(shown)}{more}. By all that is known the "
        "same code made both, so its numbers cannot be trusted: it depends on something that is "
        "not part of its identity, such as a file it opens or a server it asks. Name the file in "
        "the class's `files`, add the rest to `identity`, or set stochastic on its card if it is "
        "random; then give another --out"
    )


def _same(a: Run, b: Run) -> list[str]:
    """Methods that are one in both runs, and must give the same fills."""
    keys = a.header.fill_keys.items() & b.header.fill_keys.items()
    steady = set(a.methods.index[~a.methods["stochastic"]])
    return [name for name in a.methods.index if name in steady & dict(keys).keys()]


def _rows(run: Run, method: str) -> pd.DataFrame:
    if len(run.cases):
        rows = run.cases.loc[run.cases["method"] == method, _COLUMNS]
    else:
        path = run.store.file(CASES.file)
        if not path.exists():  # of a run that was killed; whoever needs it will say so
            return pd.DataFrame(columns=_COLUMNS)
        rows = run.store.read_table(CASES.file, _COLUMNS, method=method)
    rows = rows.astype({"method": str, "photo": str, "tier": str})
    return rows[rows["output_sha"].fillna("") != ""]


def _differing(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    both = a.rename(columns={"output_sha": "first"}).merge(
        b.rename(columns={"output_sha": "last"}), on=_COLUMNS[:-1]
    )
    return both[both["first"] != both["last"]]
