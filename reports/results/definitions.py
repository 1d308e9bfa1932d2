"""What a metric is, and what was published of a number, for who meets them in a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.folder.read import Run
from bench.folder.store import records
from reports.results import sentences
from reports.results.tables import Column, Row

_REGIONS = {
    "picture": "the whole picture", "hole": "the hole", "ring": "the edge of the hole",
    "known": "what was to be kept",
}  # fmt: skip


@dataclass(frozen=True)
class Definition:
    """A metric, or a published figure.

    Attributes:
        about: Its id on a page.
        name: For readers.
        says: What a metric computes, as a sentence; empty in runs of before that was kept.
        facts: What else is known, each with its name.
    """

    about: str
    name: str
    says: str
    facts: list[tuple[str, str]]


def definitions(
    run: Run, shown: Iterable[Column], groups: Iterable[Mapping[str, Sequence[Row]]]
) -> list[Definition]:
    """The definition of each of these columns, each once, in their order; then what was published.

    Args:
        run: The run.
        shown: Columns of tables on one page.
        groups: Their rows, as `tables.rows` gives them.
    """
    rows = {row["metric"]: row for row in records(run.metrics)}
    found = [
        Definition(
            column.about,
            column.name,
            rows[metric]["definition"],
            [(name, text) for name, text in _facts(run, column, rows[metric]) if text],
        )
        for metric, column in {column.metric: column for column in shown}.items()
    ]
    cells = [(row.label.title, cell) for rows in groups for group in rows.values() for row in group
             for cell in row.cells]  # fmt: skip
    return found + [
        Definition(cell.about, f"{title}: {cell.claims[0].label}", "",
                   [fact for claim in cell.claims for fact in claim.facts()])
        for title, cell in cells if cell.claims
    ]  # fmt: skip


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
