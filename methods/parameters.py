"""Lists of methods, and what stands in the parentheses of one: cut at commas, understood."""

from __future__ import annotations

import ast
import os
from typing import Any

from bench.errors import BenchError

_OPENING, _CLOSING = "([{", ")]}"


def split(text: str) -> list[str]:
    """Take a comma-separated list of names apart.

    Commas in parentheses belong to a name, as do those of a path that is there with them only.
    """
    parts, found = _cut(text) or text.split(","), []
    while parts:
        ends = range(1, len(parts) + 1) if "=" in parts[0] else ()
        end = next((end for end in ends if _has_path(",".join(parts[:end]))), 1)
        found.append(",".join(parts[:end]).strip())
        del parts[:end]
    return list(filter(None, found))


def _has_path(name: str) -> bool:
    """Whether a name is ``LABEL=KIND:PATH`` of a path that is there."""
    path = name.partition("=")[2].partition(":")[2].strip()
    return bool(path) and os.path.exists(os.path.expanduser(apart(path)[0]))


def apart(target: str) -> tuple[str, str]:
    """What is asked for, and what stands in its parentheses; those of a path that is there stay."""
    ends = [place for place, each in enumerate(target) if each == "("]
    ends = [len(target), *reversed(ends)] if target.endswith(")") else [len(target)]
    there = (end for end in ends if os.path.exists(os.path.expanduser(target[:end])))
    end = next(there, ends[-1])
    return target[:end], target[end + 1 : -1]


def parse(given: str) -> tuple[tuple[str, Any], ...]:
    """Understand ``key=value, ...``: literals of Python; other words are text.

    Returns:
        Names and values, sorted by name.

    Raises:
        BenchError: If it is something else.
    """
    found: dict[str, Any] = {}
    parts = _cut(given, _OPENING)
    if parts is None:
        raise BenchError(f"a bracket or quote is not closed in ({given})")
    for part in filter(str.strip, parts):
        key, equals, value = (each.strip() for each in part.partition("="))
        if not (key.isidentifier() and equals and value):
            raise BenchError(f"expected key=value in parentheses, found {part!r}")
        if key in ("name", "device") or key in found:
            why = "is given twice" if key in found else "is not for the user to give"
            raise BenchError(f"the parameter {key} {why}")
        found[key] = _value(key, value)
    return tuple(sorted(found.items()))


def _value(key: str, value: str) -> Any:
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        pass
    if value[0] in "'\"" + _OPENING:
        raise BenchError(f"{key}={value} is no literal of Python")
    if value.casefold() in ("true", "false", "none"):
        raise BenchError(
            f"{key}={value} could be text or not; write {value.capitalize()} or '{value}'"
        )
    return value


def _cut(text: str, outermost: str = "(") -> list[str] | None:
    """Cut at commas outside of brackets and quotes.

    Args:
        text: Of names or parameters.
        outermost: Which brackets count outside of others.

    Returns:
        None if a bracket or quote stays open.
    """
    parts, open_brackets, quote, before = [""], "", "", ""
    for each in text:
        if quote:
            quote = "" if each == quote and before != "\\" else quote
        elif each in "'\"" and before in ("", "=", ",", ":", *_OPENING):
            quote = each
        elif each in (_OPENING if open_brackets else outermost):
            open_brackets += each
        elif open_brackets and each in _CLOSING:
            if _OPENING.index(open_brackets[-1]) != _CLOSING.index(each):
                return None
            open_brackets = open_brackets[:-1]
        elif each == "," and not open_brackets:
            parts.append("")
            before = each
            continue
        parts[-1] += each
        before = before if each.isspace() and not quote else each
    return None if open_brackets or quote else parts
