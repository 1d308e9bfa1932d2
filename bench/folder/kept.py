"""Whether the pictures that rows refer to are still what was written."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pandas as pd

from bench.folder import png
from bench.text.plain import lines

if TYPE_CHECKING:
    from bench.folder.read import Run
    from bench.folder.store import RunFolder

_READERS = 8  # files are waited for, on disks of others for long
_COLUMNS = ("output", "output_sha", "written", "pictures", "thumbnail")
_T = TypeVar("_T")
_R = TypeVar("_R")


class _Row(NamedTuple):
    output: str
    output_sha: str
    written: int
    pictures: str
    thumbnail: str


def damaged(store: RunFolder, rows: pd.DataFrame, content: Callable[[Any], str]) -> pd.Series:
    """Of each row, the names of its pictures that are no more what was written, or gone.

    All are read, and their own checksums looked at; only where a file is younger than its row,
    so that it may be another picture, it is decoded and its content's hash compared.

    Args:
        store: The run folder.
        rows: Of fragments, completed.
        content: The hash of a picture's pixels.
    """
    table = rows.reindex(columns=[*_COLUMNS])
    texts = table.drop(columns="written").fillna("")
    table = texts.assign(written=table["written"].fillna(0))[[*_COLUMNS]]
    every = [_Row(*row) for row in table.itertuples(index=False, name=None)]
    return pd.Series(_in_threads(lambda row: _damaged(store, row, content), every), rows.index)


def not_whole(store: RunFolder, names: Iterable[str]) -> list[str]:
    """Those of some PNGs of a folder that are damaged or gone."""
    every = list(dict.fromkeys(names))
    found = _in_threads(lambda name: _is_whole(store, name), every)
    return [name for name, whole in zip(every, found, strict=True) if not whole]


def say_lost(run: Run) -> None:
    """Say how many kept pictures of a run are gone or cut short; their content is not looked at."""
    names = dict.fromkeys(run.cases.get("output", ()))
    lost = [name for name in names if name and not _is_there(run, name)]
    if lost:
        print(
            lines(
                f"{run.folder}: {len(lost)} kept pictures are gone or damaged, first {lost[0]}; "
                "its numbers are from before; the run's command, given again, makes them anew"
            ),
            file=sys.stderr,
        )


def _is_there(run: Run, name: str) -> bool:
    label, _, rest = name.partition("/")
    if label in run.folders:
        return png.is_ended(run.folders[label] / rest)
    return any(png.is_ended(each / name) for each in (run.folder, *run.folders.values()))


def _damaged(store: RunFolder, row: _Row, content: Callable[[Any], str]) -> tuple[str, ...]:
    further = json.loads(row.pictures).values() if row.pictures else ()
    names = [name for name in (row.output, *further) if name]
    found = [name for name in names if not _is_whole(store, name)]
    if row.output and row.output not in found and not _is_same(store, row, content):
        found.append(row.output)
    if row.thumbnail and not _is_named_by_content(store, row.thumbnail):
        found.append(row.thumbnail)
    return tuple(found)


def _is_same(store: RunFolder, row: _Row, content: Callable[[Any], str]) -> bool:
    """Whether an output is as old as its row, or else holds the same pixels."""
    try:
        if store.file(row.output).stat().st_mtime_ns <= row.written:
            return True
        return content(store.read_picture(row.output)) == row.output_sha
    except OSError:
        return False


def _is_whole(store: RunFolder, name: str) -> bool:
    try:
        return png.is_whole(store.file(name).read_bytes())
    except OSError:
        return False


def _is_named_by_content(store: RunFolder, name: str) -> bool:
    path = store.file(name)
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest().startswith(path.stem)
    except OSError:
        return False


def _in_threads(call: Callable[[_T], _R], every: Sequence[_T]) -> list[_R]:
    """The results of many quick calls, in order; a thread takes each n-th of them."""
    with ThreadPoolExecutor(_READERS) as pool:
        parts = list(pool.map(lambda n: [call(each) for each in every[n::_READERS]],
                              range(_READERS)))  # fmt: skip
    return [parts[n % _READERS][n // _READERS] for n in range(len(every))]
