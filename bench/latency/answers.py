"""What a stopwatch times, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from methods.harness import Spent

NOT_TIMED = "not timed"


@dataclass(frozen=True)
class Subject:
    """What is timed, and where.

    Attributes:
        name: Full name of the method, or of the anchor.
        text: What asks for the method (``mine=module:Class``); empty for an anchor.
        device: As torch writes it.
        threads: Of the process.
        by_rule: Whether weights that are missing are made by rule.
        data_limit: Bytes of memory of its own that the process may take; 0 for no limit.
    """

    name: str
    text: str
    device: str = "cpu"
    threads: int = 1
    by_rule: bool = False
    data_limit: int = 0


@dataclass(frozen=True)
class Loaded:
    """What came of loading; seconds from the process with torch imported to the first fill.

    What the method says is for the user.
    """

    seconds: float
    facts: dict[str, Any]
    said: str = ""


class Call(NamedTuple):
    """One call.

    Attributes:
        e2e: From 8-bit photo to 8-bit result; NaN for an anchor.
        infer: From prepared tensors to the output, complete on the device.
        hole_share: Of the input.
    """

    e2e: Spent
    infer: Spent
    hole_share: float


@dataclass(frozen=True)
class Refused:
    """What a question came to if not to an answer."""

    status: str
    reason: str
