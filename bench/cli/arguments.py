"""Kinds of arguments that several commands take."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)


def named(text: str) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(filter(None, map(str.strip, text.split(","))))


def taken(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """The options of these names, to be passed on under them."""
    return {name: getattr(options, name) for name in names}


def listed(lists: Sequence[str] | None) -> list[str]:
    """The names in comma-separated lists of methods."""
    import methods

    return [name for text in lists or () for name in methods.split(text)]
