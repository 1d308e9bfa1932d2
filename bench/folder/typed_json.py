"""Dataclasses from what JSON holds, checked key by key, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Self, TypeVar, get_args, get_origin, get_type_hints

_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}
_T = TypeVar("_T")


class Parsed:
    """What a file has as a text."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text.

        Raises:
            ValueError: If it is none.
        """
        raise NotImplementedError


class WrongValue(ValueError):
    """What was expected of a value, and what was found."""


def made(kind: type[_T], value: Any) -> _T:
    """A dataclass from a JSON object; keys that it does not know are left out.

    Raises:
        WrongValue: If a key without a default is not there, or a value is of another type.
    """
    found: _T = _made(kind, value, "")
    return found


def plain(value: Any) -> Any:
    """What JSON has of a value; what is optional and not there is left out."""
    if isinstance(value, Parsed):
        return str(value)
    if dataclasses.is_dataclass(value):
        fields = ((each, getattr(value, each.name)) for each in dataclasses.fields(value))
        return {
            each.name: plain(own)
            for each, own in fields
            if own is not None and own != ()  # what came later, and is not there
        }
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(each) for each in value]
    return value


def _made(kind: Any, value: Any, place: str) -> Any:
    """The value of a type; dataclasses from objects, key by key."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if isinstance(kind, type) and issubclass(kind, Parsed):
        text = _made(str, value, place)
        try:
            return kind.parse(text)
        except ValueError as error:
            raise WrongValue(f"{place} as a {kind.__name__.lower()}: {error}") from None
    if origin is UnionType:
        (some,) = (each for each in arguments if each is not NoneType)
        return None if value is None else _made(some, value, place)
    if dataclasses.is_dataclass(kind):
        return _object(kind, _checked(dict, value, place, "JSON object"), place)
    if origin is Sequence:
        every = _checked(list, value, place, "list")
        return [_made(arguments[0], each, f"{place} {i}") for i, each in enumerate(every)]
    if origin is Mapping:
        pairs = _checked(dict, value, place, "JSON object").items()
        return {name: _made(arguments[1], each, f"{place}: {name}") for name, each in pairs}
    if kind is float and type(value) is int:
        return float(value)
    return _checked(kind, value, place, _WORDS[kind])


def _object(kind: Any, value: dict[str, Any], place: str) -> Any:
    hints = get_type_hints(kind)
    values = {}
    for field in dataclasses.fields(kind):
        own = f"{place}: {field.name}".lstrip(": ")
        if field.name in value:
            values[field.name] = _made(hints[field.name], value[field.name], own)
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise WrongValue(f"a key {own}, found none")
    return kind(**values)


def _checked(kind: type[_T], value: Any, place: str, words: str) -> _T:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise WrongValue(f"{place or 'the file'} as a {words}, found {value!r:.60}")
    return value
