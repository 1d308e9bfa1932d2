"""The methods of a run: those asked for, and those of earlier starts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TypeVar

import pandas as pd

import methods
from bench.errors import BenchError, describe, faults
from bench.folder.header import Header
from bench.planning.case_keys import case_keys
from bench.run.request import Request
from methods.base import Inpainter
from methods.card import VISIBLE
from methods.harness import CEILING
from methods.own import Unmade

_T = TypeVar("_T")
_OURS = ("built-in", "folder", "trained", "own weights")  # which bring no code


def asked(request: Request) -> tuple[dict[str, Inpainter], dict[str, Unmade]]:
    """The methods asked for and the ceiling, by the text that asks for them from anywhere.

    Of those that raise an error as they are made, if not all do, what stands for them; and the
    errors, by name: their cases fail, and no other's.
    """
    found: dict[str, Inpainter] = {}
    unmade: dict[str, Unmade] = {}
    names: dict[str, str] = {}
    protocol = request.protocol
    given_folders = [Path(each).resolve() for each in (protocol.folder, protocol.masks) if each]
    for given in [*request.methods, CEILING]:
        spec = methods.pinned(methods.parse(given), offline=request.offline)
        if spec.name == CEILING and not request.truth_known:
            continue
        text = spec.stored
        if names.setdefault(spec.name, text) != text:
            raise BenchError(
                f"methods: {names[spec.name]!r} and {text!r} have one name; give another label"
            )
        if spec.kind == "folder" and Path(spec.target) in given_folders:
            raise BenchError(f"method {given!r}: its folder holds photos or masks of this run")
        if text in found:
            continue
        try:
            found[text] = guarded(spec.name, partial(methods.get, text, device=request.here))
        except Unmade as error:
            unmade[spec.name] = error
            found[text] = error.stand_in
    if not found:
        raise BenchError("methods: expected one, found only the ceiling, which shows the truth; "
                         "where that is unknown it cannot be run")  # fmt: skip
    if unmade and {method.name for method in found.values()} <= {CEILING, *unmade}:
        raise next(iter(unmade.values()))
    return found, unmade


def none_sees_the_answer(asked: Iterable[Inpainter], plan: pd.DataFrame) -> None:
    """Refuse methods that are shown what lies under the hole where that is what is asked for.

    Raises:
        BenchError: If there is one, by its name.
    """
    seeing = [method.name for method in asked if method.card.sees == VISIBLE]
    if seeing and (plan["truth"] == "").any():
        raise BenchError(
            f"methods: {', '.join(seeing)}: sees = {VISIBLE!r}: it is shown the pixels under the "
            "hole, which are the answer where the photo itself is the truth; to remove objects "
            "give --masks of them and --truth FOLDER or --truth unknown"
        )


def guarded(name: str, call: Callable[..., _T], *arguments: object) -> _T:
    """Call a method's code; whatever it raises is a message, and wherever it goes is left again."""
    try:
        with contextlib.chdir(Path.cwd()):
            return call(*arguments)
    except BenchError:
        raise
    except faults() as error:
        raise BenchError(f"method {name!r} cannot be prepared: {describe(error)}") from error


def show(
    request: Request, plan: pd.DataFrame, inputs: pd.DataFrame, method: Inpainter
) -> str | None:
    """Let a method that wants to look at all its cases; gives what it says of them."""
    if type(method).expect is Inpainter.expect:
        return None
    samples = request.fills_of(method.card.stochastic)
    protocol = request.protocol
    keys = case_keys(plan, inputs, asdict(protocol), str(protocol.geometry), samples)
    return guarded(method.name, method.expect, keys)


def still_there(
    before: Header | None,
    asked: Mapping[str, Inpainter],
    request: Request,
    show: Callable[[Inpainter], object],
) -> tuple[dict[str, Inpainter], dict[str, str]]:
    """Earlier methods that can still run, and why others cannot; their rows stay as they are.

    Nothing is imported or run that this command does not ask for: the folder may come from others.
    """
    found: dict[str, Inpainter] = {}
    gone: dict[str, str] = {}
    names = {method.name for method in asked.values()}
    for name, text in (before.methods if before else {}).items():
        if name in names:
            continue
        try:
            if methods.parse(text).kind not in _OURS:
                raise BenchError(
                    "its code is imported only if this command asks for it; add it to --methods"
                )
            method = guarded(name, partial(methods.get, text, device=request.here))
            show(method)
            found[text] = method
        except BenchError as error:
            gone[name] = str(error)
    return found, gone
