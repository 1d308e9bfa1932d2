"""A paper's table as LaTeX for booktabs, Markdown or CSV."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.errors import require_one_of
from bench.folder.read import Run
from bench.text import Ready, csv, latex, markdown, numbers
from reports.paper import table
from reports.paper.table import GROUPS, Part
from reports.results import sentences
from reports.results.tables import Column

_ROOM = 4  # columns of numbers that one column of a page has room for; an interval takes two more
PAGE_ROOM = 9  # that a page has room for
_HEADING = 10  # characters of a line of a column's heading


@dataclass(frozen=True)
class Layout:
    """How a table is laid out: tiers as columns or as groups of rows, with intervals or without."""

    metrics: tuple[str, ...] = ()
    as_columns: bool = False
    intervals: bool = False


@dataclass(frozen=True)
class _Marks:
    """How a language writes what is best, tied with it, text and intervals."""

    best: Callable[[str], str]
    tied: Callable[[str], str]
    text: Callable[[str], str]
    interval: Callable[[str], str]


_LATEX = _Marks(latex.bold, latex.underlined, latex.escaped, latex.small)
_MARKDOWN = _Marks(
    lambda text: f"**{markdown.escaped(text)}**",
    lambda text: f"{markdown.escaped(text)}†",
    markdown.escaped,
    markdown.escaped,
)


def across(found: Sequence[Part], layout: Layout) -> int:
    """How many columns of numbers stand beside each other."""
    return len(table.columns(found, layout.metrics)) * (len(found) if layout.as_columns else 1)


def as_latex(run: Run, found: Sequence[Part], layout: Layout) -> str:
    """A table environment; needs the package booktabs."""
    shown = table.columns(found, layout.metrics)
    words = table.caption(
        run, found, shown, tied="underlined", intervals=layout.intervals, counts=layout.as_columns
    )
    headings = [latex.stacked(column.heading, _HEADING) for column in shown]
    above: tuple[str, ...] = ()
    header = ["Method", *headings]
    if layout.as_columns:
        above = _spans(found, len(shown))
        header = ["Method", *headings * len(found)]
        groups = [rows for _, rows in _across(run, found, shown, layout, _LATEX)]
    else:
        width = len(header)
        groups = []
        for part in found:
            title = rf"\multicolumn{{{width}}}{{l}}{{\textit{{{latex.escaped(part.heading)}}}}}"
            first, *rest = [rows for _, rows in _across(run, [part], shown, layout, _LATEX)] or [[]]
            groups += [[[Ready(title)], *first], *rest]
    wide = across(found, layout) * (3 if layout.intervals else 1) > _ROOM
    align = "l".ljust(len(header), "r")
    return "\n".join([latex.NEEDS, latex.table(" ".join(words), header, groups, align,
                                               above=above, wide=wide), ""])  # fmt: skip


def as_markdown(run: Run, found: Sequence[Part], layout: Layout) -> str:
    """A table of GitHub's Markdown, and its caption below."""
    shown = table.columns(found, layout.metrics)
    header = ["Method", *(column.heading for column in shown)]
    rows: list[list[str]] = []

    def add(title: str, groups: Sequence[tuple[str, list[list[str]]]]) -> None:
        for name, own in groups:
            words = _WORDS[name] or title
            if words:
                empty = [""] * (len(header) - 1)
                rows.append([Ready(f"*{markdown.escaped(words)}*"), *empty])
            rows.extend(own)

    if layout.as_columns:
        names = [f"{part.title}: {column.heading}" for part in found for column in shown]
        header = ["Method", *names]
        add("", _across(run, found, shown, layout, _MARKDOWN))
    else:
        for part in found:
            add(part.heading, _across(run, [part], shown, layout, _MARKDOWN))
    words = table.caption(
        run, found, shown, tied="†", intervals=layout.intervals, counts=layout.as_columns
    )
    lines = markdown.table(header, rows, "l".ljust(len(header), "r"))
    return f"{lines}\n\n{markdown.escaped(' '.join(words))}\n"


