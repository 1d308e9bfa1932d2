"""``inpaint-bench seeds``."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.cli.arguments import Commands


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
    seeds.add_argument("first")
    seeds.add_argument("second")
    seeds.add_argument(
        "--metrics", default="l1_hole,ssim_hole,psnr_hole_db", help="names, comma-separated"
    )


def _seeds(options: argparse.Namespace) -> int:
    from bench.compare.asked import read
    from bench.compare.trainings import compare

    first, second, metrics = (
        text.split(",") for text in (options.first, options.second, options.metrics)
    )
    found = compare(read(options.run), first, second, metrics)
    print(
        "| tier | metric | first | second | second - first, 95 % over photos | by seed | "
        "95 % over seeds | photos |\n|---|---|---|---|---|---|---|---|"
    )
    for each in found:
        gap = each.photos
        by_seed = ", ".join(f"{value:+.2g}" for value in each.by_seed)
        print(
            f"| {each.tier} | {each.metric} | {each.first:.4g} | {each.second:.4g} | "
            f"{gap.mean:+.2g} [{gap.low:+.2g}, {gap.high:+.2g}] | {by_seed} | "
            f"{gap.mean:+.2g} ± {each.seeds:.2g} | {gap.clusters} |"
        )
    return 0
