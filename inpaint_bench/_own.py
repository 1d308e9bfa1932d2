"""Methods as users hold them: a name, a class of their own, or an instance of it."""

from __future__ import annotations

from importlib.util import find_spec
from weakref import WeakSet

import methods
from bench.errors import BenchError
from methods.base import Inpainter
from methods.card import Card

_LOADED: WeakSet[Inpainter] = WeakSet()


def ready(method: str | type[Inpainter] | Inpainter, device: str) -> Inpainter:
    """Make a method and load it; an instance is loaded the first time that it is given.

    Raises:
        BenchError: If there is no such method, its weights are missing, or it is none.
    """
    if isinstance(method, str):
        made = methods.get(method, device=device)
    elif isinstance(method, type) and issubclass(method, Inpainter):
        made = method(_card(method).name, device=device)
    elif isinstance(method, Inpainter):
        made = method
    else:
        raise BenchError(_expected(method))
    if made not in _LOADED:
        made.load()
        _LOADED.add(made)
    return made


def text_of(method: str | type[Inpainter], executor: str) -> str:
    """The text that asks for a method from anywhere, ``LABEL=module:Class`` for a class.

    Raises:
        BenchError: If it is neither a name nor a class, or where it is to run cannot import it.
    """
    if isinstance(method, str):
        return method
    if isinstance(method, Inpainter):
        raise BenchError(
            f"method {method.name!r}: expected a name or a class, found an instance; each worker "
            f"makes its own: give {type(method).__name__}"
        )
    if not (isinstance(method, type) and issubclass(method, Inpainter)):
        raise BenchError(_expected(method))
    module, name = method.__module__, method.__qualname__
    if "." in name:
        raise BenchError(
            f"method {name}: expected a class of its module's own level, found one inside "
            "another or inside a function; move it out"
        )
    if executor != "inline" and not _importable(module):
        raise BenchError(
            f"method {name}: it is written in a notebook or script ({module}), which worker "
            f"processes cannot import; put it into a file of its own, such as mine.py, and give "
            f"methods=['mine=mine:{name}'], or give executor='inline'"
        )
    return f"{_card(method).name}={module}:{name}"


def _importable(module: str) -> bool:
    try:
        return module != "__main__" and find_spec(module) is not None
    except (ValueError, ImportError):  # made in memory
        return False


def _card(method: type[Inpainter]) -> Card:
    card = getattr(method, "card", None)
    if not isinstance(card, Card):
        raise BenchError(
            f"method {method.__name__}: expected a card; write "
            "card = Card(name=..., title=..., family=...)"
        )
    return card


def _expected(found: object) -> str:
    return (
        "method: expected a name such as 'telea', or a class that inherits from "
        f"inpaint_bench.Inpainter, found {found!r}"
    )
