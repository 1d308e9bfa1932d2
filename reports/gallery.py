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

from bench.shown import ALL_UP_TO, AT_RANDOM, case_hash
from bench.statistics import CASE, cap_infinite
from reports import pictures
from reports.pictures import Album, Shown
from reports.ranking import Ranking
from reports.run import Run

MOST_CASES = 2000
_EXTREME = 20
SELECTION_RULE = (
    f"{AT_RANDOM} drawn by their hash, the {_EXTREME} best and the {_EXTREME} worst of the "
    f"best-ranked method, the {_EXTREME} on which the ranked methods disagree most, the first "
    f"{_EXTREME} by their hash on which a method failed, and the worst regressions if the run was "
    "judged against a baseline; where not all fills were kept, only cases with kept ones, but for "
    "failures and regressions"
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

    Of very many tiers fewer are shown, so that a report has no more than 2,000 cases.

    Args:
        run: The run.
        ranking: Ranking of the tier.
        regressed: Keys of cases, of any tier, that got worse than a baseline.

    Returns:
        Rows of the plan, in its order.
    """
    plan = run.plan[run.plan["tier"] == ranking.tier]
    most = MOST_CASES // len(run.tiers)
    if len(plan) <= min(ALL_UP_TO, most):
        return plan
    keys = list(plan[CASE].itertuples(index=False, name=None))
    by_hash = sorted(keys, key=lambda key: case_hash(*key))
    rows = run.cases[(run.cases["tier"] == ranking.tier) & (run.cases["sample"] == 0)]
    pictured = _keys(rows[(rows["output"] != "") & rows["method"].isin(columns(run, ranking))])
    failed = _keys(rows[~rows["status"].isin(["ok", "declined", "unavailable"])])
    drawn = [key for key in by_hash if key in pictured or not pictured]
    # In order of importance: what comes last is left out first.
    chosen = [*drawn[:AT_RANDOM], *regressed]
    if ranking.best is not None:
        chosen += _extremes(rows[rows["output"] != ""] if pictured else rows, ranking)
    chosen += [key for key in by_hash if key in failed][:_EXTREME]
    known = set(keys)
    kept = set([key for key in dict.fromkeys(chosen) if key in known][:most])
    return plan[[key in kept for key in keys]]


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
        return _view(run, facts, by_case.get(key, []), methods, album)

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        yield from pool.map(view, selected.to_dict("records"))


def page_name(facts: dict[str, Any]) -> str:
    """Name of a case's page: a hash of its key, never the photo's own name."""
    return case_hash(*(facts[name] for name in CASE))


def _keys(rows: pd.DataFrame) -> set[tuple[Any, ...]]:
    return set(rows[CASE].drop_duplicates().itertuples(index=False, name=None))


def _extremes(rows: pd.DataFrame, ranking: Ranking) -> list[tuple[Any, ...]]:
    """Worst and best of the best method, and where the ranked ones disagree most."""
    names = [scores.method for scores in ranking.ranked]
    rows = rows[rows["method"].isin(names) & (rows["status"] == "ok")]
    values = cap_infinite(rows[ranking.headline].dropna())[0].rename("value")
    table = rows[[*CASE, "method"]].join(values, how="inner")
    wide = table.pivot(index=CASE, columns="method", values="value")
    own = wide[names[0]].dropna().sort_values(kind="stable")
    spread = (wide.max(axis=1) - wide.min(axis=1)).sort_values(kind="stable")
    return [*own.index[:_EXTREME], *own.index[-_EXTREME:], *spread.index[-_EXTREME:]]


def _view(
    run: Run,
    facts: dict[str, Any],
    rows: list[dict[str, Any]],
    methods: Sequence[str],
    album: Album,
) -> CaseView:
    photo_file, photo = _read(run, f"photos/{facts['photo_sha']}.png")
    hole_file = run.file(f"masks/{facts['mask_sha']}.png")
    hole = pictures.read_hole(hole_file) if hole_file else None
    if hole is not None and photo is not None and hole.shape != photo.shape[:2]:
        hole = None
    by_method = {row["method"]: row for row in rows}
    return CaseView(
        page=page_name(facts),
        facts=facts,
        original=(album.thumbnail(photo), album.kept(photo_file, photo))
        if photo_file and photo is not None
        else None,
        mask=_mask(hole_file, hole, album) if hole_file and hole is not None else None,
        with_hole=None if hole is None or photo is None else _with_hole(photo, hole, album),
        fills=[_fill(run, name, by_method.get(name), photo, album) for name in methods],
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
    run: Run, method: str, row: dict[str, Any] | None, photo: np.ndarray | None, album: Album
) -> FillView:
    if row is None:
        return FillView(method, None, None, None, "not run on this case", {})
    if row["status"] != "ok":
        return FillView(method, None, None, None, f"{row['status']}: {row['reason']}", row)
    path, pixels = _read(run, row["output"])
    if path is None or pixels is None:
        return FillView(method, None, None, None, "picture not kept", row)
    fits = photo is not None and photo.shape == pixels.shape
    error = album.error_map(photo, pixels) if photo is not None and fits else None
    ready = album.ready_thumbnail(run.file(str(row.get("thumbnail") or "")))
    return FillView(
        method, ready or album.thumbnail(pixels), album.kept(path, pixels), error, "", row,
        further=_further(run, row, album),
        counts=dict(_named(row, "counts")),
    )  # fmt: skip


def _further(run: Run, row: dict[str, Any], album: Album) -> dict[str, Shown]:
    found = {name: _read(run, file) for name, file in _named(row, "pictures")}
    return {
        name: album.kept(path, pixels)
        for name, (path, pixels) in found.items()
        if path is not None and pixels is not None
    }


def _read(run: Run, name: str) -> tuple[Path | None, np.ndarray | None]:
    """Read a picture of the run, None if it was not kept."""
    path = run.file(name)
    return path, pictures.read_rgb(path) if path else None


def _named(row: dict[str, Any], column: str) -> list[tuple[str, Any]]:
    """What a column holds as JSON; nothing in runs of before there was such a column."""
    return list(json.loads(row.get(column) or "{}").items())
