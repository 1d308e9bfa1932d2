"""``inpaint-bench compare``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.cli.arguments import Commands, add_reference, completed, metrics_known, named
from bench.errors import BenchError
from bench.text.plain import lines

_FORMATS = ("table", "csv", "latex", "markdown", "json")


def add(commands: Commands) -> None:
    """Describe the command."""
    compare = commands.add_parser(
        "compare",
        help="compare the methods of a run, or the same methods in two runs",
        description="Ranks and paired differences with intervals, per tier and metric. With two "
        "runs, each method is compared with itself: differences are the second minus the first.",
    )
    compare.set_defaults(command=_compare)
    compare.add_argument("run", type=Path, help="run folder")
    compare.add_argument("other", type=Path, nargs="?", help="a later run of the same protocol")
    metrics = compare.add_argument(
        "--metrics",
        type=named,
        help="names, comma-separated, or 'all' (default: the headline metric)",
    )
    completed(metrics, metrics_known)
    compare.add_argument("--tiers", type=named, help="names, comma-separated (default: all)")
    add_reference(compare)
    compare.add_argument("--format", choices=_FORMATS, default="table", help="what to print")
    compare.add_argument("--out", type=Path, help="file to write; as CSV, one a table")
    compare.add_argument(
        "--fail-if-worse",
        action="store_true",
        help="status 1 if a method is significantly worse in the second run",
    )
    compare.add_argument(
        "--anyway", action="store_true", help="compare runs of different protocols, with a note"
    )


def _compare(options: argparse.Namespace) -> int:
    from bench.compare.asked import read
    from bench.compare.formats import FORMATS, write
    from bench.compare.runs import compare_between, compare_within, worsened

    metrics, tiers = options.metrics or None, options.tiers or None
    if options.fail_if_worse and options.other is None:
        raise BenchError("--fail-if-worse: expected two runs, found one")
    run = read(options.run)
    if options.other is None:
        comparison = compare_within(run, metrics, tiers, options.reference)
    elif options.reference is not None:
        raise BenchError("--reference: for one run only; two runs compare each method with itself")
    else:
        comparison = compare_between(
            run, read(options.other), metrics, tiers, anyway=options.anyway
        )
    if options.out is None:
        print(FORMATS[options.format](comparison), end="")
    else:
        written = write(comparison, options.format, options.out)
        print(f"{', '.join(map(str, written))}: {len(comparison.pairs)} pairs")
    if not options.fail_if_worse:
        return 0
    worse = worsened(comparison)
    print(lines("\n".join(worse)) or "no method is significantly worse", file=sys.stderr)
    return int(bool(worse))
