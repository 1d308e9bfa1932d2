"""``inpaint-bench gate`` and ``baseline``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.arguments import Commands
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.gate.judge import Verdict

DEFAULT = Path("bench/baseline.json")
_STATUSES = (
    "exit status: 0 same or better, 1 regressed, 3 not comparable (what differs is named), "
    "4 not measured (something of the baseline is missing), 2 any error. The verdict is also "
    "written to RUN/verdict.json."
)


def add(commands: Commands) -> None:
    """Describe the commands."""
    gate = commands.add_parser(
        "gate", help="judge a run against a baseline, with an exit status", epilog=_STATUSES
    )
    gate.set_defaults(command=_gate)
    gate.add_argument("baseline", type=Path, help="baseline file, or another run folder")
    gate.add_argument("run", type=Path, help="run folder to judge")
    gate.add_argument("--json", type=Path, metavar="FILE", help="write the verdict here, too")
    gate.add_argument("--markdown", type=Path, metavar="FILE", help="comment for a pull request")
    gate.add_argument("--junit", type=Path, metavar="FILE", help="JUnit XML")
    baseline = commands.add_parser("baseline", help="keep a run's values to gate against")
    verbs = baseline.add_subparsers(required=True, metavar="VERB")
    update = verbs.add_parser("update", help="write the baseline file of a run; show what changes")
    update.set_defaults(command=_update)
    update.add_argument("run", type=Path, help="run folder, complete")
    update.add_argument("--file", type=Path, default=DEFAULT, help="default: %(default)s")


def _gate(options: argparse.Namespace) -> int:
    from bench.gate import formats

    verdict = judge_run(options.baseline, options.run)
    _write(options.json, lambda: json.dumps(formats.as_json(verdict), indent=1) + "\n")
    _write(options.markdown, lambda: formats.as_markdown(verdict))
    _write(options.junit, lambda: formats.as_junit(verdict))
    print(formats.as_text(verdict))
    print(f"verdict: {options.run / 'verdict.json'}")
    return verdict.exit_status


def judge_run(baseline: Path, run: Path) -> Verdict:
    """Judge a run folder against a baseline file or run folder; write ``RUN/verdict.json``.

    Raises:
        BenchError: If one of the two cannot be read or the verdict not be written; then the run
            folder has no verdict, not even an earlier one.
    """
    from bench.folder.store import RunFolder
    from bench.gate import formats

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
    from bench.folder.store import NewerFormat
    from bench.gate import baseline as baselines
    from bench.gate.judge import incomparable, judge

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


def _write(path: Path | None, text: Callable[[], str]) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(), "utf-8")
    except OSError as error:
        raise BenchError(f"cannot write {path}: {error}; give another path") from error


def _update(options: argparse.Namespace) -> int:
    from bench.gate.baseline import read_run
    from bench.gate.baseline_file import update_baseline
    from bench.gate.formats import as_update

    run = read_run(options.run)
    if run.not_bundled and options.file.resolve() == DEFAULT.resolve():
        raise BenchError(
            f"{options.run}: {DEFAULT} is of the whole bundled set, but {run.not_bundled}; give "
            "another place with --file"
        )
    changed = update_baseline(options.file, run)
    fills, methods = len(run.cases), len(run.methods)
    print(f"{options.file}: {fills} fills of {methods} methods, {len(run.metrics)} metrics")
    print(as_update(changed))
    return 0
