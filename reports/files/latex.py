"""The rankings as LaTeX tables, to be put into a paper; they need the package booktabs."""

from __future__ import annotations

from collections.abc import Sequence

from bench.folder.read import Run
from bench.text import Ready, latex, numbers
from bench.text.latex import escaped
from reports.results import sentences, tables
from reports.results.ranking import Ranking
from reports.results.tables import Cell, Column, Row


def rankings(run: Run, found: Sequence[Ranking]) -> str:
    """One table a tier: rank, tie group, means with intervals, best and its equals in bold."""
    return "\n".join([latex.NEEDS, *(_table(run, ranking) for ranking in found)])


def _table(run: Run, ranking: Ranking) -> str:
    columns = tables.columns(run, ranking, only=tables.overview(run))
    best = [] if ranking.best is None else [ranking.best]
    if not ranking.reference:
        best += ranking.tied
    bold = {scores.method for scores in best}
    groups = [
        [_cells(row, bold=row.label.method in bold) for row in rows]
        for rows in tables.rows(run, ranking, columns).values()
    ]
    header = ["Rank", "Method", *(column.heading for column in columns), Ready("$n$")]
    align = "rl".ljust(len(header), "r")
    absent = [
        latex.comment(f"no completed case: {sentences.title(run, method)}: {reason}")
        for method, reason in ranking.absent
    ]
    return "\n".join([latex.table(_caption(run, ranking, columns), header, groups, align), *absent])


def _caption(run: Run, ranking: Ranking, columns: Sequence[Column]) -> str:
    words = numbers.holes(ranking.tier)
    cases, photos = numbers.counted(ranking.n, "case"), numbers.counted(ranking.clusters, "photo")
    parts = [f"{numbers.capital(words)}: means over {cases} of {photos}"]
    parts.append("95 % intervals over photos in brackets")
    if columns and ranking.headline:
        parts.append(f"ranked by {columns[0].label}, {columns[0].better}")
        if ranking.reference:
            parts.append(f"bold: the best mean; {sentences.differences(run, ranking).rstrip('.')}")
        else:
            parts.append("bold: the best mean of a column, and methods not significantly worse "
                         "by the first (bootstrap-t over photos, all pairs)")  # fmt: skip
            parts.append("same letter: statistically tied")
    if ranking.partial:
        parts.append("last, on their own cases: methods that completed less than 95 % of them")
    return f"{'; '.join(parts)}."


def _cells(row: Row, *, bold: bool) -> list[str]:
    letters = rf"\textsuperscript{{{escaped(row.group)}}}" if row.group else ""
    cells = [_cell(cell, bold=bold and place == 0) for place, cell in enumerate(row.cells)]
    title = latex.bold(row.label.title) if bold else row.label.title
    return [Ready(f"{escaped(row.place)}{letters}"), title, *cells, str(row.n)]


def _cell(cell: Cell, *, bold: bool) -> Ready:
    text = latex.bold(cell.text) if bold or cell.best else escaped(cell.text)
    return Ready(f"{text} {escaped(cell.interval)}".rstrip())
