"""All ways to read a network's file, ranked by the holes they fill.

The ways whose fills are nearest to what lies under the holes of smooth pictures are what fits. The
margins were set by the small networks that come with this project (LaMa, PEN-Net, Context Encoder)
and by the same with weights drawn at random.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import torch

from bench.errors import BenchError
from methods.adapters.scenes import Scene, smooth
from methods.adapters.tensor_facts import (
    BLANKS,
    RANGES,
    Facts,
    Opened,
    blanked,
    decode,
    encode,
    is_picture,
)

APART = 0.2  # mean logarithm of how many times larger the error of what does not fit is
PASTED = 0.01  # by which known pixels that are pasted differ at most
_FAR = 2.0  # errors in one picture that are so many times the least say that it does not fit
_TRAINED = 0.8  # of the error of one flat colour
_SEEN = 0.1  # by which known pixels differ that a network makes anew
_ONE = ("image+mask", "mask+image")  # whose masks are often centred, as their pictures are
_EQUAL = 0.004  # fills that differ by less are one


@dataclass(eq=False)
class Way:
    """A way to read the file.

    Attributes:
        facts: The way.
        fill: Of the first scene.
        hole: Mean error in the hole, a scene each.
        known: The same of what is known.
        distance: How far its errors are from the least, as `APART`; infinite where other ways
            give back known pixels and this does not.
    """

    facts: Facts
    fill: torch.Tensor
    hole: list[float] = field(default_factory=list)
    known: list[float] = field(default_factory=list)
    distance: float = 0.0

    @property
    def given(self) -> Facts:
        """The part of the way that decides what the network is given."""
        usual = Facts()
        return self.facts.but(
            output=usual.output, returns=usual.returns, returns_channels=usual.returns_channels
        )

    def fits(self, stated: Mapping[str, Any]) -> bool:
        """Whether it is as stated, as far as fills tell."""
        return all(getattr(self.facts, name) == value for name, value in stated.items()
                   if name not in ("pastes", "channels"))  # fmt: skip

    def add(self, scene: Scene, fill: torch.Tensor) -> None:
        """Take in another fill."""
        hole, known = scene.off(fill)
        self.hole.append(hole)
        self.known.append(known)


def ranked(
    opened: Opened, bases: list[Facts], stated: Mapping[str, Any], side: int
) -> tuple[list[Way], bool]:
    """Fill holes in all ways.

    Args:
        opened: The file.
        bases: The forms that run.
        stated: What must be among the ways.
        side: Of the pictures.

    Returns:
        Ways with their distances; and whether the best fills as a network that was trained:
        otherwise fills tell nothing, and only pasting makes a distance.

    Raises:
        BenchError: If no way fills anything.
    """
    scenes = smooth(side, side)
    ways = [way for base in bases for way in _ways(opened, base, stated, scenes[0])]
    if not ways:
        raise BenchError("whatever it is given, it leaves holes as they were, or gives no numbers")
    least = min(way.hole[0] for way in ways)
    ways = [
        way for way in ways
        if way.hole[0] < _FAR * least or way.known[0] < PASTED or (stated and way.fits(stated))
    ]  # fmt: skip
    for scene in scenes[1:]:
        outputs = {way.given: opened.call(encode(way.facts, *scene)) for way in ways}
        for way in ways:
            way.add(scene, decode(way.facts, outputs[way.given], scene.image).cpu())
    pasting = {way for way in ways if max(way.known) < PASTED}  # nothing else is that exact
    trained = min(sum(way.hole) for way in ways) < _TRAINED * sum(each.flat() for each in scenes)
    if trained:
        seen = min(max(way.known) for way in ways) < _SEEN
        errors = {way: _error(way, seen) for way in ways}
        least = min(errors[way] for way in pasting or ways)
        for way in ways:
            way.distance = errors[way] - least
    for way in ways:
        if pasting and way not in pasting:
            way.distance = math.inf
    return ways, trained


def near(ways: list[Way]) -> list[Way]:
    """Those that are not far off in the hole, which also an untrained network tells."""
    least = min(sum(way.hole) for way in ways)
    return [way for way in ways if sum(way.hole) < _FAR * least]


def distinct(ways: list[Way], mask: torch.Tensor) -> list[Way]:
    """The first of each group of ways that fill alike, in the order they came."""
    found: list[Way] = []
    for way in ways:
        if all(differs(way.fill, other.fill, mask) > _EQUAL for other in found):
            found.append(way)
    return found


def differs(one: torch.Tensor, other: torch.Tensor, mask: torch.Tensor) -> float:
    """Mean difference of two fills where the mask is 1."""
    return float(((one - other).abs().mean(1, keepdim=True) * mask).sum() / mask.sum())


def fill(opened: Opened, facts: Facts, scene: Scene) -> torch.Tensor:
    """Fill a scene, ``(1, 3, H, W)`` on the CPU."""
    return decode(facts, opened.call(encode(facts, *scene)), scene.image).cpu()


def _error(way: Way, seen: bool) -> float:
    """Mean logarithm; known pixels count where a network gives whole pictures."""
    both = list(zip(way.hole, way.known, strict=True))
    return sum(math.log(max(hole + seen * known, 1e-6)) for hole, known in both) / len(both)


def _ways(opened: Opened, base: Facts, stated: Mapping[str, Any], scene: Scene) -> Iterator[Way]:
    """All ways of a form that give another fill than what was in the hole before."""
    for facts in _encodings(base, stated):
        first = None
        for blank in _options("blank", [*BLANKS, "mean"], stated):
            given = facts.but(blank=blank)
            outputs = opened.call(encode(given, *scene))
            if first is not None and _same(first, outputs):
                break  # it does not look under the hole
            first = first or outputs
            before = blanked(given, *scene)
            readings = list(_readings(given, outputs, stated, scene))
            left = [each for each in readings if differs(each.fill, before, scene.mask) <= _EQUAL]
            untouched = {each.facts.output for each in left if each.facts.returns == facts.values}
            for way in readings:
                if way.facts.output in untouched or way in left:
                    continue
                if math.isfinite(way.hole[0]):
                    yield way


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
    facts: Facts, outputs: Mapping[str, torch.Tensor], stated: Mapping[str, Any], scene: Scene
) -> Iterator[Way]:
    height, width = scene.mask.shape[-2:]
    pictures = {name: each for name, each in outputs.items() if is_picture(each, height, width)}
    for name, picture in pictures.items():
        ranges = ["0..255"] if picture.dtype == torch.uint8 else list(RANGES)
        for returns, order in product(_options("returns", ranges, stated), ("RGB", "BGR")):
            if picture.dtype == torch.uint8 and returns != "0..255":
                continue
            read = facts.but(output=name, returns=returns, returns_channels=order)
            way = Way(read, decode(read, pictures, scene.image).cpu())
            way.add(scene, way.fill)
            yield way


def _options(name: str, usual: list[Any], stated: Mapping[str, Any]) -> list[Any]:
    return list(dict.fromkeys([*usual, *([stated[name]] if name in stated else [])]))


def _same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    """Whether all outputs are equal but for rounding."""
    return all(
        torch.allclose(one[name].float(), other[name].float(), rtol=1e-3, atol=1e-4) for name in one
    )
