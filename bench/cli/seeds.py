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
    from bench.run_tables import read_run
    from bench.seeds import compare

    first, second, metrics = (
        text.split(",") for text in (options.first, options.second, options.metrics)
    )
    found = compare(read_run(options.run), first, second, metrics)
    print("| tier | metric | first | second | second - first | 95 % interval | by seed | photos |")
    print("|---|---|---|---|---|---|---|---|")
    for each in found:
        by_seed = ", ".join(f"{gap:+.4f}" for gap in each.by_seed)
        print(
            f"| {each.tier} | {each.metric} | {each.first:.4f} | {each.second:.4f} | "
            f"{each.difference:+.4f} | [{each.low:+.4f}, {each.high:+.4f}] | {by_seed} | "
            f"{each.photos} |"
        )
    return 0
