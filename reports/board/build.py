"""A folder of bundles in, a static site out; the same bundles give the same bytes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
from jinja2 import Environment

from bench.bundle import bundle as bundles
from bench.bundle.check import complaints
from bench.errors import InputError
from bench.metrics import METRICS
from bench.protocols.read import catalogue
from bench.protocols.record import Published
from bench.text import csv, numbers
from reports.board import entries
from reports.board.entries import Entry, Submitted
from reports.site import staging
from reports.site.site import STATIC, environment

_SCRIPTS: Final = ("report.js", "tables.js")
_STYLES: Final = ("report.css", "tables.css")
_OWN: Final = Path(__file__).with_name("board.css")


@dataclass(frozen=True)
class Column:
    """A metric of a table; ``decimals`` as it is shown."""

    metric: str
    label: str
    unit: str
    higher: bool
    decimals: int


@dataclass(frozen=True)
class Page:
    """A protocol, or runs that follow none, with the bundles of it.

    Attributes:
        path: Of its page.
        title: For readers.
        published: The protocol, if there is one.
        given: Its bundles.
    """

    path: str
    title: str
    published: Published | None
    given: Sequence[Submitted]

    @property
    def claimed(self) -> int:
        """How many methods were claimed of."""
        return len(self.published.rows) if self.published else 0

    @property
    def numbered(self) -> bool:
        """Whether any number is there."""
        return bool(self.claimed or self.given)


def build(folder: Path, out: Path) -> tuple[Path, list[tuple[str, str]]]:
    """Write the board.

    Args:
        folder: With bundles, also in folders below.
        out: Where the site goes; an earlier one there is replaced.

    Returns:
        Path of its ``index.html``; file and reason of each bundle that is left out.

    Raises:
        BenchError: If there is no such folder, or ``out`` cannot be written.
    """
    if not folder.is_dir():
        raise InputError(f"expected a folder with *{bundles.SUFFIX} files, found none at {folder}")
    given, refused = _read(folder, out)
    pages = _pages(given)
    with staging.replacing(out) as fresh:
        (fresh / "assets").mkdir()
        for path in (*(STATIC / name for name in (*_SCRIPTS, *_STYLES)), _OWN):
            shutil.copyfile(path, fresh / "assets" / path.name)
        for each in given:
            (fresh / "bundles").mkdir(exist_ok=True)
            shutil.copyfile(each.path, fresh / "bundles" / each.file)
        site = environment()
        for page in pages:
            _write_page(site, fresh, page)
        shown = {"pages": pages, "refused": refused, "given": given, "kinds": entries.KINDS}
        _render(site, fresh, "index.html", "index.html", "Board", shown)
    return out / "index.html", refused


def _read(folder: Path, out: Path) -> tuple[list[Submitted], list[tuple[str, str]]]:
    given: dict[str, Submitted] = {}
    refused = []
    for path in sorted(folder.rglob(f"*{bundles.SUFFIX}")):
        if path.is_relative_to(out) or (path.parents[1] / "assets" / "board.css").exists():
            continue  # an earlier board
        shown = path.relative_to(folder).as_posix()
        try:
            bundle = bundles.read(path)
        except InputError as error:
            refused.append((shown, str(error)))
            continue
        if said := complaints(bundle):
            refused.append((shown, f"it contradicts itself: {'; '.join(said[:3])}"))
            continue
        file = f"{bundle.checksum}{bundles.SUFFIX}"
        if file in given:
            refused.append((shown, f"the same as {given[file].path.relative_to(folder)}"))
            continue
        given[file] = Submitted(bundle, path, file)
    # Whatever the files are called.
    ordered = sorted(given.values(), key=lambda each: (each.bundle.finished, each.file))
    return ordered, refused


def _pages(given: Sequence[Submitted]) -> list[Page]:
    """A page for each protocol of the catalogue, then for each kind of run that follows none."""
    known = catalogue()
    of: dict[str, list[Submitted]] = {}
    for each in given:
        name = each.bundle.protocol
        of.setdefault(name if name in known else each.data, []).append(each)
    pages = [
        Page(f"protocols/{name}.html", published.title, published, of.pop(name, []))
        for name, published in known.items()
    ]
    for data, own in of.items():
        counts = [part.partition("/")[2] for part in data.split()[:2]]
        title = f"Own photos and holes: {' photos, '.join(counts)} holes"
        pages.append(Page(f"protocols/{numbers.short_hash(data)}.html", title, None, own))
    return pages


def _write_page(site: Environment, fresh: Path, page: Page) -> None:
    expects = page.published.expects if page.published else 0
    tiers = list(dict.fromkeys(c.tier for each in page.given for c in each.bundle.cases))
    if page.published and not tiers:
        tiers = [page.published.name]
    tables = []
    for number, tier in enumerate(tiers):
        claimed = entries.claims(page.published) if page.published and not number else []
        rows = [*claimed, *entries.measured(page.given, tier, expects)]
        columns = _columns(page, rows)
        stem = page.path.removesuffix(".html").rpartition("/")[2]
        data = f"data/{stem}-{number}.csv"
        tables.append({"tier": tier, "rows": rows, "columns": columns, "data": data})
        if rows:
            (fresh / "data").mkdir(exist_ok=True)
            (fresh / data).write_text(csv.written(_table(rows, columns)), "utf-8")
    shown = {
        "page": page, "tables": tables, "kinds": entries.KINDS, "tolerance": entries.TOLERANCE,
        "sets": list(dict.fromkeys(each.data for each in page.given)),
    }  # fmt: skip
    _render(site, fresh, "protocol.html", page.path, page.title, shown)


def _columns(page: Page, rows: Iterable[Entry]) -> list[Column]:
    """The protocol's metrics first, then what else was measured."""
    values: dict[str, list[float]] = (
        {name: [] for name in page.published.metrics} if page.published else {}
    )
    for row in rows:
        for metric, mean in row.values.items():
            values.setdefault(metric, []).append(mean.value)
    told = {m.name: m for each in page.given for m in each.bundle.metrics}
    found = []
    for name, own in values.items():
        facts: Any = told.get(name) or METRICS[name]
        decimals = max(numbers.four_digits(own), 3 if facts.unit != "dB" else 2) if own else 0
        found.append(Column(name, facts.label, facts.unit, facts.direction == "higher", decimals))
    return found


def _table(rows: Sequence[Entry], columns: Sequence[Column]) -> pd.DataFrame:
    facts = ["kind", "title", "method", "date", "source", "pictures", "file"]
    table = pd.DataFrame(
        [{name: getattr(row, name) for name in facts} for row in rows], columns=facts
    )
    for column in columns:
        means = [row.values.get(column.metric) for row in rows]
        for name in ("value", "low", "high"):
            label = column.metric if name == "value" else f"{column.metric}_{name}"
            table[label] = [getattr(mean, name) if mean else None for mean in means]
    return table


def _render(
    site: Environment, fresh: Path, template: str, path: str, title: str, shown: Mapping[str, Any]
) -> None:
    target = fresh / path
    target.parent.mkdir(parents=True, exist_ok=True)
    html = site.get_template(f"board/{template}").render(
        root="../" * path.count("/"), here=path, title=title,
        scripts=_SCRIPTS, styles=[*_STYLES, _OWN.name], **shown,
    )  # fmt: skip
    target.write_text(html, "utf-8", newline="\n")
