"""Which masks belong to which photo, by the names of their files.

Photo ``a/b.jpg`` has the mask ``a/b.png`` or ``a/b.jpg.png``, or the marked ones ``a/b_mask.png``,
``a/b_mask000.png``, ``a/b_mask001.png`` and so on; in one folder for both also with ``masks/`` or
``labels/`` before the name, or in place of ``images/``; or what an annotation of many photos holds
for it.
"""

from __future__ import annotations

import filecmp
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bench.errors import InputError, nearest
from masks.annotations import entries, match
from masks.listing import Named, composed, find_masks, is_annotation, stem
from masks.mask_file import MaskFile

_MARKED = re.compile(r"(?P<photo>.+)[_. -]mask[_ -]?(?P<draw>\d{0,9})", re.IGNORECASE | re.DOTALL)
_PREFIX = re.compile(r"(^|/)mask[_. -](?=[^/]+$)", re.IGNORECASE)
_APART = re.compile(r"(.*/)?(?:labels|masks?|annotations)/(.+)", re.IGNORECASE | re.DOTALL)
_PLAIN, _SUFFIXED, _PREFIXED, _MOVED = range(4)
_MOST_GUESSES = 200  # of masks that are looked through for one that is misnamed

Rank = tuple[bool, int, int]
"""How well a name fits, the least best: whether but for capitals, how marked, what is left out."""


