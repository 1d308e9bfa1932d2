"""What is stated of a program: how it is called, what it is given, what it gives."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.errors import BenchError, require_one_of
from methods.adapters.exchange import NAMINGS, Naming
from methods.adapters.program import ENVIRONMENTS, Program, words

FACTS = (
    "command", *ENVIRONMENTS, "cwd", "env", "form", "hole", "naming", "output", "version", "files",
    "config",
)  # fmt: skip
TYPES = {**dict.fromkeys((*ENVIRONMENTS, "cwd"), str), "files": list, "env": dict, "config": dict}
_FORMS = ("batch", "served")
_LOSSLESS = ".png"


@dataclass(frozen=True)
class Contract:
    """What is agreed with a program.

    Attributes:
        program: It.
        version: What says its version, by its first line; None if nothing does.
        served: Whether it is kept alive and told of each case; else it is called for many at once.
        hole: What masks are in the hole, 255 or 0.
        naming: What files are called.
        files: What its fills depend on besides.
        config: What is written as JSON to ``{config}``; nothing if empty.
        digest: Hash of all that was stated.
    """

    program: Program
    version: Program | None
    served: bool
    hole: int
    naming: Naming
    files: tuple[Path, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    @property
    def seeded(self) -> bool:
        """Whether the program is given seeds."""
        return self.served or any(
            "{seed}" in word for word in (*self.program.words, json.dumps(self.config))
        )


def contract(facts: Mapping[str, Any], folder: Path, *, gpu: bool) -> Contract:
    """Understand what is stated.

    Args:
        facts: By name, out of `FACTS`.
        folder: What relative paths are relative to, and where the program is started.
        gpu: Whether it is to use one.

    Raises:
        BenchError: If something is missing, unknown or contradictory.
    """
    if "command" not in facts:
        raise BenchError('expected command = "PROGRAM ... {images} {masks} {out}", found none')
    form, naming = facts.get("form", "batch"), facts.get("naming", "stem")
    require_one_of(form, _FORMS, "form")
    require_one_of(naming, NAMINGS, "naming")
    program = _program(facts, folder, gpu)
    called = NAMINGS[naming]
    if "output" in facts:
        called = called._replace(output=_output(facts["output"]))
    text = " ".join(program.words)
    needed = [] if form == "served" else ["{images}", "{out}"]
    if missing := [name for name in needed if name not in text]:
        raise BenchError(
            f"command: expected {' and '.join(missing)} in it, where the folders are named, found "
            f"{text!r}"
        )
    hole = facts.get("hole", 255)
    if hole not in (0, 255) or isinstance(hole, bool):
        raise BenchError(f"hole: expected 255 or 0, what masks are in the hole, found {hole!r}")
    version = facts.get("version")
    return Contract(
        program,
        replace(program, words=words(version, "version")) if version is not None else None,
        form == "served",
        hole,
        called,
        _files(facts, program),
        facts.get("config", {}),
        hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode()).hexdigest()[:16],
    )


def _program(facts: Mapping[str, Any], folder: Path, gpu: bool) -> Program:
    kinds = [kind for kind in ENVIRONMENTS if kind in facts]
    if len(kinds) > 1:
        raise BenchError(f"expected one environment, found {' and '.join(kinds)}")
    kind = kinds[0] if kinds else ""
    environment = facts[kind] if kind else ""
    if kind in ("python", "apptainer"):
        environment = str(folder / os.path.expanduser(environment))
    called = words(facts["command"], "command")
    if not kind and os.path.isfile(folder / called[0]):
        called = (str(folder / called[0]), *called[1:])
    variables = {str(name): str(value) for name, value in facts.get("env", {}).items()}
    where = folder / os.path.expanduser(facts.get("cwd", "."))
    if not os.path.isdir(where):
        raise BenchError(f"cwd: expected a folder, found none at {where}")
    return Program(called, where, kind, environment, variables, gpu)


def _files(facts: Mapping[str, Any], program: Program) -> tuple[Path, ...]:
    """What is stated, and files that the command names."""
    stated = [program.folder / os.path.expanduser(str(each)) for each in facts.get("files", ())]
    for path in stated:
        if not os.path.exists(path):
            raise BenchError(f"files: expected a file or folder {path}, found none")
    first = 0 if program.kind else 1  # a program's own file says little: `version` does
    named = [program.folder / word for word in program.words[first:] if "{" not in word]
    container = [Path(program.environment)] if program.kind == "apptainer" else []
    return tuple(dict.fromkeys([*stated, *(p for p in [*named, *container] if os.path.isfile(p))]))


def _output(pattern: Any) -> str:
    if not isinstance(pattern, str) or "{stem}" not in pattern or not pattern.endswith(_LOSSLESS):
        raise BenchError(
            f"output: expected a name such as '{{stem}}_filled{_LOSSLESS}' (lossy files would "
            f"change the score), found {pattern!r}"
        )
    return pattern
