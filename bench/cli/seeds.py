"""``inpaint-bench seeds``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.arguments import Commands, completed, metrics_known, named
from bench.text import markdown, numbers

if TYPE_CHECKING:
    from bench.compare.trainings import Difference

_HEADER = ("tier", "metric", "first", "second", "second - first, 95 % over photos and seeds",
           "verdict", "95 % over photos", "95 % over seeds", "by seed", "photos")  # fmt: skip
_USUAL = ("l1_hole", "psnr_hole_db")


def add(commands: Commands) -> None:
    """Describe the command."""
    seeds = commands.add_parser(
        "seeds",
        help="compare two trainings, several seeds each, paired by seed and photo",
        description="FIRST and SECOND are methods of the run, comma-separated, in the order of "
        "their seeds: lama-0,lama-1,lama-2 relama-0,relama-1,relama-2.",
    )
    seeds.set_defaults(command=_seeds)
    seeds.add_argument("run", type=Path, help="run folder")
    seeds.add_argument("first", type=named, help="methods, comma-separated")
    seeds.add_argument("second", type=named, help="as many methods")
    metrics = seeds.add_argument(
        "--metrics",
        type=named,
        help="names, comma-separated (default: the headline metric and, of what was measured, "
        f"{' and '.join(_USUAL)})",
    )
    completed(metrics, metrics_known)


def _seeds(options: argparse.Namespace) -> int:
    from bench.compare.asked import read
    from bench.compare.trainings import compare

    run = read(options.run)
    measured = set(run.metrics.loc[run.metrics["status"] == "ok", "metric"])
    usual = [name for name in dict.fromkeys([run.headline.metric, *_USUAL]) if name in measured]
    found = compare(run, options.first, options.second, options.metrics or usual)
    print(markdown.table(_HEADER, map(_row, found), "ll".ljust(len(_HEADER), "r")))
    return 0


def _row(found: Difference) -> list[str]:
    gap, both = found.photos, found.both
    digits = numbers.decimals_for([gap.half_width, both.half_width, found.seeds])
    difference = numbers.signed(both.mean, digits)
    return [
        found.tier, found.metric, numbers.number(found.first, digits),
        numbers.number(found.second, digits),
        f"{difference} {numbers.interval(both.low, both.high, digits)}", found.verdict,
        numbers.interval(gap.low, gap.high, digits), f"± {numbers.number(found.seeds, digits)}",
        ", ".join(numbers.signed(value, digits) for value in found.by_seed), str(gap.clusters),
    ]  # fmt: skip
