"""A comparison as text: table, CSV, LaTeX, Markdown, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from bench.compare.layout import blocks, notes
from bench.errors import BenchError
from bench.statistics import Comparison
from bench.text import csv, latex, markdown, plain


def as_table(comparison: Comparison) -> str:
    """Plain text in columns, for a terminal."""
    parts = [
        f"{plain.visible(block.title)}\n{plain.table(block.header, block.rows, block.align)}"
        for block in blocks(comparison)
    ]
    remarks = "\n".join(f"note: {plain.one_line(note)}" for note in notes(comparison))
    return "\n\n".join([*parts, remarks]) + "\n"


def as_markdown(comparison: Comparison) -> str:
    """Tables of GitHub's Markdown."""
    parts = [
        f"**{markdown.escaped(block.title)}**\n\n"
        + markdown.table(block.header, block.rows, block.align)
        for block in blocks(comparison)
    ]
    remarks = "\n".join(f"- {markdown.escaped(note)}" for note in notes(comparison))
    return "\n\n".join([*parts, remarks]) + "\n"


def as_latex(comparison: Comparison) -> str:
    """One table per block, to be put into a paper; needs LaTeX's package booktabs."""
    remarks = "\n".join([latex.NEEDS, *map(latex.comment, notes(comparison))])
    parts = [
        latex.table(block.title, block.header, [block.rows], block.align)
        for block in blocks(comparison)
    ]
    return "\n\n".join([remarks, *parts]) + "\n"


def as_json(comparison: Comparison) -> str:
    """All columns of all tables; what is not a number is null."""
    tables = {name: _plain(table) for name, table in _tables(comparison).items()}
    return json.dumps({**tables, "notes": comparison.notes}, indent=1, ensure_ascii=False) + "\n"


def as_csv(comparison: Comparison) -> str:
    """All columns; a line ``# ranks``, ``# pairs``, ``# partial`` before each table.

    `write` makes files of it that hold one table each.
    """
    remarks = "".join(f"# note: {' '.join(note.split())}\n" for note in comparison.notes)
    parts = [f"# {name}\n{csv.written(table)}" for name, table in _tables(comparison).items()]
    return "\n".join([remarks, *parts])


FORMATS: dict[str, Callable[[Comparison], str]] = {
    "table": as_table,
    "csv": as_csv,
    "latex": as_latex,
    "markdown": as_markdown,
    "json": as_json,
}


def write(comparison: Comparison, form: str, path: Path) -> list[Path]:
    """Write a comparison into a file; as CSV, a file per table, since they differ in columns.

    Args:
        comparison: What to write.
        form: One of `FORMATS`.
        path: The file. As CSV it holds the ranks; ``-pairs``, ``-partial`` and ``-notes`` are
            put between name and suffix of the others.

    Returns:
        The files written.

    Raises:
        BenchError: If they cannot be.
    """
    texts = {path: FORMATS[form](comparison)}
    if form == "csv":
        tables = _tables(comparison) | {"notes": pd.DataFrame({"note": comparison.notes})}
        texts = {
            path if name == "ranks" else path.with_stem(f"{path.stem}-{name}"): csv.written(table)
            for name, table in tables.items()
        }
    try:
        for place, text in texts.items():
            place.write_text(text, "utf-8", errors="replace")
    except OSError as error:
        raise BenchError(f"cannot write {path}: {error}; give another --out") from error
    return list(texts)


def _tables(comparison: Comparison) -> dict[str, pd.DataFrame]:
    return {
        "ranks": comparison.ranks, "pairs": comparison.pairs, "partial": comparison.partial
    }  # fmt: skip


def _plain(table: pd.DataFrame) -> list[dict[str, object]]:
    """Rows in values that JSON knows."""
    wide = table.astype(object).where(table.notna(), None)
    return [dict(row) for row in json.loads(wide.to_json(orient="records", double_precision=15))]
