"""The photos that ship with the project: 48 photographs in two sizes, with licence and credit.

What each is, and which square of the original it shows, stands in ``bench/bundled/photos.csv``;
``bench/bundled/LICENCE.md`` is the same for readers.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

BUNDLED: Final = "bundled"
LARGER: Final = "bundled-512"
SETS: Final = {BUNDLED: 256, LARGER: 512}
"""Side of the photos of each set, in pixels. The larger ones are JPEG, for their size."""

_HOME = Path(__file__).parents[1] / BUNDLED


class Facts(NamedTuple):
    """What is known of a photo.

    Attributes:
        group: Kind of photo, for readers, such as ``buildings, streets``.
        credit: Title, author, licence, source and changes, as the licences want it.
    """

    group: str
    credit: str


def folder(photos: str) -> Path:
    """Where the photos asked for lie: the folder of a set by its name, else the path itself."""
    return _HOME / f"photos{SETS[photos]}" if photos in SETS else Path(photos)


def of_side(side: int) -> str:
    """Name of the set whose photos are the least that need not be enlarged to so many pixels."""
    return BUNDLED if side <= SETS[BUNDLED] else LARGER


@cache
def facts() -> dict[str, Facts]:
    """What is known of each photo, by its file's name without suffix."""
    with open(_HOME / "photos.csv", encoding="utf-8", newline="") as file:
        return {
            row["name"]: Facts(row["kind"].replace("_", ", "), _credit(row))
            for row in csv.DictReader(file)
        }


def _credit(row: dict[str, str]) -> str:
    return (
        f"“{row['title']}” by {row['author']}, {row['changes']} from "
        f"{row['source_url'] or row['source']} under {row['licence']} ({row['licence_url']})"
    )
