"""Read a file of reference outputs: its cases, the parts to fill, the rows to compare."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.errors import BenchError, InputError
from methods.weights import rule
from methods.weights.pickled import refuse_bomb

_FORMAT = 1


class CannotRebuild(BenchError):
    """A case whose description asks for what is not known here, or for more than any needs."""


_MOST = 2**27  # numbers of a tensor


def bounded(*sides: int) -> None:
    """Refuse a tensor that would fill the memory, before it is made.

    Raises:
        CannotRebuild: If it has more than `_MOST` numbers.
    """
    if (count := math.prod(map(int, sides))) > _MOST:
        raise CannotRebuild(f"a tensor of {count:,} numbers; expected at most {_MOST:,}")


@dataclass(frozen=True)
class Part:
    """A network, or a piece of one, whose tensors are made by rule.

    Attributes:
        part: Its name.
        keys: Which list of names and shapes it follows; None where the case says the shapes.
        names: Whether names are those of the checkpoint or of the module on its own.
        prefix: Put before a name where it seeds the rule.
        gain: Gains by the beginning of a name; the longest that fits counts.
        skip: Patterns of names that are not filled.
        shapes: Shapes by name, for parts that are no module.
        aliases: Where two names share a tensor, the ``last`` in state-dict order seeds it.
        note: For readers.
    """

    part: str
    keys: str | None
    names: str
    prefix: str
    gain: Mapping[str, float]
    skip: tuple[str, ...] = ()
    shapes: Mapping[str, list[int]] = field(default_factory=dict)
    aliases: str = "last"
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse another way to treat aliases."""
        if self.aliases != "last":
            raise CannotRebuild(f"part {self.part}: expected aliases last, found {self.aliases!r}")

    def tensor(self, name: str, shape: tuple[int, ...]) -> torch.Tensor:
        """Make one tensor."""
        bounded(*shape)
        fitting = [prefix for prefix in self.gain if name.startswith(prefix)]
        if not fitting:
            raise CannotRebuild(f"part {self.part}: no gain is given for {name}")
        gain = self.gain[max(fitting, key=len)]
        return torch.from_numpy(rule.tensor(self.prefix + name, shape, gain))

    def fill(self, module: torch.nn.Module) -> None:
        """Set all tensors of a module but integer buffers and those to skip."""
        rule.fill(module, self.tensor, self.skip)


class Parts(dict[str, Part]):
    """Parts by name; what has weights must not be run without them."""

    def __missing__(self, name: str) -> Part:
        """Refuse."""
        raise CannotRebuild(f"expected a part {name!r} to fill, found {', '.join(self) or 'none'}")


@dataclass(frozen=True)
class Row:
    """One array to reproduce; the fields are those of the file.

    Attributes:
        tensor: Which tensor of the implementation it looks at.
        atol: Absolute tolerance of an element.
        rtol: Relative tolerance of an element, of the stored value.
        slice: NumPy indexing that gives the stored sample.
        reduce: Instead of it, ``"shape"`` or names of statistics.
        outliers: Share of elements that may exceed the tolerance, and by how much.
        where: Compare only where another stored array is above a value.
        shape: Shape of the whole tensor.
        mean: Mean of the whole tensor.
        std: Standard deviation of the whole tensor.
        what: For readers.
        float64_error: For readers.
    """

    tensor: str
    atol: float
    rtol: float
    slice: str = ""
    reduce: str | list[str] = ""
    outliers: Mapping[str, float | None] | None = None
    where: Mapping[str, Any] | None = None
    shape: list[int] | None = None
    mean: float | None = None
    std: float | None = None
    what: str = ""
    float64_error: float = 0.0


@dataclass(frozen=True)
class Case:
    """What one case asks for.

    Attributes:
        name: Its name in the file.
        target: What is run, in the words of the method's description.
        config: Settings of what is run.
        fill: Parts, still as data.
        inputs: Inputs, still as data.
        arrays: Rows by the key of their stored array, still as data.
        call: What is computed, in words.
    """

    name: str
    target: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    fill: list[dict[str, Any]] = field(default_factory=list)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    arrays: dict[str, dict[str, Any]] = field(default_factory=dict)
    call: str = ""

    def parts(self) -> Parts:
        """The parts by name."""
        found = [_make(Part, part | {"skip": tuple(part.get("skip", ()))}) for part in self.fill]
        return Parts({part.part: part for part in found})

    def rows(self) -> dict[str, Row]:
        """The rows by the key of their stored array."""
        return {key: _make(Row, row) for key, row in self.arrays.items()}

    def tensors(self) -> set[str]:
        """Names of the tensors that the rows look at."""
        return {row["tensor"] for row in self.arrays.values()}

    def settings(self, published: Mapping[str, Any]) -> dict[str, Any]:
        """The published settings, changed as the case asks.

        Raises:
            CannotRebuild: If it asks for a setting that is not among them.
        """
        unknown = self.config.keys() - published.keys()
        if unknown:
            raise CannotRebuild(
                f"target {self.target!r}: expected settings out of {', '.join(published)}, "
                f"found {', '.join(sorted(unknown))}"
            )
        return {**published, **self.config}


@dataclass(frozen=True)
class GoldenFile:
    """A file of reference outputs.

    Attributes:
        path: Where it is.
        reference: What produced the values.
        cases: The cases in the order of the file.
        arrays: All stored arrays by key.
    """

    path: Path
    reference: str
    cases: list[Case]
    arrays: dict[str, np.ndarray]


def read(path: Path) -> GoldenFile:
    """Read a file.

    Raises:
        InputError: If it is no such file, or has arrays that belong to no case.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            refuse_bomb(archive, path.stat().st_size)
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
        meta = json.loads(str(arrays.pop("meta")))
        if meta["format"] != _FORMAT:
            raise InputError(f"{path}: expected format {_FORMAT}, found {meta['format']!r}")
        known = {f.name for f in fields(Case)}
        cases = [
            Case(**({key: case[key] for key in case if key in known} | {"name": name}))
            for name, case in meta["cases"].items()
        ]
        reference = str(meta.get("reference", ""))
        named = {key for case in cases for key in case.arrays}
        named |= {entry["array"] for case in cases for entry in case.inputs if "array" in entry}
    except InputError:
        raise
    except Exception as error:  # NumPy, zip and JSON raise many kinds for a malformed file
        raise InputError(
            f"{path}: expected reference outputs, an .npz file with the entry meta: "
            f"{type(error).__name__}: {error}"
        ) from error
    stray = sorted(arrays.keys() - named)
    if stray or not named:
        raise InputError(
            f"{path}: expected every array to belong to a case, found "
            f"{', '.join(stray) or 'none that does'}"
        )
    return GoldenFile(path, reference, cases, arrays)


def _make(kind: type, facts: dict[str, Any]) -> Any:
    try:
        return kind(**facts)
    except TypeError as error:  # a field too few, or one whose meaning is not known
        raise CannotRebuild(f"{kind.__name__.lower()} {facts}: {error}") from error
