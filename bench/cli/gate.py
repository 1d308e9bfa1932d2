"""``inpaint-bench gate`` and ``baseline``."""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

from bench.cli.arguments import Commands
from bench.errors import BenchError, writing

DEFAULT = Path("bench/baseline.json")
_OURS = "inpaint-bench"
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
    update.add_argument(
        "--file",
        type=Path,
        help=f"file to write; may be left out in the source tree of {_OURS} only: {DEFAULT}",
    )
    update.add_argument(
        "--rule",
        action="append",
        default=[],
        metavar="[METHOD=]RULE",
        help="how a method, or every one, is judged: cases (none may get worse) or mean (over "
        "photos, by interval); stays in the file",
    )


def _gate(options: argparse.Namespace) -> int:
    from bench.gate import formats
    from bench.gate.judge_run import judge_run

    verdict = judge_run(options.baseline, options.run)
    _write(options.json, lambda: json.dumps(formats.as_json(verdict), indent=1) + "\n")
    _write(options.markdown, lambda: formats.as_markdown(verdict))
    _write(options.junit, lambda: formats.as_junit(verdict))
    print(formats.as_text(verdict))
    return verdict.exit_status


def _write(path: Path | None, text: Callable[[], str]) -> None:
    if path is None:
        return
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(), "utf-8")


def _update(options: argparse.Namespace) -> int:
    from bench.gate.baseline import read, read_run
    from bench.gate.baseline_file import update_baseline
    from bench.gate.formats import as_update

    file = options.file or _default()
    run = read_run(options.run)
    if run.not_bundled and file.resolve() == DEFAULT.resolve() and _at_home():
        raise BenchError(
            f"{options.run}: {DEFAULT} is of the whole bundled set, but {run.not_bundled}; give "
            "another place with --file"
        )
    changed = update_baseline(file, run, options.rule)
    written = read(file)
    fills, methods, metrics = (len(x) for x in (written.cases, written.methods, written.metrics))
    print(f"{file}: {fills} fills of {methods} methods, {metrics} metrics")
    print(as_update(changed))
    return 0


def _default() -> Path:
    """The baseline of this project, which nobody wants in one's own."""
    if not _at_home():
        raise BenchError(
            f"{Path.cwd()} is not the source tree of {_OURS}: say with --file where the baseline "
            "is to be kept, such as --file baseline.json"
        )
    return DEFAULT


def _at_home() -> bool:
    try:
        found = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(found.get("project", {}).get("name") == _OURS)
