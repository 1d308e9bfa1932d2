"""All ways to read a network's file, ranked by the holes they fill.

The ways whose fills are nearest to what lies under the holes of smooth pictures are what fits. The
margins were set by the small networks that come with this project (LaMa, PEN-Net, Context Encoder)
and by the same with weights drawn at random.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import torch

from bench.errors import BenchError
from methods.adapters.scenes import Scene, smooth
from methods.adapters.tensor_facts import BLANKS, RANGES, Facts, blanked
from methods.adapters.tries import PASTED, Tries, alike

APART = 0.2  # mean logarithm of how many times larger the error of what does not fit is
_FAR = 2.0  # errors that are so many times the least say that it does not fit
_TRAINED = 0.8  # of the error of one flat colour
_SEEN = 0.1  # by which known pixels differ that a network makes anew
_ONE = ("image+mask", "mask+image")  # whose masks are often centred, as their pictures are


class Ranking(NamedTuple):
    """What holes tell.

    Attributes:
        ways: Each with how far its errors are from the least, as `APART`. Of a network that gives
            back known pixels, only ways that do.
        trained: Whether the best fills as a network that was trained: otherwise fills tell nothing,
            and all distances are 0.
    """

    ways: dict[Facts, float]
    trained: bool


def ranked(tries: Tries, bases: list[Facts], stated: Mapping[str, Any], side: int) -> Ranking:
    """Fill holes in all ways.

    Hole pixels are of one colour at first; of others only if that can make a difference.

    Args:
        tries: Of the network.
        bases: The forms that run.
        stated: What must be among the ways.
        side: Of the pictures.

    Raises:
        BenchError: If no way fills anything.
    """
    blanks = list(dict.fromkeys([stated.get("blank", "black"), *BLANKS, "mean"]))
    found = _ranked(tries, bases, blanks[:1], stated, side)
    best = min(found.ways, key=found.ways.__getitem__, default=bases[0])
    told = tries.looks(best, smooth(side, side)[0]) if found.trained else "blank" not in stated
    found = _ranked(tries, bases, blanks, stated, side) if told else found
    if not found.ways:
        raise BenchError("whatever it is given, it leaves holes as they were, or gives no numbers")
    return found


def fits(facts: Facts, stated: Mapping[str, Any]) -> bool:
    """Whether a way is as stated, as far as fills tell."""
    return all(getattr(facts, name) == value for name, value in stated.items()
               if name not in ("pastes", "channels"))  # fmt: skip


def distinct(tries: Tries, ways: list[Facts], side: int) -> list[Facts]:
    """Those whose errors are not far off, the first of each group of ways that fill alike."""
    scenes = smooth(side, side)
    scene = scenes[0]
    sums = {way: sum(tries.off(way, each)[0] for each in scenes) for way in ways}
    found: dict[Facts, torch.Tensor] = {}
    for way in ways:
        fill = tries.fill(way, scene)
        near = sums[way] < _FAR * min(sums.values())
        if near and not any(alike(fill, other, scene.mask) for other in found.values()):
            found[way] = fill
    return list(found)


def _ranked(
    tries: Tries, bases: list[Facts], blanks: list[str], stated: Mapping[str, Any], side: int
) -> Ranking:
    scenes = smooth(side, side)
    first = {
        way: tries.off(way, scenes[0]) for way in _ways(tries, bases, blanks, stated, scenes[0])
    }
    # Nothing but pasting is that exact.
    first = {way: off for way, off in first.items() if off[1] < PASTED} or first
    least = min((hole for hole, _ in first.values()), default=0)
    errors = {
        way: [tries.off(way, scene) for scene in scenes] for way, (hole, _) in first.items()
        if hole < _FAR * least or (stated and fits(way, stated))
    }  # fmt: skip
    sums = {way: sum(hole for hole, _ in each) for way, each in errors.items()}
    least = min(sums.values(), default=math.inf)
    if least >= _TRAINED * sum(each.flat() for each in scenes):
        return Ranking(dict.fromkeys(errors, 0.0), False)
    # Known pixels count where a network gives whole pictures.
    seen = min(max(known for _, known in each) for each in errors.values()) < _SEEN
    logs = {
        way: sum(math.log(max(hole + seen * known, 1e-6)) for hole, known in each) / len(each)
        for way, each in errors.items()
    }
    return Ranking({way: each - min(logs.values()) for way, each in logs.items()}, True)


def _ways(
    tries: Tries, bases: list[Facts], blanks: list[str], stated: Mapping[str, Any], scene: Scene
) -> Iterator[Facts]:
    """All ways of forms that give another fill than what was in the hole before.

    Once one fills well and gives back known pixels, which is so in one order, layout and polarity
    alone, others are left out.
    """
    good: Facts | None = None
    for facts in (each for base in bases for each in _encodings(base, stated)):
        if good and good.but(values=facts.values, mask_values=facts.mask_values) != facts:
            continue
        for blank in blanks:
            given = facts.but(blank=blank)
            if blank != blanks[0] and not tries.looks(given, scene):
                break
            before = blanked(given, *scene)
            readings = list(_readings(tries, given, stated, scene))
            left = [way for way in readings if alike(tries.fill(way, scene), before, scene.mask)]
            untouched = {way.output for way in left if way.returns == way.values}
            for way in readings:
                hole, known = tries.off(way, scene)
                if way.output not in untouched and way not in left and math.isfinite(hole):
                    yield way
                    if known < PASTED and hole < _TRAINED * scene.flat():
                        good = facts


def _encodings(base: Facts, stated: Mapping[str, Any]) -> Iterator[Facts]:
    masked = "mask" in base.inputs
    ranges = ["0..255"] if base.dtype == "uint8" else list(RANGES)
    kind = base.dtype if "+" in base.inputs else base.mask_dtype
    for values in _options("values", ranges, stated):
        signed = ["-1..1", "-0.5..0.5"] if base.inputs in _ONE else []
        floats = ["0..1", "0..255"] if values == "0..255" else ["0..1", *signed]
        whole = {"uint8": ["0..255", "0..1"], "int64": ["0..1", "0..255"], "bool": ["0..1"]}
        marks = _options("mask_values", whole.get(kind, floats), stated) if masked else ["0..1"]
        for hole, mask in product((1, 0) if masked else (1,), marks):
            yield base.but(values=values, hole=hole, mask_values=mask)


def _readings(
    tries: Tries, facts: Facts, stated: Mapping[str, Any], scene: Scene
) -> Iterator[Facts]:
    for name, picture in tries.outputs(facts, scene).items():
        whole = picture.dtype == torch.uint8
        ranges = ["0..255"] if whole else _options("returns", list(RANGES), stated)
        for returns, order in product(ranges, ("RGB", "BGR")):
            yield facts.but(output=name, returns=returns, returns_channels=order)


def _options(name: str, usual: list[Any], stated: Mapping[str, Any]) -> list[Any]:
    return list(dict.fromkeys([*usual, *([stated[name]] if name in stated else [])]))
