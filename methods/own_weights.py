"""Weights of the user's own for a network of the table: which files, for which settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import BenchError, beside
from methods.card import Card
from methods.weights import Checkpoint, digest, in_words

UNREADABLE = "unreadable"


def files(path: Path, card: Card) -> tuple[Checkpoint, ...]:
    """Describe the weights that a file holds, or the files of a folder, one for each part.

    Raises:
        BenchError: If there is no such file, or not one for each part.
    """
    parts = tuple(dict.fromkeys(each.part for each in card.checkpoints if each.part))
    if path.is_file():
        return (_own(path, ""),)
    if not path.is_dir():
        raise BenchError(f"expected weights at {path}, found none.{beside(path)}")
    if not parts:
        raise BenchError(f"{path}: expected one file, as {card.name} has one, found a folder")
    found = {part: [f for f in sorted(path.iterdir()) if part in f.stem] for part in parts}
    wrong = [f"{len(named)} for {part}" for part, named in found.items() if len(named) != 1]
    if wrong:
        raise BenchError(
            f"{path}: expected a file for each of {', '.join(parts)}, named so, as in "
            f"{parts[0]}.pth, found {', '.join(wrong)}; or give one .safetensors file of the whole "
            "network"
        )
    return tuple(_own(named[0], part) for part, named in found.items())


def settings(card: Card, asked: str = "") -> dict[str, Mapping[str, Any]]:
    """Different settings of the network, by the first of the card's names for them.

    Args:
        card: Of the method.
        asked: The one name that is asked for, if any.
    """
    every: dict[str, Mapping[str, Any]] = {}
    for each in card.checkpoints:
        every.setdefault(each.choice, each.config)
    every |= {name: config for name, config in card.configs.items() if name not in every}
    if asked:
        return {asked: every[asked]}
    distinct: dict[str, Mapping[str, Any]] = {}
    for name, config in every.items():
        if config not in distinct.values():
            distinct[name] = config
    return distinct


def chosen(path: Path, card: Card, tried: Mapping[str, Mapping[str, list[str]]]) -> str:
    """The one name of settings that the weights fit.

    Args:
        path: Where they are.
        card: Of the method.
        tried: What differs, by name of the settings.

    Raises:
        BenchError: If there is none, or several.
    """
    fitting = [name for name, differs in tried.items() if not differs]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise BenchError(
            f"{path}: fits {card.name} with the settings of {' and of '.join(fitting)}, whose "
            f"tensors are alike; say which: LABEL={card.name}:PATH(config={fitting[0]})"
        )
    nearest = min(tried, key=lambda name: _distance(tried[name]))
    differs = tried[nearest]
    if UNREADABLE in differs:
        raise BenchError(f"no weights for {card.name}: {differs[UNREADABLE][0]}")
    raise BenchError(
        f"{path}: fits no network of {card.name} ({', '.join(tried)}); nearest is {nearest}, from "
        f"which it differs by tensors {in_words(differs)}. Is it the file of another network?"
    )


def _own(path: Path, part: str) -> Checkpoint:
    return Checkpoint(
        name=path.name,
        file=path.name,
        sha256=digest(path),
        origin="the user's own",
        part=part,
        listed=False,
    )


def _distance(differs: Mapping[str, list[str]]) -> float:
    return float("inf") if UNREADABLE in differs else sum(map(len, differs.values()))
