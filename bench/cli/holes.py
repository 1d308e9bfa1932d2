"""``inpaint-bench masks``."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.cli.arguments import Commands, positive, tiers
from bench.errors import BenchError


def add(commands: Commands) -> None:
    """Describe the command."""
    masks = commands.add_parser(
        "masks", help="write a pack of generated holes with a contact sheet"
    )
    masks.set_defaults(command=_masks)
    masks.add_argument("out", type=Path, help="folder to write")
    masks.add_argument(
        "--tiers", type=tiers, default="small,region,large", help="all: inpaint-bench list tiers"
    )
    masks.add_argument("--count", type=positive, default=8, help="holes a tier")
    masks.add_argument("--size", default="256", help="side, or WIDTHxHEIGHT, in pixels")
    masks.add_argument("--seed", type=int, default=0, help="another one gives other holes")


def _masks(options: argparse.Namespace) -> int:
    from masks.pack import make_pack

    width, _, height = options.size.partition("x")
    try:
        shape = (int(height or width), int(width))
    except ValueError:
        raise BenchError(f"--size: expected 256 or 640x480, found {options.size!r}") from None
    make_pack(
        options.out, tiers=options.tiers, count=options.count,
        height=shape[0], width=shape[1], seed=options.seed,
    )  # fmt: skip
    print(f"{options.out}: masks.csv, contact-sheet.png and the masks, white = hole")
    return 0
