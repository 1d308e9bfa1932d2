"""The table of receptive fields: a row per method, and its place in a run folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import methods
from bench.errors import BenchError, InputError, describe, status_of
from bench.folder.read import read_run
from bench.folder.schema import RECEPTIVE
from bench.folder.store import RunFolder, method_folder
from bench.planning.geometry import Geometry
from bench.planning.pairing import Inputs, read_photos
from bench.planning.protocol import Protocol
from bench.receptive import field as receptive
from bench.receptive.field import SHARES, Field
from bench.statistics import Interval, mean_interval
from methods.base import Inpainter
from methods.identity import in_words

TABLE = RECEPTIVE.file
RADII = tuple(f"r{100 * share:.0f}" for share in SHARES)
_BOX = ("hole_top", "hole_bottom", "hole_left", "hole_right")


@dataclass(frozen=True)
class Result:
    """One method: its field, or why there is none.

    Attributes:
        method: Full name.
        identity: What the method was made of.
        clusters: Of the photos: the picture that each was cut from.
        field: None where ``status`` is not ok.
        status: ok, declined, failed, oom or unavailable, as of a case.
        reason: Empty where it is ok.
    """

    method: str
    identity: str
    clusters: Sequence[str]
    field: Field | None
    status: str = "ok"
    reason: str = ""

    @property
    def row(self) -> dict[str, Any]:
        """The numbers as in ``docs/run-folder.md``; those of no field are left out."""
        row: dict[str, Any] = {
            "method": self.method,
            "identity": self.identity,
            "status": self.status,
            "reason": self.reason,
        }
        if self.field is None:
            return row
        row |= dict(zip(_BOX, map(float, self.field.box), strict=True))
        for name, share in zip(RADII, SHARES, strict=True):
            found = self.interval(self.field.radii(share))
            row |= {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}
            row[f"{name}_even"] = self.field.even(share)
        return row | {
            "nearest": self.field.nearest,
            "known_share": self.field.known_share,
            "network_side": float(self.field.side),
        }

    def interval(self, lengths: np.ndarray) -> Interval:
        """Mean of a number for each photo, with an interval over photos."""
        there = np.isfinite(lengths)
        return mean_interval(lengths[there], np.asarray(self.clusters)[there])

    def wider(self, other: Result) -> dict[str, Interval]:
        """How much wider it is than another on the same photos, in % of the input's side.

        Returns:
            Mean differences of the radii by name; nothing where one of the two has no field.
        """
        if self.field is None or other.field is None:
            return {}
        return {
            name: self.interval(
                100 * self.field.radii(share) / self.field.side
                - 100 * other.field.radii(share) / other.field.side
            )
            for name, share in zip(RADII, SHARES, strict=True)
        }


@dataclass(frozen=True)
class Photos:
    """The photos that fields are averaged over.

    Attributes:
        source: Folder, or ``bundled``.
        side: Of the pictures, in pixels.
        pictures: uint8 RGB, ``(side, side, 3)`` each.
        clusters: The picture that each was cut from.
        refused: What could not be read, and why.
    """

    source: str
    side: int
    pictures: Sequence[np.ndarray]
    clusters: Sequence[str]
    refused: Sequence[str] = field(default_factory=tuple)


def read(source: str, side: int, limit: int | None = None) -> Photos:
    """Read photos as `run` does, each cut and resized to a square.

    Raises:
        InputError: If there is no picture.
    """
    inputs = Inputs()
    protocol = Protocol(photos=source, size=side, limit=limit)
    square = Geometry.asked(side)
    photos = [given.photo for given in read_photos(protocol, inputs)]
    pictures = [square.photo(photo.pixels) for photo in photos]
    refused = [f"{row['path']}: {row['reason']}" for row in inputs.rows if row["status"] != "ok"]
    if not pictures:
        raise InputError(f"photos: none in {source} can be read: {'; '.join(refused)}")
    return Photos(source, side, pictures, [photo.cluster for photo in photos], refused)


def made(names: Sequence[str], device: str) -> list[Inpainter]:
    """Make the methods, each once; nothing is loaded yet.

    Raises:
        BenchError: If there is no such method or device.
    """
    return [methods.get(name, device=device) for name in dict.fromkeys(names)]


def results(asked: Sequence[Inpainter], photos: Photos) -> Iterator[Result]:
    """Measure one method after the other."""
    for method in asked:
        try:
            if not method.undifferentiable:  # its weights would be of no use
                method.load()
            field = receptive.measure(method, photos.pictures, photos.side)
            yield Result(method.name, in_words(method), photos.clusters, field)
        except Exception as error:  # a method runs any code
            failed = status_of(error), describe(error)
            yield Result(method.name, in_words(method), photos.clusters, None, *failed)


def check_run(folder: Path, asked: Sequence[Inpainter]) -> RunFolder:
    """Give the run folder, if the methods are those it measured.

    Raises:
        InputError: If it is no run folder.
        BenchError: If a method is not in it, or had other weights or code then.
    """
    run = read_run(folder, ("methods",))
    table = run.methods
    known = {
        str(name): str(row["identity"]) for name, row in table[table["status"] == "ok"].iterrows()
    }
    for method in asked:
        if method.name not in table.index:
            raise BenchError(
                f"--out: expected methods of the run {folder} ({', '.join(map(str, table.index))}),"
                f" found {method.name}; run it there first"
            )
        # What a loaded method adds stands behind what is known before.
        if not known.get(method.name, method.identity).startswith(method.identity):
            raise BenchError(
                f"--out: {method.name} is not what the run {folder} measured "
                f"({known[method.name]}), but {method.identity}; run it there again first"
            )
    return run.store


def write(store: RunFolder, measured: Sequence[Result], photos: Photos) -> None:
    """Write the table and the maps into a run folder; an earlier table is replaced."""
    rows = []
    for result in measured:
        name = ""
        if result.field is not None:
            name = f"receptive/{method_folder(result.method)}.npy"
            store.write_array(name, result.field.energy.astype(np.float32))
        settings = {
            "photo_set": photos.source,
            "photos": len(photos.pictures),
            "side": photos.side,
            "map": name,
        }
        rows.append(result.row | settings)
    store.write_table(TABLE, RECEPTIVE.frame(rows))
