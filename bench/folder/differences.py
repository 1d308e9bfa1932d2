"""What two runs differ in, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import few
from bench.folder.header import Header, Part
from bench.folder.read import Run

_SIGNATURE = ["region", "implementation", "version", "weights"]
_OPTIONS = {"photos": "images"}  # options that are not called as what they set
_PLACES = {"photos", "masks", "pairs", "truth"}  # what is in them matters, not where they lie
_UNSET = {"size": "native", "masks": "generated", "limit": "all", "truth": "the photo"}
_NAMED = 3  # of what differs
_MACHINE = ("python", "system", "processor", "accelerator", "code")


def protocol_differences(a: Run, b: Run, metrics: Sequence[str]) -> list[str]:
    """Which parts of the protocol of two runs differ, in words.

    Of the metrics only those that are compared count: one run may have measured more.
    """
    found = in_words(
        a.header.fingerprint.differences(b.header.fingerprint),
        (a.header.protocol, b.header.protocol),
        (a.plan, b.plan),
        ("in A", "in B"),
    )
    signatures = [run.metrics.set_index("metric")[_SIGNATURE] for run in (a, b)]
    for name in metrics:
        one, other = (table.loc[name] for table in signatures)
        found += [
            f"metric {name}: {part} {one[part]!r} in A, {other[part]!r} in B"
            for part in _SIGNATURE
            if one[part] != other[part]
        ]
    return found


def in_words(
    parts: Sequence[Part],
    requests: tuple[Mapping[str, Any], Mapping[str, Any]],
    plans: tuple[pd.DataFrame, pd.DataFrame],
    sides: tuple[str, str],
) -> list[str]:
    """What two protocols differ in: what was asked for, else the photos and holes themselves.

    Args:
        parts: What differs between the fingerprints.
        requests: The options, as ``run.json`` holds them; keys that one lacks do not count.
        plans: The plans.
        sides: What to call the two.
    """
    parts = [part for part in parts if part.name != "metrics"]
    asked = _request_differences(*requests) if parts else {}
    said = [f"{_OPTIONS.get(name, name.replace('_', '-'))}: {words[0]} {sides[0]}, {words[1]} "
            f"{sides[1]}" for name, words in asked.items()]  # fmt: skip
    if parts and asked.keys() <= _PLACES:
        said += _content_differences(*plans, sides)
    # A hash says that something differs, and not what.
    told = {"photos", "masks", "size", *asked} if said else ()
    rest = [part for part in parts if part.name not in told]
    return said + [f"{p.name}: {p.mine} {sides[0]}, {p.theirs} {sides[1]}" for p in rest]


def request_differences(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Names of the options that differ, but for where photos, holes and truths lie."""
    return [name for name in _request_differences(mine, theirs) if name not in _PLACES]


def _request_differences(
    mine: Mapping[str, Any], theirs: Mapping[str, Any]
) -> dict[str, tuple[str, str]]:
    """The options that differ, each as both sides have it."""
    found = {}
    for name in (name for name in mine if name in theirs):
        one, other = (_shown(name, side[name]) for side in (mine, theirs))
        # One folder may be written in several ways.
        same_place = name in _PLACES and Path(one).resolve() == Path(other).resolve()
        if one != other and not same_place:
            found[name] = one, other
    return found


def _shown(name: str, value: Any) -> str:
    if value is None:
        return _UNSET.get(name, "none")
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _content_differences(a: pd.DataFrame, b: pd.DataFrame, sides: tuple[str, str]) -> list[str]:
    """Photos that one plan lacks or that have other content, and holes of equal photos."""
    one, other = (plan.drop_duplicates("photo").set_index("photo")["photo_sha"] for plan in (a, b))
    both = one.index.intersection(other.index)
    found = _counted("photos", one.index.difference(both), f"only {sides[0]}")
    found += _counted("photos", other.index.difference(both), f"only {sides[1]}")
    changed = both[(one[both] != other[both]).to_numpy()]
    found += _counted("photos", changed, "with other content")
    keys = ["photo", "photo_sha", "tier", "draw"]
    holes = a.merge(b, on=keys, how="outer", suffixes=("", "_b"), indicator=True)
    holes = holes[holes["photo"].isin(both) & ~holes["photo"].isin(changed)]
    differing = holes[(holes["_merge"] != "both") | (holes["mask_sha"] != holes["mask_sha_b"])]
    # The same was asked for, of the same photos.
    drawn = (differing[["mask_source", "mask_source_b"]] == "generated").all(axis=None)
    how = "that differ" + (", as another version draws them" if drawn else "")
    return found + _counted("holes", differing["photo"], how, "of ")


def _counted(what: str, names: Iterable[str], how: str, of: str = "") -> list[str]:
    names = list(names)
    return [f"{what}: {len(names)} {how} ({of}{few(names, _NAMED)})"] if names else []


def environment_differences(a: Header, b: Header) -> list[str]:
    """Libraries, machines and numbers of threads that differ: to be known, no obstacle.

    Threads change the order of sums, and by it the last digits of fills.
    """
    sides = [
        {**{key: getattr(side.environment, key) or None for key in _MACHINE},
         "threads of each worker": _threads(side), **side.environment.packages}
        for side in (a, b)
    ]  # fmt: skip
    changed = [
        f"{key} {sides[0].get(key)} -> {sides[1].get(key)}"
        for key in dict.fromkeys([*sides[0], *sides[1]])
        if sides[0].get(key) != sides[1].get(key)
    ]
    return [f"environment differs: {', '.join(changed)}"] if changed else []


def _threads(header: Header) -> str | None:
    return " and ".join(map(str, sorted({start.threads for start in header.starts}))) or None
