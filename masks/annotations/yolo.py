"""YOLO text: one file a photo, a line a shape, in shares of width and height."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path

import yaml

from bench.errors import InputError
from masks.annotations.shape import Numbers, Shape, Size, box, interleaved, numbers, whole
from masks.annotations.sheet import Annotation, Sheet
from masks.picture import read_bytes

NAMES = ("data.yaml", "dataset.yaml", "classes.txt", "obj.names")
"""Files that may name the classes."""


def parse(text: str, path: Path) -> Annotation | None:
    """Take text for an annotation; None if its first line is none. A file may be empty."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    if rows and (len(rows[0]) < 2 or not all(map(_is_number, rows[0]))):
        return None
    names = _names(path.parent)
    sheet = Sheet(lambda: None, partial(_shapes, rows, names, path))
    labels = frozenset(names.values()) or None
    return Annotation({path.stem: sheet}, labels, frozenset(map(str, names)))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shapes(
    rows: list[list[str]], names: dict[int, str], path: Path, extent: Size
) -> Iterator[Shape]:
    for line, (key, *rest) in enumerate(rows, 1):
        where = f"annotation '{path}', shape {line}"
        number = whole(key, f"{where}, class")
        labels = (names.get(number, str(number)), str(number))
        yield Shape(labels, "polygon" if len(rest) > 4 else "box", (_ring(rest, where, extent),))


def _ring(texts: list[str], where: str, extent: Size) -> Numbers:
    shares = numbers(texts, where)
    if ((shares < -1) | (shares > 2)).any():
        raise InputError(f"{where}: expected shares of the width and height, 0 to 1")
    height, width = extent
    if len(shares) == 4:
        x, y, wide, tall = shares * (width, height, width, height)
        return box((x - wide / 2, y - tall / 2, wide, tall), where)
    return interleaved(shares, 3, where) * (width, height)


def _names(folder: Path) -> dict[int, str]:
    """Names of the classes, from a file beside the annotation or up to two folders above it."""
    for place in (folder, *folder.absolute().parents[:2]):
        for file in (place / name for name in NAMES):
            if os.path.isfile(file) and (found := _listed(file, file.stat().st_mtime_ns)):
                return found
    return {}


@lru_cache(16)
def _listed(file: Path, _: int) -> dict[int, str]:
    text = read_bytes(file).decode("utf-8", "replace")
    if file.suffix != ".yaml":
        lines = enumerate(map(str.strip, text.splitlines()))
        return {number: line for number, line in lines if line}
    try:
        content = yaml.safe_load(text)
        names = content.get("names") if isinstance(content, dict) else None
        pairs = names.items() if isinstance(names, dict) else enumerate(names or [])
        return {int(number): str(name) for number, name in pairs}
    except (yaml.YAMLError, RecursionError, TypeError, ValueError) as error:
        raise InputError(f"names of classes in '{file}' cannot be read: {error}"[:300]) from error
