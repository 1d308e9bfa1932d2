"""``inpaint-bench export``."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.cli.arguments import Commands


def add(commands: Commands) -> None:
    """Describe the command."""
    export = commands.add_parser(
        "export", help="write photos and holes of a run for other programs to fill"
    )
    export.set_defaults(command=_export)
    export.add_argument("run", type=Path, help="run folder")
    export.add_argument("out", type=Path, help="folder to write; must be empty or new")
    export.add_argument(
        "--layout",
        choices=("ours", "lama", "iopaint", "flat"),
        default="ours",
        help="names that the program reads (ours: TIER/PHOTO-DRAW.png)",
    )


def _export(options: argparse.Namespace) -> int:
    from bench.planning.export import export

    count = export(options.run, options.out, options.layout)
    print(f"{options.out}: photos and masks of {count} cases; README.txt says how to score outputs")
    return 0
