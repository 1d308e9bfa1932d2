"""The names of methods: what a user's words ask for, understood without importing any method."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

from bench.errors import BenchError, did_you_mean, spelt_like
from methods import execution, parameters
from methods.card import Card, read

GROUP = "inpaint_bench.methods"
Kind = Literal["built-in", "plug-in", "class", "folder", "trained", "own weights"]

TABLE = {
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

FORMS = (
    "of your own are LABEL=module:Class or LABEL=path/file.py:Class, both with (key=value, ...); "
    "LABEL=NAME:PATH, your weights for a network; LABEL=folder:PATH; LABEL=trained:PATH"
)
_WORD = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
_NAME = re.compile(rf"({_WORD})(?::({_WORD}))?(?:@({_WORD}))?")
_PATHS: tuple[Literal["folder", "trained"], ...] = ("folder", "trained")
_CLASS = re.compile(r"(.+?\.py|[A-Za-z_][\w.]*):([A-Za-z_]\w*)(?:\((.*)\))?", re.DOTALL)
_OWN_WEIGHTS = re.compile(rf"({_WORD})(?:@({_WORD}))?:(.+?)(?:\(config=({_WORD})\))?")


@dataclass(frozen=True)
class Spec:
    """A method as the user asked for it.

    Attributes:
        text: The words of the user, such as ``theirs=folder:./outputs``; of what is built in, as it
            is spelt.
        base: Name in the table or label.
        kind: ``built-in``, ``plug-in`` (entry point), ``class`` (of a module or a file),
            ``folder``, ``trained`` or ``own weights``.
        target: ``module:Class``, ``/path/file.py:Class``, or the path of a folder or of weights.
        weights: Which weights, empty for the method's own choice.
        variant: Which variant, likewise.
        parameters: What the class is made with besides name and device, sorted by name.
        network: Of own weights, the name of the built-in method.
        config: Of own weights, whose settings they are for; empty where tensors decide.
    """

    text: str
    base: str
    kind: Kind
    target: str
    weights: str = ""
    variant: str = ""
    parameters: tuple[tuple[str, Any], ...] = ()
    network: str = ""
    config: str = ""

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

    @property
    def arguments(self) -> str:
        """The parameters in canonical text, ``(ckpt='a.pt', steps=3)``; empty if there are none."""
        words = ", ".join(f"{name}={value!r}" for name, value in self.parameters)
        return f"({words})" if words else ""

    @property
    def asked(self) -> str:
        """What was asked for, in canonical text, whatever it is called and wherever it lies."""
        made = self.network or f"{self.target.rpartition(':')[2]}{self.arguments}"
        chosen = {"config": self.config, "weights": self.weights, "variant": self.variant}
        words = [f"{choice} {name}" for choice, name in chosen.items() if name]
        return " ".join([self.kind, *([] if self.kind in _PATHS else [made]), *words])

    @property
    def stored(self) -> str:
        """What asks for the same method from any directory."""
        variant = f"@{self.variant}" if self.variant else ""
        config = f"(config={self.config})" if self.config else ""
        kinds = {
            "class": f"{self.target}{self.arguments}",
            "folder": f"folder:{self.target}",
            "trained": f"trained:{self.target}",
            "own weights": f"{self.network}{variant}:{self.target}{config}",
        }
        return f"{self.base}={kinds[self.kind]}" if self.kind in kinds else self.text


def installed() -> dict[str, list[EntryPoint]]:
    """What installed packages bring, by name; one entry point each unless several claim a name."""
    found: dict[str, list[EntryPoint]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        others = found.setdefault(point.name, [])
        if point.value not in [other.value for other in others]:
            others.append(point)
    return found


def names() -> list[str]:
    """Names of all built-in methods and installed plug-ins, in the order of the table."""
    return [*TABLE, *(name for name in installed() if name not in TABLE)]


def parse(text: str) -> Spec:
    """Understand a method's name, in any case, without importing the method.

    Raises:
        BenchError: If the name is unknown or malformed, a label is taken, or a built-in method has
            no such weights or variant.
    """
    if "=" in text:
        return _parse_own(text)
    match = _NAME.fullmatch(text)
    if not match:
        raise BenchError(
            f"method {text!r}: expected NAME[:WEIGHTS][@VARIANT], of letters, digits and _-.+, or "
            f"LABEL=...; methods {FORMS}"
        )
    base, weights, variant = (part or "" for part in match.groups())
    base = base if base in TABLE else spelt_like(base, names())
    if base in TABLE:
        facts = read(base)
        weights = spelt_like(weights, _choices(facts))
        known = (*facts.variants, *execution.EXECUTIONS)
        variant = "+".join(spelt_like(part, known) for part in variant.split("+"))
        spec = Spec("", base, "built-in", TABLE[base], weights, variant)
        check_choice(replace(spec, text=text), facts)
        return replace(spec, text=spec.name)
    points = installed().get(base, ())
    if not points:
        raise BenchError(_unknown(base))
    why = claimed(base, points)
    if why:
        raise BenchError(why)
    return Spec(text, base, "plug-in", points[0].value, weights, variant)


def claimed(name: str, points: Iterable[EntryPoint]) -> str:
    """Why a name that installed packages bring cannot be used; empty if it can."""
    owners = [point.value for point in points]
    if not re.fullmatch(_WORD, name):
        return f"plug-in {owners[0]}: a name holds letters, digits and _-.+, found {name!r}"
    owners = [TABLE[name], *owners] if name in TABLE else owners
    if len(owners) == 1:
        return ""
    return (
        f"two methods are named {name!r}: {owners[0]} and the plug-in {' and '.join(owners[1:])} "
        f"(entry point of group {GROUP}); uninstall one of them"
    )


def check_choice(spec: Spec, facts: Card) -> None:
    """Refuse weights or a variant that the card does not list.

    Raises:
        BenchError: If it does not.
    """
    owner = spec.network or spec.base
    variant, ways = execution.split(spec.variant)
    runs = facts.checkpoints or facts.configs  # in one way or another
    if ways and not runs:
        raise BenchError(
            f"method {spec.text!r}: {', '.join(ways)} are ways to run a network; {owner} has none"
        )
    for kind, asked, known in (
        ("weights", spec.weights, _choices(facts)),
        ("variant", variant, (*facts.variants, *(execution.EXECUTIONS if runs else ()))),
    ):
        if asked and asked not in known:
            listed = f"it has {', '.join(known)}" if known else "it has none to choose from"
            raise BenchError(
                f"method {spec.text!r}: {owner} has no {kind} {asked!r}; {listed}."
                f"{did_you_mean(asked, known)}"
            )


def _choices(facts: Card) -> tuple[str, ...]:
    """The weights that can be asked for."""
    files = dict.fromkeys(each.choice for each in facts.checkpoints if each.choice)
    return facts.weights or tuple(files)


def _parse_own(text: str) -> Spec:
    label, _, target = text.partition("=")
    if "(" in label:
        raise BenchError(f"method {text!r}: write LABEL={text}, with a label of your own")
    if not re.fullmatch(_WORD, label) or "--" in label:
        raise BenchError(
            f"method {text!r}: expected a label of letters, digits and _-.+ (no --) before '=', "
            f"found {label!r}"
        )
    if label.casefold() in TABLE:
        raise BenchError(
            f"method {text!r}: the label {label!r} is the name of a built-in method; choose another"
        )
    for kind in _PATHS:
        if target.startswith(f"{kind}:"):
            path = target.removeprefix(f"{kind}:")
            if not path:
                raise BenchError(f"method {text!r}: expected LABEL={kind}:PATH, found no path")
            return Spec(text, label, kind, _absolute(path))
    found = _parse_class(text, label, target)
    return _parse_own_weights(text, label, target, found) or found or _refuse(text, target)


def _refuse(text: str, target: str) -> Spec:
    name = target.partition(":")[0].partition("@")[0]
    if target.count("(") > target.count(")"):
        raise BenchError(f"method {text!r}: a bracket is not closed")
    raise BenchError(
        f"method {text!r}: expected module:Class, path/file.py:Class, folder:PATH, trained:PATH or "
        f"NAME:PATH with a network's name after '=', found {target!r}.{did_you_mean(name, TABLE)}"
    )


def _parse_class(text: str, label: str, target: str) -> Spec | None:
    match = _CLASS.fullmatch(target)
    if not match:
        return None
    module, kind, given = match.groups()
    if module.endswith(".py"):
        module = _absolute(module)
    try:
        made_with = parameters.parse(given or "")
    except BenchError as error:
        raise BenchError(f"method {text!r}: {error}") from error
    return Spec(text, label, "class", f"{module}:{kind}", parameters=made_with)


def _parse_own_weights(text: str, label: str, target: str, as_class: Spec | None) -> Spec | None:
    """``NAME[@VARIANT]:PATH``; a module may have a network's name, so what is there decides."""
    match = _OWN_WEIGHTS.fullmatch(target)
    if not match or match[1] not in TABLE:
        return None
    network, variant, path, config = (part or "" for part in match.groups())
    if as_class and not Path(path).expanduser().exists():
        return None
    facts = read(network)
    if not (facts.checkpoints or facts.configs):
        raise BenchError(f"method {text!r}: {network} has no network that takes weights")
    spec = Spec(
        text, label, "own weights", _absolute(path), "", variant, network=network, config=config
    )
    check_choice(spec, facts)
    known = [*facts.configs, *facts.weights]
    if config and config not in known:
        raise BenchError(
            f"method {text!r}: expected the settings of {' or '.join(dict.fromkeys(known))}, found "
            f"config={config}.{did_you_mean(config, known)}"
        )
    return spec


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().resolve())


def _unknown(name: str) -> str:
    known = names()
    own = f"LABEL={name}:Class" if "." in name else f"{name}=module:Class or {name}=file.py:Class"
    return (
        f"there is no method {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}. "
        f"For your own, write {own}"
    )
