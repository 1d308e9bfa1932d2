"""The result in GitHub's Markdown, short enough for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.folder.read import Run
from bench.statistics.floors import SUGGESTS
from bench.text import Ready, markdown, numbers
from reports.results import cautions, preference, sentences, tables
from reports.results.ranking import Ranking
from reports.results.tables import Cell, Row

LONGEST = 60_000  # characters; a comment of GitHub takes 65,536, a step summary more
_LONGEST_TEXT = 300
_SUGGESTS = f"{numbers.capital(SUGGESTS)}."


def summary(run: Run, rankings: Sequence[Ranking], longest: int = LONGEST) -> str:
    """Result in words and a table a tier, cut at a line with a remark if it were too long.

    Args:
        run: The run.
        rankings: By tier.
        longest: Characters, at least some hundred.
    """
    lines = list(_lines(run, rankings))
    cut = "\n*Shortened: the report has all of it.*\n"
    text = "\n".join(lines) + "\n"
    if len(text) <= longest:
        return text
    kept: list[str] = []
    room = longest - len(cut)
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join(kept) + "\n" + cut


def escaped(text: str) -> Ready:
    """Text that Markdown shows as it is, cut where no reader would go on."""
    return markdown.escaped(text, _LONGEST_TEXT)


def _lines(run: Run, rankings: Sequence[Ranking]) -> Iterator[str]:
    yield f"### {escaped(preference.headline(run, rankings))}"
    yield ""
    if run.headline.metric:
        yield f"By {escaped(tables.metric_label(run, run.headline.metric))}."
        yield ""
    if not run.complete:
        missing = f"; {numbers.counted(run.missing, 'fill')} missing" if run.missing else ""
        yield f"**This run is not complete** ({escaped(run.state)}{missing})."
        yield ""
    for difference in run.differences:
        yield f"- **The runs differ:** {escaped(difference)}"
    if run.differences:
        yield ""
    floors = cautions.floors(run, list(rankings))
    for sentence in floors:
        yield f"- **A floor is ahead:** {escaped(sentence)}"
    if floors:
        yield f"\n{escaped(_SUGGESTS)}\n"
    for ranking in rankings:
        yield from _tier(run, ranking)
    yield "Arrows point to better values; in brackets 95 % intervals over photos; "
    yield "those of differences hold for all comparisons of a tier at once. "
    yield f"Fingerprint: {escaped(run.header.fingerprints)}"


def _tier(run: Run, ranking: Ranking) -> Iterator[str]:
    columns = tables.columns(run, ranking, only=tables.overview(run))
    groups = tables.rows(run, ranking, columns)
    words = numbers.holes(ranking.tier)
    cases, photos = numbers.counted(ranking.n, "case"), numbers.counted(ranking.clusters, "photo")
    yield f"#### {escaped(numbers.capital(words))}: {cases} of {photos}"
    yield ""
    label, unit = (columns[0].label, columns[0].unit) if columns else ("", "")
    yield escaped(sentences.verdict(run, ranking, label, unit))
    yield ""
    clock = next((row.time_unit for group in groups.values() for row in group), "s")
    header = ["Rank", "Method", *(c.heading for c in columns), _difference(run, ranking), clock,
              "n"]  # fmt: skip
    rows = [_cells(row, name) for name, group in groups.items() for row in group]
    align = "ll".ljust(len(header), "r")
    if not ranking.headline:  # neither ranks nor a best one to differ from
        header, *rows = ([*row[1:-3], *row[-2:]] for row in (header, *rows))
        align = align[1:-1]
    yield from markdown.table(header, rows, align).split("\n")
    yield ""
    for method, reason in ranking.absent:
        yield f"- {escaped(sentences.title(run, method))} has no completed case: {escaped(reason)}"
    if ranking.absent:
        yield ""


def _difference(run: Run, ranking: Ranking) -> str:
    if not ranking.reference:
        return "Difference"
    return f"Minus {sentences.title(run, ranking.reference)}"


def _cells(row: Row, group: str) -> list[str]:
    place = "not ranked" if group == "partial" else f"{row.place} {row.group}".strip()
    title, cells = escaped(row.label.title), map(_cell, row.cells)
    return [place, title, *cells, _cell(row.difference), row.seconds.text, str(row.n)]


def _cell(cell: Cell) -> Ready:
    text = escaped(f"{cell.text} {cell.interval}")
    return Ready(f"**{text}**") if cell.best else text
