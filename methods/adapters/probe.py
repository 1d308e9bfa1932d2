"""What a network in a file takes and gives, found out by running it; what is stated is checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import torch

from bench.errors import BenchError
from methods.adapters import forms
from methods.adapters.scenes import photos, smooth, wild
from methods.adapters.statement import Statement
from methods.adapters.tensor_facts import MASKS, RANGES, Call, Facts, Opened
from methods.adapters.ways import APART, PASTED, Way, differs, distinct, fill, near, ranked
from methods.card import SizeRule

_SIDE = 128  # of the pictures, where the file leaves it open
_CERTAIN = 0.5  # as `APART`: a statement that is this far off is refused
_COLOUR = 0.03  # as `APART`, of photos with red and blue exchanged
_T = 3.0  # of the same, over photos


class Found(NamedTuple):
    """What was found out.

    Attributes:
        facts: Of the network.
        size: Which sizes it takes.
        stochastic: Whether another seed gives another fill.
        said: All this in words.
    """

    facts: Facts
    size: SizeRule
    stochastic: bool
    said: str


def find(opened: Opened, stated: Mapping[str, Any], statement: Statement, kind: str) -> Found:
    """Find out what is not stated, and see whether what is stated can be.

    Args:
        opened: The file.
        stated: Facts that the user gave.
        statement: Where they are, and sizes.
        kind: Of file.

    Raises:
        BenchError: If the network takes no form that is known here, what is stated is not so, or
            several ways fit alike; then with the text of a statement to choose from.
    """
    try:
        return _found(opened, stated, statement, kind)
    except BenchError as error:
        raise BenchError(f"{statement.file}: {error}") from error


def _found(opened: Opened, stated: Mapping[str, Any], statement: Statement, kind: str) -> Found:
    as_it_is, opened = opened, opened._replace(call=_seeded(opened.call))
    size = None if statement.card.size == SizeRule() else statement.card.size
    form = forms.find(opened, stated, size)
    least = max(_SIDE, form.size.minimum)
    side = form.size.side or -(-least // form.size.of) * form.size.of
    mask = smooth(side, side)[0].mask
    ways, trained = ranked(opened, form.facts, stated, side)
    ways, doubts = _consistent(ways, stated)
    ways = _within_bounds(opened, distinct(near(ways), mask), side)
    if len(ways) > 1:
        raise BenchError(_undecided(ways, stated, statement, trained))
    pastes = max(ways[0].known) < PASTED
    if stated.get("pastes", pastes) != pastes:
        raise BenchError(
            f"stated: pastes = {str(stated['pastes']).lower()}; found: known pixels come back "
            f"changed by up to {max(ways[0].known):.4f} on average"
        )
    facts, colours = _colours(opened, ways[0].facts.but(pastes=pastes), stated, side)
    if form.size.kind != "fixed":
        _same_elsewhere(opened, facts, form.size, ways[0])
    if not trained:
        doubts.append("its fills are no better than one flat colour")
    if stochastic := _varies(as_it_is, facts, side):
        doubts.append("the same picture gives another fill each time")
    found = ", ".join([*_words(facts, _looks(opened, facts, side)), colours, str(form.size)])
    told = ", ".join(f"{name} {value}" for name, value in stated.items()) or "nothing"
    said = f"{kind} {statement.file.name}: found {found}; stated: {told}"
    return Found(facts, form.size, stochastic, "; in doubt: ".join([said, *doubts]))


def _consistent(ways: list[Way], stated: Mapping[str, Any]) -> tuple[list[Way], list[str]]:
    """The best ways that are as stated, and doubts about that.

    Raises:
        BenchError: If others are better for certain.
    """
    best = min(ways, key=lambda way: way.distance)
    kept = [way for way in ways if way.fits(stated)]
    least = min((way.distance for way in kept), default=math.inf)
    if least - best.distance < APART:
        return [way for way in kept if way.distance < least + APART], []
    wrong = {name: value for name, value in stated.items() if not best.fits({name: value})}
    there = asdict(best.facts)
    told = ", ".join(f"{name} = {value}" for name, value in wrong.items())
    fitting = ", ".join(f"{name} = {there[name]}" for name in wrong)
    words = f"{told} is stated, but {fitting} fits better"
    if least - best.distance < _CERTAIN:
        return [way for way in kept if way.distance < least + APART], [words]
    times = math.exp(min(least - best.distance, 9))
    reason = f"errors of fills are {times:.1f} times as large" if kept and least < math.inf else (
        "known pixels come back only so, or fills are far from what lies around"
    )  # fmt: skip
    raise BenchError(f"{words}: {reason}; mend the statement")


def _within_bounds(opened: Opened, ways: list[Way], side: int) -> list[Way]:
    """Tell ranges apart by what a network never leaves, whatever it is given, but goes up to."""
    if len({way.facts.returns for way in ways}) < 2:
        return ways
    scene = wild(side, side)
    bounds = set()
    for way in ways:
        facts = way.facts.but(returns="0..1")
        raw = fill(opened, facts, scene)[scene.mask.expand(-1, 3, -1, -1) > 0]
        for name, (low, high) in RANGES.items():
            step = (high - low) / 1000
            inside = low - step <= float(raw.min()) and float(raw.max()) <= high + step
            if inside and raw.min() < low + 50 * step and raw.max() > high - 50 * step:
                bounds.add(name)
    kept = [way for way in ways if way.facts.returns in bounds]
    return kept if len(bounds) == 1 and kept else ways


def _undecided(
    ways: list[Way], stated: Mapping[str, Any], statement: Statement, trained: bool
) -> str:
    """Why it is refused, and the statement to choose from."""
    why = "several ways fit it alike" if trained else (
        "its fills are no better than one flat colour, as of a network that was not trained, so "
        "they do not tell how it is meant"
    )  # fmt: skip
    lines = []
    ways = sorted(ways, key=lambda way: sum(way.hole))
    for name, value in asdict(ways[0].facts).items():
        others = {getattr(way.facts, name): None for way in ways}
        if len(others) > 1 or (name in stated and name != "pastes"):
            also = " or ".join(_toml(each) for each in others if each != value)
            lines.append(f"{name} = {_toml(value)}" + (f"  # or {also}" if also else ""))
    return (
        f"it cannot be told how it is to be used: {why}. Write a file {statement.path} with what "
        "is so:\n" + "\n".join(lines)
    )


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def _colours(
    opened: Opened, facts: Facts, stated: Mapping[str, Any], side: int
) -> tuple[Facts, str]:
    """Tell the order of colours by photos, whose colours are those of things.

    Most networks fill as well with red and blue exchanged: then it is as is usual, and said.
    """
    flipped = {"RGB": "BGR", "BGR": "RGB"}
    other = facts.but(
        channels=flipped[facts.channels], returns_channels=flipped[facts.returns_channels]
    )
    ratios = []
    for scene in photos(side, side):
        hole, off = (scene.off(fill(opened, each, scene))[0] for each in (facts, other))
        ratios.append(math.log(max(off, 1e-6) / max(hole, 1e-6)))
    mean, spread = torch.tensor(ratios).mean(), torch.tensor(ratios).std()
    told = bool(mean.abs() > _COLOUR and mean.abs() > _T * spread / len(ratios) ** 0.5)
    if told and mean < 0 and "channels" in stated:
        raise BenchError(
            f"channels = {facts.channels} is stated, but photos are filled better with "
            f"{other.channels}: errors are {math.exp(-float(mean)):.2f} times as large; mend the "
            "statement"
        )
    facts = other if told and mean < 0 else facts
    words = facts.channels
    if facts.channels != facts.returns_channels:
        words += f" in, {facts.returns_channels} out"
    if told or "channels" in stated:
        return facts, words
    percent = 100 * (math.exp(float(mean)) - 1)
    return facts, (
        f"{words} (as usual: {other.channels} fits as well, errors of photos differ by "
        f"{percent:+.1f} %)"
    )


def _same_elsewhere(opened: Opened, facts: Facts, size: SizeRule, way: Way) -> None:
    """See that it fills as well at another size, as what was traced may hold for one only.

    Raises:
        BenchError: If it does not.
    """
    step = max(size.of, 1)
    height, width = (-(-max(least, size.minimum) // step) * step for least in (97, 163))
    scene = smooth(height, width)[0]
    before, now = way.hole[0], scene.off(fill(opened, facts, scene))[0]
    if now > 2 * before + 0.05:
        raise BenchError(
            f"at {width} x {height} its fills are {now / before:.1f} times as far off as in "
            "squares: it was traced for one size. Export it with free sizes, or state in "
            f'[size] kind = "fixed" and side, the one it was made with'
        )


def _seeded(call: Call) -> Call:
    """The same, with the same random numbers each time, so that fills can be compared."""

    def seeded(inputs: list[torch.Tensor]) -> Mapping[str, torch.Tensor]:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return call(inputs)

    return seeded


def _varies(opened: Opened, facts: Facts, side: int) -> bool:
    scene = smooth(side, side)[0]
    with torch.random.fork_rng():
        fills = []
        for seed in range(2):
            torch.manual_seed(seed)
            fills.append(fill(opened, facts, scene))
    return differs(fills[0], fills[1], scene.mask) > 1e-5


def _looks(opened: Opened, facts: Facts, side: int) -> bool:
    """Whether what lies under the hole changes the fill."""
    scene = smooth(side, side)[0]
    fills = [fill(opened, facts.but(blank=each), scene) for each in ("black", "white")]
    return differs(fills[0], fills[1], scene.mask) > 1e-4


def _words(facts: Facts, looks: bool) -> list[str]:
    words = [f"inputs {facts.inputs}", f"{facts.layout} {facts.dtype}", f"{facts.values} in"]
    words += [f"{facts.returns} out"]
    if facts.output != "0":
        words[-1] += f" ({facts.output})"
    if "mask" in facts.inputs:
        known, hole = MASKS[facts.mask_values][:: 1 if facts.hole else -1]
        words.append(f"mask {facts.mask_dtype}, {hole:g} = hole, {known:g} = known")
    words.append(f"hole {facts.blank}" if looks else "hole blanked inside")
    return [*words, "pastes known pixels" if facts.pastes else "makes known pixels anew"]
