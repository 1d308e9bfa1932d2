"""What a metric is, for who meets its name in a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.folder.read import Run
from bench.text import numbers
from reports.results import sentences
from reports.results.tables import Column

_REGIONS = {
    "picture": "the whole picture", "hole": "the hole", "ring": "the edge of the hole",
    "known": "what was to be kept",
}  # fmt: skip


@dataclass(frozen=True)
class Definition:
    """A metric.

    Attributes:
        column: As a column.
        says: What it computes, as a sentence; empty in runs of before that was kept.
        facts: What else is known, each with its name.
    """

    column: Column
    says: str
    facts: list[tuple[str, str]]


def definitions(run: Run, shown: Iterable[Column]) -> list[Definition]:
    """The definition of each of these columns, each once, in their order."""
    rows = run.metrics.set_index("metric")
    return [
        Definition(
            column,
            str(rows.loc[metric, "definition"]),
            [(name, text) for name, text in _facts(run, column, rows.loc[metric]) if text],
        )
        for metric, column in {column.metric: column for column in shown}.items()
    ]


def _facts(run: Run, column: Column, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Direction", column.better
    yield "Range", row["range"]
    yield "Looks at", _REGIONS.get(row["region"], row["region"])
    yield "Mind", column.note
    yield "Computed as", row["implementation"]
    yield "Weights", row["weights"]
    yield "Reference", row["reference"]
    yield "Published, other protocols", "\n".join(_published(run, column))


def _published(run: Run, column: Column) -> Iterator[str]:
    """What the cards of this run's methods have of others by a metric of this name."""
    for method, text in run.methods["published"].items():
        for entry in json.loads(text or "[]"):
            if column.label in entry["figures"]:
                # Of the published weights, not of those that this project trained.
                title = sentences.title(run, str(method)).removesuffix(" (small)")
                yield f"{title}: {entry['figures'][column.label]:g} on {entry['on']}"
