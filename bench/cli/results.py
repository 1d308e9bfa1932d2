"""``inpaint-bench report`` and ``merge``."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cli import photos
from bench.cli.arguments import Commands, add_budget, add_reference
from bench.errors import BenchError
from bench.text.plain import wrapped

if TYPE_CHECKING:
    from bench.folder.header import Header


def add(commands: Commands) -> None:
    """Describe the commands."""
    report = commands.add_parser("report", help="build the HTML report of a run folder, or several")
    report.set_defaults(command=_report)
    report.add_argument("runs", type=Path, nargs="+", metavar="run", help="run folder")
    report.add_argument(
        "--out", type=Path, help="where to; default: RUN/report; needed for several runs"
    )
    report.add_argument(
        "--anyway",
        action="store_true",
        help="put runs of different protocols into one report, and say so on every page",
    )
    add_reference(report)
    add_budget(report)
    report.add_argument(
        "--single-file",
        action="store_true",
        help="write the overview as one file too, beside the report: OUT.html",
    )
    report.add_argument(
        "--zip", action="store_true", help="pack the report too, beside it: OUT.zip"
    )
    report.add_argument(
        "--full-pictures",
        action="store_true",
        help="put each fill shown on the page of a case into the report as measured too: PNG files",
    )
    report.add_argument(
        "--markdown",
        type=Path,
        metavar="FILE",
        help="write the result as GitHub's Markdown too, for a pull request or a step summary",
    )
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
    merge.add_argument("--no-report", action="store_true", help="tables only")
    add_budget(merge)


def _report(options: argparse.Namespace) -> int:
    _check(options)
    if options.baseline is not None:
        from bench.gate.formats import as_text
        from bench.gate.judge_run import judge_run

        print(as_text(judge_run(options.baseline, options.runs[0])))
    settings = {"reference": options.reference, "budget": options.budget_ms,
                "full_pictures": options.full_pictures}  # fmt: skip
    if len(options.runs) == 1:
        index = build_report(options.runs[0], options.out, **settings)
    else:
        index = _build_joined(options.runs, options.out, options.anyway, settings)
    _also(index.parent, options)
    return 0


def build_report(run: Path, out: Path | None, **settings: Any) -> Path:
    """Build a report, with settings of `reports.build.build`, and say where it is."""
    from reports.build import build

    index = build(run, out, **settings)
    print(f"report: open {index}")
    return index


def _build_joined(
    runs: Sequence[Path], out: Path, anyway: bool, settings: Mapping[str, Any]
) -> Path:
    from bench.folder.side_by_side import join
    from reports.build import build

    with tempfile.TemporaryDirectory() as folder:
        folders = join(Path(folder), runs, anyway=anyway)
        index = build(Path(folder), out, folders, **settings)
    print(f"report: open {index}")
    return index


def _check(options: argparse.Namespace) -> None:
    if len(options.runs) == 1:
        if options.anyway:
            raise BenchError("--anyway: for several runs only")
        return
    if options.out is None:
        raise BenchError("--out: say where the report of several runs goes")
    if options.baseline is not None:
        raise BenchError("--baseline: for one run only; judge each run on its own")


def _also(report: Path, options: argparse.Namespace) -> None:
    """Make the other forms of a report that were asked for."""
    from reports.files import archive, single_file
    from reports.site import staging as folder

    if options.single_file:
        print(f"single file: {single_file.write(report)}")
    if options.zip:
        print(f"zip: {archive.write(report)}")
    if options.markdown is not None:
        with folder.placed(options.markdown) as temporary:
            shutil.copyfile(report / "data" / "summary.md", temporary)
        print(f"markdown: {options.markdown}")


def _merge(options: argparse.Namespace) -> int:
    from bench.run.merge import merge

    header = merge(options.out, options.runs)
    summarise(options.out, header, report=not options.no_report)
    if not options.no_report:
        build_report(options.out, None, budget=options.budget_ms)
    return status(options.out, header)


def summarise(out: Path, header: Header, *, report: bool) -> None:
    """Say how a run ended, and what became of all that was given."""
    from bench.folder.schema import PLAN
    from bench.folder.store import RunFolder
    from bench.run import summary

    counts = ", ".join(f"{count} {status}" for status, count in header.counts.items())
    print(f"{out}: {header.state}; {counts}")
    print(f"fingerprint {header.fingerprint}")
    if published := str(header.protocol.get("published", "")):
        photos.tell_short(published, len(RunFolder(out).read_table(PLAN.file, ["case"])))
    page = out / "report" / "failures.html" if report else None
    for line in summary.of_run(RunFolder(out), page, header.without_result):
        print(wrapped(line))


def status(out: Path, header: Header) -> int:
    """Say last which methods completed no case, with the first reason; 1 if fills were lost."""
    from bench.folder.store import RunFolder
    from bench.run import summary
    from bench.run.limits import LOST

    lost = {*LOST, "unavailable"} & header.counts.keys()
    for line in summary.without_result(RunFolder(out), header.without_result):
        print(f"inpaint-bench: {line}", file=sys.stderr)
    return 1 if header.without_result or lost else 0
