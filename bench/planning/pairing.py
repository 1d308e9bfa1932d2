"""Reading what the user gave: photos, each with its mask files, and a row on every file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from bench.errors import InputError
from bench.folder.schema import INPUTS
from bench.planning import images
from bench.planning.images import Photo
from bench.planning.protocol import Protocol
from masks import files
from masks.files import MaskFile

_T = TypeVar("_T")
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
    """

    photo: Photo
    masks: Sequence[MaskFile] | None
    truth: np.ndarray | None = None
    prompt: str = ""
    group: str = ""


@dataclass
class Inputs:
    """Rows on every file that was read or refused."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def ok(self, path: str, kind: str, pixels: np.ndarray, note: str = "") -> None:
        """Record a file that can be used."""
        height, width = pixels.shape[:2]
        self._add(path, kind, "ok", "", note, images.content_hash(pixels), height, width)

    def refused(self, path: str, kind: str, reason: str) -> None:
        """Record a file that cannot be used, and why."""
        self._add(path, kind, "refused", reason, "", "", 0, 0)

    def table(self) -> pd.DataFrame:
        """All rows."""
        return INPUTS.frame(self.rows)

    def _add(self, *values: object) -> None:
        self.rows.append(dict(zip(INPUTS.names, values, strict=True)))


def untold(done: int, total: int) -> None:
    """Where nobody wants to know."""


def read_photos(protocol: Protocol, inputs: Inputs, tell: Tell = untold) -> Iterator[Given]:
    """Read the photos, each with what belongs to it."""
    if protocol.photos == images.BUNDLED:
        if protocol.masks is not None:
            raise InputError("--masks: the bundled photos have generated holes; give --images too")
        for photo in _told(list(images.bundled())[: protocol.limit], tell):
            inputs.ok(photo.id, "photo", photo.pixels)
            yield Given(photo, None)
        return
    folder = Path(protocol.photos)
    names = images.find(folder)
    paired = _mask_files(names, folder, protocol, inputs)
    if paired is not None:
        names = [name for name in names if name in paired]
    for name in _told(names[: protocol.limit], tell):
        if (shown := name.encode("utf-8", "backslashreplace").decode()) != name:
            inputs.refused(shown, "photo", "the file name is not valid UTF-8; rename the file")
            continue
        try:
            pixels, note = images.read(folder if folder.is_file() else folder / name)
        except InputError as error:
            inputs.refused(name, "photo", str(error))
            continue
        if min(pixels.shape[:2]) < protocol.geometry.side:
            note = "; ".join(filter(None, (note, "enlarged, which flatters every method")))
        inputs.ok(name, "photo", pixels, note)
        photo = Photo(name, name, protocol.geometry.photo(pixels), pixels.shape[:2], note)
        yield Given(photo, None if paired is None else list(map(MaskFile, paired[name])))


def _told(photos: Sequence[_T], tell: Tell) -> Iterator[_T]:
    """Photos one by one; each is read, and its holes are made, when the next is asked for."""
    for done, photo in enumerate(photos):
        tell(done, len(photos))
        yield photo


def _mask_files(
    names: list[str], folder: Path, protocol: Protocol, inputs: Inputs
) -> dict[str, list[Path]] | None:
    """Mask files by photo; what has no partner is refused. None if holes are generated."""
    if protocol.masks is None:
        return None
    given = Path(protocol.masks)
    if given.is_file():
        return {name: [given] for name in names}
    pairing = files.pair(names, given)
    photos = {(folder / name).resolve(): name for name in names}
    # Photos and masks may share a folder: no photo is its own mask, no mask is a photo.
    paired = {
        name: [path for path in paths if photos.get(path.resolve()) != name]
        for name, paths in pairing.masks.items()
    }
    used = {path.resolve() for paths in paired.values() for path in paths}
    for path, name in photos.items():
        if not paired.get(name) and path not in used:
            inputs.refused(name, "photo", f"no mask in {given} is named after this photo")
    for path in pairing.unused:
        if path.resolve() not in photos:
            inputs.refused(str(path), "mask", "no photo has the name of this mask")
    return {name: paths for name, paths in paired.items() if paths}
