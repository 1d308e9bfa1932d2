"""The options that say what is compared on: photos, holes, truth, sizes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bench.cli.arguments import positive, taken

if TYPE_CHECKING:
    from bench.planning.protocol import Protocol


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    group = parser.add_argument_group("photos and holes")
    group.add_argument("--images", default="bundled", help="folder of photos, or 'bundled'")
    group.add_argument("--masks", help="folder of masks, one or more a photo, paired by name")
    group.add_argument(
        "--invert-masks", action="store_true", help="black is hole in the mask files"
    )
    group.add_argument(
        "--mask-threshold", type=positive, default=128, help="least value that is hole"
    )
    group.add_argument("--size", help="side of the evaluated square (256), or 'native'")
    group.add_argument("--tiers", help="tiers of generated holes (small,region,large)")
    group.add_argument("--draws", type=positive, help="generated holes a tier (1)")
    group.add_argument(
        "--truth",
        metavar="FOLDER",
        help="to remove what masks show: pictures without it, by the photos' names, to hold fills "
        "against, or 'unknown'; default: the photos themselves",
    )
    group.add_argument("--limit", type=positive, help="only the first so many photos")
    group.add_argument("--seed", type=int, default=0, help="seed of holes and stochastic methods")


def protocol(options: argparse.Namespace) -> Protocol:
    """What these options ask for.

    Raises:
        BenchError: If one is malformed or would change nothing.
    """
    from bench.planning.protocol import Protocol

    return Protocol.asked(
        photos=options.images,
        tiers=options.tiers.split(",") if options.tiers else None,
        **taken(options, "masks", "mask_threshold", "invert_masks"),
        **taken(options, "size", "draws", "seed", "limit", "truth"),
    )
