"""The catalogue of published protocols, read from ``catalogue/*.toml``.

A file states what its protocols share; ``[protocols.NAME]`` adds to that or overrides it. A name
with ``{word}`` stands for as many protocols as ``[each]`` gives values of that word: ``{word}`` is
replaced by the value's key, ``{Word}`` by the value, wherever they stand in texts.
``[[rows.NAME]]`` holds what was published.
"""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args, get_origin, get_type_hints

from bench.errors import BenchError, InputError, did_you_mean, require_one_of, spelt_like
from bench.protocols.record import REPRODUCES, Published

_FOLDER: Final = Path(__file__).parent / "catalogue"
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def get(name: str) -> Published:
    """The protocol of that name, in whichever case it is written.

    Raises:
        InputError: If there is none.
    """
    known = catalogue()
    name = spelt_like(name, known)
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
        protocols = content.pop("protocols")
        if idle := [word for word in each if not any(f"{{{word}}}" in name for name in protocols)]:
            raise BenchError(f"{where}: words of no protocol's name: {', '.join(idle)}")
        for name, facts in protocols.items():
            for said in _combinations(name, each):
                full = _with(name, said)
                own[full] = _merged(own.get(full) or _with(content, said), _with(facts, said))
        if strange := rows.keys() - own.keys():
            raise BenchError(f"{where}: rows of no protocol here: {', '.join(sorted(strange))}")
        for name, facts in own.items():
            yield _made(name, facts, rows.get(name, ()))
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
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
    where = f"protocol {name}"
    if "name" in facts or not _NAME.fullmatch(name):  # it names tiers and files, too
        raise BenchError(f"{where}: expected one name, of small letters, digits and hyphens")
    made: Published = _value(Published, {**facts, "name": name, "rows": [*rows]}, where)
    require_one_of(made.reproduces, REPRODUCES, f"{where}: reproduces")
    return made


def _value(kind: Any, found: Any, where: str) -> Any:
    """A value of TOML as what a field of a record holds; of no other type than that."""
    origin, inside = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(found, dict):
        kinds = get_type_hints(kind)
        for key in found:
            require_one_of(key, kinds, f"{where}: field")
        made = {key: _value(kinds[key], value, f"{where}: {key}") for key, value in found.items()}
        return cast("Any", kind)(**made)
    if origin is tuple and isinstance(found, list):
        return tuple(_value(inside[0], each, f"{where}, {n}") for n, each in enumerate(found, 1))
    if origin is Mapping and isinstance(found, dict):
        return {key: _value(inside[1], each, f"{where}: {key}") for key, each in found.items()}
    if origin is Literal:
        require_one_of(found, inside, where)
        return found
    if type(found) is kind or (kind is float and type(found) is int):
        return found
    words = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
    expected = words.get(kind, "a list" if origin is tuple else "a table")
    raise BenchError(f"{where}: expected {expected}, found {found!r}")
