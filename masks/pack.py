"""A folder of generated masks with their numbers, and a sheet to look at them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench.errors import InputError, writing
from masks.tiers import ALL, Hole, describe, generate, mask_hash, seed_of

COLUMNS = (
    "file", "tier", "seed", "family", "parameters", "share", "width", "components", "border",
    "hash",
)  # fmt: skip
"""Columns of ``masks.csv``."""

_CELL = 160  # longest side of a mask on the sheet
_GAP = 12
_TITLE = 34
_CAPTION = 20
_PAPER, _INK, _KNOWN, _HOLE = "#ffffff", "#222222", "#d9dee4", "#1f3a5f"


def make_pack(
    folder: Path, *, tiers: Sequence[str], count: int, height: int, width: int, seed: int
) -> list[Hole]:
    """Generate masks and write them with `write_pack`.

    Args:
        folder: Where to; made if it is not there.
        tiers: Names of tiers.
        count: Masks per tier.
        height: Of the masks, in pixels.
        width: Likewise.
        seed: Seed of the pack; another one gives other masks.

    Returns:
        The holes, in the order of the files.

    Raises:
        InputError: If a tier is unknown, the size too small, the count not positive, or the folder
            holds something else.
    """
    if count < 1 or not tiers:
        raise InputError(f"expected at least one tier and one mask, found {len(tiers)} x {count}")
    holes = [
        generate(tier, height, width, seed_of(seed, "", tier, draw, height, width))
        for tier in dict.fromkeys(tiers)
        for draw in range(count)
    ]
    write_pack(folder, holes)
    return holes


def write_pack(folder: Path, holes: Sequence[Hole]) -> None:
    """Write each mask as ``<tier>/<tier>-<number>.png``, ``masks.csv`` and a contact sheet.

    White (255) is hole, as most tools expect; ``contact-sheet.png`` shows all of them. To use one
    with a photo, name it after the photo.

    Args:
        folder: Where to; made if it is not there.
        holes: At least one.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "masks.csv").exists():
        raise InputError(f"{folder} holds something else than a pack of masks; give a new folder")
    with writing(folder):
        _write(folder, holes)


def _write(folder: Path, holes: Sequence[Hole]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    numbers: dict[str, int] = {}
    with (folder / "masks.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(COLUMNS)
        for hole in holes:
            number = numbers[hole.tier] = numbers.get(hole.tier, -1) + 1
            file = f"{hole.tier}/{hole.tier}-{number:04d}.png"
            (folder / hole.tier).mkdir(exist_ok=True)
            Image.fromarray(hole.mask.astype(np.uint8) * np.uint8(255)).save(folder / file)
            table.writerow(_row(file, hole))
    contact_sheet(holes, columns=8).save(folder / "contact-sheet.png")


def contact_sheet(holes: Sequence[Hole], columns: int) -> Image.Image:
    """Show masks side by side, grouped by tier, each with its family and share.

    Args:
        holes: At least one; holes are dark.
        columns: Masks in a row.

    Returns:
        An RGB picture.
    """
    if not holes or columns < 1:
        raise InputError("a contact sheet needs at least one mask and one column")
    groups = [(tier, [hole for hole in holes if hole.tier == tier.name]) for tier in ALL]
    groups = [(tier, group) for tier, group in groups if group]
    cell = _cell(holes)
    row_height = cell[1] + _CAPTION + _GAP
    rows = sum(-(-len(group) // columns) for _, group in groups)
    size = _GAP + columns * (cell[0] + _GAP), _GAP + rows * row_height + _TITLE * len(groups)
    sheet = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    top = _GAP
    for tier, group in groups:
        title = f"{tier.name}: share {tier.low / 100:.2f} to {tier.high / 100:.2f}"
        pen.text((_GAP, top), title, fill=_INK, font=ImageFont.load_default(20))
        top += _TITLE
        for number, hole in enumerate(group):
            left = _GAP + number % columns * (cell[0] + _GAP)
            _draw_hole(sheet, hole, (left, top + number // columns * row_height), cell)
        top += -(-len(group) // columns) * row_height
    return sheet


def _row(file: str, hole: Hole) -> list[object]:
    seen = describe(hole.mask)
    parameters = json.dumps(hole.parameters, sort_keys=True)
    return [
        file, hole.tier, hole.seed, hole.family, parameters, f"{seen.share:.6f}",
        f"{seen.width:.2f}", seen.components, seen.border, mask_hash(hole.mask),
    ]  # fmt: skip


def _cell(holes: Iterable[Hole]) -> tuple[int, int]:
    """Width and height that every mask fits into, none longer than `_CELL`."""
    sizes = [_shown_size(hole) for hole in holes]
    return max(max(w for w, _ in sizes), 110), max(h for _, h in sizes)


def _shown_size(hole: Hole) -> tuple[int, int]:
    height, width = hole.mask.shape
    longest = max(height, width)
    return max(width * _CELL // longest, 1), max(height * _CELL // longest, 1)


def _draw_hole(
    sheet: Image.Image, hole: Hole, corner: tuple[int, int], cell: tuple[int, int]
) -> None:
    grey = Image.fromarray(hole.mask.astype(np.uint8) * np.uint8(255)).resize(
        _shown_size(hole), Image.Resampling.BOX
    )
    sheet.paste(Image.new("RGB", grey.size, _KNOWN), corner)
    sheet.paste(Image.new("RGB", grey.size, _HOLE), corner, grey)
    caption = f"{hole.family.replace('_', ' ')} {hole.mask.mean():.3f}"
    place = (corner[0], corner[1] + cell[1] + 2)
    ImageDraw.Draw(sheet).text(place, caption, fill=_INK, font=ImageFont.load_default(13))
