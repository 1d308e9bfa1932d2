"""``inpaint-bench bundle``."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.cli.arguments import Commands
from bench.text.numbers import counted


def add(commands: Commands) -> None:
    """Describe the command."""
    bundle = commands.add_parser(
        "bundle",
        help="write a run as one file without pictures, to be handed on and put on a board",
    )
    bundle.set_defaults(command=_bundle)
    bundle.add_argument("run", type=Path, help="run folder")
    bundle.add_argument(
        "--out", type=Path, metavar="FILE", help="where to (default: RUN.bundle.json beside it)"
    )


def _bundle(options: argparse.Namespace) -> int:
    from bench.bundle.bundle import SUFFIX, write
    from bench.bundle.of_run import bundle_of

    bundle = bundle_of(options.run)
    run = options.run.resolve()
    out = options.out or run.with_name(run.name + SUFFIX)
    write(bundle, out)
    methods, cases = counted(len(bundle.methods), "method"), counted(len(bundle.cases), "case")
    print(
        f"{out}: {methods}, {cases}, {out.stat().st_size / 1e6:.1f} MB, checksum {bundle.checksum}"
    )
    return 0
