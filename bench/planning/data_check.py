"""Whether the files of a published protocol are all there, before anything runs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from bench.errors import BenchError, InputError, few
from bench.planning.layouts import laid_out
from bench.planning.layouts.laid import Laid
from bench.planning.pairing import Inputs, given
from bench.planning.pairs import Wanted
from bench.planning.plan import read_masks
from bench.planning.protocol import Protocol
from bench.protocols.record import Published
from bench.text.numbers import counted
from masks import files, kinds
from masks.picture import picture_size, read_bytes

SAMPLE: Final = 32
"""Photos of which every pixel is read, evenly spread; of the others sizes alone."""

_SHOWN: Final = 3
_GAPS: Final = 0.05  # of numbers that are there: with more missing, files are a choice of numbers


@dataclass(frozen=True)
class Checked:
    """What was found of a protocol's files.

    Attributes:
        photos: How many can be used.
        cases: How many pictures a run would score, of each method.
        complaints: What is missing or wrong, each with what was expected; a run would leave these
            files out, or be of something else than what was published.
        doubts: What looks wrong, and may be meant so.
    """

    photos: int
    cases: int
    complaints: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def check(
    published: Published, folder: Path, masks: Path | None = None, *, names_only: bool = False
) -> Checked:
    """Check the files of a protocol: that each has its partners, counts, sizes, holes.

    Args:
        published: The protocol.
        folder: What is laid out as its ``[data]`` says.
        masks: Folder of the mask files, where they lie elsewhere.
        names_only: Leave out what the pictures hold, and tell from names and lists alone.

    Returns:
        Without photos and with one complaint, if nothing of it is there.
    """
    try:
        given_masks = None if masks is None else str(masks)
        protocol = Protocol.asked(str(folder), given_masks, published=published.name)
        laid = laid_out(published, folder, masks)
    except BenchError as error:
        return Checked(0, 0, (str(error),))
    sizes: list[str] = []
    sound = []
    for each in () if names_only else laid.photos:
        if found := list(_sizes(each, folder, protocol)):
            sizes += found
        else:
            sound.append(each)
    wrong, doubts = _looked_at(published, protocol, sound)
    cases = sum(1 if each.masks is None else len(each.masks) for each in laid.photos)
    complaints = [
        *_lost(laid),
        *_summed("file", "of a wrong size, or that cannot be read", sizes),
        *_summed("file", "that a run would refuse, of the photos read in full", wrong),
        *filter(None, [published.other_number(cases)]),
    ]
    gaps = _gaps(published, laid.photos)
    return Checked(len(laid.photos), cases, tuple(complaints), (*gaps, *doubts))


def _lost(laid: Laid) -> Iterator[str]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for path, kind, why in laid.lost:
        reasons[kind].append(f"{path}: {why}")
    for kind, whys in reasons.items():
        yield from _summed(kind, "that cannot be used", whys)


def _summed(kind: str, what: str, whys: Sequence[str]) -> Iterator[str]:
    """One line on many complaints of a kind."""
    if whys:
        more = f"; and {len(whys) - _SHOWN:,} more" if len(whys) > _SHOWN else ""
        yield f"{counted(len(whys), kind)} {what}: {'; '.join(whys[:_SHOWN])}{more}"


def _sizes(wanted: Wanted, folder: Path, protocol: Protocol) -> Iterator[str]:
    """Files of another size than the photo they belong to, read from their headers."""
    try:
        size = _size(folder / wanted.name)
        masks = [] if protocol.pooled else (wanted.masks or ())
        truth = wanted.truth_path
        beside = [
            (each.path, {size, protocol.geometry.evaluated(*size)})
            for each in masks
            if kinds.is_picture(each.path.name)  # annotations are of the photo's size
        ]
        beside += [(truth, {size})] if truth else []
        for path, allowed in beside:
            if (found := _size(path)) not in allowed:
                expected = " or ".join(f"{width}x{height}" for height, width in sorted(allowed))
                yield f"{path}: expected {expected}, found {found[1]}x{found[0]}"
    except InputError as error:
        yield str(error)


def _size(path: Path) -> tuple[int, int]:
    return picture_size(read_bytes(path), str(path))


def _looked_at(
    published: Published, protocol: Protocol, photos: Sequence[Wanted]
) -> tuple[list[str], list[str]]:
    """What a run would refuse of some photos, and doubts about what it would take."""
    inputs = Inputs()
    step = max(len(photos) // SAMPLE, 1)
    outside = seen = 0
    for wanted in photos[::step]:
        if (found := given(wanted, protocol, inputs)) is None:
            continue
        for file, _, _ in read_masks(found, protocol, inputs):
            tier = wanted.tiers[list(wanted.masks or ()).index(file)]
            seen += 1
            outside += not _within(tier, file, protocol)
    refused = [f"{row['path']}: {row['reason']}" for row in inputs.rows if row["reason"]]
    doubts = [inputs.doubts.polarity(protocol)]
    if doubts[0]:
        doubts[0] = f"most masks are hole for the most part and along the edges; {doubts[0]}"
    if 2 * outside > seen:
        doubts.append(
            f"{outside} of {seen} masks have another share than the bin that their place in "
            f"{published.data.masks} says: are these all files, in their own order?"
        )
    return refused, list(filter(None, doubts))


def _within(tier: str, file: files.MaskFile, protocol: Protocol) -> bool:
    """Whether a mask's share lies in its bin, if its tier is one."""
    bounds = re.fullmatch(r"(0\.\d+)-(0\.\d+)", tier)
    if not bounds:
        return True
    rules = files.Rules(protocol.mask_threshold, protocol.invert_masks)
    share = float(files.read(file, rules).mask.mean())
    return float(bounds[1]) <= share <= float(bounds[2])


def _gaps(published: Published, photos: Sequence[Wanted]) -> Iterator[str]:
    """Numbers that are left out where files are paired by their places in order."""
    if published.holes.pairing != "sorted":
        return
    masks = (str(each.path) for wanted in photos for each in wanted.masks or ())
    for kind, names in (("photos", [each.name for each in photos]), ("masks", list(masks))):
        if missing := _left_out(names):
            yield (
                f"the numbers of the {kind} leave out {few(missing, _SHOWN)}: if that file is "
                "missing, each behind it is paired with another's partner"
            )


def _left_out(names: Iterable[str]) -> list[str]:
    """Numbers between the first and the last that no name ends in; none if many are left out."""
    found = [re.search(r"(\d+)$", PurePosixPath(name).stem) for name in names]
    numbers = {int(match[1]) for match in found if match}
    if len(numbers) < 2 or not all(found):
        return []
    span = max(numbers) - min(numbers) + 1
    if span - len(numbers) > max(_GAPS * len(numbers), 1):
        return []
    return [str(number) for number in range(min(numbers), max(numbers)) if number not in numbers]