@dataclass(frozen=True)
class Pairing:
    """Which masks belong to which photos.

    Attributes:
        masks: For each photo that has any, its masks in the order of draws.
        missing: Why the others have none.
        unused: Why masks belong to no photo.
        notes: Of masks that were recognised in spite of their names.
    """

    masks: dict[str, list[MaskFile]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    unused: dict[MaskFile, str] = field(default_factory=dict)
    notes: dict[MaskFile, str] = field(default_factory=dict)


class _Claim(NamedTuple):
    """A mask that a photo may have by its name."""

    rank: Rank
    draw: int
    mask: Named


def pair(photos: Sequence[str], home: Path, given: Path) -> Pairing:
    """Find the masks of each photo by name.

    A mask belongs to the photo of exactly its name, else to that which it is marked for, else to
    one whose name differs in capitals or in front of whose name it says ``mask``. A photo keeps
    the masks that fit it best. Photos and masks may share a folder: no photo is its own mask, and
    what is a mask there is no photo.

    Args:
        photos: Paths relative to their folder, with ``/``.
        home: That folder.
        given: Folder of masks, laid out like that of the photos, or an annotation.

    Raises:
        InputError: If there is no such folder, or two masks of a photo have one name.
    """
    found = [] if given.is_file() else find_masks(given)
    relative = {mask.file: mask.file.path.relative_to(given).as_posix() for mask in found}
    ours, theirs = home.resolve(), given.resolve()
    where = {photo: ours / photo for photo in photos}
    real = {file: theirs / path for file, path in relative.items()}
    names = _Names(where, set(map(composed, relative.values())))
    claims: dict[str, list[_Claim]] = defaultdict(list)
    result = Pairing()
    torn: dict[str, str] = {}
    lists = [given] if given.is_file() else []
    for mask in found:
        file = mask.file
        rank, draw, fits = names.of(mask.name, relative[file], real[file])
        if len(fits) == 1:
            claims[fits[0]].append(_Claim(rank, draw, mask))
        elif fits:
            reason = f"'{relative[file]}' fits photos {' and '.join(map(repr, fits))} alike"
            torn |= dict.fromkeys(fits, reason)
            result.unused[file] = f"{reason}; name it '{fits[0]}.png' or '{fits[1]}.png'"
        elif is_annotation(file.path):
            lists.append(file.path)
        elif real[file] not in names.paths:
            result.unused[file] = "no photo has the name of this mask"
    for photo, made in claims.items():
        _settle(result, photo, where[photo], made)
    strays = _add_listed(result, lists, where, torn)
    told = {file for files in result.masks.values() for file in files} | result.unused.keys()
    told_of = {real[file] for file in told if file in real}
    lacking = [name for name in photos if name not in result.masks and where[name] not in told_of]
    strays += [relative[file] for file in result.unused if file in relative]
    result.missing.update(_reasons(lacking, given, strays, torn))
    return result


def _settle(result: Pairing, photo: str, path: Path, claims: Sequence[_Claim]) -> None:
    """Give a photo the masks that fit it best, with notes on them; say who has what is left."""
    kept = _best(claims, path, photo)
    result.masks[photo] = [claim.mask.file for claim in kept]
    for claim in claims:
        if claim not in kept:
            result.unused[claim.mask.file] = f"photo '{photo}' has {kept[0].mask.file}"
            continue
        notes = [
            f"'{each.name}' beside it left aside"
            for each in claim.mask.aside
            if not _is_copy(MaskFile(each), path)
        ]
        if claim.rank[0] or claim.rank[1] >= _PREFIXED:
            notes.append(f"taken for a mask of photo '{photo}'")
        if notes:
            result.notes[claim.mask.file] = "; ".join(notes)


class _Names:
    """Photos by all that a mask of theirs may be called after."""

    def __init__(self, photos: Mapping[str, Path], masks: set[str]) -> None:
        self.paths = set(photos.values())
        self._photos, self._masks = photos, masks
        self._tables: list[dict[str, list[str]]] = [defaultdict(list) for _ in range(6)]
        for photo in photos:
            whole = composed(photo)
            plain = PurePosixPath(stem(whole))
            # The export of annotation "b.v1.json" is the folder "b_v1_json".
            undotted = plain.with_name(plain.name.replace(".", "_"))
            spelt = (str(plain), whole, str(undotted))
            folded = (each.casefold() for each in spelt)
            for table, key in zip(self._tables, (*spelt, *folded), strict=True):
                table[key].append(photo)

    def of(self, name: str, relative: str, path: Path) -> tuple[Rank, int, list[str]]:
        """Rank, draw and photos that a mask fits; several if nothing decides, none if none."""
        for loose in (False, True):
            for kind, called, draw in _readings(name):
                # A photo is no mask of itself, nor of one beside it that only looks the same.
                beside = path.parent if kind == _PLAIN and path in self.paths else None
                for place, table in enumerate(self._tables[3:] if loose else self._tables[:3]):
                    fits = table.get(called.casefold() if loose else called, [])
                    fits = [photo for photo in fits if self._photos[photo].parent != beside]
                    if len(fits) > 1 and all(composed(photo) in self._masks for photo in fits):
                        # Each has a mask called just as itself.
                        fits = [photo for photo in fits if composed(photo) == composed(relative)]
                    if fits:
                        return (loose, kind, place), draw, fits
        return (True, 0, 0), 0, []


def _readings(name: str) -> Iterator[tuple[int, str, int]]:
    """What a mask may be named after, and with which number of the draw."""
    called = {0: name}
    if apart := _APART.fullmatch(name):
        before, after = apart[1] or "", apart[2]
        called |= {_MOVED: f"{before}images/{after}", 2 * _MOVED: before + after}
    for moved, each in called.items():
        yield moved + _PLAIN, each, 0
        if match := _MARKED.fullmatch(each):
            yield moved + _SUFFIXED, match["photo"], int(match["draw"] or 0)
        if (unmarked := _PREFIX.sub(r"\1", each)) != each:
            yield moved + _PREFIXED, unmarked, 0


def _best(claims: Sequence[_Claim], photo: Path, name: str) -> list[_Claim]:
    """The claims of the best rank in the order of draws."""
    best = min(claim.rank for claim in claims)
    if any(claim.rank != best for claim in claims):
        # Who keeps marked masks beside photos may keep copies of the photos there.
        claims = [each for each in claims if not _is_copy(each.mask.file, photo)] or claims
        best = min(claim.rank for claim in claims)
    kept = [claim for claim in claims if claim.rank == best]
    kept.sort(key=lambda claim: (claim.draw, claim.mask.name))
    for one, two in pairwise(kept):
        if one.mask.name == two.mask.name:
            raise InputError(
                f"masks '{one.mask.file}' and '{two.mask.file}' would both belong to photo "
                f"'{name}'; remove one or number them '{PurePosixPath(stem(name)).name}_mask000', "
                "'..._mask001'"
            )
    return kept


def _is_copy(file: MaskFile, photo: Path) -> bool:
    try:
        return filecmp.cmp(file.path, photo, shallow=False)
    except OSError:  # reading it tells why
        return False


def _add_listed(
    result: Pairing, lists: Sequence[Path], where: Mapping[str, Path], torn: dict[str, str]
) -> list[str]:
    """Give photos that have no mask what annotations of many photos hold; the names left over."""
    listed: dict[str, list[MaskFile]] = defaultdict(list)
    left: list[str] = []
    for path in lists:
        try:
            found = entries(path) or {}
        except InputError as error:
            result.unused[MaskFile(path)] = str(error)
            continue
        many = {name: file for name, file in found.items() if file.entry}
        names, unclear = match(many, tuple(where))
        torn |= unclear
        for photo, name in names.items():
            listed[photo].append(many[name])
        strays = sorted(many.keys() - set(names.values()))
        left += strays
        if strays:
            result.unused[MaskFile(path)] = (
                f"{len(strays)} of {len(many)} photos in it are not given, such as '{strays[0]}'"
            )
        elif not many:
            result.unused[MaskFile(path)] = "no photo has the name of this mask"
    for photo, files in listed.items():
        if photo in result.masks and not _is_copy(result.masks[photo][0], where[photo]):
            continue
        if len(files) == 1:
            copies = result.masks.get(photo, [])
            result.unused.update(dict.fromkeys(copies, f"photo '{photo}' has {files[0]}"))
            result.masks[photo] = files
        else:
            torn[photo] = f"both {files[0]} and {files[1]} are on it; give one as --masks"
    return left


def _reasons(
    photos: Sequence[str], given: Path, masks: Sequence[str], torn: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Why photos have no masks, with what was meant where that can be guessed."""
    guesses: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for mask in masks:
        numbers = _numbers(mask)
        for known in {numbers, numbers[:-1]}:  # the last may be that of the draw
            guesses[known].append(mask)
    for place, photo in enumerate(photos):
        reason = f"no mask in {given} is named after this photo"
        if photo in torn:
            reason += f"; {torn[photo]}"
        elif guess := _guess(photo, guesses[_numbers(photo)]):
            reason += f"; did you mean '{guess}'?"
        elif place == 0 and given.is_dir():
            plain = stem(photo)
            reason += (
                f"; expected '{plain}.png', '{plain}_mask.png', '{plain}_mask000.png' or alike"
            )
        yield photo, reason


def _guess(photo: str, masks: Sequence[str]) -> str:
    """The mask with the same numbers in its name that a photo may go with, or empty."""
    if len(masks) > _MOST_GUESSES:
        return ""
    bases = {PurePosixPath(stem(mask)).name: mask for mask in masks}
    return next((bases[base] for base in nearest(PurePosixPath(stem(photo)).name, bases)), "")


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall("[0-9]{1,9}", PurePosixPath(stem(name)).name))
