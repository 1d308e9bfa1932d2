"""What became of all files and fills, in a few lines: like reasons counted, the first one told."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from bench.errors import InputError
from bench.folder.schema import CASES, INPUTS
from bench.folder.store import RunFolder, records
from bench.text.plain import one_line

LOST = ("failed", "timeout", "killed", "oom")
"""How a fill ends that was neither completed nor declined, by a method that could be loaded."""

_FILES = {"other": "other file", "truth": "truth picture"}
_MOST, _LONGEST = 8, 240
# What differs between reasons of one kind: names in quotes, numbers, sizes.
_VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\d.,x]*")


def of_run(store: RunFolder, page: Path | None = None) -> list[str]:
    """What became of what was given to a run, and of what its methods had to do.

    Args:
        store: The run folder.
        page: Of the report, where all of it stands as well, if there is one.

    Raises:
        InputError: If a table cannot be read.
    """
    inputs = store.read_table(INPUTS.file)
    cases = store.read_table(CASES.file, ("method", "photo", "tier", "status", "reason"))
    found = [*refusals(inputs), *remarks(inputs), *_unfilled(cases)]
    if found:
        places = [store.file(INPUTS.file), store.file(CASES.file), *([page] if page else [])]
        found = [*(f"  {line}" for line in found), f"all of it: {', '.join(map(str, places))}"]
    return [used(inputs), *found]


def used(inputs: pd.DataFrame) -> str:
    """How many files of each kind were used.

    Args:
        inputs: Rows of ``inputs.parquet``.
    """
    kinds = inputs["status"].eq("ok").groupby(inputs["kind"], sort=False)
    return ", ".join(
        f"{int(ok.sum()):,} of {_files(str(kind), len(ok))} used" for kind, ok in kinds
    )


def refusals(inputs: pd.DataFrame) -> list[str]:
    """Why files were refused; a line a kind of file and reason, the most frequent first."""
    return _lines(
        (row["kind"], "refused", row["reason"], row["path"])
        for row in records(inputs[inputs["status"] != "ok"])
    )


def remarks(inputs: pd.DataFrame) -> list[str]:
    """What is odd about files that were used, likewise."""
    return _lines(
        (row["kind"], "used", note, row["path"])
        for row in records(inputs[inputs["status"] == "ok"])
        for note in filter(None, row["note"].split("; "))
    )


def refuse_any(inputs: pd.DataFrame) -> None:
    """Refuse inputs of which not all can be used.

    Raises:
        InputError: With what was refused, and why.
    """
    if lines := refusals(inputs):
        raise InputError("\n  ".join(["--strict: not all that was given can be used:", *lines]))


def _unfilled(cases: pd.DataFrame) -> list[str]:
    return _lines(
        (row["method"], row["status"], row["reason"], f"{row['photo']}, {row['tier']}")
        for row in records(cases[cases["status"] != "ok"])
    )


def _lines(found: Iterable[tuple[str, str, str, str]]) -> list[str]:
    """Lines such as ``28 photos refused: why (first: a.png)`` of whose, status, reason, which."""
    counts: dict[tuple[str, str, str], int] = {}
    firsts: dict[tuple[str, str, str], str] = {}
    for whose, status, reason, which in found:
        head, named, rest = reason.partition(f"{which}: ")
        text = rest if named and ": " not in head else reason
        kind = whose, status, _VARIES.sub("", text.replace(which, ""))
        counts[kind] = counts.get(kind, 0) + 1
        firsts.setdefault(kind, f"{_short(text)} (first: {_short(which)})")
    order = sorted(counts, key=lambda kind: -counts[kind])
    lines = [f"{_files(kind[0], counts[kind])} {kind[1]}: {firsts[kind]}" for kind in order[:_MOST]]
    if further := order[_MOST:]:
        lines.append(f"{sum(map(counts.__getitem__, further)):,} more for {len(further)} reasons")
    return lines


def _files(kind: str, count: int) -> str:
    """Such as ``3 photos``; of a method its name with the number of its fills."""
    if kind not in ("photo", "mask", *_FILES):
        return f"{kind}: {count:,}"
    return f"{count:,} {_FILES.get(kind, kind)}{'' if count == 1 else 's'}"


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."
