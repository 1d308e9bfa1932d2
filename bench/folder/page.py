"""What ``docs/run-folder.md`` says of ``run.json`` and the tables: ``python -m bench.folder.page``.

A test holds the page to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.folder import header
from bench.folder.columns import WORDS
from bench.folder.schema import TABLES


def lines() -> Iterator[str]:
    """The lines, as Markdown."""
    yield from ["## run.json", "", "| key | content |", "|---|---|"]
    yield from (f"| `{name}` | {says} |" for name, says in header.described())
    for table in TABLES.values():
        yield from ["", f"## {table.file}", "", table.says, ""]
        yield from [table.about, ""] if table.about else []
        yield from ["| column | type | unit | content |", "|---|---|---|---|"]
        for each in table.columns:
            lacking = "" if each.required or each.pattern else " (older runs may lack it)"
            cells = (f"`{each.name}`", WORDS[each.type], each.unit, each.says + lacking)
            yield "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    print("\n".join(lines()))
