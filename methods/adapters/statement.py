"""What a user states about a method without code: a TOML file, beside the file it is about.

``net.toml`` lies beside ``net.onnx``, and either may be asked for. Its table ``[card]`` holds what
readers of a report are told, ``[size]`` a `SizeRule`, and all else the facts of the adapter. Read
without torch.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.errors import BenchError, beside, require_one_of
from methods.card import Card, SizeRule, read

_OF_CARD = (
    "title", "family", "summary", "paper", "url", "implementation", "licence", "stochastic", "sees",
    "cost", "limits",
)  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """What is stated.

    Attributes:
        path: The TOML file; it need not be there.
        file: What it is about, by ``file = "..."`` relative to it, else what lies beside it.
        card: The adapter's card with what is stated.
        facts: All else, by name.
    """

    path: Path
    file: Path
    card: Card
    facts: Mapping[str, Any]

    def only(self, known: Collection[str]) -> Mapping[str, Any]:
        """The facts, which must be among those that are known.

        Raises:
            BenchError: If one is not.
        """
        for name in self.facts:
            require_one_of(name, known, f"{self.path}: facts")
        return self.facts


def stated(kind: str, target: Path) -> Statement:
    """Read what is stated about a file.

    Args:
        kind: Of the adapter, whose card says the rest.
        target: The TOML file, or what it is about.

    Raises:
        BenchError: If it is not there, is no TOML, or its card or size is not one.
    """
    require(target)
    path = target if target.suffix == ".toml" else target.with_suffix(".toml")
    try:
        facts = tomllib.loads(path.read_text("utf-8-sig")) if path.is_file() else {}
    except (OSError, ValueError, RecursionError) as error:
        raise BenchError(f"{path}: expected TOML, found {error}") from error
    about, size = facts.pop("card", {}), facts.pop("size", None)
    require_types(path, {"card": about, "size": size or {}}, {"card": dict, "size": dict})
    file = path.parent / str(facts.pop("file", target.name))
    try:
        for name in about:
            require_one_of(name, _OF_CARD, "[card]")
        # What is shown by the name of its adapter alone could not be told apart.
        found = replace(read(kind), **{"title": target.stem, **about})
        if size is not None:
            found = replace(found, size=SizeRule(**size))
    except (BenchError, TypeError) as error:
        raise BenchError(f"{path}: {error}") from error
    return Statement(path, file, found, facts)


def require_types(path: Path, facts: Mapping[str, Any], types: Mapping[str, type]) -> None:
    """See that facts are of the types that are named for them; others are not looked at.

    Raises:
        BenchError: If one is not.
    """
    for name, kind in types.items():
        if name in facts and not isinstance(facts[name], kind):
            words = "a table" if kind is dict else "a text" if kind is str else "a list of texts"
            raise BenchError(f"{path}: {name}: expected {words}, found {facts[name]!r}")


def card(kind: str, target: str) -> Card:
    """The card of what an adapter is asked for.

    Args:
        kind: Of the adapter.
        target: A path, or a name that the adapter knows.

    Raises:
        BenchError: As `stated`.
    """
    path = Path(target)
    return stated(kind, path).card if path.is_file() else replace(read(kind), title=target)


def require(path: Path) -> None:
    """See that a file or folder is there.

    Raises:
        BenchError: If it is not.
    """
    if not path.exists():
        raise BenchError(f"expected a file or folder {path}, found none.{beside(path)}")
