"""Names short enough for a plot, each still another."""

from __future__ import annotations

from collections.abc import Sequence

from bench.text.numbers import printable

LONGEST = 34
"""Letters of a name in a plot."""


def short(names: Sequence[str], longest: int = LONGEST) -> list[str]:
    """Names of at most so many letters that differ where the given ones do.

    A longer name keeps its beginning and its end around an ellipsis, cut where all stay distinct;
    where no cut tells them apart, they are numbered.

    Args:
        names: Such as of methods.
        longest: Letters, at least 8.
    """
    clean = [printable(name) for name in names]
    if max(map(len, clean), default=0) <= longest:
        return clean
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


def _cut(name: str, longest: int, end: int) -> str:
    if len(name) <= longest:
        return name
    return f"{name[: longest - end - 1]}…{name[len(name) - end :]}"
