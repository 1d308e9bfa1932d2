"""Reading the catalogue of published protocols, strictly, and only when one is asked for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from bench.errors import BenchError, did_you_mean, require_one_of, spelt_like
from bench.protocols.record import REPRODUCES, Published

FOLDER = Path(__file__).with_name("catalogue")
"""Where the files of families lie; only the catalogue itself is meant to have protocols."""

_WORDS: Mapping[Any, str] = {str: "a text", int: "a whole number", float: "a number",
                             bool: "true or false"}  # fmt: skip


def named(name: str) -> Published:
    """The protocol of a name, in whichever case it is written.

    Raises:
        BenchError: If there is none.
    """
    known = catalogue()
    spelt = spelt_like(name, tuple(known))
    if spelt not in known:
        raise BenchError(
            f"--protocol: there is none of the name {name!r}.{did_you_mean(name, known)} "
            "All: inpaint-bench protocols list"
        )
    return known[spelt]


@cache
def catalogue() -> Mapping[str, Published]:
    """All protocols by name, in the order of files and of what stands in them.

    Raises:
        BenchError: If a file is damaged or two protocols have one name.
    """
    found: dict[str, Published] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for each in read(path):
            if each.name in found:
                raise BenchError(f"{path.name}: there are two protocols named {each.name!r}")
            found[each.name] = each
    return found


def read(path: Path) -> Iterator[Published]:
    """Read the protocols of a family: what its file says of all, and what it says of each.

    Of each, tables are laid over those of all key by key, traps follow those of all, and all else
    takes the place of what is said of all.

    Raises:
        BenchError: If it is no such file, naming the protocol and the key.
    """
    try:
        shared: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise BenchError(f"{path.name}: cannot be read: {error}") from error
    protocols = shared.pop("protocols", None)
    if not isinstance(protocols, dict) or not protocols:
        raise BenchError(f"{path.name}: expected protocols as tables [protocols.NAME]")
    for name, own in protocols.items():
        where = f"{path.name}: {name}"
        if not name.replace("-", "").isalnum() or not name.isascii() or name.lower() != name:
            raise BenchError(f"{where}: expected a name of small letters, digits and hyphens")
        if not isinstance(own, dict) or "name" in own.keys() | shared.keys():
            raise BenchError(f"{where}: expected a table that gives it no other name")
        made: Published = _value(Published, {"name": name, **_laid_over(shared, own)}, where)
        require_one_of(made.reproduces, REPRODUCES, f"{where}: reproduces")
        yield made


def _laid_over(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of all, with what is said of one."""
    both = dict(shared)
    for key, value in own.items():
        before = both.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            value = _laid_over(before, value)
        elif key == "traps" and isinstance(before, list) and isinstance(value, list):
            value = [*before, *value]
        both[key] = value
    return both


def _value(kind: Any, found: Any, where: str) -> Any:
    """A value of TOML as what a field of a record holds."""
    origin, inside = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _record(kind, found, where)
    if origin is tuple and isinstance(found, list):
        return tuple(_value(inside[0], each, f"{where}, {n}") for n, each in enumerate(found, 1))
    if origin is Mapping and isinstance(found, dict):
        return {key: _value(inside[1], each, f"{where}: {key}") for key, each in found.items()}
    if origin is Literal:
        require_one_of(found if isinstance(found, str) else repr(found), inside, where)
        return found
    if type(found) is kind or (kind is float and type(found) is int):
        return found
    expected = _WORDS.get(kind, "a list" if origin is tuple else "a table")
    raise BenchError(f"{where}: expected {expected}, found {found!r}")


def _record(kind: Any, found: Any, where: str) -> Any:
    if not isinstance(found, dict):
        raise BenchError(f"{where}: expected a table, found {found!r}")
    kinds = get_type_hints(kind)
    for key in found:
        if key not in kinds:
            raise BenchError(f"{where}: there is no key {key!r}.{did_you_mean(key, kinds)}")
    made = {key: _value(kinds[key], value, f"{where}: {key}") for key, value in found.items()}
    try:
        return kind(**made)
    except TypeError as error:
        lacking = [each.name for each in fields(kind) if each.name not in made]
        raise BenchError(f"{where}: expected {' or '.join(lacking)} too") from error
