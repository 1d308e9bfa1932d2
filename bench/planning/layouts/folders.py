"""Layouts of plain folders: photos, masks and truths as files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Final

from bench.errors import InputError, few
from bench.planning.layouts.laid import Laid, Lost, Place
from bench.planning.pairs import Wanted
from bench.protocols.record import Published
from masks.listing import drawn, natural, stem
from masks.mask_file import MaskFile

BINS: Final = ("0.01-0.1", "0.1-0.2", "0.2-0.3", "0.3-0.4", "0.4-0.5", "0.5-0.6")
_MISATO: Final = ((500, "landscape"), (1000, "indoor"), (1500, "building"), (2000, "background"))


def photos_only(published: Published, place: Place) -> Laid:
    """Photos whose holes are generated."""
    names, lost = _listed(published, place)
    return place.some([Wanted(name, tiers=(published.name,)) for name in names], published, lost)


def photos_and_masks(published: Published, place: Place) -> Laid:
    """Photos and one mask each, by name or by their places in sorted order."""
    names, lost = _listed(published, place)
    masks = place.mask_files(published.data.masks)
    if published.holes.pairing == "sorted":
        return Laid(_by_place(published, names, masks), lost)
    return _by_name(published, place, names, masks, lost)


def marked(published: Published, place: Place) -> Laid:
    """Photos and masks in one folder, as ``{photo}_mask*.png`` beside ``NAME.png``."""
    mask_of = published.data.masks
    sign = re.escape(mask_of).replace(re.escape("{photo}"), "(.+)").replace(re.escape("*"), "[^_]*")
    own: dict[str, list[MaskFile]] = {}
    photos = []
    for name in place.photos(published.data.photos):
        if match := re.fullmatch(sign, name):
            own.setdefault(match[1], []).append(MaskFile(place.folder / name))
        else:
            photos.append(name)
    wanted, lost = [], []
    for name in photos:
        if files := own.pop(stem(name), None):
            wanted.append(Wanted(name, tuple(files), tiers=(published.name,) * len(files)))
        else:
            lost.append((name, "photo", f"no mask {mask_of.replace('{photo}', stem(name))}"))
    lost += [(str(each), "mask", "its photo is not there") for one in own.values() for each in one]
    return place.some(wanted, published, lost)


def cycled(published: Published, place: Place) -> Laid:
    """Listed photos, of which the i-th has mask i modulo their number."""
    there, wanted = _listing(published, place)
    masks = place.mask_files(published.data.masks)
    # By places in the list, so that a photo which is not there shifts no other.
    each = [
        Wanted(there[name], (MaskFile(masks[number % len(masks)]),), tiers=(published.name,))
        for number, name in enumerate(wanted)
        if name in there
    ]
    return place.some(each, published, _not_there(published, there, wanted))


def binned(published: Published, place: Place) -> Laid:
    """Photos with one mask of each bin, drawn by seed; bins are equal parts of the sorted files."""
    files = place.mask_files(published.data.masks)
    masks = [MaskFile(path) for path in sorted(files, key=lambda path: natural(path.name))]
    if len(masks) % len(BINS):
        raise InputError(
            f"expected as many masks in each of {len(BINS)} bins, 2,000 of NVIDIA's, found "
            f"{len(masks):,} in {files[0].parent}"
        )
    size = len(masks) // len(BINS)
    pools = [masks[start : start + size] for start in range(0, len(masks), size)]
    wanted = []
    for name in place.photos(published.data.photos):
        chosen = [drawn(pool, f"{published.seed}|{name}|{bin}", 1)[0]
                  for bin, pool in zip(BINS, pools, strict=True)]  # fmt: skip
        wanted.append(Wanted(name, tuple(chosen), tiers=BINS))
    return Laid(wanted)


def misato(published: Published, place: Place) -> Laid:
    """Numbered photos and masks; of the set of 2,000 the number tells the category."""
    laid = photos_and_masks(published, place)
    if published.expects != _MISATO[-1][0]:
        return laid
    return replace(laid, photos=[replace(each, group=_category(each.name)) for each in laid.photos])


def removal(published: Published, place: Place) -> Laid:
    """Photos with an object, masks of it, and photos without it, by name."""
    laid = photos_and_masks(published, place)
    truths = _by_stem(place.truth_files(published.data.truth))
    found, lost = [], [*laid.lost]
    for each in laid.photos:
        truth = truths.pop(_short(each.name), None)
        if truth is None:
            lost.append((each.name, "photo", f"no truth of its name as {published.data.truth}"))
        else:
            found.append(replace(each, truth_path=truth))
    lost += [
        (str(path), "truth", "no photo has the name of this truth") for path in truths.values()
    ]
    return place.some(found, published, lost)


def _listed(published: Published, place: Place) -> tuple[list[str], list[Lost]]:
    """The photos, those of the authors' list if there is one."""
    if not published.data.names:
        return place.photos(published.data.photos), []
    there, wanted = _listing(published, place)
    lost = _not_there(published, there, wanted)
    return [there[name] for name in wanted if name in there], lost


def _listing(published: Published, place: Place) -> tuple[dict[str, str], list[str]]:
    """The photos that are there by their names without suffix, and which are listed, in order."""
    there = {_short(name): name for name in place.photos(published.data.photos)}
    file = place.file(published.data.names)
    lines = file.read_text("utf-8-sig", errors="replace").splitlines()
    wanted = [_short(line.strip()) for line in lines if line.strip()]
    if twice := [name for name, count in Counter(wanted).items() if count > 1]:
        raise InputError(f"{file}: expected each photo once, found several times {few(twice, 3)}")
    return there, wanted


def _not_there(published: Published, there: Collection[str], wanted: Iterable[str]) -> list[Lost]:
    why = f"listed in {published.data.names}, and not there"
    return [(name, "photo", why) for name in wanted if name not in there]


def _by_place(published: Published, names: Sequence[str], masks: Sequence[Path]) -> list[Wanted]:
    if len(names) != len(masks):
        raise InputError(
            f"{published.name} pairs photos and masks by their places in sorted order, so that one "
            f"missing file shifts all behind it: expected as many of both, found {len(names):,} "
            f"photos and {len(masks):,} masks"
        )
    return [
        Wanted(name, (MaskFile(mask),), tiers=(published.name,))
        for name, mask in zip(names, masks, strict=True)
    ]


def _by_name(
    published: Published,
    place: Place,
    names: Sequence[str],
    masks: Sequence[Path],
    lost: list[Lost],
) -> Laid:
    own = _by_stem(masks)
    found = []
    for name in names:
        mask = own.pop(_short(name), None)
        if mask is None:
            lost.append((name, "photo", f"no mask {_short(name)}.* as {published.data.masks}"))
        else:
            found.append(Wanted(name, (MaskFile(mask),), tiers=(published.name,)))
    lost += [(str(path), "mask", "no photo has the name of this mask") for path in own.values()]
    return place.some(found, published, lost)


def _by_stem(paths: Iterable[Path]) -> dict[str, Path]:
    """Files by their names without suffix; two of one name cannot be told apart."""
    ordered = sorted(paths, key=lambda path: path.stem)
    twice = [one.stem for one, two in pairwise(ordered) if one.stem == two.stem]
    if twice:
        raise InputError(f"expected one file of each name, found several of {few(twice, 3)}")
    return {path.stem: path for path in ordered}


def _short(name: str) -> str:
    return PurePosixPath(name).stem


def _category(name: str) -> str:
    number = int(_short(name)) if _short(name).isdecimal() else _MISATO[-1][0]
    return next((category for end, category in _MISATO if number < end), "")
