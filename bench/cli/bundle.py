"""``inpaint-bench bundle``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.cli.arguments import Commands
from bench.errors import BenchError
from bench.text import plain
from bench.text.numbers import counted


def add(commands: Commands) -> None:
    """Describe the command."""
    bundle = commands.add_parser(
        "bundle",
        help="write a run as one file without pictures, to be handed on and put on a board",
        description="Writes RUN as FILE. With --check or --correct, RUN is such a file.",
        epilog="exit status: 0 written, or all agrees; 1 the bundle contradicts itself or its run; "
        "2 any error",
    )
    bundle.set_defaults(command=_bundle)
    bundle.add_argument("run", type=Path, help="run folder, or a bundle")
    bundle.add_argument(
        "--out", type=Path, metavar="FILE", help="where to (default: RUN.bundle.json beside it)"
    )
    what = bundle.add_mutually_exclusive_group()
    what.add_argument(
        "--check",
        action="store_true",
        help="compute again what can be: keys, fingerprint, means, intervals, ranges",
    )
    what.add_argument(
        "--correct",
        metavar="TEXT",
        help="add what was found to be wrong; old values stay, and are shown struck out",
    )
    bundle.add_argument("--method", default="", help="of --correct: the one method it is about")
    bundle.add_argument(
        "--of", type=Path, metavar="RUN", help="of --check: the run folder, to hash its pictures"
    )


def _bundle(options: argparse.Namespace) -> int:
    if options.of is not None and not options.check:
        raise BenchError("--of: with --check only")
    if options.method and options.correct is None:
        raise BenchError("--method: with --correct only")
    if options.check:
        return _check(options.run, options.of)

    from bench.bundle.bundle import SUFFIX, corrected, read, write
    from bench.bundle.of_run import bundle_of

    if options.correct is not None:
        bundle = corrected(read(options.run), options.correct, options.method)
        out = options.out or options.run
    else:
        bundle, run = bundle_of(options.run), options.run.resolve()
        out = options.out or run.with_name(run.name + SUFFIX)
    write(bundle, out)
    methods, cases = counted(len(bundle.methods), "method"), counted(len(bundle.cases), "case")
    size = f"{out.stat().st_size / 1e6:.1f} MB"
    print(f"{out}: {methods}, {cases}, {size}, checksum {bundle.checksum}")
    return 0


def _check(path: Path, run: Path | None) -> int:
    from bench.bundle.bundle import read
    from bench.bundle.check import complaints, complaints_of_run

    bundle = read(path)
    found = complaints(bundle) + (complaints_of_run(bundle, run) if run else [])
    for line in found:
        print(f"inpaint-bench: {plain.one_line(line)}", file=sys.stderr)
    state = (
        f"{counted(len(found), 'contradiction')}" if found else "all that was computed again agrees"
    )
    print(f"{path}: {state}; checksum {bundle.checksum}")
    return 1 if found else 0
