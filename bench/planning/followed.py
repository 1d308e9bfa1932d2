"""What a published protocol asks for in place of the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bench.errors import BenchError
from bench.planning import bundled
from bench.planning.geometry import Geometry
from bench.protocols.record import Published

FREE: Final = ("limit",)
"""What a user may still say of photos and holes."""


def refuse_more(published: Published, given: Mapping[str, Any], usual: Mapping[str, Any]) -> None:
    """Refuse options that a protocol decides, given as anything but what is usual.

    Raises:
        BenchError: Naming the first of them, and what the protocol says.
    """
    said = {"size": published.size, "seed": published.seed, "tiers": published.holes.generator,
            "pairing": published.holes.pairing, "invert_masks": published.holes.hole,
            "mask_threshold": published.holes.threshold}  # fmt: skip
    for name, value in given.items():
        if name not in FREE and value not in (None, (), usual.get(name)):
            option = "--" + name.replace("_", "-")
            says = f"says {said[name]}" if said.get(name) not in (None, "") else "decides that"
            raise BenchError(
                f"{option}: protocol {published.name} {says}; leave {option} out, or --protocol"
            )


def fields_of(published: Published, photos: str) -> dict[str, Any]:
    """The fields of a request that follows a protocol, but where photos and masks lie.

    Raises:
        BenchError: If no photos are given, or the bundled ones.
    """
    if photos in bundled.SETS:
        raise BenchError(
            f"--protocol {published.name}: give its data too, --images DIR. {published.data.about} "
            f"Whether all is there: inpaint-bench protocols check DIR --protocol {published.name}"
        )
    holes, score = published.holes, published.score
    asked: dict[str, Any] = {"tiers": (holes.generator,)} if holes.generator else {}
    if label := published.data.masks.partition("#")[2]:
        asked["mask_labels"] = (label,)
    return asked | {
        "published": published.name,
        "size": Geometry.asked(published.size).words,
        "invert_masks": holes.hole == "black",
        "mask_threshold": holes.threshold,
        "seed": published.seed,
        "paste": score.paste,
        "quantise": score.quantise,
    }
