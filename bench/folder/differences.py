"""What two runs differ in, in words."""

from __future__ import annotations

from collections.abc import Sequence

from bench.folder.header import Environment
from bench.folder.read import Run

_SIGNATURE = ["region", "implementation", "version", "weights"]
_MACHINE = ("python", "system", "processor", "accelerator", "code")


def protocol_differences(a: Run, b: Run, metrics: Sequence[str]) -> list[str]:
    """Which parts of the protocol of two runs differ, in words.

    Of the metrics only those that are compared count: one run may have measured more.
    """
    found = [
        f"{part.name}: {part.mine} in A, {part.theirs} in B"
        for part in a.header.fingerprint.differences(b.header.fingerprint)
        if part.name != "metrics"
    ]
    signatures = [run.metrics.set_index("metric")[_SIGNATURE] for run in (a, b)]
    for name in metrics:
        one, other = (table.loc[name] for table in signatures)
        found += [
            f"metric {name}: {part} {one[part]!r} in A, {other[part]!r} in B"
            for part in _SIGNATURE
            if one[part] != other[part]
        ]
    return found


def environment_differences(a: Environment, b: Environment) -> list[str]:
    """Libraries and machines that differ: to be known, no obstacle."""
    sides = [
        {**{key: getattr(side, key) or None for key in _MACHINE}, **side.packages}
        for side in (a, b)
    ]
    changed = [
        f"{key} {sides[0].get(key)} -> {sides[1].get(key)}"
        for key in dict.fromkeys([*sides[0], *sides[1]])
        if sides[0].get(key) != sides[1].get(key)
    ]
    return [f"environment differs: {', '.join(changed)}"] if changed else []
