"""What a published protocol fixes in a request, and what may still be asked for beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bench.errors import BenchError
from bench.protocols.read import named
from bench.protocols.record import Published

FIXED: Final = ("size", "tiers", "draws", "seed", "mask_threshold", "invert_masks", "mask_labels",
                "pairs", "pairing", "truth", "prompt")  # fmt: skip
"""Options of a request that are a protocol's to say, if there is one."""


def followed(name: str, masks: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a request that follows a protocol.

    Args:
        name: Of the protocol.
        masks: Folder of masks, if it is another than that of the photos.
        given: What was asked for besides, by attribute; what nobody asked for is left out.

    Raises:
        BenchError: If there is no such protocol, or something was asked for that it says itself.
    """
    published = named(name)
    says = _says(published)
    for attribute in FIXED:
        if attribute in given and given[attribute] != says.get(attribute):
            said = says.get(attribute, "its own")
            raise BenchError(
                f"--{attribute.replace('_', '-')}: {published.name} says {_shown(said)}; leave it "
                "out, or leave --protocol out"
            )
    if masks is not None and not published.data.masks:
        raise BenchError(
            f"--masks: the holes of {published.name} are generated "
            f"({published.holes.generator}); leave it out, or leave --protocol out"
        )
    return says


def _says(published: Published) -> dict[str, Any]:
    holes, score = published.holes, published.score
    says: dict[str, Any] = {
        "published": published.name,
        "size": published.size,
        "draws": 1,
        "seed": published.seed,
        "mask_threshold": holes.threshold,
        "invert_masks": holes.hole == "black",
        "paste": score.paste,
        "quantise": score.quantise,
    }
    return says | ({"tiers": (holes.generator,)} if holes.generator else {})


def _shown(said: Any) -> str:
    return ",".join(said) if isinstance(said, tuple) else str(said)
