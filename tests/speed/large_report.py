"""What the report of a large run weighs whose pictures are like those of real photos.

    python -m tests.speed.large_report FOLDER [PHOTOS [METHODS]]

By default 1,000 photos, three tiers, 10 methods that fill. Photos are the bundled ones, mirrored
and shifted so that no two are alike; fills blur the photo in the hole, or put other parts of it
there. Numbers are made up. Prints how many cases are shown, and MB: all, pictures alone, zipped.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from bench.folder.store import RunFolder
from bench.statistics import CASE
from reports.build import build
from reports.files import archive
from tests.support import bundled_photos
from tests.support.large_run import fill_file, write_large_run
from tests.support.run_builder import write_picture


def write(folder: Path, photos: int, methods: int) -> Path:
    """Write a run with the pictures of the cases that are shown; and the report."""
    run = write_large_run(folder, photos=photos, methods=methods + 1)  # the ceiling fills nothing
    page = build(run)  # without pictures: says which cases are shown
    shown = pd.read_csv(page.parent / "data" / "shown.csv")
    store = RunFolder(run)
    plan = store.read_table("plan.parquet")
    sha = plan.drop_duplicates("photo").set_index("photo")["photo_sha"]
    cases = store.read_table("cases.parquet")
    done = cases["status"].eq("ok")
    of = zip(cases["method"], cases["tier"], cases["photo"].map(sha), strict=True)
    cases["output"] = np.where(done, [fill_file(*each) for each in of], "")
    store.write_table("cases.parquet", cases)
    base = [np.asarray(photo.pixels) for photo in bundled_photos.every(1)]
    names = [name for name in cases["method"].unique() if name != "original"]
    for case in plan.merge(shown[CASE], on=CASE).itertuples():
        _write_case(folder, case, _photo(base, int(str(case.photo)[-12:-4])), names)
    return build(run)


def _photo(base: list[np.ndarray], number: int) -> np.ndarray:
    turn, place = divmod(number, len(base))
    shifted = np.roll(base[place], (7 * turn, 11 * turn), (0, 1))
    return shifted[:, ::-1] if turn % 2 else shifted


def _write_case(folder: Path, case: Any, photo: np.ndarray, names: list[str]) -> None:
    rows, columns = np.indices(photo.shape[:2])
    radius = len(photo) * np.sqrt(case.hole_share / np.pi)
    hole = np.hypot(rows - len(photo) / 2, columns - len(photo) / 2) < radius
    write_picture(folder / f"photos/{case.photo_sha}.png", photo)
    write_picture(folder / f"masks/{case.mask_sha}.png", hole)
    for place, name in enumerate(names):
        there = np.roll(photo, 20 * (place + 1), place % 2)
        other = cv2.GaussianBlur(photo, (0, 0), 1 + 2 * place) if place % 3 == 0 else there
        fill = np.where(hole[..., None], other, photo)
        write_picture(folder / fill_file(name, case.tier, case.photo_sha), fill)


def main(folder: Path, photos: int = 1000, methods: int = 10) -> None:
    """Print what it weighs."""
    report = write(folder, photos, methods).parent
    files = [file for file in report.rglob("*") if file.is_file()]
    weigh = {
        "report": sum(file.stat().st_size for file in files),
        "its pictures": sum(f.stat().st_size for f in files if "pictures" in f.parts),
        "its zip": archive.write(report).stat().st_size,
    }
    pages = len(list((report / "cases").glob("*.html")))
    print(f"{photos} photos, {methods} methods: {pages} cases shown, {len(files)} files")
    for name, size in weigh.items():
        print(f"{name}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:4]))
