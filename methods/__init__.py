"""How holes are filled: the table of methods, found by name.

A method is named ``NAME[:WEIGHTS][@VARIANT]`` (``lama:big-lama``); what is one's own, by a label:

- ``LABEL=module:Class`` or ``LABEL=path/file.py:Class``, a class; both may say what it is made
  with, ``LABEL=net.py:Net(ckpt=a.pt, steps=3)``;
- ``LABEL=NAME[@VARIANT]:PATH``, own weights for a network of the table;
- ``LABEL=folder:PATH``, a folder of finished outputs;
- ``LABEL=trained:PATH``, what ``inpaint-bench train`` left in a folder;
- ``LABEL=KIND:TARGET``, a program or a file of a network without code, by a key of
  `methods.spec.ADAPTERS` (``torchscript``, ``onnx``, ``command``, ``iopaint``, ``diffusers``);
  it too may say what it is made with in parentheses.

Installed packages add names through the entry-point group ``inpaint_bench.methods``. Modules of
``LABEL=module:Class`` are looked for among the installed packages, then in the current
directory; those beside a file are found by it alone.

Importing this package imports no method and none of the libraries they need. The function `card`
hides the module of that name as an attribute: take names out of it, ``from methods.card import``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, beside
from methods import naming, own, user_code
from methods.adapters import statement
from methods.card import Card, read, trained
from methods.naming import FORMS, GROUP, names, parse
from methods.parameters import split
from methods.spec import ADAPTERS, TABLE, Spec
from methods.weights import damage, hub, present

if TYPE_CHECKING:
    from methods.base import Inpainter
    from methods.pretrained import Pretrained

__all__ = [
    "FORMS", "GROUP", "Spec", "card", "facts", "get", "inventory", "learnable", "look_up", "names",
    "parse", "split",
]  # fmt: skip


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
    if spec.kind == "own weights":
        return read(spec.network).with_own_weights(Path(spec.target))
    if spec.kind in ADAPTERS:
        return statement.card(spec.kind, spec.target)
    return own.load_class(spec).card


def inventory() -> tuple[dict[str, Card], dict[str, str]]:
    """Look at all there is.

    Returns:
        The cards of the table and of the plug-ins that can be used, and why the other plug-ins
        cannot; both by name.
    """
    cards = {name: read(name) for name in TABLE}
    broken: dict[str, str] = {}
    for name, points in naming.installed().items():
        try:
            broken[name] = naming.claimed(name, points)
            if not broken[name]:
                cards[name] = card(name)
                del broken[name]
        except BenchError as error:
            broken[name] = str(error)
    return cards, broken


def facts(name: str, card: Card) -> dict[str, Any]:
    """What a user may ask for of a method, as plain values.

    Returns:
        ``title``, ``family``, ``summary``, ``stochastic``; ``default``, whether the default job
        runs it; ``choices`` and ``variants``, what may follow ``:`` and ``@``; ``weights``, those
        that are here, as names to ask for; ``broken``, why others whose files are here cannot be
        used; ``fetch``, the command that gets the first weights if none are here; ``train``, the
        one that makes them if nobody published any.
    """
    missing = [each.command for each in card.files() if not present(each)]
    here = [each for each in card.weights if all(map(present, card.files(each)))]
    damages = {each: "; ".join(filter(None, map(damage, card.files(each)))) for each in here}
    return {
        **{key: getattr(card, key) for key in ("title", "family", "summary", "stochastic")},
        "default": card.default or "small" in card.weights,
        "choices": list(card.weights),
        "variants": list(card.variants),
        "weights": [f"{name}:{each}" for each, why in damages.items() if not why],
        "broken": {f"{name}:{each}": why for each, why in damages.items() if why},
        "fetch": " && ".join(missing),
        "train": card.training,
    }


def look_up(text: str) -> Spec:
    """Understand a name and see that the file or folder it names is there; imports nothing of it.

    Raises:
        BenchError: If there is no such method, file or folder.
    """
    spec = parse(text)
    if spec.kind == "trained":
        trained(Path(spec.target))
    try:
        spec = pinned(spec)
        path = hub.local(spec.target)
        if spec.kind == "class":
            user_code.require(spec.target)
        elif spec.kind in ADAPTERS and path.is_absolute():
            statement.require(path)
        elif spec.kind in ("folder", "own weights") and not path.exists():
            what = "outputs" if spec.kind == "folder" else "weights"
            raise BenchError(f"expected {what} at {path}, found none.{beside(path)}")
    except BenchError as error:
        raise BenchError(f"method {text!r}: {error}") from error
    return spec


def pinned(spec: Spec, *, offline: bool = False) -> Spec:
    """The same, with the commit in the address of a file of the Hugging Face hub; fetches it.

    Raises:
        BenchError: If it cannot be had.
    """
    if not spec.target.startswith(hub.PREFIX):
        return spec
    target = hub.pinned(spec.target, offline=offline)
    return replace(spec, text=spec.text.replace(spec.target, target, 1), target=target)


def get(spec: str | Spec, *, device: str = "cpu") -> Inpainter:
    """Make a method; its `load` is still to be called.

    Args:
        spec: Name of the method.
        device: Where it is to run, as torch writes it.

    Raises:
        BenchError: If there is no such method or device, a plug-in cannot be imported, its class
            takes no such parameters, or own weights fit no network.
        ContractError: If a plug-in is not what `methods.base` asks for.
    """
    spec = parse(spec) if isinstance(spec, str) else spec
    method = _made(spec, Path(spec.target), device)
    method.asked = spec.asked
    return method


def _made(spec: Spec, path: Path, device: str) -> Inpainter:
    if spec.kind == "folder":
        from methods.adapters.outputs import Folder

        return Folder(spec.name, path, device=device)
    if spec.kind == "trained":
        return learnable(trained(path)[0]).trained(path, spec.name, device=device)
    if spec.kind == "own weights":
        network = learnable(spec.network)
        try:
            path = hub.local(spec.target)
            return network.with_own_weights(path, spec.name, config=spec.config, device=device)
        except BenchError as error:
            raise BenchError(f"method {spec.text!r}: {error}") from error
    if spec.kind in ADAPTERS:
        made_with = (("target", str(hub.local(spec.target))), *spec.parameters)
        spec = replace(spec, target=ADAPTERS[spec.kind], parameters=made_with)
    return own.make(spec, device)


def with_weights(name: str) -> Pretrained:
    """Make a method that has a network with weights; they are still to be read.

    Raises:
        BenchError: As `get`, or if the method has none.
    """
    from methods.pretrained import Pretrained

    method = get(name)
    if not isinstance(method, Pretrained):
        raise BenchError(f"{name}: expected a method with the weights of a network")
    return method


def learnable(name: str) -> type[Pretrained]:
    """Give the class of a method that can be trained.

    Raises:
        BenchError: If there is no such method, or it has no network.
    """
    from methods.pretrained import Pretrained

    kind = own.load_class(parse(name))
    if not issubclass(kind, Pretrained):
        raise BenchError(f"{name}: expected a method with a network that can be trained")
    return kind
