"""The names of methods: what a user's words ask for, understood without importing any method."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points

from bench.errors import BenchError, did_you_mean, spelt_like
from methods import execution, labels
from methods.card import read
from methods.spec import KINDS, TABLE, WORD, Spec, check_choice, choices

GROUP = "inpaint_bench.methods"
FORMS = (
    "of your own are LABEL=module:Class or LABEL=path/file.py:Class, both with (key=value, ...); "
    "LABEL=NAME:PATH, your weights for a network; LABEL=folder:PATH; LABEL=trained:PATH; "
    "LABEL=torchscript:FILE, onnx:FILE, command:FILE.toml, iopaint:MODEL or diffusers:FOLDER, all "
    "with (key=value, ...)"
)
_NAME = re.compile(rf"({WORD})(?::({WORD}))?(?:@({WORD}))?")


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
        return labels.parse(text)
    kind = text.partition(":")[0]
    if kind in KINDS and kind not in names():
        raise BenchError(f"method {text!r}: write LABEL={text}, with a label of your own")
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
        weights = spelt_like(weights, choices(facts))
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
    if not re.fullmatch(WORD, name):
        return f"plug-in {owners[0]}: a name holds letters, digits and _-.+, found {name!r}"
    owners = [TABLE[name], *owners] if name in TABLE else owners
    if len(owners) == 1:
        return ""
    return (
        f"two methods are named {name!r}: {owners[0]} and the plug-in {' and '.join(owners[1:])} "
        f"(entry point of group {GROUP}); uninstall one of them"
    )


def _unknown(name: str) -> str:
    known = names()
    own = f"LABEL={name}:Class" if "." in name else f"{name}=module:Class or {name}=file.py:Class"
    return (
        f"there is no method {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}. "
        f"For your own, write {own}"
    )
