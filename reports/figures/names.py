"""Names short enough for a plot, each still another."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from bench.text.numbers import printable

LONGEST = 34
"""Letters of a name in a plot."""


def short(names: Sequence[str], longest: int = LONGEST) -> list[str]:
    """Names of at most so many letters that differ where the given ones do.

    A longer name loses most of what it shares with the other long ones; or its own middle, cut
    where all stay distinct; where no cut tells them apart, they are numbered.

    Args:
        names: Such as of methods.
        longest: Letters, at least 8.
    """
    clean = [printable(name) for name in names]
    if max(map(len, clean), default=0) <= longest:
        return clean
    apart = _differing(clean, longest)
    if len(set(apart)) == len(set(clean)) and max(map(len, apart)) <= longest:
        return apart
    for end in (longest // 3, longest // 2, 2 * longest // 3, longest - 2, 0):
        found = [_cut(name, longest, end) for name in clean]
        if len(set(found)) == len(set(clean)):
            return found
    order = {name: place for place, name in enumerate(dict.fromkeys(clean), start=1)}
    tails = {name: f" ({place})" for name, place in order.items()}
    return [
        name if len(name) <= longest else f"{name[: longest - len(tails[name]) - 1]}…{tails[name]}"
        for name in clean
    ]


def _differing(names: Sequence[str], longest: int) -> list[str]:
    """Long names without the end of their common beginning and what they have in common behind."""
    long = {name for name in names if len(name) > longest}
    start = _shared(list(long))
    rest = [name[start:][::-1] for name in long]
    end = _shared(rest) if len(long) > 1 else 0

    def shown(name: str) -> str:
        own = name[start : len(name) - end]
        head = name[: min(start, max(0, longest - len(own) - 2))]
        return f"{head}{'…' if len(head) < start else ''}{own}{'…' if end else ''}"

    return [shown(name) if name in long else name for name in names]


def _shared(names: Sequence[str]) -> int:
    """How many letters all names begin with."""
    alike = (len(set(letters)) == 1 for letters in zip(*names, strict=False))
    return sum(1 for _ in itertools.takewhile(bool, alike))


def _cut(name: str, longest: int, end: int) -> str:
    if len(name) <= longest:
        return name
    return f"{name[: longest - end - 1]}…{name[len(name) - end :]}"
