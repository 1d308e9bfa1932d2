"""The verdict of a run folder, from files to ``RUN/verdict.json``."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from bench.errors import StoreError
from bench.folder.json_file import NewerFormat
from bench.folder.store import RunFolder
from bench.gate import baseline as baselines
from bench.gate import formats
from bench.gate.judge import incomparable, judge
from bench.gate.verdict import Verdict
from bench.text import plain

KEPT = "verdict.json"


def judge_run(baseline: Path, run: Path) -> Verdict:
    """Judge a run folder against a baseline file or run folder; write ``RUN/verdict.json``.

    A run folder that cannot be written to, as on a read-only disk, is judged all the same, and
    standard error says that the verdict is not kept there.

    Raises:
        BenchError: If one of the two cannot be read; then the run folder has no verdict, not even
            an earlier one.
    """
    with contextlib.suppress(OSError):
        (run / KEPT).unlink(missing_ok=True)
    verdict = _verdict(baseline, run)
    try:
        RunFolder(run).write_json(KEPT, formats.as_json(verdict))
        print(f"verdict: {run / KEPT}")
    except (StoreError, OSError) as error:
        earlier = "; the one there is an earlier one" if (run / KEPT).exists() else ""
        print(plain.lines(f"the verdict is not kept: {error}{earlier}"), file=sys.stderr)
    return verdict


def _verdict(baseline: Path, run: Path) -> Verdict:
    sides: dict[str, baselines.Results] = {}
    newer: dict[str, str] = {}
    readers = (("baseline", baseline, baselines.read), ("run", run, baselines.read_run))
    for side, path, read in readers:
        try:
            sides[side] = read(path)
        except NewerFormat as error:
            newer[side] = error.said
            sides[side] = baselines.unread(path)
    old, new = sides["baseline"], sides["run"]
    return incomparable(old, new, newer) if newer else judge(old, new)
