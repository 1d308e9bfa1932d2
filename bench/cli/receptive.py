"""``inpaint-bench receptive``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.arguments import Commands, completed, device, listed, methods_known, positive
from bench.cli.results import build_report
from bench.text import numbers
from bench.text.plain import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.receptive.table import Result

_RADII = ("r50", "r90", "r99")


def add(commands: Commands) -> None:
    """Describe the command."""
    receptive = commands.add_parser(
        "receptive",
        help="measure which known pixels decide the middle of a hole",
        description="Effective receptive field: the gradient of the middle of a centred square "
        "hole, a quarter of the side wide, with respect to the input, averaged over photos. All "
        "methods but the first are also compared with the first, photo by photo.",
    )
    receptive.set_defaults(command=_receptive)
    names = receptive.add_argument(
        "methods", nargs="+", metavar="METHOD", help="as for run --methods"
    )
    completed(names, methods_known)
    receptive.add_argument("--images", default="bundled", help="folder of photos, or a bundled set")
    receptive.add_argument(
        "--side", type=positive, default=256, help="side of the photos, in pixels"
    )
    receptive.add_argument("--limit", type=positive, help="only the first so many photos")
    receptive.add_argument("--device", type=device, default="cpu", help="torch device")
    receptive.add_argument(
        "--out", type=Path, help="run folder of these methods, whose report is to show it"
    )


def _receptive(options: argparse.Namespace) -> int:
    names = listed(options.methods)  # before what takes seconds to load

    from bench.receptive import table

    asked = table.made(names, options.device)
    store = table.check_run(options.out, asked) if options.out else None
    photos = table.read(options.images, options.side, options.limit)
    for refused in photos.refused:
        print(f"inpaint-bench: left out {one_line(refused)}", file=sys.stderr)
    count = len(photos.pictures)
    noun = "photo" if count == 1 else "photos"
    print(f"{count} {noun} of {photos.side} x {photos.side}; radii in % of the side")
    width = max(len(method.name) for method in asked)
    print(f"{'':{width}}  {'r50':^20}  {'r90':^20}  {'r99':^20}  known")
    measured: list[Result] = []
    for result in table.results(asked, photos):
        print(f"{result.method:{width}}  {_line(result)}", flush=True)
        measured.append(result)
    _print_bounds(measured, width)
    _print_differences(measured, width)
    if store is not None:
        table.write(store, measured, photos)
        build_report(options.out, None)
    return 0 if all(result.field is not None for result in measured) else 1


def _line(result: Result) -> str:
    if result.field is None:
        return f"{result.status}: {result.reason}"
    row = result.row
    part = 100 / row["network_side"]
    radii = (
        f"{part * row[name]:.1f} "
        + numbers.interval(part * row[f"{name}_low"], part * row[f"{name}_high"], 1)
        for name in _RADII
    )
    return "  ".join([*(f"{text:20}" for text in radii), f"{100 * row['known_share']:5.1f}"])


def _print_bounds(measured: Sequence[Result], width: int) -> None:
    """What a field that says nothing would have, for each form of the network's input."""
    rows = [each.row for each in measured if each.field is not None]
    for side, row in {row["network_side"]: row for row in rows}.items():
        even = "  ".join(f"{100 * row[f'{name}_even'] / side:<20.1f}" for name in _RADII)
        print(f"{'(even)':{width}}  {even}")
        print(
            f"nearest known pixel, below which no radius can be: {100 * row['nearest'] / side:.1f}"
        )


def _print_differences(measured: Sequence[Result], width: int) -> None:
    for result in measured[1:]:
        wider = result.wider(measured[0])
        texts = (
            f"{numbers.signed(gap.mean, 1)} {numbers.interval(gap.low, gap.high, 1)}"
            for gap in wider.values()
        )
        if wider:
            line = "  ".join(f"{text:20}" for text in texts)
            print(f"{result.method:{width}}  {line}  wider than {measured[0].method}")
