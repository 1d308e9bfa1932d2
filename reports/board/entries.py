"""What stands on a board: figures that were claimed, and those of bundles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from bench.bundle.bundle import Bundle, Correction, Mean, Method
from bench.protocols.record import Published, Row
from bench.text import numbers

CLAIMED, MEASURED, REPRODUCED, DIFFERS = "claimed", "measured", "reproduced", "differs"
KINDS: Final = {
    CLAIMED: "a figure that its source states",
    MEASURED: "of a bundle",
    REPRODUCED: "of a bundle, and another machine's bundle of the same method, photos and holes "
    "agrees",
    DIFFERS: "of a bundle, and another machine's bundle of the same method, photos and holes does "
    "not agree",
}
TOLERANCE: Final = 0.005
"""Share of the larger value by which two machines' values of the same may differ, and agree."""

_COMPARED: Final = ("photos", "masks", "truth", "size", "paste", "protocol")


@dataclass(frozen=True)
class Submitted:
    """A bundle, and the name of its file on the board."""

    bundle: Bundle
    path: Path
    file: str

    @property
    def date(self) -> str:
        """Of its end, as 2026-11-30."""
        return self.bundle.finished[:10]

    @property
    def machine(self) -> str:
        """In words."""
        machine = self.bundle.machine
        parts = [machine.processor, machine.accelerator if machine.accelerator != "none" else ""]
        return ", ".join(filter(None, [*parts, machine.system.partition("-")[0]])) or "unknown"

    @property
    def data(self) -> str:
        """What has to be the same for numbers to be of the same pictures."""
        parts = self.bundle.fingerprint.parts
        return " ".join(f"{name}:{parts[name]}" for name in _COMPARED if name in parts)

    @property
    def metrics(self) -> Mapping[str, str]:
        """What computes each metric."""
        return {
            each.name: f"{each.implementation}|{each.version}|{each.weights}"
            for each in self.bundle.metrics
        }


@dataclass(frozen=True)
class Entry:
    """A row of a table.

    Attributes:
        kind: One of `KINDS`.
        title: The method for readers.
        method: Its full name; empty if there is none here.
        date: Of the bundle; of a claim when it was read.
        source: Where it stands, or which machine.
        values: By metric.
        file: The bundle's on the board; empty of a claim.
        pictures: How many were scored.
        remarks: What must be known of it.
        corrections: That were made to it.
        compared: How it is to each other machine's bundle of the same, in words.
    """

    kind: str
    title: str
    method: str
    date: str
    source: str
    values: Mapping[str, Mean]
    file: str = ""
    pictures: int = 0
    remarks: Sequence[str] = ()
    corrections: Sequence[Correction] = ()
    compared: Sequence[str] = field(default=())


def claims(published: Published) -> list[Entry]:
    """What was published under a protocol."""
    return [
        Entry(
            CLAIMED,
            row.title,
            row.method,
            f"read {row.seen}",
            row.source + (" (not read in the source itself)" if row.secondary else ""),
            {
                metric: Mean(published.name, metric, value, published.expects)
                for metric, value in row.figures.items()
            },
            pictures=published.expects,
            remarks=[*_others(row), *([numbers.capital(row.note)] if row.note else [])],
        )
        for row in published.rows
    ]


def _others(row: Row) -> Iterator[str]:
    if row.others:
        stated = ", ".join(f"{name} {value:g}" for name, value in row.others.items())
        yield f"Also stated, by metrics not held beside ours: {stated}"


def measured(given: Sequence[Submitted], tier: str, expects: int = 0) -> list[Entry]:
    """What bundles have of a tier; those of the same by other machines are held against it."""
    found: list[Entry] = []
    for one in given:
        scored = sum(case.tier == tier for case in one.bundle.cases)
        for method in one.bundle.methods:
            means = {mean.metric: mean for mean in method.means if mean.tier == tier}
            if not means or method.family == "ceiling":
                continue
            found.append(_judged(_entry(one, method, means, scored, expects), one, method, given))
    return found


def _entry(
    one: Submitted, method: Method, means: Mapping[str, Mean], scored: int, expects: int
) -> Entry:
    done = max(mean.n for mean in means.values())
    remarks = []
    if expects and scored != expects:
        remarks.append(f"{scored:,} of {expects:,} pictures: not comparable with what was claimed")
    if done < scored:
        remarks.append(f"completed {done:,} of {scored:,} cases")
    theirs = [each for each in one.bundle.corrections if each.method in ("", method.name)]
    return Entry(
        MEASURED, method.title, method.name, one.date, one.machine, means, one.file, scored,
        remarks, theirs,
    )  # fmt: skip


def _judged(entry: Entry, one: Submitted, method: Method, given: Iterable[Submitted]) -> Entry:
    """An entry with what other machines have of the same.

    What is made of other code or libraries may well differ: of that only agreement counts.
    """
    agree, words = True, []
    for other in given:
        if other.data != one.data or other.bundle.machine.hardware == one.bundle.machine.hardware:
            continue
        for same in other.bundle.methods:
            if (same.name, same.weights) != (method.name, method.weights):
                continue
            apart = _apart(entry, one, other, same)
            if apart and same.identity != method.identity:
                continue
            agree = agree and not apart
            by = "" if same.identity == method.identity else ", by other code or libraries"
            outcome = f"differs in {'; '.join(apart)}" if apart else "agrees"
            words.append(f"{other.file[:8]} ({other.machine}{by}): {outcome}")
    if not words:
        return entry
    return replace(entry, kind=REPRODUCED if agree else DIFFERS, compared=words)


def _apart(entry: Entry, one: Submitted, other: Submitted, same: Method) -> list[str]:
    """The metrics measured alike in which two bundles do not agree."""
    tier = next(iter(entry.values.values())).tier
    theirs = {mean.metric: mean for mean in same.means if mean.tier == tier}
    found = []
    for metric, mine in entry.values.items():
        their = theirs.get(metric)
        if their is None or one.metrics[metric] != other.metrics[metric]:
            continue
        largest = max(abs(mine.value), abs(their.value))
        if mine.n != their.n or abs(mine.value - their.value) > TOLERANCE * largest:
            found.append(f"{metric}: {mine.value:.5g} and {their.value:.5g}")
    return found
