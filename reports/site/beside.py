"""Pictures of a verdict's baseline beside those of the run, where the baseline is a run folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import BenchError
from bench.folder.read import Run, read_run
from bench.folder.schema import CASES
from bench.folder.store import KEYS
from bench.statistics import CASE
from reports.results.verdict import StoredVerdict
from reports.site import gallery
from reports.site.album import Album, Shown, read_rgb

GAIN = 4  # of differences, as they are shown
_AGAIN = "inpaint-bench report RUN --baseline BASELINE_RUN shows them side by side"


@dataclass(frozen=True)
class Beside:
    """The fill of the baseline, that of this run, and `GAIN` times how far they differ."""

    before: Shown | None
    now: Shown | None
    difference: Shown | None


class Before:
    """The pictures of a baseline.

    Attributes:
        reason: Why it has none that could be shown; empty if it may have some.
    """

    def __init__(self, run: Run, album: Album, verdict: StoredVerdict) -> None:
        """Open the baseline's folder, if it is still the one that was judged against."""
        self._run, self._album = run, album
        self._base, self.reason = _opened(verdict)

    def beside(self, row: Mapping[str, Any]) -> Beside:
        """Pictures of the case that a finding is about; None where they are not there.

        A picture of the baseline is of the same photo under the same hole, or none.
        """
        facts = _one(self._run.plan, row, CASE)
        now = _pixels(self._run, row) if facts else None
        before = _pixels(self._base, row) if facts and self._base is not None else None
        other = _one(self._base.plan, row, CASE) if self._base is not None else None
        given = ("photo_sha", "mask_sha")
        if not facts or not other or any(facts[name] != other[name] for name in given):
            before = None
        difference = None
        if before is not None and now is not None and before.shape == now.shape:
            apart = GAIN * np.abs(before.astype(int) - now)
            difference = self._album.whole(np.minimum(apart, 255).astype(np.uint8), small=True)
        return Beside(self._shown(facts, before), self._shown(facts, now), difference)

    def _shown(self, facts: dict[str, Any] | None, pixels: np.ndarray | None) -> Shown | None:
        if facts is None or pixels is None:
            return None
        return gallery.small(self._run, self._album, facts, pixels)


def _opened(verdict: StoredVerdict) -> tuple[Run | None, str]:
    """The run folder of the baseline, or why it cannot be had."""
    folder = Path(verdict.baseline["source"])
    if not folder.is_dir():
        what = "is a file of numbers" if folder.is_file() else "is not there (any more)"
        return None, f"no pictures of the baseline: {folder} {what}; {_AGAIN}"
    try:
        cases = (folder / CASES.file).read_bytes()
        if hashlib.sha256(cases).hexdigest()[:16] != verdict.baseline["cases"]:
            return None, f"no pictures of the baseline: {folder} has changed since; {_AGAIN}"
        return read_run(folder, ("plan", "cases")), ""
    except (OSError, BenchError) as error:
        return None, f"no pictures of the baseline: {folder} cannot be read: {error}"


def _one(table: pd.DataFrame, row: Mapping[str, Any], keys: list[str]) -> dict[str, Any] | None:
    """The row of a table with the same keys, if there is just one."""
    found = table[np.logical_and.reduce([table[key] == row[key] for key in keys])]
    facts: list[Any] = found.to_dict("records")
    return facts[0] if len(facts) == 1 else None


def _pixels(run: Run, row: Mapping[str, Any]) -> np.ndarray | None:
    """The fill of a run that a finding is about; None if it was not kept."""
    facts = _one(run.cases, row, list(KEYS))
    path = run.file(str(facts["output"] or "")) if facts else None
    return read_rgb(path) if path else None
