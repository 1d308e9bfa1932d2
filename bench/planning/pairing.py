"""Reading what the user gave: photos, each with its mask files, and a row on every file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import InputError, writable
from bench.folder import png
from bench.folder.schema import INPUTS
from bench.planning import bundled, images, truths
from bench.planning.doubts import Doubts
from bench.planning.images import Photo
from bench.planning.layouts import laid_out
from bench.planning.pairs import Wanted, read_pairs
from bench.planning.protocol import UNKNOWN, Protocol
from bench.protocols import read as protocols
from masks.annotations import entries
from masks.files import MaskFile
from masks.listing import drawn, find_masks, in_order, is_annotation, natural, none_below
from masks.pairing import pair

Tell = Callable[[int, int], None]
"""Told how many of how many photos are read."""


@dataclass(frozen=True)
class Given:
    """One photo with what belongs to it.

    Attributes:
        photo: As it is evaluated.
        masks: Its mask files; None if its holes are to be generated.
        truth: What its fills are held against, uint8 RGB like the photo; None if that is the photo
            itself, or unknown.
        prompt: What to fill in, for methods that can be told.
        group: Kind of photo, for readers.
        credit: Title, author, licence and source.
        tiers: As `Wanted` has them.
        prompts: Likewise.
    """

    photo: Photo
    masks: Sequence[MaskFile] | None
    truth: np.ndarray | None = None
    prompt: str = ""
    group: str = ""
    credit: str = ""
    tiers: Sequence[str] = ()
    prompts: Sequence[str] = ()


def _holds_pixels(path: Path) -> bool:
    """Whether a file is a whole PNG of 8-bit RGB, so that reading it gives what it holds."""
    with contextlib.suppress(OSError):
        data = path.read_bytes()
        return data[24:26] == b"\x08\x02" and png.is_whole(data)
    return False


@dataclass
class Inputs:
    """Rows on every file that was read or refused."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    """What is known of files, by path, before they are read."""
    doubts: Doubts = field(default_factory=Doubts)

    def ok(self, path: str, kind: str, pixels: np.ndarray, note: str = "") -> None:
        """Record a file that can be used."""
        height, width = pixels.shape[:2]
        note = "; ".join(filter(None, (self.notes.get(path), note)))
        self._add(path, kind, "ok", "", note, images.content_hash(pixels), height, width)

    def refused(self, path: str, kind: str, reason: str) -> None:
        """Record a file that cannot be used, and why."""
        self._add(writable(path), kind, "refused", writable(reason), "", "", 0, 0)

    def add(self, others: Inputs) -> None:
        """Take over what was recorded elsewhere."""
        self.rows += others.rows
        self.doubts.add(others.doubts)

    def drop(self, photos: Collection[str]) -> None:
        """Refuse photos that were read, since nothing of them is to be filled."""
        for row in self.rows:
            if row["kind"] == "photo" and row["path"] in photos:
                row |= {"status": "refused", "reason": "none of its holes can be used"}

    def table(self) -> pd.DataFrame:
        """All rows."""
        return INPUTS.frame(self.rows)

    def _add(self, *values: object) -> None:
        self.rows.append(dict(zip(INPUTS.names, values, strict=True)))


def untold(done: int, total: int) -> None:
    """Where nobody wants to know."""


def read_photos(protocol: Protocol, inputs: Inputs) -> Iterator[Given]:
    """Read the photos, each with what belongs to it."""
    for each in asked_for(protocol, inputs):
        if (found := given(each, protocol, inputs)) is not None:
            yield found


def asked_for(protocol: Protocol, inputs: Inputs) -> Sequence[Wanted]:
    """The photos that are asked for, before they are read."""
    return _wanted(protocol, protocol.folder, inputs)[: protocol.limit]


def given(wanted: Wanted, protocol: Protocol, inputs: Inputs) -> Given | None:
    """Read a photo with what belongs to it; None, and a row, if it cannot be used."""
    folder, name = protocol.folder, wanted.name
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        _refuse(wanted, "the file name is not valid UTF-8; rename the file", protocol, inputs)
        return None
    path = folder if folder.is_file() else folder / name
    try:
        pixels, note = images.read(path)
        evaluated = protocol.geometry.photo(pixels)
    except InputError as error:
        _refuse(wanted, str(error), protocol, inputs)
        return None
    # What ships is never linked into a run folder, from where it could be damaged.
    ours = protocol.photos in bundled.SETS
    same = evaluated.shape == pixels.shape and not note and not ours and _holds_pixels(path)
    note = "; ".join(filter(None, (note, protocol.geometry.remark(*pixels.shape[:2]))))
    parent = PurePosixPath(name).parent.as_posix()
    apart = name if protocol.clusters == "photo" else parent
    group = wanted.group if protocol.groups == "none" or parent == "." else parent
    cluster, file = wanted.cluster or apart, path if same else None
    photo = Photo(name, cluster, evaluated, pixels.shape[:2], note, file)
    truth = None
    if wanted.truth_path is not None:
        try:
            truth = _truth(wanted.truth_path, photo, protocol, inputs)
        except InputError as error:
            _refuse(wanted, f"its truth cannot be used: {error}", protocol, inputs)
            return None
    inputs.ok(name, "photo", pixels, note)
    masks = wanted.masks
    if masks is not None and protocol.pairing == "pool":
        # By content, so that a photo keeps its masks wherever it lies.
        masks = drawn(masks, f"{protocol.seed}|{photo.sha}", protocol.draws)
    said = wanted.prompt, group, wanted.credit, wanted.tiers, wanted.prompts
    return Given(photo, masks, truth, *said)


def _refuse(wanted: Wanted, reason: str, protocol: Protocol, inputs: Inputs) -> None:
    """Refuse a photo and what is its alone."""
    inputs.refused(wanted.name, "photo", reason)
    for mask in () if protocol.pooled else (wanted.masks or ()):
        inputs.refused(str(mask), "mask", f"its photo '{wanted.name}' cannot be used")


def _truth(path: Path, photo: Photo, protocol: Protocol, inputs: Inputs) -> np.ndarray:
    """The truth of a photo as it is evaluated."""
    try:
        pixels, evaluated, note = truths.read(path, photo, protocol.geometry)
    except InputError as error:
        inputs.refused(str(path), "truth", str(error))
        raise
    inputs.ok(str(path), "truth", pixels, note)
    return evaluated


def _wanted(protocol: Protocol, folder: Path, inputs: Inputs) -> list[Wanted]:
    """The photos that are asked for, with what belongs to them; what has no partner is refused."""
    if protocol.published:
        masks = None if protocol.masks is None else Path(protocol.masks)
        laid = laid_out(protocols.get(protocol.published), folder, masks)
        for lost in laid.lost:
            inputs.refused(*lost)
        return list(laid.photos)
    if protocol.pairs is None:
        wanted = [Wanted(name) for name in images.find(folder)]
        if protocol.photos in bundled.SETS:
            known = bundled.facts()
            wanted = [replace(each, **known[Path(each.name).stem]._asdict()) for each in wanted]
    else:
        pairs = read_pairs(protocol)
        for lost in pairs.lost:
            inputs.refused(*lost)
        wanted = list(pairs.photos)
    names = [each.name for each in wanted]
    if protocol.masks is not None and all(each.masks is None for each in wanted):
        home = folder.parent if folder.is_file() else folder
        found = _masks(names, home, Path(protocol.masks), protocol.pairing, inputs)
        wanted = [replace(each, masks=found[each.name]) for each in wanted if each.name in found]
    if protocol.truth in (None, UNKNOWN) or any(each.truth_path for each in wanted):
        return wanted
    paths, lacking = _truths(names, wanted, Path(str(protocol.truth)), inputs)
    for each in wanted:
        if each.name in lacking:
            _refuse(each, lacking[each.name], protocol, inputs)
    return [replace(each, truth_path=paths[each.name]) for each in wanted if each.name in paths]


def _masks(
    names: Sequence[str], home: Path, given: Path, pairing: str, inputs: Inputs
) -> Mapping[str, Sequence[MaskFile]]:
    """Masks by photo, of those that have any."""
    if pairing != "name":
        return _by_number(names, home, given, pairing)
    if given.is_file() and not _is_of_many(given):
        return {name: [MaskFile(given)] for name in names}
    return _by_name(names, home, given, inputs)


def _truths(
    names: Sequence[str], wanted: Sequence[Wanted], folder: Path, inputs: Inputs
) -> tuple[Mapping[str, Path], Mapping[str, str]]:
    """Truths by photo, of those that are used, and why others have none; idle ones are refused."""
    found, lacking, unused = truths.paired(names, folder)
    used = {each.name for each in wanted}
    for path in unused:
        inputs.refused(str(path), "truth", "no photo has the name of this truth")
    for name in sorted(found.keys() - used):
        inputs.refused(str(found[name]), "truth", f"its photo {name} is not used")
    return found, lacking


def _is_of_many(given: Path) -> bool:
    """Tell an annotation of several photos from a mask that is meant for all."""
    found = entries(given) if is_annotation(given) else None
    return any(file.entry for file in (found or {}).values())


def _by_name(
    names: Sequence[str], home: Path, given: Path, inputs: Inputs
) -> Mapping[str, Sequence[MaskFile]]:
    found = pair(names, home, given)
    if found.missing and not found.masks:
        if given.is_dir() and not find_masks(given):
            raise InputError(none_below(given))
        photos, masks = ([*each.items()][:1] for each in (found.missing, found.unused))
        first = "; ".join(f"{name}: {reason}" for name, reason in (*photos, *masks))
        raise InputError(
            f"none of {len(names)} photos has a mask by name ({first}); --pairing order pairs in "
            "the order of names, --pairing pool chooses by seed, --pairs FILE.csv says which; a "
            "file as --masks is for all photos"
        )
    for name, reason in found.missing.items():
        inputs.refused(name, "photo", reason)
    for file, reason in found.unused.items():
        inputs.refused(str(file), "mask", reason)
    inputs.notes |= {str(file): note for file, note in found.notes.items()}
    return found.masks


def _by_number(
    names: Sequence[str], home: Path, given: Path, pairing: str
) -> Mapping[str, Sequence[MaskFile]]:
    """One mask each in the order of names, or for each the pool that it draws from."""
    masks = in_order(given)
    taken = {os.path.realpath(file.path) for file in masks}
    photos = [name for name in names if os.path.realpath(home / name) not in taken]
    if pairing == "pool":
        return dict.fromkeys(photos, masks)
    if len(photos) != len(masks):
        raise InputError(
            f"--pairing order: expected as many masks as photos, found {len(photos)} photos in "
            f"{home} and {len(masks)} masks in {given}"
        )
    ordered = sorted(photos, key=natural)
    return {name: [file] for name, file in zip(ordered, masks, strict=True)}
