"""What looks wrong with all that was given, though it may be meant so: it is noted, not refused."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import InputError
from bench.planning.protocol import Protocol
from masks import kinds
from masks.annotations import SUFFIXES, entries, labelme_export, yolo
from masks.raster import Mask

_PAINT = 8  # levels that a lossy format may change of one colour
_FEW = 64  # pixels of a hole that may well be alike


@dataclass
class Doubts:
    """What is seen of the mask files of a run, one after another.

    Attributes:
        masks: Rows of those that have a hole.
        inverted: Rows of those that look as if black were hole: more than half of the picture and
            three quarters of its edge are hole.
        painted: Whether every photo has one colour under its hole that it has little of elsewhere.
    """

    masks: list[dict[str, Any]] = field(default_factory=list)
    inverted: list[dict[str, Any]] = field(default_factory=list)
    painted: bool = True

    def see(self, row: dict[str, Any], is_truth: bool, photo: np.ndarray, mask: Mask) -> None:
        """Take a mask into account, with its row and its photo, which may be the truth."""
        if not mask.any():
            return
        self.masks.append(row)
        edge = np.concatenate((mask[0], mask[-1], mask[:, 0], mask[:, -1]))
        if mask.mean() > 0.5 and edge.mean() > 0.75:
            self.inverted.append(row)
        self.painted = self.painted and is_truth and _is_painted(photo, mask)

    def add(self, others: Doubts) -> None:
        """Take over what was seen elsewhere."""
        self.masks += others.masks
        self.inverted += others.inverted
        self.painted = self.painted and others.painted

    def polarity(self, protocol: Protocol) -> str:
        """What to do where most masks look inverted; empty where they do not."""
        listed = protocol.published and protocol.mask_labels  # in which nothing is black or white
        if listed or 2 * len(self.inverted) <= len(self.masks):
            return ""
        if protocol.published:
            colour = "black" if protocol.invert_masks else "white"
            return f"to {protocol.published} {colour} is hole: see that it is so in the files"
        change = "leave out" if protocol.invert_masks else "give"
        return f"if it is inverted, {change} --invert-masks"

    def note(self, protocol: Protocol) -> None:
        """Add to the rows what holds for most masks, or for all photos."""
        if advice := self.polarity(protocol):
            note = f"like most masks here, hole for the most part and along the edges; {advice}"
            _add(self.inverted, note)
        if self.painted and protocol.truth is None:
            note = (
                "as everywhere here, the photo has one colour under the hole, as if painted over, "
                "and fills are compared with that; give --truth DIR with what was there, or "
                "--truth unknown"
            )
            _add(self.masks, note)


def unread(protocol: Protocol, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """The files of the folders given that are of no kind which is read there.

    Returns:
        Path and reason of each. Hidden files and what systems leave behind are left out.
    """
    if protocol.published:  # whose layout says what is read
        return []
    known = {row["path"].partition("#")[0] for row in rows} | {protocol.pairs}
    seen: set[str] = set()
    found = []
    # Of a table only what it names.
    photos = str(protocol.folder) if protocol.pairs is None else None
    for given in (protocol.masks, photos, protocol.truth):
        for path in kinds.visible(Path(given)) if given and Path(given).is_dir() else ():
            if (real := os.path.realpath(path)) in seen:
                continue
            seen.add(real)
            shown = path.relative_to(str(given)).as_posix() if given == photos else str(path)
            is_mask = given == protocol.masks
            if str(path) not in known and (reason := _reason(path, is_mask)):
                found.append((shown, reason))
    return found


def _reason(path: Path, is_mask: bool) -> str:
    """Why a file is not read, or empty if it is, or belongs to one that is."""
    if kinds.is_picture(path.name):
        return ""
    if is_mask and (path.name in yolo.NAMES or labelme_export.is_export(path.parent)):
        return ""
    if is_mask and path.suffix.lower() in SUFFIXES:
        try:
            return "" if entries(path) else "it is no annotation"
        except InputError as error:
            return str(error)
    return kinds.unread(path)


def _add(rows: list[dict[str, Any]], note: str) -> None:
    for row in rows:
        row["note"] = "; ".join(filter(None, (row["note"], note)))


def _is_painted(photo: np.ndarray, mask: Mask) -> bool:
    """Whether the hole is of one colour, edges aside, and not half of the rest is.

    Of paint in JPEG, which blurs its edges, 60 to 95 % are within `_PAINT`; of photos 5 to 55 %.
    """
    hole, rest = (pixels[:: len(pixels) // 10_000 + 1] for pixels in (photo[mask], photo[~mask]))
    colour = np.median(hole, axis=0)
    alike = [(np.abs(pixels - colour) <= _PAINT).all(axis=1).sum() for pixels in (hole, rest)]
    one_colour = len(hole) >= _FEW and alike[0] >= 0.6 * len(hole)
    return bool(one_colour and alike[1] <= 0.5 * len(rest))
