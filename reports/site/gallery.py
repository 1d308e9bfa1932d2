"""Cases as pictures: what a reader sees of each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np

from bench.folder import thumbnails
from bench.folder.header import GIVEN, UNKNOWN
from bench.folder.read import Run
from bench.folder.shown_cases import case_hash
from bench.statistics import CASE, MARKS
from reports.results import disagreement
from reports.results.disagreement import Window
from reports.results.orders import Key
from reports.results.ranking import Ranking
from reports.site.album import VIRIDIS, Album, Shown, read_hole, read_rgb, with_hole

_Both: TypeAlias = tuple[Shown, Shown]  # a thumbnail and the full picture
MOST_SPREAD = 0.25
"""Standard deviation at the end of the colours of maps of spread."""


@dataclass(frozen=True)
class FillView:
    """What one method did with a case.

    Attributes:
        method: Full name.
        views: The small picture, of which pages show several views; None if not kept.
        full: The picture; None if not kept.
        problem: Why there is no picture, or empty.
        row: The method's row of ``cases``.
        further: What else the method showed of it, by name, such as where it copied from.
        counts: Numbers that the method gave, by name.
        samples: The further fills of a stochastic method, and their rows of ``cases``.
        spread: Where its samples differ, and by how much in the mean, from 0 to 0.5; None without
            two.
    """

    method: str
    views: Shown | None
    full: Shown | None
    problem: str
    row: dict[str, Any]
    further: dict[str, Shown] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)
    samples: list[tuple[Shown, dict[str, Any]]] = field(default_factory=list)
    spread: tuple[Shown, float] | None = None


@dataclass(frozen=True)
class CaseView:
    """One case: its pictures and every method's fill.

    Attributes:
        page: Name of the case's page without suffix, from a hash.
        facts: The case's row of ``plan``.
        original: Thumbnail and full picture; None where not kept.
        mask: Likewise.
        with_hole: Likewise.
        truth: Likewise, where any truth is not the photo.
        fills: By method, in the order of the columns.
        window: Where in the hole the fills of competing methods differ most, if known.
        box: The hole's left and upper edge, width and height in pixels, if known.
    """

    page: str
    facts: dict[str, Any]
    original: _Both | None
    mask: _Both | None
    with_hole: _Both | None
    truth: _Both | None
    fills: list[FillView]
    window: Window | None = None
    box: tuple[int, ...] | None = None


def columns(run: Run, ranking: Ranking) -> list[str]:
    """Methods that have a column of pictures; the ceiling equals the truth and has none."""
    families = run.methods["family"]
    return [s.method for s in ranking.all_scores if families[s.method] != "ceiling"]


def views(
    run: Run, keys: Sequence[Key], methods: Sequence[str], album: Album
) -> Iterator[CaseView]:
    """Make the pictures of these cases, in the order of the plan, a few at a time."""
    wanted = set(keys)
    plan = run.plan[[key in wanted for key in run.plan.set_index(CASE).index]]
    rows = run.cases.merge(plan[CASE], on=CASE).sort_values("sample", kind="stable")
    by_case: dict[Any, Any] = {
        key: list(group.to_dict("records")) for key, group in rows.groupby(CASE)
    }
    competing = {str(n) for n in run.methods.index[~run.methods["family"].isin(MARKS)]}

    def view(facts: dict[str, Any]) -> CaseView:
        by_method: dict[str, list[dict[str, Any]]] = {name: [] for name in methods}
        for row in by_case.get(tuple(facts[name] for name in CASE), []):
            by_method.setdefault(row["method"], []).append(row)
        own = {name: by_method[name] for name in methods}
        return _view(_studio(run, album, facts), facts, own, competing)

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        yield from pool.map(view, plan.to_dict("records"))


def page_name(facts: dict[str, Any]) -> str:
    """Name of a case's page: a hash of its key, never the photo's own name."""
    return page_of(tuple(facts[name] for name in CASE))


def page_of(key: Key) -> str:
    """`page_name` by the key of a case."""
    return case_hash(*key)


@dataclass(frozen=True)
class _Studio:
    """What all pictures of a case are made with; files and pixels are None where not kept."""

    run: Run
    album: Album
    photo: np.ndarray | None
    original: _Both | None
    truth: _Both | None
    hole_file: Path | None
    hole: np.ndarray | None


def _studio(run: Run, album: Album, facts: dict[str, Any]) -> _Studio:
    photo = _read(run, f"photos/{facts['photo_sha']}.png")
    original = truth = _whole(run, album, facts["photo_sha"], photo)
    if run.header.truth == UNKNOWN:
        truth = None
    elif facts["truth"]:
        shown = _read(run, f"photos/{facts['truth']}.png")
        truth = _whole(run, album, facts["truth"], shown)
    hole_file = run.file(f"masks/{facts['mask_sha']}.png")
    hole = read_hole(hole_file) if hole_file else None
    if hole is not None and photo is not None and hole.shape != photo.shape[:2]:
        hole = None
    return _Studio(run, album, photo, original, truth, hole_file, hole)


def _view(
    studio: _Studio,
    facts: dict[str, Any],
    rows: dict[str, list[dict[str, Any]]],
    competing: Set[str],
) -> CaseView:
    hole, album = studio.hole, studio.album
    fills, compared = [], []
    for method, own in rows.items():
        first = own[0] if own and own[0]["sample"] == 0 else None
        pixels = _read(studio.run, first["output"]) if first else None
        fill = _fill(studio, method, first, pixels)
        fills.append(_with_samples(studio, fill, pixels, own))
        if method in competing and pixels is not None and hole is not None:
            compared += [pixels] if pixels.shape[:2] == hole.shape else []
    return CaseView(
        page=page_name(facts),
        facts=facts,
        original=studio.original,
        mask=_mask(studio.hole_file, hole, album)
        if studio.hole_file and hole is not None
        else None,
        with_hole=_with_hole(studio),
        truth=studio.truth if studio.run.header.truth == GIVEN else None,
        fills=fills,
        window=None if hole is None else disagreement.window(compared, hole),
        box=None if hole is None else tuple(cv2.boundingRect(hole.view(np.uint8))),
    )


def _whole(run: Run, album: Album, sha: str, pixels: np.ndarray | None) -> _Both | None:
    """A photo of the run, small and in full."""
    if pixels is None:
        return None
    full = album.with_file(album.whole(pixels), run.file(f"photos/{sha}.png"), pixels)
    return album.whole(pixels, small=True), full


def _mask(path: Path, hole: np.ndarray, album: Album) -> _Both:
    grey = np.where(hole, np.uint8(255), np.uint8(0))
    grey = np.repeat(grey[..., None], 3, axis=2)
    return album.whole(grey, small=True), album.kept(path, hole)


def _with_hole(studio: _Studio) -> _Both | None:
    photo, hole, below = studio.photo, studio.hole, studio.original
    if photo is None or hole is None or below is None:
        return None
    # Marked at its small size, so that outline and thin holes survive.
    small = thumbnails.shrunk_hole(hole)
    marked = thumbnails.squared(with_hole(thumbnails.shrink(photo), small))
    parts = (marked, thumbnails.squared(small)), (with_hole(photo, hole), hole)
    first, second = (studio.album.patch(*part) for part in parts)
    return replace(first, below=below[0].path), replace(second, below=below[1].path)


def _layers(
    studio: _Studio, fill: np.ndarray, made: Path | None = None, *, small: bool = False
) -> Shown:
    """A fill as what of it is not its photo, if all that is in the hole; else as a whole."""
    photo, hole, album = studio.photo, studio.hole, studio.album
    below, truth = (
        "" if both is None or both[1].size != fill.shape[1::-1] else both[not small].path
        for both in (studio.original, studio.truth)
    )
    if photo is None or hole is None or not below or ((fill != photo).any(2) & ~hole).any():
        return replace(album.whole(fill, small=small), truth=truth)
    return replace(album.patch(fill, hole, small=small, made=made), below=below, truth=truth)


def _fill(
    studio: _Studio,
    method: str,
    row: dict[str, Any] | None,
    pixels: np.ndarray | None,
) -> FillView:
    if row is None:
        return FillView(method, None, None, "not run on this case", {})
    if row["status"] != "ok":
        return FillView(method, None, None, f"{row['status']}: {row['reason']}", row)
    if pixels is None:
        return FillView(method, None, None, "picture not kept", row)
    made = studio.run.file(str(row.get("thumbnail") or ""))
    return FillView(
        method,
        _layers(studio, pixels, made, small=True),
        _full(studio, row, pixels, made),
        "",
        row,
        further=_further(studio, row),
        counts=dict(_named(row, "counts")),
    )


def _full(
    studio: _Studio, row: dict[str, Any], pixels: np.ndarray, made: Path | None = None
) -> Shown:
    """A fill of the run at its size, with its file if that is wanted."""
    shown = _layers(studio, pixels, made)
    return studio.album.with_file(shown, studio.run.file(row["output"]), pixels)


def _with_samples(
    studio: _Studio, fill: FillView, first: np.ndarray | None, rows: list[dict[str, Any]]
) -> FillView:
    """Add the samples after the first, where they were completed and kept, and their spread."""
    done = [row for row in rows if row["sample"] and row["status"] == "ok"]
    read = [(row, _read(studio.run, row["output"])) for row in done]
    further = [(row, pixels) for row, pixels in read if pixels is not None]
    samples = [(_full(studio, row, pixels), row) for row, pixels in further]
    all_pixels = [*([] if first is None else [first]), *(pixels for _, pixels in further)]
    return replace(fill, samples=samples, spread=_spread(studio, all_pixels))


def _spread(studio: _Studio, fills: list[np.ndarray]) -> tuple[Shown, float] | None:
    """A map of how samples differ in the hole, to lie on the photo."""
    hole, below = studio.hole, studio.original
    if len(fills) < 2 or hole is None or not hole.any() or below is None:
        return None
    if {fill.shape[:2] for fill in fills} != {hole.shape}:
        return None
    spread = disagreement.spread(fills) / 255
    colours = VIRIDIS[(63 * np.minimum(spread / MOST_SPREAD, 1)).round().astype(int)]
    shown = studio.album.patch(colours, hole, small=True)
    return replace(shown, below=below[0].path), float(spread[hole].mean())


def _further(studio: _Studio, row: dict[str, Any]) -> dict[str, Shown]:
    found = {name: _read(studio.run, file) for name, file in _named(row, "pictures")}
    return {
        name: studio.album.whole(pixels) for name, pixels in found.items() if pixels is not None
    }


def _read(run: Run, name: str) -> np.ndarray | None:
    """Read a picture of the run, None if it was not kept."""
    path = run.file(name)
    return read_rgb(path) if path else None


def _named(row: dict[str, Any], column: str) -> list[tuple[str, Any]]:
    """What a column holds as JSON; nothing in runs of before there was such a column."""
    return list(json.loads(row.get(column) or "{}").items())
