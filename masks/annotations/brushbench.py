"""BrushBench's list: two holes a photo as run lengths, one of an object and one around it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.errors import InputError
from masks.annotations.shape import Shape, Size
from masks.annotations.sheet import Annotation, Sheet, add
from masks.raster import Mask

LABELS: Final = ("inpainting_mask", "outpainting_mask")


def is_list(content: Any) -> bool:
    """Tell such a list from other JSON."""
    records = list(content.values()) if isinstance(content, dict) else []
    return bool(records) and all(
        isinstance(each, dict) and {"image", *LABELS} <= each.keys() for each in records
    )


def parse(content: Any, path: Path) -> Annotation | None:
    """Take JSON for such a list; None if it is another kind of file.

    Its records are by number and hold ``image``, ``caption`` and a mask by each of `LABELS`: pairs
    of a start, from 1 on, and a length, row by row, of what is hole.

    Raises:
        InputError: If a record names no photo.
    """
    if not is_list(content):
        return None
    sheets: dict[str, Sheet] = {}
    for record in content.values():
        where = f"annotation '{path}', photo '{record['image']}'"
        add(sheets, record["image"], Sheet(lambda: None, partial(_shapes, record, where)), path)
    return Annotation(sheets, frozenset(LABELS))


def _shapes(record: dict[str, Any], where: str, extent: Size) -> Iterator[Shape]:
    for label in LABELS:
        draw = partial(_drawn, record[label], f"{where}, {label}", extent)
        yield Shape((label,), "run lengths", bitmap=draw)


def _drawn(pairs: Any, where: str, extent: Size) -> Mask:
    if isinstance(pairs, str):
        pairs = pairs.replace(",", " ").split()
    try:
        numbers = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{where}: expected pairs of whole numbers ({error})"[:300]) from error
    starts, ends = numbers[:, 0] - 1, numbers.sum(axis=1) - 1
    pixels = extent[0] * extent[1]
    if len(numbers) and (starts.min() < 0 or (ends < starts).any() or ends.max() > pixels):
        raise InputError(f"{where}: expected runs within the {pixels} pixels of the photo, from 1")
    edges = np.zeros(pixels + 1, np.int64)
    np.add.at(edges, starts, 1)
    np.add.at(edges, ends, -1)
    mask: Mask = (np.cumsum(edges[:-1]) > 0).reshape(extent)
    return mask
