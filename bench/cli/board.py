"""``inpaint-bench board``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.cli.arguments import Commands
from bench.text import plain


def add(commands: Commands) -> None:
    """Describe the command."""
    board = commands.add_parser(
        "board",
        help="write a static site of bundles: claimed, measured and reproduced by protocol",
        epilog="exit status: 0 all bundles are shown, 1 some were left out, 2 any error",
    )
    board.set_defaults(command=_board)
    board.add_argument("folder", type=Path, help="folder of *.bundle.json files")
    board.add_argument("--out", type=Path, help="where the site goes (default: board in it)")


def _board(options: argparse.Namespace) -> int:
    from reports.board.build import build

    index, refused = build(options.folder, options.out or options.folder / "board")
    for file, reason in refused:
        print(f"inpaint-bench: left out {file}: {plain.lines(reason)}", file=sys.stderr)
    print(f"board: open {index}")
    return 1 if refused else 0
