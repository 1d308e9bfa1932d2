"""Rebuild the cases of a file with an implementation and compare every array."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch

from bench.errors import BenchError, describe
from methods.verification import inputs
from methods.verification.case import CannotRebuild, Case, GoldenFile
from methods.verification.compare import Comparison, compare

_NETWORKS = "methods.networks."


@dataclass(frozen=True)
class Outcome:
    """What became of one case.

    Attributes:
        case: Its name.
        comparisons: One per array; empty if the case could not be rebuilt.
        reason: Why it could not be rebuilt, empty if it was.
    """

    case: str
    comparisons: list[Comparison]
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Whether it was rebuilt and every array is within its tolerance."""
        return not self.reason and all(each.passed for each in self.comparisons)


def implementation_of(kind: type) -> ModuleType:
    """Give the module that rebuilds the reference outputs of a method.

    Args:
        kind: Class of the method. Those of `methods.networks` have theirs in
            `methods.verification.networks`, by the name of the package; others in their own module.
    """
    package = kind.__module__.removeprefix(_NETWORKS).partition(".")[0]
    if not kind.__module__.startswith(_NETWORKS):
        return sys.modules[kind.__module__]
    return importlib.import_module(f"methods.verification.networks.{package}")


def verify(implementation: ModuleType, file: GoldenFile) -> Iterator[Outcome]:
    """Rebuild case after case.

    Args:
        implementation: A module with ``verify_case`` (see `methods.verification`).
        file: The reference outputs.

    Raises:
        BenchError: If the module has none.
    """
    if not hasattr(implementation, "verify_case"):
        raise BenchError(
            f"{implementation.__name__}: expected a function verify_case(case, parts, inputs), "
            "found none; only networks with reference outputs can be verified"
        )
    for case in file.cases:
        try:
            yield Outcome(case.name, _compared(implementation, case, file))
        except Exception as error:  # whatever a description that does not fit makes torch raise
            yield Outcome(case.name, [], describe(error))


def _compared(implementation: Any, case: Case, file: GoldenFile) -> list[Comparison]:
    rows = case.rows()
    absent = sorted(rows.keys() - file.arrays.keys())
    if absent or not rows:
        raise CannotRebuild(f"the file does not hold {', '.join(absent) or 'any array of it'}")
    given = inputs.make(case, file, getattr(implementation, "derive", None))
    with torch.inference_mode():
        tensors = implementation.verify_case(case, case.parts(), given)
    unknown = sorted(case.tensors() - tensors.keys())
    if unknown:
        raise CannotRebuild(f"the implementation has no tensor {', '.join(unknown)}")
    return [compare(key, row, tensors[row.tensor], file.arrays) for key, row in rows.items()]
