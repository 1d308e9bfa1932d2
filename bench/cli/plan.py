"""``inpaint-bench plan``."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli import photos, run
from bench.cli.arguments import Commands
from bench.text.numbers import counted
from bench.text.plain import duration, table, wrapped

if TYPE_CHECKING:
    from bench.run.ahead import Ahead


def add(commands: Commands) -> None:
    """Describe the command."""
    plan = commands.add_parser(
        "plan",
        help="what a run with these options would do; writes nothing",
    )
    plan.set_defaults(command=_plan)
    run.add_options(plan)
    plan.add_argument(
        "--earlier",
        type=Path,
        action="append",
        metavar="RUN",
        help="run folder to take times from, besides --out",
    )


def _plan(options: argparse.Namespace) -> int:
    request = run.asked(options)

    from bench.metrics.plug_ins import resolve
    from bench.run import summary
    from bench.run.ahead import look
    from bench.run.progress import Progress

    since = time.monotonic()
    with Progress() as progress:
        ahead = look(request, options.earlier or [], progress.reading)
    if options.strict:
        summary.refuse_any(ahead.inputs)
    counts = ahead.plan.sort_values("hole_share")["tier"].value_counts(sort=False)
    tiers = ", ".join(f"{count:,} {tier}" for tier, count in counts.items())
    there = counted(ahead.plan["photo"].nunique(), "photo")
    print(f"{there}, {counted(len(ahead.plan), 'hole')}: {tiers}")
    print(f"{summary.used(ahead.inputs)}, read in {duration(time.monotonic() - since)}")
    for line in (*summary.refusals(ahead.inputs), *summary.remarks(ahead.inputs)):
        print(wrapped(f"  {line}"))
    known = request.truth_known
    photos.tell_short(request.protocol.published, len(ahead.plan))
    metrics = [name for name in request.measured if known or not resolve(name).needs_truth]
    print(f"metrics: {', '.join(metrics)}{'' if known else '; all others need a truth'}")
    header = ("method", "fills", "there", "each", "to do", "how that is known")
    print(table(header, _rows(ahead), "lrrrrl"))
    workers = request.workers or request.processes
    print(f"time: {_time(ahead, workers)}; metrics of sets and the report come on top")
    print(ahead.disk)
    if ahead.differs:
        print(
            f"{options.out} holds a run with another protocol (other {' and '.join(ahead.differs)})"
            ", which run would refuse; give another --out"
        )
    return 0


def _rows(ahead: Ahead) -> list[list[str]]:
    rows = []
    for method in ahead.methods:
        times, known = ["", ""], "unknown: no earlier run"
        if method.obstacle:
            known = f"would not run: {method.obstacle}"
        elif method.pace:
            left = max(method.fills - method.kept, 0)
            times = [f"{method.pace.seconds:.3g} s", duration(left * method.pace.seconds)]
            known = method.pace.source
        rows.append([method.name, f"{method.fills:,}", f"{method.kept:,}", *times, known])
    return rows


def _time(ahead: Ahead, workers: int) -> str:
    seconds, unknown = ahead.left
    if unknown and not seconds:
        return "unknown"
    return f"{'over ' if unknown else ''}{duration(seconds)} of fills with {workers} workers"
