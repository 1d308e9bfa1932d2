"""Which masks belong to which photo, by the names of their files.

Photo ``a/b.jpg`` has the mask ``a/b.png`` or ``a/b.jpg.png``, or the marked ones ``a/b_mask.png``,
``a/b_mask000.png``, ``a/b_mask001.png`` and so on. Names are compared as Unicode's composed form,
in which file systems differ.
"""

from __future__ import annotations

import filecmp
import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bench.errors import InputError, nearest
from masks.annotations import labelme_export
from masks.files import PICTURES, MaskFile

_MARKED = re.compile(r"(?P<photo>.+)[_. -]mask[_ -]?(?P<draw>\d{0,9})", re.IGNORECASE | re.DOTALL)
_PREFIX = re.compile(r"(^|/)mask[_. -](?=[^/]+$)", re.IGNORECASE)
_MOST_GUESSES = 200  # as many masks are looked through for one that is misnamed


class Named(NamedTuple):
    """A mask under the name that says whose it is.

    Attributes:
        name: Path relative to the folder of masks with ``/``, composed, without its suffix; of an
            exported folder ``b_json`` it is ``b``, within an annotation the name of the photo.
        file: Where it is.
    """

    name: str
    file: MaskFile


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
    """A mask that a photo may have by its name, the best claim first."""

    rank: tuple[bool, int, int]
    draw: int
    mask: Named


def find_masks(folder: Path) -> list[Named]:
    """List the masks below a folder.

    Pictures, labelme annotations and exported folders count; hidden files and other types do
    not, nor do the files inside an exported folder. Where one photo has an export, an annotation
    and a picture of the same name, the export is taken before the annotation, and that before
    the picture, which is then the annotated photo.

    Returns:
        Sorted by name; names may occur twice.

    Raises:
        InputError: If there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"expected a folder of masks at '{folder}', found none")
    found: dict[str, list[Path]] = defaultdict(list)
    for path in _candidates(folder):
        name = path.relative_to(folder).as_posix()
        found[composed(name.removesuffix("_json") if path.is_dir() else _stem(name))].append(path)
    return [
        Named(name, MaskFile(path))
        for name, paths in sorted(found.items())
        for path in sorted(paths)
        if _precedence(path) == min(map(_precedence, paths))
    ]


def pair(photos: Sequence[str], home: Path, folder: Path) -> Pairing:
    """Find the masks of each photo by name.

    A mask belongs to the photo of exactly its name, else to that which it is marked for, else to
    one whose name differs in capitals or in front of whose name it says ``mask``. A photo keeps
    the masks that fit it best. Photos and masks may share a folder: no photo is its own mask, and
    what is a mask there is no photo.

    Args:
        photos: Paths relative to their folder, with ``/``.
        home: That folder.
        folder: Folder of masks, laid out like that of the photos.

    Raises:
        InputError: If there is no such folder, or two masks have one name.
    """
    found = find_masks(folder)
    real = folder.resolve()
    where = {photo: home.resolve() / photo for photo in photos}
    names = _Names(where, {composed(_relative(mask.file, folder)) for mask in found})
    claims: dict[str, list[_Claim]] = defaultdict(list)
    result = Pairing()
    torn: dict[str, str] = {}
    for mask in found:
        relative = _relative(mask.file, folder)
        rank, draw, fits = names.of(mask.name, relative, real / relative)
        if len(fits) == 1:
            claims[fits[0]].append(_Claim(rank, draw, mask))
            continue
        reason = "no photo has the name of this mask"
        if fits:
            reason = f"'{relative}' fits photos {' and '.join(map(repr, fits))} alike"
            torn |= dict.fromkeys(fits, reason)
            reason += f"; name it '{fits[0]}.png' or '{fits[1]}.png', or pair with --pairs FILE.csv"
        result.unused[mask.file] = reason
    for photo, made in claims.items():
        kept = _best(made, where[photo], photo)
        result.masks[photo] = [claim.mask.file for claim in kept]
        for claim in made:
            loose, kind, _ = claim.rank
            if claim not in kept:
                result.unused[claim.mask.file] = f"photo '{photo}' has {kept[0].mask.file}"
            elif loose or kind == 2:
                result.notes[claim.mask.file] = f"taken for a mask of photo '{photo}'"
    _explain(result, where, folder, torn)
    return result


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


def natural(name: str) -> list[tuple[int, str]]:
    """Key to sort names by, in which 2 comes before 10."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part) if number % 2 else -1, part) for number, part in enumerate(parts)]


