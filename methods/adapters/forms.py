"""In which form a network takes a picture at all, and in which sizes: found by running it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

from bench.errors import BenchError
from methods.adapters.scenes import smooth
from methods.adapters.tensor_facts import ALLOWED, Facts, Opened, Port, encode, is_picture
from methods.card import SizeRule

_SIDES = (256, 128, 512, 64, 1024)  # tried where a file does not say which it takes
_MULTIPLES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Form(NamedTuple):
    """What runs.

    Attributes:
        facts: In each order of inputs that runs.
        size: Which sizes it takes.
    """

    facts: list[Facts]
    size: SizeRule


def find(opened: Opened, stated: Mapping[str, Any], size: SizeRule | None) -> Form:
    """Run a network in all forms that its file leaves open.

    Args:
        opened: The file.
        stated: Facts to keep to.
        size: Which sizes it takes, if that is stated.

    Raises:
        BenchError: If none runs.
    """
    orders = [stated["inputs"]] if "inputs" in stated else _orders(opened.inputs)
    fixed = _fixed(opened.inputs)
    sides = [fixed] if fixed else [size.side] if size and size.side else list(_SIDES)
    reasons: dict[str, None] = {}
    for side in sides:
        found = [
            form
            for order in orders
            if (form := _first(opened, {**stated, "inputs": order}, side, reasons))
        ]
        if found:
            return Form(found, _checked(opened, found[0], side, size, bool(fixed)))
    raise BenchError(
        f"takes none of the forms tried ({', '.join(orders)}; sides {', '.join(map(str, sides))}"
        f"{_stated(stated)}). What it said: {' | '.join(list(reasons)[:3])}"
    )


def runs(opened: Opened, facts: Facts, height: int, width: int) -> str:
    """Why a network does not fill a picture of that size; empty if it does."""
    scene = smooth(height, width)[0]
    try:
        outputs = opened.call(encode(facts, *scene))
    except Exception as error:  # whatever stops it
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return f"{type(error).__name__}: {(lines or [''])[-1]}"[:300]
    shapes = {name: tuple(each.shape) for name, each in outputs.items()}
    if not any(is_picture(each, height, width) for each in outputs.values()):
        return f"outputs {shapes} hold no picture of {height} x {width}"
    return ""


def _orders(ports: list[Port]) -> list[str]:
    if len(ports) == 1:
        return ["image+mask", "mask+image", "image"]
    if len(ports) == 2:
        is_mask = ["mask" in each.name.lower().replace("masked", "") for each in ports]
        if is_mask == [True, False]:
            return ["mask, image"]
        named = ["image, mask", "image+mask, mask"]
        return named if is_mask == [False, True] else [*named, "mask, image"]
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


def _first(
    opened: Opened, stated: Mapping[str, Any], side: int, reasons: dict[str, None]
) -> Facts | None:
    for facts in _forms(opened.inputs, stated):
        why = runs(opened, facts, side, side)
        if not why:
            return facts
        reasons[why] = None
    return None


def _forms(ports: list[Port], stated: Mapping[str, Any]) -> Iterator[Facts]:
    """All forms that the types of the inputs leave open, the most usual first."""
    order = stated["inputs"]
    groups = order.split(", ")
    if len(groups) != len(ports):
        return
    types = dict(zip(groups, (each.dtype for each in ports), strict=True))
    of_image = next((dtype for name, dtype in types.items() if "image" in name), "")
    for name, dtype in (("dtype", of_image), ("mask_dtype", types.get("mask", ""))):
        if dtype and dtype not in ALLOWED[name]:
            raise BenchError(f"expected a {name} out of {', '.join(ALLOWED[name])}, found {dtype}")
    options: dict[str, tuple[Any, ...]] = {
        "dtype": (of_image,) if of_image else ("float32", "uint8", "float16"),
        "layout": ("NCHW", "NHWC"),
        "mask_dims": (4, 3) if "mask" in groups else (4,),
        "mask_dtype": (types["mask"],) if types.get("mask") else ("", "bool", "uint8", "int64"),
    }
    if "mask" not in groups:
        options["mask_dtype"] = ("",)
    options |= {name: (value,) for name, value in stated.items() if name in options}
    for chosen in product(*options.values()):
        facts = dict(zip(options, chosen, strict=True))
        facts["mask_dtype"] = facts["mask_dtype"] or facts["dtype"]
        if facts["dtype"] == "uint8":
            facts["values"] = facts["returns"] = "0..255"
        try:
            yield Facts(**{**facts, **stated})
        except TypeError as error:
            raise BenchError(str(error)) from error


def _checked(
    opened: Opened, facts: Facts, side: int, stated: SizeRule | None, fixed: bool
) -> SizeRule:
    """The sizes it takes, or those stated once they are seen to work."""
    if stated is None:
        return SizeRule("fixed", side=side) if fixed else _sizes(opened, facts, side)
    if fixed and (stated.kind, stated.side) != ("fixed", side):
        raise BenchError(f"[size] says {stated}, but the file takes {side} x {side} alone")
    height, width = stated.length(97), stated.length(97 + stated.of)
    if why := runs(opened, facts, height, width):
        raise BenchError(f"[size] says {stated}, but at {width} x {height}: {why}")
    return stated


def _sizes(opened: Opened, facts: Facts, side: int) -> SizeRule:
    """The least that sides must be multiples of, and the least side."""
    for of in _MULTIPLES:
        odd = max(1, 64 // of) | 1
        height, width = of * odd, of * (odd + 2)
        if not runs(opened, facts, height, width):
            break
    else:
        return SizeRule("fixed", side=side)
    smallest = next(
        each for each in (of * 2**step for step in range(12))
        if each >= height or not (runs(opened, facts, each, each))
    )  # fmt: skip
    minimum = smallest - of + 1
    if of == 1:
        return SizeRule("any", minimum=minimum)
    return SizeRule("multiple", of=of, minimum=minimum)


def _stated(stated: Mapping[str, Any]) -> str:
    words = ", ".join(f"{name} = {value}" for name, value in stated.items())
    return f"; stated: {words}" if words else ""
