"""What a network in a file takes and gives, found out by running it; what is stated is checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple, Self

import torch

from bench.errors import BenchError
from methods.adapters import forms
from methods.adapters.scenes import Scene, photos, smooth, wild
from methods.adapters.statement import Statement
from methods.adapters.tensor_facts import MASKS, RANGES, Facts, Opened
from methods.adapters.tries import PASTED, Tries, same
from methods.adapters.ways import APART, Ranking, distinct, fits, ranked
from methods.card import SizeRule

_SIDE = 128  # of the pictures, where the file leaves it open
_CERTAIN = 0.5  # as `APART`: a statement that is this far off is refused
_COLOUR = 0.03  # as `APART`, of photos with red and blue exchanged
_T = 3.0  # of the same, over photos
_SAME = 0.01  # by which errors of one network differ at most between two processes


class Found(NamedTuple):
    """What was found out.

    Attributes:
        facts: Of the network.
        size: Which sizes it takes.
        stochastic: Whether it makes other fills of the same picture.
        said: All this in words.
        side: Of the pictures it was tried on.
        off: Mean error in the hole of the first of them.
    """

    facts: Facts
    size: SizeRule
    stochastic: bool
    said: str
    side: int
    off: float

    @property
    def text(self) -> str:
        """To hand to another process."""
        return json.dumps([asdict(self.facts), asdict(self.size), *self[2:]])

    @classmethod
    def again(cls, opened: Opened, text: str) -> Self:
        """What another process found of the same file, once a run here is seen to agree.

        Raises:
            BenchError: If it does not.
        """
        facts, size, *others = json.loads(text)
        found = cls(Facts(**facts), SizeRule(**size), *others)
        off = Tries(opened).off(found.facts, smooth(found.side, found.side)[0])[0]
        if not found.stochastic and not abs(off - found.off) < _SAME:
            raise BenchError(
                f"its fill of a test picture is off by {off:.4f} in this process, but by "
                f"{found.off:.4f} where the run began, on the same file"
            )
        return found


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
        return _found(Tries(opened), stated, statement, kind)
    except BenchError as error:
        raise BenchError(f"{statement.file}: {error}") from error


def _found(tries: Tries, stated: Mapping[str, Any], statement: Statement, kind: str) -> Found:
    rule = statement.card.size
    bases, size = forms.find(tries, stated, None if rule == SizeRule() else rule)
    side = size.length(_SIDE)
    scenes = smooth(side, side)
    _repeats(tries, bases[0], scenes[0])
    ranking = ranked(tries, bases, stated, side)
    ways, doubts = _consistent(ranking, stated)
    ways = _within_bounds(tries, distinct(tries, ways, side), side)
    if len(ways) > 1:
        ways.sort(key=lambda way: tries.off(way, scenes[0])[0])
        raise BenchError(_undecided(ways, stated, statement, ranking.trained))
    changed = max(tries.off(ways[0], scene)[1] for scene in scenes)
    facts = ways[0].but(pastes=changed < PASTED)
    if stated.get("pastes", facts.pastes) != facts.pastes:
        raise BenchError(
            f"stated: pastes = {str(stated['pastes']).lower()}; found: known pixels come back "
            f"changed by up to {changed:.4f} on average"
        )
    facts, colours = _colours(tries, facts, stated, side)
    if size.kind != "fixed":
        _same_elsewhere(tries, facts, size, side)
    if not ranking.trained:
        doubts.append("its fills are no better than one flat colour")
    stochastic = not same(tries.outputs(facts, scenes[0]), tries.anew(facts, scenes[0], 1))
    if stochastic:
        doubts.append("the same picture gives another fill with each seed")
    found = ", ".join([*_words(facts, tries.looks(facts, scenes[0])), colours, str(size)])
    told = ", ".join(f"{name} {value}" for name, value in stated.items()) or "nothing"
    said = f"{kind} {statement.file.name}: found {found}; stated: {told}"
    said = "; in doubt: ".join([said, *doubts])
    return Found(facts, size, stochastic, said, side, tries.off(facts, scenes[0])[0])


def _repeats(tries: Tries, facts: Facts, scene: Scene) -> None:
    """See that its fills can be made again, without which nothing can be found out either.

    Raises:
        BenchError: If they cannot.
    """
    if not same(tries.outputs(facts, scene), tries.anew(facts, scene, 0)):
        raise BenchError(
            "it gives another fill of the same picture each time, by random numbers that no seed "
            "reaches (ONNX Runtime's own are such); export it with fixed ones"
        )


def _consistent(ranking: Ranking, stated: Mapping[str, Any]) -> tuple[list[Facts], list[str]]:
    """The best ways that are as stated, and doubts about that.

    Raises:
        BenchError: If others are better for certain.
    """
    distances = ranking.ways
    least = min((each for way, each in distances.items() if fits(way, stated)), default=math.inf)
    kept = [way for way in distances if fits(way, stated) and distances[way] < least + APART]
    if least < APART:
        return kept, []
    best = min(distances, key=distances.__getitem__)
    wrong = [name for name in stated if not fits(best, {name: stated[name]})]
    told = ", ".join(f"{name} = {stated[name]}" for name in wrong)
    fitting = ", ".join(f"{name} = {getattr(best, name)}" for name in wrong)
    words = f"{told} is stated, but {fitting} fits better"
    if least < _CERTAIN:
        return kept, [words]
    reason = f"errors of fills are {math.exp(min(least, 9)):.1f} times as large" if kept else (
        "known pixels come back only so, or fills are far from what lies around"
    )  # fmt: skip
    raise BenchError(f"{words}: {reason}; mend the statement")


def _within_bounds(tries: Tries, ways: list[Facts], side: int) -> list[Facts]:
    """Tell ranges apart by what a network never leaves, whatever it is given, but goes up to."""
    if len({way.returns for way in ways}) < 2:
        return ways
    scene = wild(side, side)
    bounds = set()
    for way in ways:
        raw = tries.fill(way.but(returns="0..1"), scene)[scene.mask.expand(-1, 3, -1, -1) > 0]
        for name, (low, high) in RANGES.items():
            step = (high - low) / 1000
            inside = low - step <= float(raw.min()) and float(raw.max()) <= high + step
            if inside and raw.min() < low + 50 * step and raw.max() > high - 50 * step:
                bounds.add(name)
    kept = [way for way in ways if way.returns in bounds]
    return kept if len(bounds) == 1 and kept else ways


def _undecided(
    ways: list[Facts], stated: Mapping[str, Any], statement: Statement, trained: bool
) -> str:
    """Why it is refused, and the statement to choose from, the best first."""
    why = "several ways fit it alike" if trained else (
        "its fills are no better than one flat colour, as of a network that was not trained, so "
        "they do not tell how it is meant"
    )  # fmt: skip
    lines = []
    for name, value in asdict(ways[0]).items():
        others = {getattr(way, name): None for way in ways}
        if len(others) > 1 or (name in stated and name != "pastes"):
            also = " or ".join(_toml(each) for each in others if each != value)
            lines.append(f"{name} = {_toml(value)}" + (f"  # or {also}" if also else ""))
    return (
        f"it cannot be told how it is to be used: {why}. Write a file {statement.path} with what "
        "is so:\n" + "\n".join(lines)
    )


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def _colours(tries: Tries, facts: Facts, stated: Mapping[str, Any], side: int) -> tuple[Facts, str]:
    """Tell the order of colours by photos, whose colours are those of things.

    Most networks fill as well with red and blue exchanged: then it is as is usual, and said.
    """
    flipped = {"RGB": "BGR", "BGR": "RGB"}
    other = facts.but(
        channels=flipped[facts.channels], returns_channels=flipped[facts.returns_channels]
    )
    ratios: list[float] = []
    for scene in photos(side, side):
        hole, off = (tries.off(each, scene)[0] for each in (facts, other))
        ratios.append(math.log(max(off, 1e-6) / max(hole, 1e-6)))
        if len(ratios) == 2 and max(map(abs, ratios)) < _COLOUR:
            break  # more of them will not tell
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


def _same_elsewhere(tries: Tries, facts: Facts, size: SizeRule, side: int) -> None:
    """See that it fills as well at another size, as what was traced may hold for one only.

    Raises:
        BenchError: If it does not.
    """
    height, width = map(size.length, (97, 163))
    before, now = (
        tries.off(facts, smooth(*sides)[0])[0] for sides in ((side, side), (height, width))
    )
    if now > 2 * before + 0.05:
        raise BenchError(
            f"at {width} x {height} its fills are {now / before:.1f} times as far off as in "
            "squares: it was traced for one size. Export it with free sizes, or state in "
            f'[size] kind = "fixed" and side, the one it was made with'
        )


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
