"""What became of all files and fills, in a few lines: like reasons counted, the first one told."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from bench.errors import InputError
from bench.folder.schema import CASES, INPUTS
from bench.folder.store import RunFolder, records
from bench.text.numbers import counted
from bench.text.plain import kind_of, one_line

_KINDS = {"photo": "photo", "mask": "mask", "truth": "truth picture", "other": "other file"}
_MOST = 8
_HEAD, _TAIL = 160, 80  # characters
_NEEDED = ("method", "photo", "tier", "status", "reason", "flags", "traceback")


def of_run(store: RunFolder, page: Path | None = None, without: Collection[str] = ()) -> list[str]:
    """What became of what was given to a run, and of what its methods had to do.

    Args:
        store: The run folder.
        page: Of the report, where all of it stands as well, if there is one.
        without: Methods of which `without_result` tells.

    Raises:
        InputError: If a table cannot be read.
    """
    inputs = store.read_table(INPUTS.file)
    cases = store.read_table(CASES.file, _NEEDED)
    others = cases[~cases["method"].isin(without)]
    found = [*refusals(inputs), *remarks(inputs), *_unfilled(store, others), *_flagged(cases)]
    if found or without:
        places = [store.file(INPUTS.file), store.file(CASES.file), *([page] if page else [])]
        found = [*(f"  {line}" for line in found), f"all of it: {', '.join(map(str, places))}"]
    return [used(inputs), *found]


def without_result(store: RunFolder, names: Iterable[str]) -> list[str]:
    """For each method that completed no case a line with the most frequent reason.

    Args:
        store: The run folder.
        names: The methods.

    Raises:
        InputError: If the table cannot be read.
    """
    cases = store.read_table(CASES.file, _NEEDED)
    lines = []
    for name in names:
        first, *others = _unfilled(store, cases[cases["method"] == name])
        more = f", {counted(len(others), 'other reason')} in cases.parquet" if others else ""
        lines.append(f"{name} completed no case: {first.removeprefix(f'{name}: ')}{more}")
    return lines


def used(inputs: pd.DataFrame) -> str:
    """How many files of each kind could be used.

    Args:
        inputs: Rows of ``inputs.parquet``.
    """
    found = dict(list(inputs["status"].eq("ok").groupby(inputs["kind"])))
    kinds = [(kind, found[kind]) for kind in _KINDS if kind in found]
    parts = (
        f"{'' if ok.all() else f'{ok.sum():,} of '}{_files(kind, len(ok))}" for kind, ok in kinds
    )
    return f"used: {', '.join(parts)}"


def refusals(inputs: pd.DataFrame) -> list[str]:
    """Why files were refused; a line a kind of file and reason, the most frequent first."""
    rows = records(inputs[inputs["status"] != "ok"])
    return _lines(
        ((row["kind"], "refused", row["reason"], row["path"]) for row in rows), whose=_files
    )


def remarks(inputs: pd.DataFrame) -> list[str]:
    """What is odd about files that can be used, likewise."""
    rows = records(inputs[inputs["status"] == "ok"])
    noted = ((row, note) for row in rows for note in row["note"].split("; ") if note)
    return _lines(((row["kind"], "noted", note, row["path"]) for row, note in noted), whose=_files)


def refuse_any(inputs: pd.DataFrame) -> None:
    """Refuse inputs of which not all can be used.

    Raises:
        InputError: With what cannot, and why.
    """
    if lines := refusals(inputs):
        raise InputError("\n  ".join(["--strict: not all that was given can be used:", *lines]))


def _unfilled(store: RunFolder, cases: pd.DataFrame) -> list[str]:
    rows = records(cases[cases["status"] != "ok"])
    return _lines(
        ((row["method"], row["status"], row["reason"], _which(row)) for row in rows),
        whose=_fills,
        tracebacks={
            (row["method"], _which(row)): str(store.file(row["traceback"]))
            for row in rows[::-1]
            if row["traceback"]
        },
    )


def _flagged(cases: pd.DataFrame) -> list[str]:
    """What is odd about what methods returned; nothing of runs from before that was looked for."""
    rows = records(cases[cases["flags"] != ""]) if "flags" in cases else []
    return _lines(
        (
            (row["method"], "flagged", flag, _which(row))
            for row in rows
            for flag in row["flags"].split("; ")
        ),
        whose=_fills,
    )


def _which(row: Mapping[str, Any]) -> str:
    return f"{row['photo']}, {row['tier']}"


def _fills(method: str, count: int) -> str:
    return f"{method}: {count:,}"


def _lines(
    found: Iterable[tuple[str, str, str, str]],
    whose: Callable[[str, int], str],
    tracebacks: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> list[str]:
    """Lines such as ``28 photos refused: why (first: a.png)``, or ``1 photo refused: why (a.png)``.

    Args:
        found: Kind or method, what became of it, why, and which it is.
        whose: Words for a kind or method, and how many.
        tracebacks: Files of them, by kind or method and which it is.
    """
    groups: dict[tuple[str, str, str], tuple[str, list[str]]] = {}
    for kind, status, reason, which in found:
        text = _unnamed(reason, which)
        like = kind, status, kind_of(text.replace(which, ""))
        groups.setdefault(like, (_short(text), []))[1].append(which)
    # What is always noted of the same files together, as a remark and its advice, is one line.
    texts: dict[tuple[str, str, tuple[str, ...], str], list[str]] = {}
    for (kind, status, why), (text, members) in groups.items():
        apart = "" if status == "noted" else why
        texts.setdefault((kind, status, tuple(members), apart), []).append(text)
    order = sorted(texts, key=lambda line: -len(line[2]))
    # A line on what is left out would take the place of a single one.
    most = _MOST if len(order) > _MOST + 1 else len(order)
    lines = [
        f"{whose(line[0], len(line[2]))} {line[1]}: {'; '.join(texts[line])} "
        f"({'first: ' if len(line[2]) > 1 else ''}{_short(line[2][0])}"
        f"{_traced(tracebacks.get((line[0], line[2][0])))})"
        for line in order[:most]
    ]
    if further := order[most:]:
        count = sum(len(members) for _, _, members, _ in further)
        lines.append(f"{count:,} more, for {len(further)} other reasons")
    return lines


def _unnamed(reason: str, which: str) -> str:
    """A reason without the file that it begins with, which the end of the line names."""
    file = re.escape(which)
    return re.sub(rf"^(\w+ )?('[^']*{file}'|[^' ]*{file}:) (is )?", "", reason)


def _traced(file: str | None) -> str:
    return f"; traceback: {one_line(file)}" if file else ""


def _files(kind: str, count: int) -> str:
    return counted(count, _KINDS[kind])


def _short(text: str) -> str:
    line = one_line(text)
    # An error's place stands at its end.
    return line if len(line) <= _HEAD + _TAIL else f"{line[:_HEAD]} ... {line[-_TAIL:]}"
