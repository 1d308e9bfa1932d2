"""What is written of one fill: a row of a fragment, of which ``cases.parquet`` is made."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from bench.folder.store import Item
from bench.metrics import METRICS
from bench.planning.case import PlannedCase


class Kept(NamedTuple):
    """What stays of a fill when its picture is measured anew; columns of ``cases.parquet``."""

    peak_bytes: float = math.nan
    seconds: float = math.nan
    cpu_seconds: float = math.nan
    drift: float = math.nan  # needs the raw output, which is not kept
    counts: str = ""
    output: str = ""
    output_sha: str = ""
    pictures: str = ""
    thumbnail: str = ""
    flags: str = ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Kept:
        """Take it from a row of a fragment, which of an older run may lack some.

        A drift by an earlier definition is dropped: another would need the raw output.
        """
        found = {name: row[name] for name in cls._fields if pd.notna(row.get(name))}
        if row.get("drift_version") != METRICS["drift"].version:
            found.pop("drift", None)
        return cls(**found)


@dataclass(frozen=True)
class FillRow:
    """A row of a fragment.

    Attributes:
        method: Full name of the method.
        item: The fill.
        case: What was filled.
        fill_key: Hash of all that decides the fill, besides the case.
        measure_key: Hash of all metrics it was measured by.
        status: ``ok``, or what went wrong.
        reason: Why, in words.
        traceback: Path of the traceback in the run folder, if one is kept.
        attempt: How often it was tried, as far as who wrote it knows; 0 if never.
        kept: What stays of the fill.
        values: What was measured on its picture, by name of the metric.
        note: Why a metric has no value here.
        measure_seconds: Wall time of the metrics.
        worker: Who wrote it.
        written: When, in nanoseconds: of several rows of one fill the latest counts.
    """

    method: str
    item: Item
    case: PlannedCase
    fill_key: str
    measure_key: str
    status: str = "ok"
    reason: str = ""
    traceback: str = ""
    attempt: int = 0
    kept: Kept = field(default_factory=Kept)
    values: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    measure_seconds: float = math.nan
    worker: str = "scheduler"
    written: int = field(default_factory=time.time_ns)

    def columns(self) -> dict[str, Any]:
        """The row as it is written."""
        return {
            "case_key": self.case.case_key,
            "case": self.item.case,
            "method": self.method,
            "photo": self.case.photo,
            "tier": self.case.tier,
            "draw": self.case.draw,
            "sample": self.item.sample,
            "cluster": self.case.cluster,
            "hole_share": self.case.hole_share,
            "hole_width": self.case.hole_width,
            "status": self.status,
            "reason": self.reason,
            "traceback": self.traceback,
            **self.kept._asdict(),
            "drift_version": METRICS["drift"].version,
            **self.values,
            "note": self.note,
            "measure_seconds": self.measure_seconds,
            "fill_key": self.fill_key,
            "measure_key": self.measure_key,
            "attempt": self.attempt,
            "worker": self.worker,
            "written": self.written,
        }
