"""How holes are filled: the table of methods, found by name.

A method is named ``NAME[:WEIGHTS][@VARIANT]`` (``lama:big-lama``). One's own is named
``LABEL=module:Class``, a folder of finished outputs ``LABEL=folder:PATH``, a network trained with
``inpaint-bench train`` by the folder of its training, ``LABEL=trained:PATH``; installed packages
add names through the entry-point group ``inpaint_bench.methods``. Modules of
``LABEL=module:Class`` are looked for among the installed packages, then in the current
directory.

Importing this package imports no method and none of the libraries they need. The function `card`
hides the module of that name as an attribute: take names out of it, ``from methods.card import``.
"""

from __future__ import annotations

import difflib
import importlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bench.errors import BenchError, ContractError
from methods import execution
from methods.card import Card, read, trained

if TYPE_CHECKING:
    from methods.base import Inpainter
    from methods.pretrained import Pretrained

GROUP = "inpaint_bench.methods"

_TABLE = {
    "telea": "methods.classical:Telea",
    "navier_stokes": "methods.classical:NavierStokes",
    "biharmonic": "methods.classical:Biharmonic",
    "patchmatch": "methods.classical:PatchMatch",
    "shift_map": "methods.classical:ShiftMap",
    "context_encoder": "methods.networks.context_encoder.method:ContextEncoder",
    "context_encoder_any": "methods.networks.context_encoder.method:ContextEncoderAny",
    "pennet": "methods.networks.pennet.method:PENNet",
    "deepfill": "methods.networks.deepfill.method:DeepFill",
    "hifill": "methods.networks.hifill.method:HiFill",
    "pluralistic": "methods.networks.pluralistic.method:Pluralistic",
    "lama": "methods.networks.lama.method:LaMa",
    "relama": "methods.networks.lama.method:ReLaMa",
    "ict": "methods.networks.ict.method:ICT",
    "mean": "methods.floors:MeanFill",
    "noise": "methods.floors:NoiseFill",
    "original": "methods.floors:Original",
}

_WORD = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
_NAME = re.compile(rf"({_WORD})(?::({_WORD}))?(?:@({_WORD}))?")
_CLASS_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Spec:
    """A method as the user asked for it.

    Attributes:
        text: The words of the user, such as ``theirs=folder:./outputs``.
        base: Name in the table or label.
        kind: ``built-in``, ``plug-in`` (entry point), ``class``, ``folder`` or ``trained``.
        target: ``module:Class``, or the path of the folder.
        weights: Which weights, empty for the method's own choice.
        variant: Which variant, likewise.
    """

    text: str
    base: str
    kind: Literal["built-in", "plug-in", "class", "folder", "trained"]
    target: str
    weights: str = ""
    variant: str = ""

    @property
    def name(self) -> str:
        """The full name used in tables and reports: all but what a label stands for."""
        weights = f":{self.weights}" if self.weights else ""
        variant = f"@{self.variant}" if self.variant else ""
        return f"{self.base}{weights}{variant}"

    @property
    def file_name(self) -> str:
        """The full name as part of a path, with ``:`` written ``--``."""
        return self.name.replace(":", "--")


def names() -> list[str]:
    """Names of all built-in methods and installed plug-ins, in the order of the table.

    Raises:
        BenchError: If two packages, or a package and the table, claim the same name.
    """
    return [*_TABLE, *sorted(_plug_ins())]


def parse(text: str) -> Spec:
    """Understand a method's name without importing the method.

    Raises:
        BenchError: If the name is unknown or malformed, a label is taken, or the method has no
            such weights or variant.
    """
    if "=" in text:
        return _parse_own(text)
    match = _NAME.fullmatch(text)
    if not match:
        raise BenchError(
            f"method {text!r}: expected NAME[:WEIGHTS][@VARIANT], LABEL=module:Class or "
            "LABEL=folder:PATH; names hold letters, digits and _-.+"
        )
    base, weights, variant = (part or "" for part in match.groups())
    if base in _TABLE:
        spec = Spec(text, base, "built-in", _TABLE[base], weights, variant)
        _check_choice(spec, read(base))
        return spec
    plug_ins = _plug_ins()
    if base in plug_ins:
        return Spec(text, base, "plug-in", plug_ins[base].value, weights, variant)
    raise BenchError(_unknown(base))


def card(spec: str | Spec) -> Card:
    """Give the facts of a method; reads no weights, and for built-in methods imports none.

    Raises:
        BenchError: If there is no such method, or a plug-in cannot be imported.
    """
    spec = parse(spec) if isinstance(spec, str) else spec
    if spec.kind == "built-in":
        return read(spec.base)
    if spec.kind == "folder":
        return read("folder")
    if spec.kind == "trained":
        return read(trained(Path(spec.target))[0])
    return _load_class(spec).card


