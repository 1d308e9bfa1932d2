"""Classes of the user's own and of installed packages: imported, checked, made."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from bench.errors import BenchError, ContractError, describe, did_you_mean, faults
from methods import user_code
from methods.card import Card
from methods.spec import KINDS, TABLE, Spec, check_choice

if TYPE_CHECKING:
    from methods.base import Inpainter


class Unmade(ContractError):
    """A method that raised an error as it was made.

    Attributes:
        stand_in: A method of its name, card and code, for the tables of a run.
    """

    def __init__(self, text: str, stand_in: Inpainter) -> None:
        """Say why, and keep what stands for it."""
        super().__init__(text)
        self.stand_in = stand_in


def load_class(spec: Spec) -> type[Inpainter]:
    """Import the class of a method.

    Raises:
        BenchError: If it cannot be imported, or its card has no such weights or variant.
        ContractError: If it is not what `methods.base` asks for.
    """
    name = spec.target.rpartition(":")[2]
    try:
        module = user_code.module_of(spec.target, installed=spec.kind == "plug-in")
    except BenchError as error:
        meant = did_you_mean(spec.target.partition(":")[0], [*TABLE, *KINDS])
        raise BenchError(
            f"method {spec.text!r}: {error}{meant and f'.{meant}'}"
        ) from error.__cause__
    found = getattr(module, name, None)
    if found is None:
        where = getattr(module, "__file__", None) or module.__name__
        classes = [
            each
            for each, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module.__name__
        ]
        raise BenchError(f"method {spec.text!r}: {user_code.no_such_name(where, name, classes)}")
    from methods.base import Inpainter

    if not (isinstance(found, type) and issubclass(found, Inpainter)):
        raise ContractError(
            f"method {spec.text!r}: expected {name} to be a subclass of methods.base.Inpainter, "
            f"found {found!r}"
        )
    if not isinstance(getattr(found, "card", None), Card):
        raise ContractError(
            f"method {spec.text!r}: expected {name} to have a card; write "
            "card = Card(name=..., title=..., family=...) with Card of methods.base"
        )
    check_choice(spec, found.card)
    return found


def make(spec: Spec, device: str) -> Inpainter:
    """Make a method of a class.

    Raises:
        BenchError: As `load_class`, or if the class takes no such parameters.
        Unmade: If that raises an error.
        ContractError: If it changes its name.
    """
    kind = load_class(spec)
    _check_parameters(spec, kind)
    try:
        method = kind(spec.name, device=device, **dict(spec.parameters))
    except BenchError:
        raise
    except faults() as error:
        words = f", {spec.arguments[1:-1]}" if spec.parameters else ""
        raise Unmade(
            f"method {spec.text!r}: expected {spec.target} to be made as "
            f"{kind.__name__}({spec.name!r}, device={device!r}{words}), found {describe(error)}",
            _stand_in(spec, kind, device),
        ) from error
    if method.name != spec.name:
        # The name decides who is the ceiling and whose rows these are.
        raise ContractError(
            f"method {spec.text!r}: expected the name {spec.name!r}, found {method.name!r}; "
            "pass the name on to Inpainter.__init__ and leave it"
        )
    return method


def _stand_in(spec: Spec, kind: type[Inpainter], device: str) -> Inpainter:
    from methods.base import Inpainter

    facts = {name: getattr(kind, name) for name in ("card", "__module__", "__qualname__")}
    # What loads is asked for its identity in a process of its own, where it cannot be made either.
    unmade = type(kind.__name__, (Inpainter,), facts | {"load": lambda self: None})
    method: Inpainter = unmade(spec.name, device=device)
    method.asked = spec.asked
    return method


def _check_parameters(spec: Spec, kind: type[Inpainter]) -> None:
    """Refuse parameters that the class does not take, and the lack of those it needs."""
    takes = inspect.signature(kind).parameters
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    # The first is the name, whatever it is called.
    own = {n: each for n, each in list(takes.items())[1:] if each.kind in named}
    anything = any(each.kind is each.VAR_KEYWORD for each in takes.values())
    if own.pop("device", None) is None and not anything:
        raise ContractError(
            f"method {spec.text!r}: expected {kind.__name__} to be made as Class(name, "
            f"device=...), found {kind.__name__}{inspect.signature(kind)}"
        )
    given = dict(spec.parameters)
    for name in given.keys() - own.keys() if not anything else ():
        raise BenchError(
            f"method {spec.text!r}: {kind.__name__} takes no parameter {name!r}; those it takes: "
            f"{', '.join(own) or 'none'}.{did_you_mean(name, own)}"
        )
    missing = [n for n, each in own.items() if each.default is each.empty and n not in given]
    if missing:
        raise BenchError(
            f"method {spec.text!r}: {kind.__name__} needs {' and '.join(missing)}; write "
            f"{kind.__name__}({', '.join(f'{name}=...' for name in missing)})"
        )
