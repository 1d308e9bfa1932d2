"""The content of ``latency.json``, typed: what was timed on what, and how far it can be trusted."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.errors import InputError
from bench.folder import typed_json
from bench.folder.schema import LATENCY
from bench.folder.store import RunFolder, records
from bench.text import numbers

FILE = "latency.json"
_FORMAT = 1


@dataclass(frozen=True)
class AnchorPlace:
    """What the anchors ran on; ratios to anchors that differ in any of it say nothing."""

    torch: str
    processor: str
    accelerator: str
    threads: int

    @property
    def words(self) -> str:
        """For readers."""
        where = self.accelerator or self.processor
        return f"{where}, {numbers.counted(self.threads, 'thread')} a process"


@dataclass(frozen=True)
class AnchorTwice:
    """The anchor over itself in the rounds of a size and tier.

    Attributes:
        side: Of the square with as many pixels as the photos.
        tier: Of the holes.
        ratio: Of the times; NaN if there is none.
        low: End of its 95 % interval, likewise.
        high: Likewise.
        n: Rounds.
        trusted: Whether anything can be told of times so steady.
    """

    side: int
    tier: str
    ratio: float
    low: float
    high: float
    n: int
    trusted: bool = False


@dataclass(frozen=True, kw_only=True)
class LatencyFacts:
    """The content of the file.

    Attributes:
        time: When it was measured.
        request: What was asked for.
        anchors: What each anchor is, in words.
        anchor_identity: What they ran on.
        basis: Clock of the ratios: ``cpu``, ``wall``, ``device``.
        kind: ``dedicated``, or ``shared`` with others.
        settings: Of the libraries.
        ceilings: Of the device, in bytes or operations a second.
        environment: Machine and versions.
        self_tests: How far the anchor agrees with itself.
    """

    time: str = ""
    request: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    anchors: Mapping[str, str] = dataclasses.field(default_factory=dict)
    anchor_identity: AnchorPlace
    basis: str = ""
    kind: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    ceilings: Mapping[str, float] = dataclasses.field(default_factory=dict)
    environment: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    self_tests: Sequence[AnchorTwice]

    def write(self, folder: RunFolder) -> None:
        """Write ``latency.json``."""
        folder.write_json(FILE, {"format": _FORMAT, **typed_json.plain(self)})


def in_words(height: int, width: int) -> str:
    """A size for readers, such as ``512 px`` and ``1024x768 px``."""
    return f"{width} px" if height == width else f"{width}x{height} px"


def sizes(table: pd.DataFrame) -> dict[int, str]:
    """The sizes of a table of latencies in words, by side; older ones have squares only."""
    shapes = records(table[["side", "height", "width"]].drop_duplicates())
    return {r["side"]: in_words(r["height"] or r["side"], r["width"] or r["side"]) for r in shapes}


def apart(table: pd.DataFrame, facts: LatencyFacts) -> list[str]:
    """Methods that CPU time does not see, so that their ratios are of wall time."""
    seen = (table["basis"] == "wall") & table["region"].isin(["e2e", "infer"])
    return list(table.loc[seen, "method"].unique()) if facts.basis == "cpu" else []


def read(folder: RunFolder) -> LatencyFacts:
    """Read ``latency.json``.

    Raises:
        NewerFormat: If a newer version of this project wrote it.
        InputError: If it is missing or damaged.
    """
    value = folder.read_json(FILE)
    try:
        return typed_json.made(LatencyFacts, value)
    except typed_json.WrongValue as error:
        raise InputError(f"{folder.file(FILE)}: expected {error}; {LATENCY.anew}") from None
