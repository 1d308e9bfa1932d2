"""The run folder: what lies where, written so that no crash can lose or damage it.

The layout and the columns are described in ``docs/run-folder.md``. Files are written under a
temporary name, flushed to disk and renamed, so a reader sees a complete file or none.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import uuid
import zipfile
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from bench.errors import InputError, StoreError, traced
from bench.folder import schema
from bench.folder.columns import FORMAT
from bench.folder.json_file import read_json

KEYS = schema.KEYS

# Disks flush several files in the time of one.
_WRITERS, _PENDING = 4, 64
WritePicture = Callable[[str, np.ndarray], None]


class Item(NamedTuple):
    """One fill: the number of a case in the plan, and of a sample."""

    case: int
    sample: int


def method_folder(method: str) -> str:
    """Name of a method in file names."""
    return method.replace(":", "--")


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as dictionaries by column."""
    names = list(map(str, table))
    columns = [table.iloc[:, place].tolist() for place in range(len(names))]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


class RunFolder:
    """One run on disk."""

    def __init__(self, path: Path) -> None:
        """Point at a folder, existing or not."""
        self.path = path

    def file(self, name: str) -> Path:
        """Path of something inside the folder."""
        return self.path / name

    # -- whole files ------------------------------------------------------------------------

    def write_json(self, name: str, value: dict[str, Any]) -> None:
        """Write a JSON file atomically."""
        text = json.dumps(value, indent=1, ensure_ascii=False, default=str)
        self._put(name, f"{text}\n".encode())

    def read_json(self, name: str = "run.json") -> dict[str, Any]:
        """Read a JSON file.

        Raises:
            NewerFormat: If it is of a newer format than this code reads.
            InputError: If it is missing or damaged.
        """
        return read_json(self.file(name), FORMAT, f"a run folder's {name}")

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a table of the schema atomically, with its columns and types.

        Raises:
            ValueError: If the table is not as declared.
        """
        packed = pa.BufferOutputStream()
        declared = schema.TABLES[name.removesuffix(".parquet")]
        pq.write_table(declared.arrow(table), packed, write_page_checksum=True)
        self._put(name, packed.getvalue())

    def read_table(
        self,
        name: str,
        columns: Collection[str] | None = None,
        *,
        categories: Sequence[str] = (),
        method: str | None = None,
    ) -> pd.DataFrame:
        """Read a Parquet table.

        Args:
            name: File in this folder.
            columns: Read only these, as far as they are there.
            categories: Texts of few values, to be read as categories: a table of millions of rows
                then fits into memory.
            method: Read only this method's rows.

        Raises:
            InputError: If it is missing or damaged.
        """
        path = self.file(name)
        try:
            if method is not None:
                own = [("method", "==", method)]
                table = pq.read_table(path, filters=own, page_checksum_verification=True)
                return _frame(table)
            if columns is None:
                return _frame(pq.ParquetFile(path, page_checksum_verification=True).read())
            # Column by column, since a whole table would be in memory twice for a moment.
            there = [column for column in pq.read_schema(path).names if column in columns]
            as_codes = [*{*there} & {*categories}]
            with pq.ParquetFile(
                path, read_dictionary=as_codes, page_checksum_verification=True
            ) as file:
                found = {column: file.read([column]).column(0).to_pandas() for column in there}
            for column in {*there} & {*categories}:
                # In the order of the texts, as sorting them one by one would have it.
                sorted_texts = sorted(found[column].cat.categories)
                found[column] = found[column].cat.reorder_categories(sorted_texts)
            pa.default_memory_pool().release_unused()
            return pd.DataFrame(found, copy=False)
        except Exception as error:  # pyarrow raises its own, OSError and ValueError
            raise InputError(f"{path}: cannot be read as a table: {error}") from error

    def write_picture(self, name: str, pixels: np.ndarray, *, flush: bool = False) -> None:
        """Write uint8 RGB or a bool mask as PNG, atomically.

        Fills are not flushed to disk one by one, which would take longer than making many of
        them. Rows hold the content's hash, so a fill lost with the power is noticed when it is
        measured again.
        """
        self._put(name, packed(pixels), flush=flush)

    @contextlib.contextmanager
    def writing(self) -> Iterator[WritePicture]:
        """Give a `write_picture` that flushes in other threads, many files at once.

        All is written when the context ends; what went wrong is raised then, or by a later call.
        """
        pending: deque[Future[None]] = deque()

        def write(name: str, pixels: np.ndarray) -> None:
            if len(pending) == _PENDING:
                pending.popleft().result()
            pending.append(pool.submit(self.write_picture, name, pixels, flush=True))

        with ThreadPoolExecutor(_WRITERS) as pool:
            yield write
            for future in pending:
                future.result()

    def write_named(self, form: str, data: bytes) -> str:
        """Write bytes under a name made of their hash, unless they are there; gives the name.

        Args:
            form: Of the name, such as ``thumbs/{0:.2}/{0}.webp``.
            data: The bytes.
        """
        name = form.format(hashlib.sha256(data).hexdigest()[:16])
        if not self.file(name).exists():
            self._put(name, data, flush=False)
        return name

    def write_traceback(self, error: BaseException) -> str:
        """Keep the traceback of an error; gives its name, empty if it would say no more."""
        text = traced(error)
        return self.write_named("tracebacks/{}.txt", text.encode()) if text else ""

    def read_picture(self, name: str) -> np.ndarray:
        """Read a PNG of this folder as it was written."""
        with Image.open(self.file(name)) as image:
            # Pillow's own bool arrays hold bytes of 255, which hash differently.
            return np.array(image.convert("L")) > 0 if image.mode == "1" else np.array(image)

    def write_array(self, name: str, array: np.ndarray) -> None:
        """Write an array as NPY, atomically."""
        stream = io.BytesIO()
        np.save(stream, array, allow_pickle=False)
        self._put(name, stream.getvalue())

    def read_array(self, name: str) -> np.ndarray:
        """Read an array.

        Raises:
            InputError: If it is missing or damaged.
        """
        path = self.file(name)
        try:
            array: np.ndarray = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{path}: cannot be read as an array: {error}") from error
        return array

    def write_features(
        self, fragment: str, features: Mapping[str, Mapping[str, np.ndarray]]
    ) -> None:
        """Write network features of pictures, one file per network and fragment.

        Args:
            fragment: Name, unique to its writer.
            features: By content hash of the picture, then by name of the network.
        """
        for network in next(iter(features.values())):
            stream = io.BytesIO()
            values = np.stack([of_picture[network] for of_picture in features.values()])
            np.savez(stream, sha=np.array(list(features)), values=values)
            self._put(f"features/{network}/{fragment}.npz", stream.getvalue())

    def read_features(self, network: str) -> dict[str, np.ndarray]:
        """Read features by content hash of the picture; damaged files count as not written."""
        features: dict[str, np.ndarray] = {}
        for path in sorted(self.file(f"features/{network}").glob("*.npz")):
            try:
                with np.load(path) as file:
                    features |= dict(zip(file["sha"].tolist(), file["values"], strict=True))
            except (OSError, ValueError, KeyError, zipfile.BadZipFile):
                path.unlink()
        return features

    def _put(self, name: str, data: bytes, *, flush: bool = True) -> None:
        """Write a file under a temporary name; put it in place when all of it is there."""
        target = self.file(name)
        temporary = os.path.join(target.parent, f".{uuid.uuid4().hex}.tmp")
        try:
            # No more calls of the system than needed: after each, this thread waits for Python.
            if not os.path.isdir(target.parent):
                os.makedirs(target.parent, exist_ok=True)
            with open(temporary, "xb") as file:
                file.write(data)
                if flush:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            if not isinstance(error, OSError):
                raise
            raise StoreError(
                f"cannot write {target}: {error}; what was done so far is kept: make room or fix "
                "the permissions, then give the same command again"
            ) from error

    # -- fragments --------------------------------------------------------------------------

    def write_fragment(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Write rows of `cases` as one fragment; names must be unique to their writer."""
        columns = dict.fromkeys(key for row in rows for key in row)  # of a failure no metrics
        table = pa.table({column: [row.get(column) for row in rows] for column in columns})
        packed = pa.BufferOutputStream()
        pq.write_table(table, packed, write_page_checksum=True)
        self._put(f"fragments/{name}.parquet", packed.getvalue())

    def read_fragments(self) -> pd.DataFrame:
        """Read all fragments; damaged ones move to ``quarantine/`` and count as not written."""
        tables = []
        for path in sorted(self.file("fragments").glob("*.parquet")):
            try:
                tables.append(pq.ParquetFile(path, page_checksum_verification=True).read())
            except Exception:  # whatever is wrong with it, its cases are computed again
                quarantine = self.file("quarantine")
                quarantine.mkdir(exist_ok=True)
                path.replace(quarantine / path.name)
        if not tables:
            return pd.DataFrame(columns=KEYS)
        return _frame(pa.concat_tables(tables, promote_options="permissive"))

    def sweep(self) -> None:
        """Delete temporary files that a killed process left; call it only when none writes."""
        for path in self.path.rglob(".*.tmp"):
            path.unlink(missing_ok=True)


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame


def packed(picture: np.ndarray) -> bytes:
    """A picture as the PNG that is written: a mask with a bit a pixel; colour with runs only.

    A third quicker and a little smaller than Pillow's compression level 1.
    """
    import cv2

    fast = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    if picture.dtype == np.bool_:
        levels = picture.view(np.uint8) * np.uint8(255)
        return cv2.imencode(".png", levels, [*fast, cv2.IMWRITE_PNG_BILEVEL, 1])[1].tobytes()
    settings = [*fast, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    blue_first = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", blue_first, settings)[1].tobytes()
