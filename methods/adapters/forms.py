"""In which form a network takes a picture at all, and in which sizes: found by running it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from itertools import product
from typing import Any

from bench.errors import BenchError
from methods.adapters.scenes import smooth
from methods.adapters.tensor_facts import ALLOWED, Facts, Port
from methods.adapters.tries import Tries
from methods.card import SizeRule

_SIDES = (128, 256, 512, 64, 1024)  # tried where a file does not say which it takes
_MULTIPLES = tuple(2**step for step in range(9))


def find(
    tries: Tries, stated: Mapping[str, Any], size: SizeRule | None
) -> tuple[list[Facts], SizeRule]:
    """Run a network in the forms that its file leaves open, the most usual one in all sizes first.

    Args:
        tries: Of the network.
        stated: Facts to keep to.
        size: Which sizes it takes, if that is stated.

    Returns:
        What runs, in each order of inputs and layout; and which sizes it takes.

    Raises:
        BenchError: If none runs.
    """
    ports = tries.opened.inputs
    fixed = _fixed(ports)
    sides = [fixed] if fixed else [size.side] if size and size.side else list(_SIDES)
    reasons: dict[str, None] = {}
    # What takes a picture of three channels does not take one of four: likely orders first.
    choices = [[stated["inputs"]]] if "inputs" in stated else _orders(ports)
    for orders in choices:
        forms = [
            _forms(ports, {"layout": layout, **stated, "inputs": order})
            for order in orders
            for layout in (("NCHW", "NHWC") if "layout" not in stated else ("",))
        ]
        for usual, side in product((True, False), sides):
            found = []
            for each in forms:
                for facts in each[:1] if usual else each[1:]:
                    if not (why := runs(tries, facts, side, side)):
                        found.append(facts)
                        break
                    reasons[why] = None
            if found:
                return found, _checked(tries, found[0], side, size, bool(fixed))
    orders = [order for group in choices for order in group]
    words = ", ".join(f"{name} = {value}" for name, value in stated.items())
    raise BenchError(
        f"takes none of the forms tried ({'; '.join(orders)}; sides {', '.join(map(str, sides))}"
        f"{words and '; stated: '}{words}). What it said: {' | '.join(list(reasons)[:3])}"
    )


def runs(tries: Tries, facts: Facts, height: int, width: int) -> str:
    """Why a network does not fill a picture of that size; empty if it does."""
    try:
        tries.outputs(facts, smooth(height, width)[0])
    except Exception as error:  # whatever stops it
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return f"{type(error).__name__}: {(lines or [''])[-1]}"[:300]
    return ""


def _orders(ports: list[Port]) -> list[list[str]]:
    if len(ports) == 1:
        return [["image+mask", "mask+image"], ["image"]]
    if len(ports) == 2:
        is_mask = ["mask" in each.name.lower().replace("masked", "") for each in ports]
        if is_mask == [True, False]:
            return [["mask, image"]]
        named = is_mask == [False, True]
        return [["image, mask"] if named else ["image, mask", "mask, image"], ["image+mask, mask"]]
    found = ", ".join(each.name for each in ports) or "none"
    raise BenchError(
        f"expected an image and a mask as inputs, or both in one, found {found}; wrap the network "
        "in one that takes these two and makes the others itself, and export that"
    )


def _fixed(ports: list[Port]) -> int:
    """The side that the file fixes; 0 if it fixes none."""
    for port in ports:
        sides = [side for side in port.shape[1:] if side is None or side > 4]
        known = [side for side in sides if side]
        if len(known) == 2 and known[0] != known[1]:
            raise BenchError(
                f"input {port.name}: expected squares or free sizes, found {port.shape}; export it "
                "with free or with equal sides"
            )
        if len(port.shape) > 2 and port.shape[0] not in (None, 1):
            raise BenchError(
                f"input {port.name}: expected pictures one at a time, found batches of "
                f"{port.shape[0]}; export it for a batch of 1"
            )
        if len(known) == 2:
            return known[0]
    return 0


def _forms(ports: list[Port], stated: Mapping[str, Any]) -> list[Facts]:
    """All forms that the types of the inputs leave open, the most usual first."""
    groups = stated["inputs"].split(", ")
    if len(groups) != len(ports):
        return []
    types = dict(zip(groups, (each.dtype for each in ports), strict=True))
    of_image = next((dtype for name, dtype in types.items() if "image" in name), "")
    for name, dtype in (("dtype", of_image), ("mask_dtype", types.get("mask", ""))):
        if dtype and dtype not in ALLOWED[name]:
            raise BenchError(f"expected a {name} out of {', '.join(ALLOWED[name])}, found {dtype}")
    masked = "mask" in groups
    options: dict[str, tuple[Any, ...]] = {
        "dtype": (of_image,) if of_image else ("float32", "uint8"),
        "mask_dims": (4, 3) if masked else (4,),
        # As the image, or as what picks pixels; whole numbers are taken where either is.
        "mask_dtype": (types["mask"],) if types.get("mask") else ("", "bool") if masked else ("",),
    }
    options |= {name: (value,) for name, value in stated.items() if name in options}
    found = []
    for chosen in product(*options.values()):
        facts = dict(zip(options, chosen, strict=True))
        facts["mask_dtype"] = facts["mask_dtype"] or facts["dtype"]
        if facts["dtype"] == "uint8":
            facts["values"] = facts["returns"] = "0..255"
        found.append(Facts(**{**facts, **stated}))
    return found


def _checked(
    tries: Tries, facts: Facts, side: int, stated: SizeRule | None, fixed: bool
) -> SizeRule:
    """The sizes it takes, or those stated once they are seen to work."""
    if stated is None:
        return SizeRule("fixed", side=side) if fixed else _sizes(tries, facts, side)
    if fixed and (stated.kind, stated.side) != ("fixed", side):
        raise BenchError(f"[size] says {stated}, but the file takes {side} x {side} alone")
    height, width = stated.length(97), stated.length(97 + stated.of)
    if why := runs(tries, facts, height, width):
        raise BenchError(f"[size] says {stated}, but at {width} x {height}: {why}")
    return stated


def _sizes(tries: Tries, facts: Facts, side: int) -> SizeRule:
    """The least that sides must be multiples of, and the least side."""

    def fits(of: int) -> bool:
        odd = max(1, 64 // of) | 1
        return not runs(tries, facts, of * odd, of * (odd + 2))

    place = 0 if fits(1) else bisect_left(_MULTIPLES, True, 1, key=fits)
    if place == len(_MULTIPLES):
        return SizeRule("fixed", side=side)
    of = _MULTIPLES[place]
    sides = [of * 2**step for step in range(12) if of * 2**step < max(64, of)]
    first = bisect_left(sides, True, key=lambda each: not runs(tries, facts, each, each))
    minimum = of * 2**first - of + 1
    return SizeRule("any" if of == 1 else "multiple", of=of, minimum=minimum)
