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
import shutil
import uuid
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image

from bench.errors import InputError, StoreError, lacking, traced
from bench.folder import fragments, parquet, png, schema
from bench.folder.columns import FORMAT
from bench.folder.fragments import Fragment
from bench.folder.json_file import CHECKSUM, checksum, read_json
from bench.machine import disk

KEYS = schema.KEYS

_GO_ON = (
    "what was done so far is kept: make room or fix the permissions, then give the same command "
    "again"
)


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
        self.aside: list[str] = []  # damaged files that were moved to quarantine
        self._unflushed: list[Path] = []

    def file(self, name: str) -> Path:
        """Path of something inside the folder."""
        return self.path / name

    # -- whole files ------------------------------------------------------------------------

    def write_json(self, name: str, value: dict[str, Any]) -> None:
        """Write a JSON file atomically, with a checksum of the rest as its last key."""
        whole = {**value, CHECKSUM: checksum(value)}
        text = json.dumps(whole, indent=1, ensure_ascii=False, default=str)
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
        declared = schema.TABLES[name.removesuffix(".parquet")]
        self._put(name, *parquet.packed(declared.arrow(table)))

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
            return parquet.read(path, columns, categories, method)
        except Exception as error:  # pyarrow raises its own, OSError and ValueError
            if lacking(error):
                raise
            raise InputError(f"{path}: cannot be read as a table: {error}") from error

    def write_picture(self, name: str, pixels: np.ndarray) -> None:
        """Write uint8 RGB or a bool mask as PNG, atomically.

        Fills are not flushed to disk one by one, which would take longer than making many of
        them, but all at once before their rows are written.
        """
        self.write_bytes(name, png.packed(pixels))

    def write_bytes(self, name: str, data: bytes, *, flush: bool = False) -> None:
        """Write a file atomically; `RunFolder.flush` brings many of them to disk at once."""
        self._put(name, data, flush=flush)

    def link(self, name: str, source: Path) -> bool:
        """Give a file of the user's a name in this folder, without a copy; False if that fails."""
        target = self.file(name)
        temporary = target.parent / f".{uuid.uuid4().hex}.tmp"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            disk.link(source, temporary)
            os.replace(temporary, target)
        except OSError:
            return False
        finally:
            # Where both names are of one file already, replacing leaves it.
            temporary.unlink(missing_ok=True)
        return True

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
        """Read a PNG of this folder as it was written.

        Raises:
            OSError: If it is not there or damaged.
        """
        data = self.file(name).read_bytes()
        if not png.is_whole(data):
            raise OSError("damaged: its checksums are not those of its bytes")
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
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
        for network in sorted(set().union(*features.values())):
            stream = io.BytesIO()
            own = {sha: found[network] for sha, found in features.items() if network in found}
            np.savez(stream, sha=np.array(list(own)), values=np.stack(list(own.values())))
            self._put(f"features/{network}/{fragment}.npz", stream.getvalue(), flush=False)

    def read_features(self, network: str, among: Set[str] | None = None) -> dict[str, np.ndarray]:
        """Read features by content hash of the picture.

        Damaged files move to ``quarantine/`` and count as not written.

        Args:
            network: Its name.
            among: Pictures that matter; files without any are passed over. All if omitted.
        """
        features: dict[str, np.ndarray] = {}
        for names, values in self._features(network, among):
            features |= zip(names, values, strict=True)
        return features

    def has_features(self, network: str) -> set[str]:
        """Content hashes of the pictures of which there are features, without keeping these."""
        return {name for names, _ in self._features(network) for name in names}

    def _features(
        self, network: str, among: Set[str] | None = None
    ) -> Iterator[tuple[list[str], np.ndarray]]:
        for path in sorted(self.file(f"features/{network}").glob("*.npz")):
            try:
                with zipfile.ZipFile(path) as file:
                    # All bytes of a part, so that its checksum is looked at.
                    parts = (
                        np.load(io.BytesIO(file.read(f"{name}.npy")), allow_pickle=False)
                        for name in ("sha", "values")
                    )
                    sha = next(parts)
                    if among is not None and among.isdisjoint(sha.tolist()):
                        continue
                    values = next(parts)
                if len(sha) != len(values):
                    raise ValueError("other numbers of names than of features")
            except Exception as error:  # zipfile and NumPy raise errors of many kinds
                if lacking(error):
                    raise
                self.set_aside(f"features/{network}/{path.name}")
            else:
                yield sha.tolist(), values

    def take_over(self, source: Path, name: str) -> None:
        """Have a file of another folder, unless one of that name is here: linked, else copied.

        Files of a run folder never change, they are only replaced.
        """
        target = self.file(name)
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links
            shutil.copy2(source, target)
            self._unflushed.append(target)

    def set_aside(self, name: str) -> None:
        """Move a damaged file to ``quarantine/``, where nothing reads it; `aside` has its name."""
        place = self.file(f"quarantine/{name}")
        with contextlib.suppress(OSError):  # it is gone already, or the folder is only read
            place.parent.mkdir(parents=True, exist_ok=True)
            self.file(name).replace(place)
            self.aside.append(name)

    def flush(self, *, of_others: bool = False) -> None:
        """Have all on disk that was written without: what refers to it may be written then.

        One call of the system for all files, where it has one; it waits for what others wrote to
        the same disk, too, and takes no longer than flushing some ten files one by one.

        Args:
            of_others: Also what other processes wrote, which elsewhere do it themselves.
        """
        if not self._unflushed and not of_others:
            return
        names, self._unflushed = self._unflushed, []
        try:
            if not disk.flush(self.path):
                for name in names:
                    with open(name, "rb+") as file:
                        os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(f"cannot write to {self.path}: {error}; {_GO_ON}") from error

    def _put(self, name: str, *parts: bytes | memoryview, flush: bool = True) -> None:
        """Write a file under a temporary name; put it in place when all parts of it are there."""
        target = self.file(name)
        temporary = os.path.join(target.parent, f".{uuid.uuid4().hex}.tmp")
        try:
            # No more calls of the system than needed: after each, this thread waits for Python.
            if not os.path.isdir(target.parent):
                os.makedirs(target.parent, exist_ok=True)
            with open(temporary, "xb") as file:
                file.writelines(parts)
                if flush:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(temporary, target)
            if not flush:
                self._unflushed.append(target)
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            if not isinstance(error, OSError):
                raise
            raise StoreError(f"cannot write {target}: {error}; {_GO_ON}") from error

    # -- fragments --------------------------------------------------------------------------

    def write_fragment(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Write rows of `cases` as one fragment; names must be unique to their writer."""
        self.flush()
        columns = dict.fromkeys(key for row in rows for key in row)  # of a failure no metrics
        table = pa.table({column: [row.get(column) for row in rows] for column in columns})
        self._put(f"fragments/{name}.parquet", *parquet.packed(table))

    def read_fragments(self, *, join: bool = False) -> pd.DataFrame:
        """Read all fragments; damaged ones move to ``quarantine/`` and count as not written.

        Args:
            join: Put many small ones together, for the next to read; only for who alone writes.
        """
        found = []
        for path in sorted(self.file("fragments").glob("*.parquet")):
            try:
                rows = parquet.whole(path)
                rows.validate(full=True)  # of before there were seals: texts may be none
                found.append(Fragment(path, rows))
            except Exception as error:  # whatever is wrong with it, its cases are computed again
                if lacking(error):
                    raise
                self.set_aside(f"fragments/{path.name}")
        if not found:
            return pd.DataFrame(columns=KEYS)
        if join and len(found) > fragments.MANY:
            self._join(found)
        table = _joined(found)
        found.clear()  # so that a column goes once it is pandas' own
        return parquet.frame(table)

    def _join(self, found: Sequence[Fragment]) -> None:
        """A row is always in a file: for a moment in two, of which either counts."""
        for group in fragments.together(found):
            self._put(
                f"fragments/joined-{uuid.uuid4().hex}.parquet", *parquet.packed(_joined(group))
            )
            for each in group:
                each.path.unlink()

    def sweep(self) -> None:
        """Delete temporary files that a killed process left; call it only when none writes.

        Runs below it, the shards of Slurm, have writers of their own.
        """
        for path in self.path.rglob(".*.tmp"):
            if path.relative_to(self.path).parts[0] != "slurm":
                path.unlink(missing_ok=True)


def _joined(found: Iterable[Fragment]) -> pa.Table:
    return pa.concat_tables([each.rows for each in found], promote_options="permissive")
