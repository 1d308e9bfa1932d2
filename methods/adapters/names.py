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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from bench.errors import InputError
from methods.case_key import CaseKey

_LONGEST = 200  # bytes of a photo in an exported name; tier and draw follow
_SHOWN = 5


class Naming(NamedTuple):
    """One way to name outputs.

    Attributes:
        pattern: For readers.
        name: Path of a case's output below the folder, without suffix.
    """

    pattern: str
    name: Callable[[CaseKey], str]


def exported(cases: Iterable[CaseKey]) -> dict[CaseKey, str]:
    """Names for all cases in one folder, ``<stem>-<tier>-<draw>``, each its own whatever its case.

    The stem goes without folders if that can be told apart; else with them, joined by ``__``; else
    with the suffix too; else, and where it is too long, with a hash.
    """
    cases = list(cases)
    photos = {case.photo for case in cases}
    for short in (_last_stem, _joined_stem, _joined, _hashed):
        called = {photo: short(photo) for photo in photos}
        distinct = {composed(name).casefold() for name in called.values()}
        if len(distinct) == len(photos) and all(
            len(_bytes(n)) <= _LONGEST for n in called.values()
        ):
            break
    return {case: f"{called[case.photo]}-{case.tier}-{case.draw}" for case in cases}


def composed(name: str) -> str:
    """A name as most systems write it: file systems may take letters and accents apart."""
    return unicodedata.normalize("NFC", name)


def choose(cases: Sequence[CaseKey], there: Mapping[str, str]) -> tuple[Naming, list[str]]:
    """Find the naming under which most files of a folder are outputs.

    Args:
        cases: All cases of a run.
        there: The folder's files by their paths, `composed` and without suffix.

    Returns:
        The naming, and what it calls each case.

    Raises:
        InputError: If no file is an output under any naming, most are under one that does not tell
            the cases apart, or different ones fit equally well.
    """
    most = 0
    best: list[tuple[Naming, list[str]]] = []
    tried: dict[str, str] = {}
    for naming in _namings(cases):
        names = [composed(naming.name(case)) for case in cases]
        count = len(there.keys() & names)
        if count > most:
            best, most = [], count
        if count and count == most:
            best.append((naming, names))
        if len({*names}) == len(names) > 0:
            tried.setdefault(naming.pattern, names[0])
    if not best:
        raise InputError(_no_file(tried, len(cases), there.values()))
    fitting = [each for each in best if len({*each[1]}) == len(cases)]
    if not fitting:
        raise InputError(_shared(*best[0], cases, tried["<stem>-<tier>-<draw>"]))
    meant = {tuple(name if name in there else "" for name in names) for _, names in fitting}
    if len(meant) > 1:
        ways = " and ".join(f"{naming.pattern}.png" for naming, _ in fitting)
        raise InputError(
            f"{most} files each fit the namings {ways}, which mean different cases; keep the "
            "files of one naming in a folder of their own"
        )
    return fitting[0]


def listed(names: Collection[str]) -> str:
    """Say how many there are, and the first few."""
    more = ", ..." if len(names) > _SHOWN else ""
    return f"{len(names)} ({', '.join(sorted(names)[:_SHOWN])}{more})" if names else "none"


def _namings(cases: Sequence[CaseKey]) -> Iterator[Naming]:
    """The namings, preferred ones first; of equal ones the first is taken."""
    flat = exported(cases)
    yield Naming("<tier>/<photo>-<draw>", lambda case: case.file_name.removesuffix(".png"))
    yield Naming("<stem>-<tier>-<draw>", flat.__getitem__)
    yield Naming("<stem>-<tier>-<draw>_mask000", lambda case: f"{flat[case]}_mask000")
    further = [
        Naming(f"{word}{tail}".replace("{0.", "<").replace("}", ">"), partial(_name, photo, tail))
        for word, photo in (("<stem>", _stem), ("<photo>", str))
        for tail in ("", "-{0.draw}", "-{0.tier}-{0.draw}")
    ]
    if all(case.mask for case in cases):
        further.append(Naming("<mask>", lambda case: _stem(case.mask)))
    for pattern, name in further:
        yield Naming(pattern, name)
        yield Naming(pattern, partial(_in_one_folder, name))


def _name(photo: Callable[[str], str], tail: str, case: CaseKey) -> str:
    return photo(case.photo) + tail.format(case)


def _in_one_folder(name: Callable[[CaseKey], str], case: CaseKey) -> str:
    return posixpath.basename(name(case))


def _no_file(tried: dict[str, str], cases: int, there: Collection[str]) -> str:
    ways = ", ".join(f"{pattern}.png ({example}.png)" for pattern, example in tried.items())
    return (
        f"expected outputs of {cases} cases, found no file of any naming: {ways}. "
        f"Pictures there: {listed(there)}. inpaint-bench export RUN DIR writes photos and holes to "
        "fill, under names that are read back"
    )


def _shared(naming: Naming, names: Sequence[str], cases: Sequence[CaseKey], clear: str) -> str:
    name = Counter(names).most_common(1)[0][0]
    meant = [
        " ".join(map(str, case[:3])) for case, own in zip(cases, names, strict=True) if own == name
    ]
    return (
        f"files are named {naming.pattern}.png, but {name}.png may be of {listed(meant)}; name "
        f"outputs <stem>-<tier>-<draw>.png ({clear}.png)"
    )


def _stem(path: str) -> str:
    return os.path.splitext(path)[0]


def _joined(photo: str) -> str:
    return photo.replace("/", "__")


def _joined_stem(photo: str) -> str:
    return _joined(_stem(photo))


def _last_stem(photo: str) -> str:
    return posixpath.basename(_stem(photo))


def _hashed(photo: str) -> str:
    start = _bytes(_last_stem(photo))[:100].decode(errors="ignore")
    return f"{start}~{hashlib.sha256(_bytes(photo)).hexdigest()[:16]}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
