"""``inpaint-bench report`` and ``merge``."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.cli import gate
from bench.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Describe the commands."""
    report = commands.add_parser("report", help="build the HTML report of a run folder")
    report.set_defaults(command=_report)
    report.add_argument("run", type=Path, help="run folder")
    report.add_argument("--out", type=Path, help="where to; default: RUN/report")
    report.add_argument(
        "--baseline",
        type=Path,
        help="judge the run against this file or run folder first, as 'gate' does; the exit "
        "status is the report's",
    )
    merge = commands.add_parser("merge", help="join runs of one protocol into a new run folder")
    merge.set_defaults(command=_merge)
    merge.add_argument("out", type=Path, help="run folder to write")
    merge.add_argument("runs", type=Path, nargs="+", help="run folders to read")


def _report(options: argparse.Namespace) -> int:
    if options.baseline is not None:
        from bench.verdict_formats import as_text

        print(as_text(gate.judge_run(options.baseline, options.run)))
    build_report(options.run, options.out)
    return 0


def build_report(run: Path, out: Path | None) -> None:
    """Build a report and say where it is."""
    from reports.build import build

    print(f"report: open {build(run, out)}")


def _merge(options: argparse.Namespace) -> int:
    from bench.merge import merge

    header = merge(options.out, options.runs)
    print(f"{options.out}: {header['state']}; {counted(header['counts'])}")
    build_report(options.out, None)
    return 0


def counted(counts: dict[str, int]) -> str:
    """Say how many fills ended how."""
    return ", ".join(f"{count} {status}" for status, count in counts.items())
