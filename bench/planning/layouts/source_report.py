"""The layout of the source report: photos with labelme's masks, whose names tell the case."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Final

from bench.errors import InputError
from bench.planning.layouts.laid import Laid, Place
from bench.planning.pairs import Wanted
from bench.protocols.record import Published
from masks.listing import composed, find_masks, is_annotation, stem

CASES: Final = {"1": "case-1-small-range", "2": "case-2-region", "3": "case-3-large-range"}
"""Tiers by the first number of a photo's name."""

_NAMED = re.compile(r"\D*([123])[_ -]\d+", re.ASCII)


def numbered(published: Published, place: Place) -> Laid:
    """Photos such as ``test_1_2.jpg``, the second of case 1, with what labelme made of them.

    That is ``test_1_2.json`` beside it, or the folder ``test_1_2_json`` of its export, which has
    the photo as ``img.png``, too.
    """
    masks = {mask.name: mask.file for mask in find_masks(place.masks or place.folder)}
    drawn = {name: file for name, file in masks.items() if _by_labelme(file.path)}
    photos = _photos(place)
    wanted: dict[str, list[Wanted]] = {tier: [] for tier in CASES.values()}
    lost = [(name, "photo", f"no labelme file {short}.json and no folder {short}_json")
            for short, name in photos.items() if short not in drawn]  # fmt: skip
    for short, file in drawn.items():
        case = _NAMED.fullmatch(PurePosixPath(short).name)
        if (name := photos.get(short)) is None:
            lost.append((str(file), "mask", "its photo is not there"))
        elif case is None:
            why = "expected a name such as test_1_2: the second photo of case 1 (of 1 to 3)"
            lost.append((name, "photo", why))
        else:
            tier = CASES[case[1]]
            wanted[tier].append(Wanted(name, (file,), tiers=(tier,)))
    found = [each for tier in wanted.values() for each in tier]
    if not found:
        raise InputError(
            f"{place.folder}: nothing of it fits {published.name}. {published.data.about}"
        )
    return Laid(found, lost)


def _by_labelme(path: Path) -> bool:
    return path.is_dir() or is_annotation(path)


def _photos(place: Place) -> dict[str, str]:
    """Photos by the name that a mask of theirs has; of an export its own copy, if it has to be."""
    found: dict[str, str] = {}
    for name in place.photos("**/*"):
        folder, file = PurePosixPath(name).parent, PurePosixPath(name).name
        if not folder.name.endswith("_json"):
            found[composed(stem(name))] = name
        elif file == "img.png":
            found.setdefault(composed(folder.as_posix().removesuffix("_json")), name)
    return found
