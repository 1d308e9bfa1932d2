"""A comparison as text: table, CSV, LaTeX, Markdown, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from bench.compare.layout import Block, blocks, notes
from bench.errors import BenchError
from bench.statistics import Comparison

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def as_table(comparison: Comparison) -> str:
    """Plain text in columns, for a terminal."""
    parts = ["\n".join(_aligned(block)) for block in blocks(comparison)]
    remarks = [f"note: {note}" for note in notes(comparison)]
    return "\n\n".join([*parts, "\n".join(remarks)]) + "\n"


def as_markdown(comparison: Comparison) -> str:
    """Tables of GitHub's Markdown."""
    parts = []
    for block in blocks(comparison):
        rule = [*["---"] * block.names, *["---:"] * (len(block.header) - block.names)]
        lines = [block.header, rule, *([_escaped(c) for c in row] for row in block.rows)]
        body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        parts.append(f"**{_escaped(block.title)}**\n\n{body}")
    remarks = "\n".join(f"- {_escaped(note)}" for note in notes(comparison))
    return "\n\n".join([*parts, remarks]) + "\n"


def as_latex(comparison: Comparison) -> str:
    """One table per block, to be put into a paper; needs LaTeX's package booktabs."""
    parts = ["\n".join(f"% {note}" for note in notes(comparison))]
    for block in blocks(comparison):
        columns = "l" * block.names + "r" * (len(block.header) - block.names)
        lines = [" & ".join(_latex_cells(row, block.names)) + r" \\" for row in block.rows]
        parts.append(
            "\n".join(
                [
                    r"\begin{table}",
                    rf"\caption{{{_latex(block.title)}}}",
                    rf"\begin{{tabular}}{{{columns}}}",
                    r"\toprule",
                    " & ".join(map(_latex, block.header)) + r" \\",
                    r"\midrule",
                    *lines,
                    r"\bottomrule",
                    r"\end{tabular}",
                    r"\end{table}",
                ]
            )
        )
    return "\n\n".join(parts) + "\n"


def as_json(comparison: Comparison) -> str:
    """All columns of all tables; what is not a number is null."""
    tables = {name: _plain(table) for name, table in _tables(comparison).items()}
    return json.dumps({**tables, "notes": comparison.notes}, indent=1, ensure_ascii=False) + "\n"


def as_csv(comparison: Comparison) -> str:
    """All columns; a line ``# ranks``, ``# pairs``, ``# partial`` before each table.

    `write` makes files of it that hold one table each.
    """
    remarks = "".join(f"# note: {' '.join(note.split())}\n" for note in comparison.notes)
    parts = [f"# {name}\n{_csv(table)}" for name, table in _tables(comparison).items()]
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
            path if name == "ranks" else path.with_stem(f"{path.stem}-{name}"): _csv(table)
            for name, table in tables.items()
        }
    try:
        for place, text in texts.items():
            place.write_text(text, "utf-8")
    except OSError as error:
        raise BenchError(f"cannot write {path}: {error}; give another --out") from error
    return list(texts)


def _tables(comparison: Comparison) -> dict[str, pd.DataFrame]:
    return {
        "ranks": comparison.ranks, "pairs": comparison.pairs, "partial": comparison.partial
    }  # fmt: skip


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False, lineterminator="\n")


def _plain(table: pd.DataFrame) -> list[dict[str, object]]:
    """Rows in values that JSON knows."""
    wide = table.astype(object).where(table.notna(), None)
    return [dict(row) for row in json.loads(wide.to_json(orient="records", double_precision=15))]


def _aligned(block: Block) -> list[str]:
    columns = list(zip(block.header, *block.rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for row in (block.header, *block.rows):
        cells = [
            text.ljust(width) if place < block.names else text.rjust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return [block.title, *lines]


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"\\{c}" if c in "\\|*_`<>[]" else c for c in text)


def _latex_cells(row: Sequence[str], names: int) -> list[str]:
    """Words as they are; numbers with a minus sign instead of a hyphen."""
    cells = [_latex(text) for text in row]
    return [*cells[:names], *(text.replace("-", "$-$") for text in cells[names:])]


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
