"""The CSV file of ``--pairs``, which says what belongs to which photo."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from bench.errors import InputError, did_you_mean
from bench.planning.protocol import UNKNOWN, Protocol
from masks.files import MaskFile
from masks.listing import composed

FILES: Final = ("photo", "mask", "truth")
COLUMNS: Final = (*FILES, "cluster", "prompt", "group", "credit")


@dataclass(frozen=True)
class Wanted:
    """A photo that is asked for, with what was said of it.

    Attributes:
        name: Path relative to the folder of photos, with ``/``.
        masks: Its mask files, or those to choose from; None if holes are generated.
        truth_path: A picture that fills are held against; None if nothing was said of it.
        cluster: What statistics resample it with; empty if nothing was said of it.
        prompt: What to fill in.
        group: Kind of photo.
        credit: Title, author, licence and source.
        tiers: Of each of its masks, or of its generated hole, where a published protocol says so.
        prompts: What to fill in each of its masks, where these are not of one prompt.
    """

    name: str
    masks: Sequence[MaskFile] | None = None
    truth_path: Path | None = None
    cluster: str = ""
    prompt: str = ""
    group: str = ""
    credit: str = ""
    tiers: Sequence[str] = ()
    prompts: Sequence[str] = ()


@dataclass(frozen=True)
class Pairs:
    """What such a file holds.

    Attributes:
        columns: Those in which something stands.
        photos: In the order of the file.
        lost: Path, kind and reason of each file that is named and not there; its row is left out.
        files: All that are there.
    """

    columns: frozenset[str]
    photos: tuple[Wanted, ...]
    lost: tuple[tuple[str, str, str], ...]
    files: tuple[Path, ...]


def read_pairs(protocol: Protocol) -> Pairs:
    """Read the file that a protocol names.

    It is CSV in UTF-8, separated by commas, semicolons or tabs, with a header of `COLUMNS`, of
    which ``photo`` is required. Several rows of a photo are several masks of it. Paths are
    relative to the folder of photos, masks or truths, or where there is none to that of the file.

    Raises:
        InputError: If it is no such table, naming the row, of which the header is the first; or
            contradicts the protocol.
    """
    path = Path(protocol.pairs or "")
    rows = _table(path)
    columns = frozenset(name for row in rows.values() for name in row)
    _agree(columns, protocol)
    truths = path.parent if protocol.truth in (None, UNKNOWN) else Path(str(protocol.truth))
    folders = {
        "photo": Path(protocol.photos),
        "mask": Path(protocol.masks or path.parent),
        "truth": truths,
    }
    photos: dict[str, Wanted] = {}
    left_out: dict[str, str] = {}
    first: dict[tuple[str, MaskFile | None], int] = {}
    lost: list[tuple[str, str, str]] = []
    files: list[Path] = []
    spelt = cache(_spelt)
    for number, row in rows.items():
        where = f"{path}, row {number}"
        if empty := [column for column in FILES if row.get(column) == ""]:
            raise InputError(f"{where}: no {empty[0]}; fill that column in every row, or in none")
        here = {kind: _on_disk(folders[kind] / row[kind], spelt) for kind in FILES if kind in row}
        name = _name(here["photo"], folders["photo"], where)
        gone = {kind: file for kind, file in here.items() if not os.path.exists(file)}
        for kind, file in gone.items():
            # One guess shows what is wrong; for all rows they would take long.
            guess = "" if lost else did_you_mean(file.name, spelt(file.parent).values())
            shown = name if kind == "photo" else str(file)
            lost.append((shown, kind, f"{where}: there is no such file: {file}.{guess}"))
        if gone:
            left_out |= {} if "photo" in gone else {name: f"{where}: its {min(gone)} is not there"}
            continue
        files += here.values()
        mask = MaskFile(here["mask"]) if "mask" in here else None
        if (same := first.setdefault((name, mask), number)) != number:
            raise InputError(f"{where}: the photo and mask of row {same} again; remove one")
        facts = {fact: row[fact] for fact in COLUMNS[len(FILES) :] if fact in row}
        wanted = Wanted(name, () if mask else None, here.get("truth"), **facts)
        before = photos.setdefault(name, wanted)
        if replace(before, masks=wanted.masks) != wanted:
            raise InputError(
                f"{where}: another truth, cluster, prompt, group or credit of photo '{name}' "
                "than in its earlier row; a photo has one of each"
            )
        if mask:
            photos[name] = replace(before, masks=(*(before.masks or ()), mask))
    lost += [(name, "photo", why) for name, why in left_out.items() if name not in photos]
    return Pairs(columns, tuple(photos.values()), tuple(lost), tuple(files))


def _agree(columns: frozenset[str], protocol: Protocol) -> None:
    """Refuse options that the columns leave nothing to, or that are no folders."""
    idle = {"mask": ("pairing", "tiers", "draws"), "cluster": ("clusters",),
            "group": ("groups",)}  # fmt: skip
    if protocol.truth == UNKNOWN:
        idle["truth"] = ("truth",)
    for column in columns & idle.keys():
        for option in idle[column]:
            if getattr(protocol, option) != getattr(Protocol, option):
                raise InputError(
                    f"--{option}: {protocol.pairs} has a column '{column}', which decides"
                )
    if protocol.masks is None and "mask" not in columns and (protocol.truth or "truth" in columns):
        raise InputError(
            f"{protocol.pairs}: another truth than the photo is for objects to be removed; give "
            "a column 'mask' or --masks too, which show them"
        )
    for option, given in (("images", protocol.photos), ("masks", protocol.masks)):
        if (
            given is not None
            and os.path.isfile(given)
            and (option == "images" or "mask" in columns)
        ):
            raise InputError(
                f"--{option}: expected the folder that paths in {protocol.pairs} are relative to, "
                f"found the file {given}"
            )


def _table(path: Path) -> dict[int, dict[str, str]]:
    """Cells by number of the row and name of the column; of what is not empty throughout."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"--pairs: cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"--pairs: {path} is no text in UTF-8; save it as 'CSV UTF-8'") from error
    delimiter = max(",;\t", key=text.split("\n", 1)[0].count)
    lines = io.StringIO(text, newline="")
    try:
        read = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
        table = [list(map(str.strip, cells)) for cells in read]
    except csv.Error as error:
        raise InputError(f"--pairs: {path} is no CSV: {error}") from error
    header = [cell.casefold() for cell in table[0]] if table else []
    for name in header:
        if name not in COLUMNS or header.count(name) > 1:
            raise InputError(
                f"--pairs: {path}: the first row names the columns, each once, of "
                f"{', '.join(COLUMNS)}, between commas, semicolons or tabs; found {name!r}."
                f"{did_you_mean(name, COLUMNS)}"
            )
    if "photo" not in header or not any(map(any, table[1:])):
        raise InputError(f"--pairs: {path}: expected a column 'photo' and a row for each photo")
    rows = {}
    for number, cells in enumerate(table[1:], start=2):
        if any(cells[len(header) :]):
            raise InputError(
                f"{path}, row {number}: {len(cells)} cells, but the first row names {len(header)} "
                f"columns; put a text with {delimiter!r} in it between quotes"
            )
        if any(cells):
            rows[number] = dict(zip(header, cells + [""] * len(header), strict=False))
    used = {name for row in rows.values() for name in row if row[name]}
    return {n: {k: v for k, v in row.items() if k in used} for n, row in rows.items()}


def _name(photo: Path, folder: Path, where: str) -> str:
    try:
        return Path(os.path.abspath(photo)).relative_to(os.path.abspath(folder)).as_posix()
    except ValueError:
        raise InputError(
            f"{where}: photo {photo} is not below {folder}; give the folder of all as --images"
        ) from None


def _on_disk(path: Path, spelt: Callable[[Path], dict[str, str]]) -> Path:
    """A path as the file system spells it, which may compose letters in another way.

    Where there is none with backslashes, as programs on Windows write them, they are slashes.
    """
    if os.path.exists(path) or path == path.parent:
        return path
    if "\\" in path.name:
        return _on_disk(Path(str(path).replace("\\", "/")), spelt)
    folder = _on_disk(path.parent, spelt)
    return folder / spelt(folder).get(composed(path.name), path.name)


def _spelt(folder: Path) -> dict[str, str]:
    """Names in a folder by their composed form."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return {composed(name): name for name in names}
