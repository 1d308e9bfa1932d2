"""The catalogue of published protocols, read from ``catalogue/*.toml``.

A file states what its protocols share; ``[protocols.NAME]`` adds to that or overrides it. A name
with ``{word}`` stands for as many protocols as ``[each]`` gives values of that word: ``{word}`` is
replaced by the value's key, ``{Word}`` by the value, wherever they stand in texts.
``[[rows.NAME]]`` holds what was published.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, Final

from bench.errors import BenchError, InputError, did_you_mean
from bench.protocols.record import REPRODUCES, Data, Holes, Published, Row, Score

_FOLDER: Final = Path(__file__).parent / "catalogue"
_PARTS: Final[dict[str, type]] = {"data": Data, "holes": Holes, "score": Score}
_LISTS: Final = ("metrics", "methods", "traps")


def get(name: str) -> Published:
    """The protocol of that name.

    Raises:
        InputError: If there is none.
    """
    known = catalogue()
    if name not in known:
        raise InputError(
            f"--protocol: there is no protocol {name!r}.{did_you_mean(name, known)} "
            "All: inpaint-bench protocols list"
        )
    return known[name]


@cache
def catalogue() -> Mapping[str, Published]:
    """All protocols by name, in the order of the files' names and of what is written there."""
    found: dict[str, Published] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        for published in parsed(path.read_text("utf-8"), path.name):
            if published.name in found:
                raise BenchError(f"{path.name}: there is another protocol {published.name!r}")
            found[published.name] = published
    return found


def parsed(text: str, where: str) -> Iterator[Published]:
    """The protocols of a file.

    Raises:
        BenchError: If it is no TOML, lacks a field, or has one that nothing here knows.
    """
    try:
        content = tomllib.loads(text)
        each, rows = content.pop("each", {}), content.pop("rows", {})
        own: dict[str, Any] = {}
        for name, facts in content.pop("protocols").items():
            for said in _combinations(name, each):
                full = _with(name, said)
                own[full] = _merged(own.get(full) or _with(content, said), _with(facts, said))
        if strange := rows.keys() - own.keys():
            raise BenchError(f"{where}: rows of no protocol here: {', '.join(sorted(strange))}")
        for name, facts in own.items():
            yield _made(name, facts, rows.get(name, ()))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BenchError(f"{where}: expected the fields of a protocol: {error!r}") from error


def _combinations(name: str, each: Mapping[str, Mapping[str, str]]) -> Iterator[dict[str, str]]:
    """What replaces the words that stand in a name, for each combination of them."""
    words = [word for word in each if f"{{{word}}}" in name]
    for keys in itertools.product(*(each[word] for word in words)):
        said = dict(zip(words, keys, strict=True))
        yield said | {word.capitalize(): each[word][key] for word, key in said.items()}


def _with(value: Any, said: Mapping[str, str]) -> Any:
    """A value with its words replaced, wherever they stand."""
    if isinstance(value, str):
        for word, text in said.items():
            value = value.replace(f"{{{word}}}", text)
    elif isinstance(value, list):
        return [_with(item, said) for item in value]
    elif isinstance(value, dict):
        return {key: _with(item, said) for key, item in value.items()}
    return value


def _merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What is shared, with what is a protocol's own, table by table."""
    return {**shared} | {
        key: _merged(shared[key], value)
        if isinstance(value, dict) and isinstance(shared.get(key), dict)
        else value
        for key, value in own.items()
    }


def _made(name: str, facts: dict[str, Any], rows: Any) -> Published:
    if unknown := facts.keys() - {each.name for each in fields(Published)}:
        raise BenchError(f"protocol {name}: unknown fields {', '.join(sorted(unknown))}")
    if facts.get("reproduces") not in REPRODUCES:
        raise BenchError(f"protocol {name}: reproduces: expected one of {', '.join(REPRODUCES)}")
    made = {key: _PARTS[key](**facts[key]) for key in _PARTS if key in facts}
    made |= {key: tuple(facts[key]) for key in _LISTS if key in facts}
    return Published(**facts | made | {"name": name, "rows": tuple(Row(**row) for row in rows)})
