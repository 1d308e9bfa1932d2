"""The pictures of one case as a row of a figure, as they were measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.errors import BenchError
from bench.folder.header import GIVEN, PHOTO
from bench.folder.read import Run
from bench.folder.shown_cases import case_hash
from bench.folder.store import records
from bench.statistics import CASE, MARKS
from reports.paper.chosen_cases import spelled
from reports.results import disagreement, sentences
from reports.results.disagreement import Window
from reports.results.orders import Key
from reports.site.album import read_hole, read_rgb, with_hole

_AGAIN = "the run's command, given again, makes it anew"
_ROOM = 1.25  # a crop is so many times as large as the hole
_SHARE = 3  # a window is this part of the shorter side
_LEAST = 16  # pixels


@dataclass(frozen=True)
class Picture:
    """One cell of a figure.

    Attributes:
        title: Of its column.
        pixels: uint8 RGB, ``(h, w, 3)``; None where the method did not complete the case.
        problem: Why, then.
        value: The number that stands under it; NaN where it has none.
    """

    title: str
    pixels: np.ndarray | None
    problem: str = ""
    value: float = float("nan")


@dataclass(frozen=True)
class Strip:
    """One row of a figure: a case, and the window that is shown enlarged."""

    key: Key
    facts: dict[str, Any]
    pictures: list[Picture]
    hole: np.ndarray
    window: Window | None = None
    head: str = ""
    """What stands above it and those that follow."""
    given: int = 2
    """How many pictures stand before the fills."""


def strip(
    run: Run, key: Key, methods: Sequence[str], metric: str, *, mask: bool = False, truth: bool
) -> Strip:
    """Read the pictures of a case: photo, hole, fills of sample 0, truth.

    Args:
        run: The run.
        key: The case.
        methods: In the order of the columns.
        metric: Whose values stand under the fills; may be empty.
        mask: Whether the hole alone has a column.
        truth: Whether the truth has a column.

    Raises:
        BenchError: If a picture is gone, or was not kept.
    """
    (facts,) = records(run.plan[(run.plan[CASE] == list(key)).all(axis=1)])
    photo = _read(run, key, f"photos/{facts['photo_sha']}.png", "the photo")
    path = run.file(f"masks/{facts['mask_sha']}.png")
    hole = read_hole(path) if path else None
    if hole is None or hole.shape != photo.shape[:2]:
        raise _gone(run, key, "the hole", f"masks/{facts['mask_sha']}.png")
    original = "Original" if run.header.truth == PHOTO else "Photo"
    pictures = [Picture(original, photo)]
    if mask:
        alone = np.repeat(np.where(hole, np.uint8(255), np.uint8(0))[..., None], 3, axis=2)
        pictures.append(Picture("Mask", alone))
    pictures.append(Picture("With mask" if mask else "Hole", with_hole(photo, hole)))
    before = len(pictures)
    pictures += [_fill(run, key, method, metric) for method in methods]
    if truth:
        file = facts["truth"] or facts["photo_sha"]
        pictures.append(Picture("Truth", _read(run, key, f"photos/{file}.png", "the truth")))
    return Strip(key, facts, pictures, hole, given=before)


def headed(rows: Sequence[Strip]) -> list[Strip]:
    """The rows with the name of their tier above the first of each."""
    tiers = ["", *(row.key[1] for row in rows)]
    return [
        replace(row, head=tier if tier != before else "")
        for row, before, tier in zip(rows, tiers, tiers[1:], strict=False)
    ]


def has_truth(run: Run) -> bool:
    """Whether the truth is another picture than the photo, and known."""
    return run.header.truth == GIVEN


def cropped(row: Strip) -> Strip:
    """Only the hole and some of what surrounds it: a square where the picture has room for one."""
    reach = max(np.ptp(np.flatnonzero(row.hole.any(axis=axis))) for axis in (0, 1)) + 1
    part = _around(row.hole, max(_LEAST, round(_ROOM * reach)))
    pictures = [p if p.pixels is None else replace(p, pixels=p.pixels[part]) for p in row.pictures]
    return replace(row, pictures=pictures, hole=row.hole[part])


def enlarged(run: Run, row: Strip, methods: Sequence[str], where: str) -> Strip:
    """The row with the window that is shown enlarged.

    Args:
        run: The run.
        row: The row.
        methods: Those of its columns of fills.
        where: ``disagreement``, where these methods' fills differ most (floors and ceiling do not
            count), or ``hole``, the middle of the hole, which also stands in below two fills.
    """
    shorter = min(row.hole.shape)
    side = max(min(_LEAST, shorter), shorter // _SHARE)
    marks = run.methods.index[run.methods["family"].isin(MARKS)]
    fills = [
        picture.pixels
        for method, picture in zip(methods, row.pictures[row.given :], strict=False)
        if method not in marks and picture.pixels is not None
    ]
    found = disagreement.window(fills, row.hole, side) if where == "disagreement" else None
    if found is None:
        rows, columns = _around(row.hole, side)
        found = Window(columns.start, rows.start, side)
    return replace(row, window=found)


def _around(hole: np.ndarray, side: int) -> tuple[slice, slice]:
    """Rows and columns of a square around the middle of a hole, within its picture."""
    places = (np.flatnonzero(hole.any(axis=axis)) for axis in (1, 0))
    rows, columns = (
        _cut(int(each[0] + each[-1] + 1), side, most)
        for each, most in zip(places, hole.shape, strict=True)
    )
    return rows, columns


def _cut(twice_the_middle: int, side: int, most: int) -> slice:
    """So many pixels around a middle, moved or shortened to lie within the picture."""
    side = min(side, most)
    start = min(max((twice_the_middle - side) // 2, 0), most - side)
    return slice(start, start + side)


def _fill(run: Run, key: Key, method: str, metric: str) -> Picture:
    title = sentences.title(run, method)
    cases = run.cases
    own = (cases["method"] == method) & (cases["sample"] == 0)
    rows = cases[own & (cases[CASE] == list(key)).all(axis=1)]
    if rows.empty:
        return Picture(title, None, "not run")
    row = rows.iloc[0]
    if row["status"] != "ok":
        return Picture(title, None, str(row["status"]))
    if not row["output"]:
        raise BenchError(
            f"case {_case(key)}: expected the fill of {method}, found that {run.folder} did not "
            "keep it (of a large run only some cases are); choose another case, such as with "
            "--rule random, or run this photo alone"
        )
    pixels = _read(run, key, row["output"], f"the fill of {method}")
    return Picture(title, pixels, value=float(row[metric]) if metric else float("nan"))


def _read(run: Run, key: Key, name: str, what: str) -> np.ndarray:
    path = run.file(name)
    pixels = read_rgb(path) if path else None
    if pixels is None:
        raise _gone(run, key, what, name)
    return pixels


def _gone(run: Run, key: Key, what: str, name: str) -> BenchError:
    return BenchError(
        f"case {_case(key)}: expected {what} in {run.folder / name}, found it gone or damaged; "
        f"{_AGAIN}"
    )


def _case(key: Key) -> str:
    return f"{case_hash(*key)} ({spelled(key)})"
