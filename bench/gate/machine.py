"""On what, and in which number format, fills were made: part of whether two runs are comparable.

A network gives other values on a GPU or in bfloat16 than in float32 on a CPU, by several
tolerances, and no code changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from bench.folder.header import UNKNOWN, Header

_NUMBERS = ("bf16", "tf32")
_ASKED = re.compile(r"(?:[\w.+-]+=)?[\w.-]+(?::[\w.-]+)?@([\w.+-]+)(?::.*)?")
NUMBERS_OF_ITS_OWN = "as it is"


@dataclass(frozen=True)
class Machine:
    """Where fills were made; empty where it is not known, as in older baselines.

    Attributes:
        device: Kind of the device, such as ``cpu``; several between commas.
        processor: Its name.
        accelerator: Likewise.
        threads: Of each worker, as text.
    """

    device: str = ""
    processor: str = ""
    accelerator: str = ""
    threads: str = ""

    def differs_from(self, other: Machine) -> list[str]:
        """What of the two is known and not the same, in words."""
        pairs = {name: (value, vars(other)[name]) for name, value in vars(self).items()}
        return [
            f"{name} {a} before, {b} now" for name, (a, b) in pairs.items() if a and b and a != b
        ]


def of_run(header: Header) -> Machine:
    """Where a run's fills were made."""
    starts = header.starts
    kinds = sorted({start.device.partition(":")[0] for start in starts})
    known = [kind for kind in kinds if "unknown" not in kind]
    place = {
        "processor": {start.environment.processor for start in starts},
        "accelerator": {start.environment.accelerator for start in starts},
        "threads": {str(start.threads) for start in starts},
    }
    return Machine(", ".join(known), **{name: ", ".join(sorted(v)) for name, v in place.items()})


def numbers(asked: str) -> str:
    """The number format that a method was asked for in, such as ``bf16``; empty for its own."""
    found = _ASKED.fullmatch(asked)
    ways = found.group(1).split("+") if found else []
    return "+".join(way for way in _NUMBERS if way in ways)


def plain_name(method: str) -> str:
    """The name of a method without a number format."""
    name, at, variant = method.partition("@")
    ways = [way for way in variant.split("+") if way not in _NUMBERS]
    return f"{name}{at}{'+'.join(ways)}" if at and ways else name


def differences(
    before: Machine, now: Machine, old: pd.DataFrame, new: pd.DataFrame
) -> list[tuple[str, str, str]]:
    """Devices and number formats that forbid comparing: part, in the baseline, in the run.

    Args:
        before: Of the baseline.
        now: Of the run.
        old: Methods of the baseline, ``method`` and ``numbers``.
        new: Likewise, of the run.
    """
    found = []
    if before.device and now.device and before.device != now.device:
        found.append(("device", before.device, now.device))
    here = dict(zip(new["method"], new["numbers"], strict=True))
    plain = {plain_name(name): name for name in here if name not in set(old["method"])}
    for name, format_then in zip(old["method"], old["numbers"], strict=True):
        twin = name if name in here else plain.get(plain_name(name))
        if twin is None or UNKNOWN in (format_then, here[twin]) or here[twin] == format_then:
            continue
        then, now_ = (each or NUMBERS_OF_ITS_OWN for each in (format_then, here[twin]))
        found.append((f"number format of {name}", then, now_))
    return found
