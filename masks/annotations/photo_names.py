"""Which name of an annotation means which photo."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection
from pathlib import PurePosixPath
from urllib.parse import unquote

_Parts = tuple[str, ...]


def match(names: Collection[str], photos: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Find photos under the names that a tool gave them.

    Tools write names with folders or without, with backslashes, as URLs. The whole path decides,
    then as many folders as both have in common, then the file name, then that without extension.

    Args:
        names: As the tool wrote them.
        photos: Paths relative to the folder of photos, with ``/``.

    Returns:
        The name of each photo that has one; and of each photo that could have several, or shares
        one with others, the reason.
    """
    left = {photo: _parts(photo) for photo in photos}
    right = {name: _parts(name) for name in names}
    found: dict[str, str] = {}
    unclear: dict[str, str] = {}
    depth = max(map(len, (*left.values(), *right.values())), default=0)
    for common in (0, *range(depth, 0, -1), -1):
        ours, theirs = _ends(left, common), _ends(right, common)
        for end in ours.keys() & theirs.keys():
            if len(ours[end]) == len(theirs[end]) == 1:
                found[ours[end][0]] = theirs[end][0]
            else:
                listed = ", ".join(map(repr, theirs[end][:3]))
                for photo in ours[end]:
                    alike = f"; {len(ours[end])} photos are called so" if ours[end][1:] else ""
                    unclear[photo] = f"cannot tell which annotation is meant: {listed}{alike}"
            for photo in ours[end]:
                del left[photo]
            for name in theirs[end]:
                del right[name]
    return found, unclear


def _ends(paths: dict[str, _Parts], common: int) -> dict[_Parts, list[str]]:
    """Paths by their last parts; by all of them for 0, by the stem for -1."""
    ends: dict[_Parts, list[str]] = defaultdict(list)
    for path, parts in paths.items():
        if common < 0:
            ends[(PurePosixPath(parts[-1]).stem,)].append(path)
        elif len(parts) >= common:
            ends[parts[-common:]].append(path)
    return ends


def _parts(name: str) -> _Parts:
    plain = re.sub(r"^\w+://", "", unicodedata.normalize("NFC", name.replace("\\", "/")))
    return tuple(part for part in unquote(plain).split("/") if part not in ("", ".")) or ("",)