def as_csv(run: Run, found: Sequence[Part], layout: Layout) -> str:
    """A row for each method of each part, with all digits."""
    rows = []
    claimed = {key[1] for part in found for key, cell in part.cells.items() if cell.claims}
    for part in found:
        for group in GROUPS:
            for scores in getattr(part.ranking, group):
                row = {"holes": part.title, "method": sentences.title(run, scores.method),
                       "group": _GROUP[group], "n": scores.n}  # fmt: skip
                for column in table.columns(found, layout.metrics):
                    value = scores.values.get(column.metric)
                    key = scores.method, column.metric
                    row[column.heading] = value.mean if value else float("nan")
                    if layout.intervals:
                        row[f"{column.label} low"] = value.low if value else float("nan")
                        row[f"{column.label} high"] = value.high if value else float("nan")
                    best = key in part.cells and part.cells[key].best
                    claims = part.cells[key].claims if key in part.cells else ()
                    if column.metric in claimed:
                        row[f"{column.label} published"] = claims[0].value if claims else math.nan
                    row[f"{column.label} is"] = (
                        "best" if best else "tied with the best" if key in part.tied else ""
                    )
                rows.append(row)
    return csv.written(pd.DataFrame(rows))


FORMATS = {"latex": as_latex, "markdown": as_markdown, "csv": as_csv}
SUFFIXES = {".tex": "latex", ".md": "markdown", ".csv": "csv"}


def form_of(out: Path | None) -> str:
    """The format that a file's suffix asks for; Markdown without a file.

    Raises:
        BenchError: If it asks for none.
    """
    if out is None:
        return "markdown"
    require_one_of(out.suffix, SUFFIXES, f"--out {out}: its suffix, without --format")
    return SUFFIXES[out.suffix]


_GROUP = {"ranked": "ranked", "marks": "reference", "partial": "below 95 % of the cases"}
_WORDS = {
    "ranked": "",
    "marks": "Points of reference",
    "partial": "Below 95 % of the cases",
}

_Groups = list[tuple[str, list[list[str]]]]


def _across(
    run: Run, found: Sequence[Part], shown: Sequence[Column], layout: Layout, marks: _Marks
) -> _Groups:
    """Rows with the cells of all parts side by side, in the order of the last part."""
    last = found[-1]
    groups = [
        (name, [_row(run, method, found, shown, layout, marks) for method in last.group(name)])
        for name in GROUPS
    ]
    return [(name, rows) for name, rows in groups if rows]


def _row(
    run: Run,
    method: str,
    found: Sequence[Part],
    shown: Sequence[Column],
    layout: Layout,
    marks: _Marks,
) -> list[str]:
    cells = [
        _cell(part, (method, column.metric), layout, marks) for part in found for column in shown
    ]
    return [Ready(marks.text(sentences.title(run, method))), *cells]


def _cell(part: Part, key: tuple[str, str], layout: Layout, marks: _Marks) -> Ready:
    cell = part.cells.get(key)
    if cell is None:
        return Ready(marks.text(numbers.NOTHING))
    mark = marks.best if cell.best else marks.tied if key in part.tied else marks.text
    text = mark(cell.text) + (marks.text("*") if key in part.notes else "")
    between = f" {marks.interval(cell.interval)}" if layout.intervals and cell.interval else ""
    theirs = f" {marks.interval(f'({cell.claims[0].published})')}" if cell.claims else ""
    return Ready(text + between + theirs)


def _spans(found: Sequence[Part], width: int) -> tuple[str, ...]:
    """The line of a LaTeX header that names the parts, and rules below each of them."""
    names = [rf"\multicolumn{{{width}}}{{c}}{{{latex.escaped(part.title)}}}" for part in found]
    starts = [2 + width * place for place in range(len(found))]
    rules = [rf"\cmidrule(lr){{{start}-{start + width - 1}}}" for start in starts]
    return (f"& {' & '.join(names)} " + r"\\", "".join(rules))
