"""What files of outputs are called: several namings, of which a folder has one as a whole.

``<stem>`` is a photo's path without its suffix, ``<mask>`` that of the mask file. Where these lie
in folders, outputs may lie in the same folders or all in one.
"""

from __future__ import annotations

import hashlib
import os.path
import posixpath
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from bench.errors import InputError
from methods.case_key import CaseKey

_LONGEST = 200  # bytes of a photo in an exported name; tier and draw follow
_SHOWN = 5
_Name: TypeAlias = Callable[[CaseKey], str]


def exported(cases: Sequence[CaseKey]) -> dict[CaseKey, str]:
    """Names for all cases in one folder, ``<stem>-<tier>-<draw>``, distinct on any file system.

    The stem goes without folders if photos can be told apart by that; else with them, joined by
    ``__``; else with the suffix too; else, and where it is too long, with a hash.
    """
    photos = {case.photo for case in cases}
    for short in (
        lambda photo: posixpath.basename(_stem(photo)),
        lambda photo: _stem(photo).replace("/", "__"),
        lambda photo: photo.replace("/", "__"),
        _hashed,
    ):
        called = {photo: short(photo) for photo in photos}
        folded = {composed(name).casefold() for name in called.values()}
        if len(folded) == len(photos) and all(len(n.encode()) <= _LONGEST for n in called.values()):
            break
    return {case: f"{called[case.photo]}-{case.tier}-{case.draw}" for case in cases}


def composed(name: str) -> str:
    """A name as most systems write it: file systems may take letters and accents apart."""
    return unicodedata.normalize("NFC", name)


def choose(cases: Sequence[CaseKey], there: Mapping[str, str]) -> tuple[str, list[str]]:
    """Find the naming under which most files of a folder are outputs.

    Args:
        cases: All cases of a run.
        there: The folder's files by their paths, `composed` and without suffix.

    Returns:
        The pattern of the naming, and what it calls each case.

    Raises:
        InputError: If no file is an output under any naming, most are under one that does not tell
            the cases apart, or different ones fit equally well.
    """
    most = 0
    best: list[tuple[str, list[str]]] = []
    tried: dict[str, str] = {}
    for pattern, name in _namings(cases):
        names = [composed(name(case)) for case in cases]
        count = len(there.keys() & names)
        if count > most:
            best, most = [], count
        if count and count == most:
            best.append((pattern, names))
        if len({*names}) == len(names) > 0:
            tried.setdefault(pattern, names[0])
    if not best:
        ways = ", ".join(f"{pattern}.png ({example}.png)" for pattern, example in tried.items())
        raise InputError(
            f"expected outputs of {len(cases)} cases, found no file of any naming: {ways}. "
            f"Pictures there: {listed(there.values())}. inpaint-bench export RUN DIR writes photos "
            "and holes to fill, under names that are read back"
        )
    fitting = [(pattern, names) for pattern, names in best if len({*names}) == len(cases)]
    if not fitting:
        raise InputError(_shared(*best[0], cases, tried["<stem>-<tier>-<draw>"]))
    if len({tuple(name if name in there else "" for name in names) for _, names in fitting}) > 1:
        ways = " and ".join(
            f"{way}.png ({min(there.keys() & names)}.png)" for way, names in fitting
        )
        raise InputError(
            f"{most} files each are named {ways}, which mean different cases; keep the files of "
            "one naming in a folder of their own"
        )
    return fitting[0]


def listed(names: Collection[str]) -> str:
    """Say how many there are, and the first few."""
    more = ", ..." if len(names) > _SHOWN else ""
    return f"{len(names)} ({', '.join(sorted(names)[:_SHOWN])}{more})" if names else "none"


def _namings(cases: Sequence[CaseKey]) -> Iterator[tuple[str, _Name]]:
    """The namings, preferred ones first: pattern, and the path of an output without suffix."""
    flat = exported(cases)
    yield "<tier>/<photo>-<draw>", lambda case: case.file_name.removesuffix(".png")
    yield "<stem>-<tier>-<draw>", flat.__getitem__
    yield "<stem>-<tier>-<draw>_mask000", lambda case: f"{flat[case]}_mask000"
    further: list[tuple[str, _Name]] = [
        (f"{word}{tail}".replace("{0.", "<").replace("}", ">"), partial(_name, photo, tail))
        for word, photo in (("<stem>", _stem), ("<photo>", str))
        for tail in ("", "-{0.draw}", "-{0.tier}-{0.draw}")
    ]
    if all(case.mask for case in cases):
        further.append(("<mask>", lambda case: _stem(case.mask)))
    for pattern, name in further:
        yield pattern, name
        yield pattern, partial(_in_one_folder, name)


def _name(photo: Callable[[str], str], tail: str, case: CaseKey) -> str:
    return photo(case.photo) + tail.format(case)


def _in_one_folder(name: _Name, case: CaseKey) -> str:
    return posixpath.basename(name(case))


def _shared(pattern: str, names: Sequence[str], cases: Sequence[CaseKey], clear: str) -> str:
    """Why a naming does not tell cases apart; ``clear`` is a name that does."""
    (name, _), *_ = Counter(names).most_common(1)
    pairs = zip(cases, names, strict=True)
    meant = [f"{case.photo} {case.tier} {case.draw}" for case, own in pairs if own == name]
    return (
        f"files are named {pattern}.png, but {name}.png may be of {listed(meant)}; name outputs "
        f"<stem>-<tier>-<draw>.png ({clear}.png)"
    )


def _stem(path: str) -> str:
    return os.path.splitext(path)[0]


def _hashed(photo: str) -> str:
    start = posixpath.basename(photo).encode()[:100].decode(errors="ignore")
    return f"{start}~{hashlib.sha256(photo.encode()).hexdigest()[:16]}"
