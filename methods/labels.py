"""Names that begin with a label: ``LABEL=...``, what is the user's own."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from bench.errors import BenchError, did_you_mean, require_one_of
from methods import parameters
from methods.card import read
from methods.spec import ADAPTERS, KINDS, PATHS, TABLE, WORD, Kind, Spec, check_choice
from methods.weights import hub

_CLASS = re.compile(r"(.+?\.py|[A-Za-z_][\w.]*):([A-Za-z_]\w*)(?:\((.*)\))?", re.DOTALL)
_OWN_WEIGHTS = re.compile(rf"({WORD})(?:@({WORD}))?:(.+?)(?:\(config=({WORD})\))?")


def parse(text: str) -> Spec:
    """Understand ``LABEL=...``.

    Raises:
        BenchError: If it is malformed, or the label is taken.
    """
    label, _, target = text.partition("=")
    if "(" in label:
        raise BenchError(f"method {text!r}: write LABEL={text}, with a label of your own")
    if "\0" in text:
        raise BenchError(f"method {text!r}: expected a text without the character 0")
    if not re.fullmatch(WORD, label) or "--" in label:
        raise BenchError(
            f"method {text!r}: expected a label of letters, digits and _-.+ (no --) before '=', "
            f"found {label!r}"
        )
    if label.casefold() in TABLE:
        raise BenchError(
            f"method {text!r}: the label {label!r} is the name of a built-in method; choose another"
        )
    for kind in PATHS:
        if target.startswith(f"{kind}:"):
            path = target.removeprefix(f"{kind}:")
            if not path:
                raise BenchError(f"method {text!r}: expected LABEL={kind}:PATH, found no path")
            return Spec(text, label, kind, _absolute(path))
    for adapter in ADAPTERS:
        # A module of the user's may have such a name.
        if target.startswith(f"{adapter}:") and not Path(f"{adapter}.py").is_file():
            return _parse_adapter(text, label, adapter, target.removeprefix(f"{adapter}:"))
    found = _parse_class(text, label, target)
    return _parse_own_weights(text, label, target, found) or found or _refuse(text, target)


def _parse_adapter(text: str, label: str, kind: Kind, target: str) -> Spec:
    asked, given = parameters.apart(target)
    if not asked:
        raise BenchError(f"method {text!r}: expected LABEL={kind}:TARGET, found no target")
    is_path = kind in ("torchscript", "onnx", "command") or Path(asked).expanduser().exists()
    if is_path and not asked.startswith(hub.PREFIX):
        asked = _absolute(asked)
    return Spec(text, label, kind, asked, parameters=_made_with(text, given))


def _made_with(text: str, given: str) -> tuple[tuple[str, Any], ...]:
    try:
        return parameters.parse(given)
    except BenchError as error:
        raise BenchError(f"method {text!r}: {error}") from error


def _refuse(text: str, target: str) -> Spec:
    name = target.partition(":")[0].partition("@")[0]
    if target.startswith(hub.PREFIX):
        raise BenchError(
            f"method {text!r}: hf: stands for a file; say of what kind it is: "
            f"{text.partition('=')[0]}=lama:{target}, with a network's name, torchscript or onnx"
        )
    if target.count("(") > target.count(")"):
        raise BenchError(f"method {text!r}: a bracket is not closed")
    raise BenchError(
        f"method {text!r}: expected module:Class, path/file.py:Class, NAME:PATH with a network's "
        f"name, or KIND:TARGET with one of the kinds {', '.join(KINDS)} after '=', found "
        f"{target!r}.{did_you_mean(name, (*TABLE, *KINDS))}"
    )


def _parse_class(text: str, label: str, target: str) -> Spec | None:
    match = _CLASS.fullmatch(target)
    if not match:
        return None
    module, kind, given = match.groups()
    if module.endswith(".py"):
        module = _absolute(module)
    made_with = _made_with(text, given or "")
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
    path = path if path.startswith(hub.PREFIX) else _absolute(path)
    spec = Spec(text, label, "own weights", path, "", variant, network=network, config=config)
    check_choice(spec, facts)
    known = [*facts.configs, *facts.weights]
    if config:
        require_one_of(config, dict.fromkeys(known), f"method {text!r}: config")
    return spec


def _absolute(path: str) -> str:
    return os.path.realpath(Path(path).expanduser())  # for a ring of links, too
