"""The rankings as LaTeX tables, to be put into a paper; they need the package booktabs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.folder.read import Run
from bench.text import numbers
from reports.results import sentences, tables
from reports.results.ranking import Ranking
from reports.results.tables import Cell, Column, Row

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}",
    numbers.MINUS: "$-$", numbers.TO: "--", "\N{INFINITY}": r"$\infty$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
}  # fmt: skip


def rankings(run: Run, found: Sequence[Ranking]) -> str:
    """One table a tier: rank, tie group, means with intervals, best and its equals in bold."""
    head = "% Needs \\usepackage{booktabs}, and \\usepackage[T1]{fontenc} for quotation marks.\n"
    return head + "\n".join("\n".join(_table(run, ranking)) for ranking in found)


def escaped(text: str) -> str:
    """Text that LaTeX prints as it is; line breaks become spaces."""
    clean = " ".join(numbers.printable(text).split())
    return "".join(_SPECIAL.get(character, character) for character in clean)


def _table(run: Run, ranking: Ranking) -> Iterator[str]:
    columns = tables.columns(run, ranking, only=tables.OVERVIEW)
    groups = tables.rows(run, ranking, columns)
    level = {scores.method for scores in ranking.tied}
    yield r"\begin{table}"
    yield rf"\caption{{{_caption(ranking, columns)}}}"
    yield rf"\begin{{tabular}}{{rl{'r' * (len(columns) + 1)}}}"
    yield r"\toprule"
    yield _line(["Rank", "Method", *(_header(column) for column in columns), "$n$"])
    for name, rows in groups.items():
        if rows:
            yield r"\midrule"
        for row in rows:
            bold = name == "ranked" and (row.label.method in level or row.order == 0)
            yield _line(_cells(row, bold=bold and ranking.best is not None))
    for method, reason in ranking.absent:
        words = f"{sentences.title(run, method)}: {reason}"
        yield f"% no completed case: {' '.join(numbers.printable(words).split())}"
    yield r"\bottomrule"
    yield r"\end{tabular}"
    yield r"\end{table}"


def _caption(ranking: Ranking, columns: Sequence[Column]) -> str:
    words = numbers.holes(ranking.tier)
    cases, photos = numbers.counted(ranking.n, "case"), numbers.counted(ranking.clusters, "photo")
    parts = [f"{words[0].upper()}{words[1:]}: means over {cases} of {photos}"]
    parts.append("95 % bootstrap intervals over photos in brackets")
    if columns:
        parts.append(f"ranked by {columns[0].label}, {columns[0].better}")
        parts.append("bold: the best, and what is not significantly worse (sign flips, Holm)")
        parts.append("methods that share a letter cannot be told apart")
    if ranking.partial:
        parts.append("last, on their own cases: methods that completed less than 95 % of them")
    return escaped("; ".join(parts)) + "."


def _header(column: Column) -> str:
    arrow = r"$\uparrow$" if column.better.startswith("higher") else r"$\downarrow$"
    return f"{escaped(column.name)} {arrow}"


def _cells(row: Row, *, bold: bool) -> list[str]:
    letters = rf"\textsuperscript{{{escaped(row.group)}}}" if row.group else ""
    title = escaped(row.label.title)
    return [
        f"{escaped(row.place)}{letters}",
        rf"\textbf{{{title}}}" if bold else title,
        *(_cell(cell, bold=bold and place == 0) for place, cell in enumerate(row.cells)),
        str(row.n),
    ]


def _cell(cell: Cell, *, bold: bool) -> str:
    text = escaped(cell.text)
    if bold or cell.best:
        text = rf"\textbf{{{text}}}"
    return f"{text} {escaped(cell.interval)}".rstrip()


def _line(cells: Sequence[str]) -> str:
    # A bracket after \\ would be taken for its argument.
    return " & ".join(cells) + r" \\{}"
