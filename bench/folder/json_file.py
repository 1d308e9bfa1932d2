"""JSON files that say the format they were written in, some with a checksum."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from bench.errors import InputError, lacking

CHECKSUM = "checksum"
_RESTORE = "restore it, or write it anew by the command that made it"


class NewerFormat(InputError):
    """A file written by a newer version of this project.

    Attributes:
        said: What is wrong with the format, without the path.
    """

    def __init__(self, path: Path, found: int, known: int) -> None:
        """Name the file and its format."""
        self.said = f"{found} (newer than {known}: update inpaint-bench)"
        super().__init__(f"{path}: format {found} is newer than {known}; update inpaint-bench")


def read_json(path: Path, known: int, what: str) -> dict[str, Any]:
    """Read a JSON file whose format this code knows.

    Args:
        path: The file.
        known: The newest format that can be read.
        what: What it is, in words.

    Raises:
        NewerFormat: If it is of a newer format.
        InputError: If it is missing or damaged, which a checksum tells where it has one.
    """
    try:
        value: dict[str, Any] = json.loads(path.read_text("utf-8"), object_pairs_hook=_once)
    except (OSError, ValueError, RecursionError) as error:
        if lacking(error):
            raise
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: expected {what}: {why}; {_RESTORE}") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a JSON object, found {value!r:.40}; {_RESTORE}")
    if "format" not in value:
        raise InputError(f"{path}: expected {what}, found no format; {_RESTORE}")
    found = value["format"]
    if type(found) is not int or found < 1:
        raise InputError(f"{path}: expected a number as format, found {found!r:.40}; {_RESTORE}")
    if found > known:
        raise NewerFormat(path, found, known)
    if value.pop(CHECKSUM, None) not in (None, checksum(value)):
        raise InputError(
            f"{path}: damaged: its checksum is not that of its content; {_RESTORE}. If you edited "
            f"it, take its {CHECKSUM} out"
        )
    return value


def checksum(value: dict[str, Any]) -> str:
    """A hash of what JSON holds, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys differ; a merge that kept both lines of a conflict is none."""
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{twice!r} is there twice, as after a merge that kept both sides")
    return value
