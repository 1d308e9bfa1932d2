"""What a fill depends on besides its case, in one line: kept fills hold as long as it is the same.

It is made of what was asked for, the facts of the card that change fills, code, versions of
installed libraries (`methods.sources`), named files, and, of methods that are not ours, of what
`load` left in memory: parameters, buffers, all other values (`methods.state`). Our own networks
read files that are named and hashed, which says the same without loading them.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Protocol

from bench.errors import Unhashable
from methods.sources import OURS, OWN, changed_since, code_of, modules_behind
from methods.state import Digest

_BASE = "methods.base"
# What readers are told, and what only orders or offers.
_PROSE = frozenset(
    {"title", "summary", "paper", "url", "implementation", "licence", "default", "cost", "limits",
     "verified", "weights", "variants", "checkpoints", "published", "configs", "sizes"}
)  # fmt: skip


class Method(Protocol):
    """What is looked at of an `Inpainter`."""

    card: Any
    asked: str
    probed: ClassVar[bool]
    files: Sequence[str | Path]

    @property
    def identity(self) -> str:
        """What is known before it is loaded."""
        ...

    def load(self) -> None:
        """Read what it needs."""


def before_load(method: Method) -> str:
    """Say what is known of a method's fills before it is loaded.

    Raises:
        Unhashable: If its code cannot be read, as of a cell of a notebook.
    """
    code, own = code_of(*_own(method))
    passed, others = harness()
    libraries = sorted({*own, *others})
    facts = Digest()
    card = {each.name: getattr(method.card, each.name) for each in fields(method.card)}
    facts.add({name: repr(value) for name, value in card.items() if name not in _PROSE})
    facts.add(method.asked)
    named = method.files
    for file in [named] if isinstance(named, str | os.PathLike) else named:
        facts.add(_content(Path(file)))
    return (
        f"{type(method).__qualname__} code {code} harness {passed} facts {facts} "
        f"({method.card.size}){''.join(f' {each}' for each in libraries)}"
    )


def after_load(method: Method) -> str:
    """Say all that a loaded method's fills depend on.

    Raises:
        Unhashable: If its code, or something it holds, cannot be hashed: its fills hold only for
            the run that made them.
    """
    if is_ours(type(method)):
        return method.identity
    found = Digest(skip={"_name", "asked", "device", "card"})
    found.add(vars(method))
    kinds = _own(method)
    for kind in kinds:
        found.add_values(vars(kind))
    for name in modules_behind(*kinds):
        if name in sys.modules and name.partition(".")[0] not in OURS:
            found.add_values(vars(sys.modules[name]))
    return f"{method.identity} holds {found}"


def in_words(method: Method) -> str:
    """The identity of a loaded method, or that it has none."""
    try:
        return after_load(method)
    except Unhashable:
        return unhashable(method)


def unhashable(method: Method) -> str:
    """What stands for the identity of a method that has none."""
    return f"{type(method).__qualname__}, which cannot be hashed"


def changed(method: Method) -> list[str]:
    """Modules of the user's that changed while this process held them, so that it may run others.

    Those beside a file that was asked for by path are imported anew by themselves.
    """
    names = changed_since(*_own(method))
    return [
        name for name in names if name.partition(".")[0] not in OURS and not name.startswith(OWN)
    ]


def must_load(method: Method) -> bool:
    """Whether only a loaded method tells what its fills depend on."""
    if is_ours(type(method)):
        return method.probed
    return type(method).load.__module__ != _BASE


def is_ours(kind: type) -> bool:
    """Whether a class comes with this project."""
    return kind.__module__.partition(".")[0] in OURS


@functools.cache
def harness() -> tuple[str, list[str]]:
    """Hash of the code that every fill passes through, whatever the method, and its libraries."""
    return code_of(importlib.import_module("methods.harness"))


def _own(method: Method) -> list[type]:
    """The classes a method is written in, the contract's left out, as all fills pass through it."""
    kinds = [kind for kind in type(method).__mro__ if kind.__module__ not in (_BASE, "builtins")]
    return kinds or [type(method)]


def _content(path: Path) -> str:
    """Hash of a named file, or of all files of a named folder with their names."""
    try:
        if path.is_dir():
            files = sorted(each for each in path.rglob("*") if each.is_file())
            listing = "\n".join(f"{each.relative_to(path)} {_content(each)}" for each in files)
            return hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise Unhashable(f"the named file {path} cannot be read: {error}") from error