def get(spec: str | Spec, *, device: str = "cpu") -> Inpainter:
    """Make a method; its `load` is still to be called.

    Args:
        spec: Name of the method.
        device: Where it is to run, as torch writes it.

    Raises:
        BenchError: If there is no such method or device, or a plug-in cannot be imported.
        ContractError: If a plug-in is not what `methods.base` asks for.
    """
    spec = parse(spec) if isinstance(spec, str) else spec
    if spec.kind == "folder":
        from methods.adapters.outputs import Folder

        return Folder(spec.name, spec.target, device=device)
    if spec.kind == "trained":
        folder = Path(spec.target)
        return learnable(trained(folder)[0]).trained(folder, spec.name, device=device)
    factory: Callable[..., Inpainter] = _load_class(spec)
    try:
        method = factory(spec.name, device=device)
    except TypeError as error:
        raise ContractError(
            f"method {spec.text!r}: expected {spec.target} to be made as Class(name, device=...): "
            f"{error}"
        ) from error
    if method.name != spec.name:
        # The name decides who is the ceiling and whose rows these are.
        raise ContractError(
            f"method {spec.text!r}: expected the name {spec.name!r}, found {method.name!r}; "
            "pass the name on to Inpainter.__init__ and leave it"
        )
    return method


def learnable(name: str) -> type[Pretrained]:
    """Give the class of a method that can be trained.

    Raises:
        BenchError: If there is no such method, or it has no network.
    """
    from methods.pretrained import Pretrained

    kind = _load_class(parse(name))
    if not issubclass(kind, Pretrained):
        raise BenchError(f"{name}: expected a method with a network that can be trained")
    return kind


def _parse_own(text: str) -> Spec:
    label, _, target = text.partition("=")
    if not re.fullmatch(_WORD, label) or "--" in label:
        raise BenchError(
            f"method {text!r}: expected a label of letters, digits and _-.+ (no --) before '=', "
            f"found {label!r}"
        )
    if label.casefold() in _TABLE:
        raise BenchError(
            f"method {text!r}: the label {label!r} is the name of a built-in method; choose another"
        )
    kinds: tuple[Literal["folder", "trained"], ...] = ("folder", "trained")
    for kind in kinds:
        if target.startswith(f"{kind}:"):
            path = target.removeprefix(f"{kind}:")
            if not path:
                raise BenchError(f"method {text!r}: expected LABEL={kind}:PATH, found no path")
            return Spec(text, label, kind, path)
    if not _CLASS_PATH.fullmatch(target):
        raise BenchError(
            f"method {text!r}: expected module:Class, folder:PATH or trained:PATH after '=', "
            f"found {target!r}"
        )
    return Spec(text, label, "class", target)


def _check_choice(spec: Spec, facts: Card) -> None:
    """Refuse weights or a variant that the card does not list."""
    variant, ways = execution.split(spec.variant)
    if ways and not (facts.checkpoints or facts.configs):
        raise BenchError(
            f"method {spec.text!r}: {', '.join(ways)} are ways to run a network; {spec.base} has "
            "none"
        )
    for kind, asked, known in (
        ("weights", spec.weights, facts.weights),
        ("variant", variant, facts.variants),
    ):
        if asked and asked not in known:
            listed = f"it has {', '.join(known)}" if known else "it has none to choose from"
            raise BenchError(f"method {spec.text!r}: {spec.base} has no {kind} {asked!r}; {listed}")


def _unknown(name: str) -> str:
    known = names()
    close = difflib.get_close_matches(name, known, n=3)
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    return (
        f"there is no method {name!r}.{hint} Known: {', '.join(known)}. "
        f"For your own, write {name}=module:Class"
    )


def _plug_ins() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        owner = found.get(point.name)
        if point.name in _TABLE or (owner and owner.value != point.value):
            other = owner.value if owner else _TABLE[point.name]
            raise BenchError(
                f"two methods are named {point.name!r}: {other} and the plug-in {point.value} "
                f"(entry point of group {GROUP}); uninstall one of them"
            )
        if not re.fullmatch(_WORD, point.name):
            raise BenchError(
                f"plug-in {point.value}: a name holds letters, digits and _-.+, "
                f"found {point.name!r}"
            )
        found[point.name] = point
    return found


def _load_class(spec: Spec) -> type[Inpainter]:
    module_name, _, class_name = spec.target.partition(":")
    here = str(Path.cwd())
    if spec.kind == "class" and here not in sys.path:
        sys.path.append(here)  # last, so that a file lying here cannot replace a library
    try:
        found: Any = getattr(importlib.import_module(module_name), class_name)
    except Exception as error:  # an import runs any code
        raise BenchError(
            f"method {spec.text!r}: {spec.target} cannot be imported "
            f"({type(error).__name__}: {error}); modules are looked for among the installed "
            f"packages and in {here}"
        ) from error
    from methods.base import Inpainter

    if not (isinstance(found, type) and issubclass(found, Inpainter)):
        raise ContractError(
            f"method {spec.text!r}: expected {spec.target} to be a subclass of "
            f"methods.base.Inpainter, found {found!r}"
        )
    if not isinstance(getattr(found, "card", None), Card):
        raise ContractError(
            f"method {spec.text!r}: expected {spec.target} to have a card; write "
            "card = Card(name=..., title=..., family=...) with Card of methods.card"
        )
    return found
