"""Run folders of earlier formats, taken to today's step by step, in memory.

The files stay as they are; a run that is continued writes its own anew. Each table says its format,
so that a folder may hold tables of several, as one that was continued with its latency measured
before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bench.folder.columns import FORMAT

# Columns in which a table of a format may have null for "nothing to say", by format and table.
_ANYWHERE = frozenset({"reason", "note", "output", "counts", "pictures", "thumbnail"})
_NULLS: Final[Mapping[int, Mapping[str, frozenset[str]]]] = {
    1: {"latency": frozenset({"title", "family", "weights", "identity", "basis", "threads", "n"})}
}


def header(value: dict[str, Any]) -> dict[str, Any]:
    """The content of a ``run.json`` as today's format has it."""
    for step in range(value["format"], FORMAT):
        value = {**_STEPS[step](value), "format": step + 1} if step in _STEPS else value
    return value


def may_be_null(table: str, column: str, written: int) -> bool:
    """Whether null stands for nothing in a column of a format; it is read as blank."""
    if written not in _NULLS:
        return False
    return column in _ANYWHERE | _NULLS[written].get(table, frozenset())


def _from_1(value: dict[str, Any]) -> dict[str, Any]:
    """Keys that came while the format stayed 1, and those that were written at the end only."""
    at_the_end = {
        "missing": 0, "finished": "", "counts": {}, "without_result": [], "non_deterministic": [],
    }  # fmt: skip
    came_later = {
        "created": "", "photo_set": "unknown", "size_rule": "unknown", "samples": 1,
        "inputs_key": "", "starts": [], "made_anew": {},
    }  # fmt: skip
    return {**at_the_end, **came_later, **value}


_STEPS: Final[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {1: _from_1}
