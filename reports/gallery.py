"""Cases as pictures: which ones are shown, and what a reader sees of each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.statistics import CASE, cap_infinite
from reports import pictures
from reports.numbers import short_hash
from reports.pictures import Album, Shown
from reports.ranking import Ranking
from reports.run import Run

ALL_UP_TO = 100
_RANDOM, _EXTREME = 40, 20
SELECTION_RULE = (
    f"{_RANDOM} drawn at random with a fixed seed, the {_EXTREME} best and the {_EXTREME} worst of "
    f"the best-ranked method, and the {_EXTREME} on which the ranked methods disagree most, "
    "and the worst regressions if the run was judged against a baseline"
)


@dataclass(frozen=True)
class FillView:
    """What one method did with a case.

    Attributes:
        method: Full name.
        thumbnail: Small picture; None if not kept.
        full: Lossless picture; None if not kept.
        error: Error map; None without the photo or the fill.
        problem: Why there is no picture, or empty.
        row: The method's row of ``cases``.
        further: What else the method showed of it, by name, such as where it copied from.
        counts: Numbers that the method gave, by name.
    """

    method: str
    thumbnail: Shown | None
    full: Shown | None
    error: Shown | None
    problem: str
    row: dict[str, Any]
    further: dict[str, Shown] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CaseView:
    """One case: its pictures and every method's fill.

    Attributes:
        page: Name of the case's page without suffix, from a hash.
        facts: The case's row of ``plan``.
        original: Thumbnail and full picture; None where not kept.
        mask: Likewise.
        with_hole: Likewise.
        fills: By method, in the order of the columns.
    """

    page: str
    facts: dict[str, Any]
    original: tuple[Shown, Shown] | None
    mask: tuple[Shown, Shown] | None
    with_hole: tuple[Shown, Shown] | None
    fills: list[FillView]


def select(run: Run, ranking: Ranking, regressed: Iterable[tuple[Any, ...]] = ()) -> pd.DataFrame:
    """Choose the cases of a tier that get pictures: all up to 100, else by `SELECTION_RULE`.

    Args:
        run: The run.
        ranking: Ranking of the tier.
        regressed: Keys of cases, of any tier, that got worse than a baseline.

    Returns:
        Rows of the plan, in its order.
    """
    plan = run.plan[run.plan["tier"] == ranking.tier]
    if len(plan) <= ALL_UP_TO:
        return plan
    keys = plan.set_index(CASE).index
    # The generator is seeded by the tier, so that the choice is the same for every build.
    rng = np.random.default_rng(int(short_hash("selection", ranking.tier), 16))
    chosen = {*keys[rng.permutation(len(keys))[:_RANDOM]], *regressed}
    if ranking.best is not None:
        chosen |= _extremes(run, ranking, ranking.best.method)
    return plan[[key in chosen for key in keys]]


def columns(run: Run, ranking: Ranking) -> list[str]:
    """Methods that have a column of pictures; the ceiling equals the original and has none."""
    families = run.methods["family"]
    return [s.method for s in ranking.all_scores if families[s.method] != "ceiling"]


def views(
    run: Run, selected: pd.DataFrame, methods: Sequence[str], album: Album
) -> Iterator[CaseView]:
    """Make the pictures of the selected cases, in order, a few at a time."""
    rows = run.cases[run.cases["sample"] == 0].merge(selected[CASE], on=CASE)
    by_case: dict[Any, Any] = {
        key: list(group.to_dict("records")) for key, group in rows.groupby(CASE)
    }

    def view(facts: dict[str, Any]) -> CaseView:
        key = tuple(facts[name] for name in CASE)
        return _view(run.folder, facts, by_case.get(key, []), methods, album)

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        yield from pool.map(view, selected.to_dict("records"))


def page_name(facts: dict[str, Any]) -> str:
    """Name of a case's page: a hash of its key, never the photo's own name."""
    return short_hash(*(facts[name] for name in CASE))


def _extremes(run: Run, ranking: Ranking, best: str) -> set[tuple[Any, ...]]:
    names = [s.method for s in ranking.ranked]
    rows = run.cases[run.cases["method"].isin(names) & (run.cases["status"] == "ok")]
    rows = rows[(rows["sample"] == 0) & (rows["tier"] == ranking.tier)]
    values = cap_infinite(rows[ranking.headline].dropna())[0].rename("value")
    table = rows[[*CASE, "method"]].join(values, how="inner")
    wide = table.pivot(index=CASE, columns="method", values="value")
    own = wide[best].dropna().sort_values(kind="stable")
    spread = (wide.max(axis=1) - wide.min(axis=1)).sort_values(kind="stable")
    return {*own.index[:_EXTREME], *own.index[-_EXTREME:], *spread.index[-_EXTREME:]}


def _view(
    folder: Path,
    facts: dict[str, Any],
    rows: list[dict[str, Any]],
    methods: Sequence[str],
    album: Album,
) -> CaseView:
    photo_file = folder / "photos" / f"{facts['photo_sha']}.png"
    hole_file = folder / "masks" / f"{facts['mask_sha']}.png"
    photo, hole = pictures.read_rgb(photo_file), pictures.read_hole(hole_file)
    if hole is not None and photo is not None and hole.shape != photo.shape[:2]:
        hole = None
    by_method = {row["method"]: row for row in rows}
    return CaseView(
        page=page_name(facts),
        facts=facts,
        original=None if photo is None else (album.thumbnail(photo), album.kept(photo_file, photo)),
        mask=None if hole is None else _mask(hole_file, hole, album),
        with_hole=None if hole is None or photo is None else _with_hole(photo, hole, album),
        fills=[_fill(folder, name, by_method.get(name), photo, album) for name in methods],
    )


def _mask(path: Path, hole: np.ndarray, album: Album) -> tuple[Shown, Shown]:
    grey = np.where(hole, np.uint8(255), np.uint8(0))
    return album.thumbnail(np.repeat(grey[..., None], 3, axis=2)), album.kept(path, hole)


def _with_hole(photo: np.ndarray, hole: np.ndarray, album: Album) -> tuple[Shown, Shown]:
    return (
        album.thumbnail(pictures.hole_thumbnail(photo, hole)),
        album.lossless(pictures.with_hole(photo, hole)),
    )


def _fill(
    folder: Path, method: str, row: dict[str, Any] | None, photo: np.ndarray | None, album: Album
) -> FillView:
    if row is None:
        return FillView(method, None, None, None, "not run on this case", {})
    if row["status"] != "ok":
        return FillView(method, None, None, None, f"{row['status']}: {row['reason']}", row)
    path, pixels = _read(folder, row["output"])
    if pixels is None:
        return FillView(method, None, None, None, "picture not kept", row)
    fits = photo is not None and photo.shape == pixels.shape
    error = album.error_map(photo, pixels) if photo is not None and fits else None
    return FillView(
        method, album.thumbnail(pixels), album.kept(path, pixels), error, "", row,
        further=_further(folder, row, album),
        counts=dict(_named(row, "counts")),
    )  # fmt: skip


def _further(folder: Path, row: dict[str, Any], album: Album) -> dict[str, Shown]:
    found = {name: _read(folder, file) for name, file in _named(row, "pictures")}
    return {
        name: album.kept(path, pixels)
        for name, (path, pixels) in found.items()
        if pixels is not None
    }


def _read(folder: Path, name: Any) -> tuple[Path, np.ndarray | None]:
    """Read a picture of the run, None if it was not kept."""
    path = (folder / str(name)).resolve()
    # A table from elsewhere must not make the report show files outside of its own run.
    inside = name and path.is_relative_to(folder.resolve())
    return path, pictures.read_rgb(path) if inside else None


def _named(row: dict[str, Any], column: str) -> list[tuple[str, Any]]:
    """What a column holds as JSON; nothing in runs of before there was such a column."""
    return list(json.loads(row.get(column) or "{}").items())
