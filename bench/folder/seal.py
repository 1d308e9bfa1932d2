"""A hash of a whole Parquet file, in the file, where no reader of Parquet looks.

Checksums of pages leave out what says where pages lie and what they are: a bit flipped there
renames a column, or ends the process that reads it (`std::terminate` in Arrow 26). So what we write
has, between its pages and its footer, a mark and the SHA-256 of all other bytes, and is read only
if that holds. Who writes a table anew by other means takes both out; such a file, or one of before
there were seals, is read without.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

_MARK = b"inpaint-bench sha256 "
_SEAL = len(_MARK) + hashlib.sha256().digest_size
_TAIL = 8  # bytes: length of the footer, and the format's own mark
_BLOCK = 1 << 20


def sealed(parquet: memoryview) -> tuple[bytes | memoryview, ...]:
    """The bytes of a Parquet file with their seal, in parts that follow each other."""
    at = len(parquet) - _TAIL - int.from_bytes(parquet[-_TAIL:-4], "little")
    return parquet[:at], _MARK + hashlib.sha256(parquet).digest(), parquet[at:]


def check(path: Path) -> None:
    """See that a sealed file is as it was written; one without a seal passes.

    A file that did not change meanwhile is looked at once.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is not as it was written.
    """
    stat = path.stat()
    if not _holds(str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino):
        raise ValueError("damaged: its checksum is not that of its bytes")


@lru_cache(256)
def _holds(path: str, size: int, _modified: int, _number: int) -> bool:
    with open(path, "rb") as file:
        file.seek(max(size - _TAIL, 0))
        footer = int.from_bytes(file.read(4), "little")
        at = size - _TAIL - footer - _SEAL
        if at > 0:
            file.seek(at)
            if (seal := file.read(_SEAL)).startswith(_MARK):
                return seal[len(_MARK) :] == _digest(file, at, size)
        return not _marked(file)


def _digest(file: BinaryIO, at: int, size: int) -> bytes:
    """The hash of all bytes but those of a seal."""
    digest = hashlib.sha256()
    for start, end in ((0, at), (at + _SEAL, size)):
        file.seek(start)
        while start < end and (block := file.read(min(_BLOCK, end - start))):
            digest.update(block)
            start += len(block)
    return digest.digest()


def _marked(file: BinaryIO) -> bool:
    """Whether a seal lies where it should not: then the length of the footer was damaged."""
    file.seek(0)
    before = b""
    while block := file.read(_BLOCK):
        if _MARK in before + block:
            return True
        before = block[-len(_MARK) :]
    return False
