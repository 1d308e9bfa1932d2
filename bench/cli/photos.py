"""The options that say what is compared on: photos, holes, truth, sizes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bench.cli.arguments import completed, named, positive, protocols_known, taken
from bench.errors import BenchError
from bench.text.plain import wrapped

if TYPE_CHECKING:
    from bench.planning.protocol import Protocol


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the options."""
    group = parser.add_argument_group("photos and holes")
    protocol = group.add_argument(
        "--protocol",
        default="",
        metavar="NAME",
        help="follow a published protocol, which decides sizes, holes, what is scored and by which "
        "metrics; --images is laid out as it says; all: inpaint-bench protocols list",
    )
    completed(protocol, protocols_known)
    group.add_argument(
        "--images",
        default="bundled",
        help="folder of photos; or bundled, or bundled-512: 48 photos that come with this program",
    )
    group.add_argument("--masks", help="folder of masks, or one for all photos")
    group.add_argument(
        "--pairing",
        choices=("name", "order", "pool"),
        default="name",
        help="how photos get masks of that folder: by their names, in the order of names, or as "
        "many as --draws says, chosen by seed",
    )
    group.add_argument(
        "--pairs",
        metavar="FILE.csv",
        help="table with columns photo, mask, truth, cluster, prompt, group, credit, of which "
        "photo is required",
    )
    group.add_argument(
        "--clusters",
        choices=("photo", "folder"),
        default="photo",
        help="what counts as independent: each photo, or each folder of photos",
    )
    group.add_argument(
        "--groups",
        choices=("none", "folder"),
        default="none",
        help="what kind a photo is of, to tell results by kind: the name of its folder "
        "(animals/cat.jpg)",
    )
    group.add_argument(
        "--invert-masks", action="store_true", help="black is hole in the mask files"
    )
    group.add_argument(
        "--mask-threshold", type=positive, default=128, help="least value that is hole"
    )
    group.add_argument(
        "--mask-labels",
        type=named,
        metavar="A,B,...",
        help="which labels of annotations, or classes of mask pictures, are hole: names, numbers, "
        "colours as #rrggbb; default: all but the background",
    )
    group.add_argument(
        "--size",
        help="N (centre square, scaled to N pixels; 256), WxH (likewise), fit:N (short side, "
        "nothing cut off) or native",
    )
    group.add_argument(
        "--tiers",
        type=named,
        help="tiers of generated holes (small,region,large; all: inpaint-bench list tiers)",
    )
    group.add_argument(
        "--draws", type=positive, help="generated holes a tier, or masks of a pool a photo (1)"
    )
    group.add_argument(
        "--truth",
        metavar="FOLDER",
        help="to remove what masks show: pictures without it, by the photos' names, to hold fills "
        "against, or 'unknown'; default: the photos themselves",
    )
    group.add_argument(
        "--prompt",
        default="",
        metavar="TEXT",
        help="what to fill in where --pairs says nothing, for methods that "
        "can be told (default: nothing)",
    )
    group.add_argument("--limit", type=positive, help="only the first so many photos")
    group.add_argument("--seed", type=int, default=0, help="seed of holes and stochastic methods")


def protocol(options: argparse.Namespace) -> Protocol:
    """What these options ask for.

    Raises:
        BenchError: If one is malformed or would change nothing.
    """
    from bench.planning.protocol import Protocol

    if options.protocol:
        _refuse_usual(options)
    return Protocol.asked(
        photos=options.images,
        **taken(options, "masks", "mask_threshold", "invert_masks"),
        mask_labels=tuple(options.mask_labels or ()),
        **taken(options, "pairs", "pairing", "clusters", "groups", "truth", "prompt"),
        published=options.protocol,
        **taken(options, "size", "tiers", "draws", "seed", "limit"),
    )


def _refuse_usual(options: argparse.Namespace) -> None:
    """Refuse a usual value, which looks as if nobody had asked for it, where the protocol differs.

    Raises:
        BenchError: Naming the option, and what the protocol says.
    """
    from bench.protocols.read import get

    published = get(options.protocol)
    words = {word.partition("=")[0] for word in options.given}
    says = {"seed": published.seed, "mask-threshold": published.holes.threshold}
    for name, said in says.items():
        if f"--{name}" in words and getattr(options, name.replace("-", "_")) != said:
            raise BenchError(
                f"--{name}: protocol {published.name} says {said}; leave --{name} out, or "
                "--protocol"
            )


def tell_short(published: str, cases: int) -> None:
    """Say so if a run that follows a protocol has another number of pictures than it expects."""
    from bench.protocols.read import catalogue

    followed = catalogue().get(published)  # a merged run may be of another version's catalogue
    if followed and (short := followed.short_of(cases)):
        print(wrapped(f"{published}: {short}"))
