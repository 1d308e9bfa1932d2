"""The qualitative grid of a paper: rows of cases, columns of pictures, and how they were chosen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError, require_one_of, spelt_like
from bench.folder.read import Run
from bench.statistics import MARKS
from bench.text import latex, numbers
from reports.paper import chosen_cases, pictures
from reports.paper.chosen_cases import Chosen, spelled
from reports.paper.grid import DPI, Sheet, drawn
from reports.paper.pictures import Strip
from reports.results import sentences, tables
from reports.results.ranking import Ranking, rank
from reports.site.staging import placed

COLUMN, PAGE = 3.25, 6.875  # inches, of the two-column layout of most conferences
ZOOMS = ("corner", "beneath")
WINDOWS = ("disagreement", "hole")
_UNITS = {"mm": 25.4, "cm": 2.54, "in": 1.0, "pt": 72.27}
_NARROW, _LEAST = 0.62, 0.3  # inches of a picture: of methods that nobody named, and of any


@dataclass(frozen=True)
class Wish:
    """What a figure is to show; empty strings and tuples stand for what was not asked.

    Attributes:
        cases: Pages of cases, or ``photo:tier:draw``.
        photos: Photos, each with all its cases.
        rule: Which cases else; one of `chosen_cases.RULES`, or `chosen_cases.ALL`.
        of: The method whose worst or best cases these are.
        tiers: Only cases of these.
        count: How many cases by a rule.
        methods: Columns of fills.
        mask: Whether the hole alone has a column.
        truth: Whether the truth has a column.
        crop: Whether only the surroundings of the hole are shown.
        zoom: One of `ZOOMS`.
        window: What is enlarged; one of `WINDOWS`.
        values: A case metric whose values stand under the fills.
        width: Inches.
        font: One of `grid.FONTS`.
    """

    cases: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    rule: str = ""
    of: str = ""
    tiers: tuple[str, ...] = ()
    count: int = 4
    methods: tuple[str, ...] = ()
    mask: bool = False
    truth: bool = False
    crop: bool = False
    zoom: str = ""
    window: str = "disagreement"
    values: str = ""
    width: float = PAGE
    font: str = "sans"


def width(text: str) -> float:
    """Inches of ``column``, ``page``, or a number with ``mm``, ``cm``, ``in`` or ``pt``.

    Raises:
        BenchError: If it is none of these, or no width that a page has.
    """
    known = {"column": COLUMN, "page": PAGE}
    parts = re.fullmatch(rf"([\d.]+)\s*({'|'.join(_UNITS)})", text.strip())
    try:
        found = known.get(text) or (float(parts[1]) / _UNITS[parts[2]] if parts else 0.0)
    except ValueError:
        found = 0.0
    if not 1 <= found <= 40:
        raise BenchError(
            f"--width: expected column ({COLUMN} in), page ({PAGE} in) or a width from 1 to 40 "
            f"inches such as 85mm, 8.5cm, 3.25in or 240pt, found {text!r}"
        )
    return found


def make(run: Run, wish: Wish) -> tuple[dict[str, bytes], list[str]]:
    """A figure: its files by suffix, and its caption as sentences.

    Raises:
        BenchError: If a case, method, metric, truth or picture is not there, or has no room.
    """
    tiers = _tiers(run, wish)
    asked = [_method(run, name, "--methods") for name in wish.methods]
    rows, chosen, methods = _rows(run, wish, tiers, asked)
    if wish.crop:
        rows = [pictures.cropped(row) for row in rows]
    if wish.zoom:
        rows = [pictures.enlarged(run, row, methods, wish.window) for row in rows]
    values = [picture.value for row in rows for picture in row.pictures]
    caption = _caption(run, wish, chosen, rows)
    facts = {"Title": "Fills of the same holes by several methods", "Subject": " ".join(caption)}
    decimals = numbers.four_digits(values) if wish.values else None
    sheet = Sheet(wish.width, wish.font, wish.zoom == "beneath", decimals, facts)
    columns = len(rows[0].pictures)
    if sheet.cell(columns) < _LEAST:
        raise BenchError(
            f"{columns} columns in {wish.width:.3g} in: expected at least {_LEAST} in a picture, "
            f"found {sheet.cell(columns):.2f}; name fewer --methods, or give a larger --width"
        )
    return drawn(rows, sheet), caption


def write(found: dict[str, bytes], caption: Sequence[str], out: Path, tex: Path | None) -> None:
    """Write the files beside each other, and the caption for LaTeX if it was asked for.

    Raises:
        BenchError: If one cannot be written.
    """
    for suffix, data in found.items():
        with placed(out.with_name(f"{out.name}.{suffix}")) as temporary:
            temporary.write_bytes(data)
    if tex is not None:
        with placed(tex) as temporary:
            text = rf"\caption{{{latex.breakable(' '.join(caption))}}}"
            temporary.write_text(f"{text}\n", "utf-8", newline="\n")


def _tiers(run: Run, wish: Wish) -> list[str]:
    """The tiers that cases are chosen from; by a rule the last of those there are."""
    found = [spelt_like(tier, run.tiers) for tier in wish.tiers] or list(run.tiers)
    for tier in found:
        require_one_of(tier, run.tiers, "--tier")
    return found if wish.cases or wish.photos or wish.rule == chosen_cases.ALL else found[-1:]


def _rows(
    run: Run, wish: Wish, tiers: list[str], asked: list[str]
) -> tuple[list[Strip], Chosen, list[str]]:
    """The rows, how they were chosen, and the methods of their columns."""
    metric = _metric(run, wish.values) if wish.values else ""
    truth = _truth(run) if wish.truth else False
    if wish.cases or wish.photos:
        if wish.rule:
            raise BenchError("--rule: expected either a rule or named cases, found both")
        chosen = chosen_cases.by_name(run, wish.cases, wish.photos, tiers)
        methods = asked or _default(rank(run, chosen.keys[0][1], run.headline), wish)
    elif wish.rule == chosen_cases.ALL:
        chosen = chosen_cases.every(run, tiers)
        methods = asked or _default(rank(run, tiers[0], run.headline), wish)
    else:
        ranking = rank(run, tiers[0], run.headline)
        methods = asked or _default(ranking, wish)
        of = _method(run, wish.of, "--of") if wish.of else ""
        rule = wish.rule or "random"
        chosen = chosen_cases.by_rule(run, ranking, rule, wish.count, methods, of)
    rows = [
        pictures.strip(run, key, methods, metric, mask=wish.mask, truth=truth)
        for key in chosen.keys
    ]
    if wish.rule == chosen_cases.ALL and len(tiers) > 1:
        rows = pictures.headed(rows)
    return rows, chosen, methods


def _default(ranking: Ranking, wish: Wish) -> list[str]:
    """The ranked methods, the best first, as many as have room."""
    others = 2 + wish.truth + wish.mask
    room = int((wish.width + 0.03) / (_NARROW + 0.03)) - others
    found = [scores.method for scores in ranking.ranked][: max(room, 1)]
    if not found:
        raise BenchError(
            f"no method completed enough of {numbers.holes(ranking.tier)} to be shown unasked; "
            "name some: --methods A,B"
        )
    return found


def _method(run: Run, name: str, option: str) -> str:
    found = spelt_like(name, run.methods.index)
    require_one_of(found, run.methods.index, option)
    return found


def _metric(run: Run, name: str) -> str:
    known = run.metrics[(run.metrics["scope"] == "case") & (run.metrics["status"] == "ok")]
    found = spelt_like(name, known["metric"])
    require_one_of(found, known["metric"], "--values, a measured metric of single cases")
    return found


def _truth(run: Run) -> bool:
    if not pictures.has_truth(run):
        raise BenchError(
            "--truth: expected a run whose truth is another picture than the photo (run --truth "
            f"FOLDER), found one where it is {run.header.truth}; leave --truth out"
        )
    return True


def _caption(run: Run, wish: Wish, chosen: Chosen, rows: Sequence[Strip]) -> list[str]:
    """What a reader must know, as sentences; first of all how the cases were chosen."""
    names = numbers.joined(spelled(row.key) for row in rows)
    found = [f"Cases: {chosen.words}.", f"From top to bottom: {names}."]
    marks = run.methods.index[run.methods["family"].isin(MARKS)]
    shown = [sentences.title(run, name) for name in marks if name in wish.methods]
    if shown:
        found.append(f"Points of reference, not competing: {numbers.joined(shown)}.")
    if run.samples is not None and run.header.samples > 1:
        found.append("Of several samples the first.")
    if wish.crop:
        found.append("Shown are the hole and its surroundings.")
    if wish.zoom:
        sides = sorted({row.window.side for row in rows if row.window is not None})
        size = numbers.joined(f"{side} {numbers.TIMES} {side}" for side in sides)
        where = (
            "where the fills of these methods differ most within the hole"
            if wish.window == "disagreement"
            else "around the middle of the hole"
        )
        found.append(f"Enlarged: {size} pixels {where}.")
    if wish.values:
        known = tables.facts(run, _metric(run, wish.values))
        unit = f" in {known['unit']}" if known["unit"] else ""
        found.append(f"Below the fills: {known['label']}{unit}, {known['better']}.")
    credits = dict.fromkeys(
        f"{row.key[0]}: {row.facts['credit']}" for row in rows if row.facts.get("credit")
    )
    if credits:
        found.append(f"Photos: {'; '.join(credits)}.")
    return found


def summary(out: Path, caption: Sequence[str], wish: Wish) -> str:
    """What the console says of a figure that was written."""
    files = f"{out}.pdf and .png ({DPI} dpi), {wish.width:.3g} in wide"
    return "\n".join([files, *caption])
