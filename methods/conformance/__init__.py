"""The kit behind ``inpaint-bench check``: does a method keep the contract of `methods.base`?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bench.errors import Declined, describe, faults
from methods.base import Inpainter
from methods.conformance.rules import RULES, Broken, Skipped
from methods.conformance.subject import Subject


@dataclass(frozen=True)
class Result:
    """What became of one rule.

    Attributes:
        rule: Name of the rule.
        status: ``declined`` where the method refuses the case with a reason, which it may.
        detail: What was seen, or the reason.
    """

    rule: str
    status: Literal["passed", "failed", "declined", "skipped"]
    detail: str


def check(asked: str | type[Inpainter]) -> list[Result]:
    """Try all rules on a method.

    Args:
        asked: Name of the method, or its class.

    Returns:
        What loading it found out, if anything; then one result per rule, in the order of
        `rules.RULES`.

    Raises:
        BenchError: If the method cannot be made or loaded, or is a folder of outputs.
    """
    subject = Subject(asked)
    said = subject.method.said
    found = [Result("facts", "passed", said)] if said else []
    return found + [_try(rule, subject) for rule in RULES]


def _try(rule: Callable[[Subject], str], subject: Subject) -> Result:
    name = rule.__name__
    try:
        return Result(name, "passed", rule(subject))
    except Broken as error:
        return Result(name, "failed", str(error))
    except Skipped as error:
        return Result(name, "skipped", str(error))
    except Declined as error:
        return Result(name, "declined", str(error))
    except faults() as error:  # whatever a method raises is its result
        return Result(name, "failed", describe(error))
