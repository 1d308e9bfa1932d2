"""The verdict of a run folder, from files to ``RUN/verdict.json``."""

from __future__ import annotations

from pathlib import Path

from bench.errors import BenchError
from bench.folder.json_file import NewerFormat
from bench.folder.store import RunFolder
from bench.gate import baseline as baselines
from bench.gate import formats
from bench.gate.judge import incomparable, judge
from bench.gate.verdict import Verdict


def judge_run(baseline: Path, run: Path) -> Verdict:
    """Judge a run folder against a baseline file or run folder; write ``RUN/verdict.json``.

    Raises:
        BenchError: If one of the two cannot be read or the verdict not be written; then the run
            folder has no verdict, not even an earlier one.
    """
    try:
        (run / "verdict.json").unlink(missing_ok=True)
    except OSError as error:
        raise BenchError(
            f"cannot remove the earlier {run / 'verdict.json'}: {error}; expected a run folder "
            "that can be written to"
        ) from error
    verdict = _verdict(baseline, run)
    RunFolder(run).write_json("verdict.json", formats.as_json(verdict))
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
