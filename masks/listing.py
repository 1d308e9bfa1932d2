"""What masks lie in a folder, by name, in order, or to be drawn from."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bench.errors import InputError
from masks.annotations import SUFFIXES, entries, labelme_export
from masks.files import PICTURES, MaskFile
from masks.kinds import visible


class Named(NamedTuple):
    """A mask under the name that says whose it is.

    Attributes:
        name: Path relative to the folder with ``/``, composed, without its suffix; of an exported
            folder ``b_json`` it is ``b``.
        file: Where it is.
        aside: Pictures of that name for which an annotation is taken.
    """

    name: str
    file: MaskFile
    aside: tuple[Path, ...] = ()


def find_masks(folder: Path) -> list[Named]:
    """List the masks below a folder.

    Pictures, annotations and folders that labelme exported count; hidden files and other types do
    not, nor do the files inside an exported folder. Where one photo has an export, an annotation
    and a picture of the same name, the export is taken before the annotation, and that before
    the picture, which is then the annotated photo.

    Returns:
        Sorted by name; names may occur twice.

    Raises:
        InputError: If there is no such folder.
    """
    if not os.path.isdir(folder):
        raise InputError(f"expected a folder of masks at '{folder}', found none")
    found: dict[str, list[Path]] = defaultdict(list)
    for path in _candidates(folder):
        name = path.relative_to(folder).as_posix()
        found[composed(name.removesuffix("_json") if os.path.isdir(path) else stem(name))].append(
            path
        )
    masks = []
    for name, paths in sorted(found.items()):
        best = min(map(_precedence, paths))
        aside = tuple(path for path in paths if _precedence(path) > best and os.path.isfile(path))
        masks += [
            Named(name, MaskFile(path), aside)
            for path in sorted(paths)
            if _precedence(path) == best
        ]
    return masks


def in_order(folder: Path) -> list[MaskFile]:
    """The masks below a folder in the order of their names, of annotations each photo's.

    Raises:
        InputError: If there is no such folder or no mask in it, or an annotation cannot be read.
    """
    found: list[MaskFile] = []
    for mask in sorted(find_masks(folder), key=lambda mask: natural(mask.name)):
        listed = entries(mask.file.path) if is_annotation(mask.file.path) else None
        found += [mask.file] if listed is None else listed.values()
    if not found:
        raise InputError(none_below(folder))
    return found


def none_below(folder: Path) -> str:
    """What to say of a folder without masks."""
    return f"--masks: no picture and no annotation that can be read below {folder}"


def drawn(pool: Sequence[MaskFile], seed: str, count: int) -> list[MaskFile]:
    """Choose different masks of a pool, the same for the same seed on every machine.

    Raises:
        InputError: If there are not as many.
    """
    if count > len(pool):
        raise InputError(f"--draws {count}: the pool has {len(pool)} masks; ask for no more")
    chosen: dict[MaskFile, None] = {}
    attempt = 0
    while len(chosen) < count:
        digest = hashlib.sha256(f"pool|{seed}|{attempt}".encode()).digest()
        chosen[pool[int.from_bytes(digest, "big") % len(pool)]] = None
        attempt += 1
    return list(chosen)


def is_annotation(path: Path) -> bool:
    """Tell by its suffix whether a file may be an annotation."""
    return path.suffix.lower() in SUFFIXES


def natural(name: str) -> list[tuple[int, str]]:
    """Key to sort names by, in which 2 comes before 10."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part) if number % 2 else -1, part) for number, part in enumerate(parts)]


def composed(name: str) -> str:
    """A name in Unicode's composed form, in which file systems differ."""
    return unicodedata.normalize("NFC", name)


def stem(name: str) -> str:
    """A path without its suffix."""
    return PurePosixPath(name).with_suffix("").as_posix()


def _candidates(folder: Path) -> Iterator[Path]:
    exported: dict[Path, bool] = {folder: False}
    for path in visible(folder):
        if (place := path.parent) not in exported:
            exported[place] = labelme_export.is_export(place)
            if exported[place]:
                yield place
        known = path.suffix.lower() in (*PICTURES, ".json", ".xml")
        if not exported[place] and (known or _is_table(path)):
            yield path


def _is_table(path: Path) -> bool:
    """Tell an annotation that is text from other text, of which folders are full."""
    try:
        return is_annotation(path) and entries(path) is not None
    except InputError:
        return True  # it is meant as one, and reading it says what is wrong


def _precedence(path: Path) -> int:
    return 0 if os.path.isdir(path) else 1 if is_annotation(path) else 2
