"""Whether the pictures that rows refer to are still what was written."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pandas as pd

from bench.errors import lacking
from bench.folder import png
from bench.text.plain import lines

if TYPE_CHECKING:
    from bench.folder.read import Run
    from bench.folder.store import RunFolder

_READERS = 8  # files are waited for, on disks of others for long
_T = TypeVar("_T")
_R = TypeVar("_R")


class _Row(NamedTuple):
    output: str = ""
    output_sha: str = ""
    written: int = 0
    pictures: str = ""
    thumbnail: str = ""

    @property
    def files(self) -> list[str]:
        """Its PNGs, the output first."""
        further = json.loads(self.pictures).values() if self.pictures else ()
        return [name for name in (self.output, *further) if name]


def damaged(store: RunFolder, rows: pd.DataFrame, content: Callable[[Any], str]) -> pd.Series:
    """Of each row, the names of its pictures that are no more what was written, or gone.

    Each is read once, and its own checksums looked at; only where a file is younger than its row,
    so that it may be another picture, it is decoded and its content's hash compared.

    Args:
        store: The run folder.
        rows: Of fragments, completed.
        content: The hash of a picture's pixels.
    """
    columns = [
        rows.reindex(columns=[name], fill_value=none)[name].fillna(none)  # older runs lack some
        for name, none in _Row._field_defaults.items()
    ]
    every = [*map(_Row, *columns)]
    broken = {*not_whole(store, (name for row in every for name in row.files))}
    thumbnails = [*{row.thumbnail for row in every if row.thumbnail}]
    named = _in_threads(lambda name: _is_named_by_content(store.file(name)), thumbnails)
    broken |= {name for name, holds in zip(thumbnails, named, strict=True) if not holds}

    def of(row: _Row) -> tuple[str, ...]:
        found = [name for name in (*row.files, row.thumbnail) if name in broken]
        if row.output and row.output not in broken and not _is_same(store, row, content):
            found.append(row.output)
        return tuple(found)

    return pd.Series(_in_threads(of, every), rows.index)


def not_whole(store: RunFolder, names: Iterable[str]) -> list[str]:
    """Those of some PNGs of a folder that are damaged or gone."""
    every = list(dict.fromkeys(names))
    found = _in_threads(lambda name: png.is_whole(_read(store.file(name))), every)
    return [name for name, whole in zip(every, found, strict=True) if not whole]


def say_lost(run: Run) -> None:
    """Say how many kept pictures of a run are gone or cut short; of thumbnails, any damage."""
    looks = {"output": png.is_ended, "thumbnail": _is_named_by_content}
    lost = [
        name
        for column, look in looks.items()
        for name in dict.fromkeys(run.cases.get(column, ()))
        if name and not any(look(place) for place in _places(run, name))
    ]
    if lost:
        print(
            lines(
                f"{run.folder}: {len(lost)} kept pictures are gone or damaged, first {lost[0]}; "
                "its numbers are from before; the run's command, given again, makes them anew"
            ),
            file=sys.stderr,
        )


def _places(run: Run, name: str) -> list[Path]:
    label, _, rest = name.partition("/")
    if label in run.folders:
        return [run.folders[label] / rest]
    return [each / name for each in (run.folder, *run.folders.values())]


def _is_same(store: RunFolder, row: _Row, content: Callable[[Any], str]) -> bool:
    """Whether an output is as old as its row, or else holds the same pixels."""
    try:
        if store.file(row.output).stat().st_mtime_ns <= row.written:
            return True
        return content(store.read_picture(row.output)) == row.output_sha
    except OSError as error:
        if lacking(error):
            raise
        return False


def _is_named_by_content(path: Path) -> bool:
    return hashlib.sha256(_read(path)).hexdigest().startswith(path.stem)


def _read(path: Path) -> bytes:
    """The bytes of a file; none where it is gone or cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        if lacking(error):
            raise
        return b""


def _in_threads(call: Callable[[_T], _R], every: Sequence[_T]) -> list[_R]:
    """The results of many quick calls, in order; a thread takes each n-th of them."""
    with ThreadPoolExecutor(_READERS) as pool:
        parts = list(pool.map(lambda n: [call(each) for each in every[n::_READERS]],
                              range(_READERS)))  # fmt: skip
    return [parts[n % _READERS][n // _READERS] for n in range(len(every))]