def composed(name: str) -> str:
    """A name in Unicode's composed form."""
    return unicodedata.normalize("NFC", name)


class _Names:
    """Photos by all that a mask of theirs may be called after."""

    def __init__(self, photos: dict[str, Path], masks: set[str]) -> None:
        self._photos, self._masks = photos, masks
        self._tables: list[dict[str, list[str]]] = [defaultdict(list) for _ in range(6)]
        for photo in photos:
            whole = composed(photo)
            stem = PurePosixPath(_stem(whole))
            # The export of annotation "b.v1.json" is the folder "b_v1_json".
            undotted = stem.with_name(stem.name.replace(".", "_"))
            spelt = (whole, str(stem), str(undotted))
            for table, key in zip(
                self._tables, (*spelt, *(each.casefold() for each in spelt)), strict=True
            ):
                table[key].append(photo)

    def of(
        self, name: str, relative: str, path: Path
    ) -> tuple[tuple[bool, int, int], int, list[str]]:
        """Rank, draw and photos that a mask fits; several if nothing decides, none if none."""
        for loose in (False, True):
            for kind, called, draw in _readings(name):
                for place, table in enumerate(self._tables[3:] if loose else self._tables[:3]):
                    fits = table.get(called.casefold() if loose else called, [])
                    fits = [photo for photo in fits if self._photos[photo] != path]
                    if len(fits) > 1 and all(composed(photo) in self._masks for photo in fits):
                        # Each has a mask called just as itself.
                        fits = [photo for photo in fits if composed(photo) == composed(relative)]
                    if fits:
                        return (loose, kind, place), draw, fits
        return (True, 0, 0), 0, []


def _readings(name: str) -> Iterator[tuple[int, str, int]]:
    """What a mask may be named after: plain, marked, prefixed; with the number of the draw."""
    yield 0, name, 0
    if match := _MARKED.fullmatch(name):
        yield 1, match["photo"], int(match["draw"] or 0)
    if (unmarked := _PREFIX.sub(r"\1", name)) != name:
        yield 2, unmarked, 0


def _best(claims: list[_Claim], photo: Path, name: str) -> list[_Claim]:
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
                f"'{name}'; remove one or number them '{PurePosixPath(_stem(name)).name}_mask000', "
                "'..._mask001'"
            )
    return kept


def _is_copy(file: MaskFile, photo: Path) -> bool:
    return file.path.is_file() and filecmp.cmp(file.path, photo, shallow=False)


def _explain(result: Pairing, where: dict[str, Path], folder: Path, torn: dict[str, str]) -> None:
    """Say why photos have no masks, and forget of both what serves as the other."""
    real, own = folder.resolve(), set(where.values())
    for file in [file for file in result.unused if real / _relative(file, folder) in own]:
        del result.unused[file]
    used = {real / _relative(file, folder) for files in result.masks.values() for file in files}
    guesses: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for file in result.unused:
        relative = _relative(file, folder)
        numbers = _numbers(relative)
        for known in {numbers, numbers[:-1]}:  # the last may be that of the draw
            guesses[known].append(relative)
    for photo, path in where.items():
        if photo in result.masks or path in used:
            continue
        reason = f"no mask in {folder} is named after this photo"
        if photo in torn:
            reason += f"; {torn[photo]}"
        elif guess := _guess(photo, guesses[_numbers(photo)]):
            reason += f"; did you mean '{guess}'?"
        elif not result.missing:
            stem = _stem(photo)
            reason += f"; expected '{stem}.png', '{stem}_mask.png' or '{stem}_mask000.png', ..."
        result.missing[photo] = reason


def _guess(photo: str, masks: list[str]) -> str:
    """The mask with the same numbers in its name that the photo may go with, or empty."""
    if len(masks) > _MOST_GUESSES:
        return ""
    bases = {PurePosixPath(_stem(mask)).name: mask for mask in masks}
    return next((bases[base] for base in nearest(PurePosixPath(_stem(photo)).name, bases)), "")


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall("[0-9]+", PurePosixPath(_stem(name)).name))


def _candidates(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from [path] if labelme_export.is_export(path) else _candidates(path)
        elif path.suffix.lower() in PICTURES or path.suffix.lower() == ".json":
            yield path


def _precedence(path: Path) -> int:
    return 0 if path.is_dir() else 1 if path.suffix.lower() == ".json" else 2


def _relative(file: MaskFile, folder: Path) -> str:
    return file.path.relative_to(folder).as_posix()


def _stem(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix()
