"""The plan of a run: cases = photos x tiers x draws, and their holes."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from bench.errors import InputError
from bench.folder import shown_cases
from bench.folder.schema import PLAN
from bench.folder.store import RunFolder
from bench.machine.spread import Hands, spread
from bench.planning import doubts, images
from bench.planning.geometry import Fitted, stretched
from bench.planning.images import Photo
from bench.planning.pairing import Given, Inputs, Tell, asked_for, given, untold
from bench.planning.pairs import Wanted
from bench.planning.pictures import Pictures, Weight, mask_file, photo_file
from bench.planning.protocol import UNKNOWN, Protocol
from masks import files, tiers
from masks.files import MaskFile
from masks.picture import TURNED
from masks.raster import Mask

KEEP_ALL_UP_TO = 5000
NO_HOLE = "no-hole"
WEIGHED = 256
"""Photos, the first, whose pictures tell what all will weigh."""

_TOGETHER = 16  # photos that are read in one go
_ALONE = 64  # times so many are read here, before others could start
_ROWS = pa.schema(
    [(each.name, each.type) for each in PLAN.columns if each.name not in ("case", "keep")]
)


class Part(NamedTuple):
    """What became of some photos.

    Attributes:
        cases: Rows of the plan, but ``case`` and ``keep``.
        inputs: Rows on their files.
        idle: Photos of which nothing is to be filled.
        weight: Of their pictures.
    """

    cases: pa.Table
    inputs: Inputs
    idle: Sequence[str]
    weight: Weight


def make(
    protocol: Protocol,
    store: RunFolder,
    tell: Tell = untold,
    *,
    hands: Hands | None = None,
    write: bool = True,
    weighed: Callable[[Weight, float], None] = lambda weight, share: None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the photos, and draw or read their holes.

    Photos and holes go to the run folder under their content's name; the two tables are the
    caller's to write, once it knows that they belong there.

    Args:
        protocol: What is asked for.
        store: The run folder.
        tell: Told how many of how many photos are read.
        hands: Who reads many photos; this process if omitted. The plan is the same.
        write: Whether to write photos and holes.
        weighed: Told what the pictures of the first photos weigh, and which share of all photos
            these are, as soon as they are read.

    Returns:
        The plan, one row per case, and the inputs, one row per file (columns in
        ``docs/run-folder.md``).

    Raises:
        InputError: If no photo can be used, or no hole has a pixel.
    """
    inputs = Inputs()
    photos = asked_for(protocol, inputs)
    tables: list[pa.Table] = []
    idle: set[str] = set()
    weight = Weight()
    starts = range(0, len(photos), _TOGETHER)
    work = partial(_read, protocol, store, inputs.notes, write)
    some = [(start, photos[start : start + _TOGETHER]) for start in starts]
    many = hands is not None and hands.workers > 1 and len(some) > _ALONE
    parts = spread(work, some, hands) if hands and many else map(work, some)
    for start, part in zip(starts, parts, strict=True):
        tell(start, len(photos))
        inputs.add(part.inputs)
        tables.append(part.cases)
        idle |= {*part.idle}
        if start < WEIGHED:
            weight += part.weight
            if (read := min(start + _TOGETHER, len(photos))) >= min(WEIGHED, len(photos)):
                weighed(weight, read / len(photos))
    for path, reason in doubts.unread(protocol, inputs.rows):
        inputs.refused(path, "other", reason)
    inputs.doubts.note(protocol)
    table = pa.concat_tables([_ROWS.empty_table(), *tables]).combine_chunks()
    tables.clear()
    rows: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
    _refuse_nothing(rows, inputs)
    if write:
        store.flush(of_others=True)
    inputs.drop(idle)
    rows.insert(0, "case", np.arange(len(rows)))
    rows["keep"] = _kept(rows)
    return PLAN.typed(rows), inputs.table()


def _read(
    protocol: Protocol,
    store: RunFolder,
    notes: Mapping[str, str],
    write: bool,
    part: tuple[int, Sequence[Wanted]],
) -> Part:
    """Read some photos and their masks, or draw these; the first number says whether to weigh."""
    inputs = Inputs(notes=dict(notes))
    start, photos = part
    folder = RunFolder(store.path)
    pictures = Pictures(folder, write=write, weigh=start < WEIGHED)
    rows: list[dict[str, Any]] = []
    idle = []
    for each in photos:
        if (found := given(each, protocol, inputs)) is None:
            continue
        cases = list(_cases(found, protocol, pictures, inputs))
        if not cases:
            idle.append(found.photo.id)
            continue
        if protocol.geometry.rule != "crop":  # else each case has its own part of it
            pictures.photo(found.photo)
        truth = _truth(found, protocol, pictures)
        prompt = found.prompt or protocol.prompt
        facts = {"truth": truth, "prompt": prompt, "group": found.group, "credit": found.credit}
        rows.extend(facts | case for case in cases)
    if sys.platform != "linux":
        folder.flush()
    return Part(pa.Table.from_pylist(rows, _ROWS), inputs, idle, pictures.weight)


def picture_files(plan: pd.DataFrame) -> list[str]:
    """The files of a plan's photos, holes and truths in the run folder."""
    truths = plan.loc[~plan["truth"].isin(["", UNKNOWN]), "truth"]
    photos = [*plan["photo_sha"].unique(), *truths.unique()]
    return [*map(photo_file, photos), *map(mask_file, plan["mask_sha"].unique())]


def _refuse_nothing(rows: pd.DataFrame, inputs: Inputs) -> None:
    """Refuse a plan in which there is nothing to fill."""
    if rows.empty:
        # One file for each reason is enough.
        reasons = {
            row["reason"].replace(row["path"], ""): row["reason"]
            for row in inputs.rows[::-1]
            if row["kind"] != "other"
        }
        shown = list(filter(None, reversed(reasons.values())))[:3]
        raise InputError(f"no photo with a hole to fill: {'; '.join(shown) or 'none given'}")
    if (rows["tier"] == NO_HOLE).all():
        first = rows["mask_source"].iloc[0]
        raise InputError(
            f"nothing to fill: the {len(rows)} masks that were read have no hole (first: {first}); "
            "white is hole, from --mask-threshold up, or black with --invert-masks"
        )


def _cases(
    given: Given, protocol: Protocol, pictures: Pictures, inputs: Inputs
) -> Iterator[dict[str, Any]]:
    photo = given.photo
    if given.masks is None:
        yield from _generated(given, protocol, pictures, inputs)
        return
    tier_of = dict(zip(given.masks, given.tiers, strict=False))
    prompt_of = dict(zip(given.masks, given.prompts, strict=False))
    draws: Counter[str] = Counter()
    for file, mask, lost in read_masks(given, protocol, inputs):
        share = float(mask.mean())
        # A case without a hole is perfect for every method: it must not enter a tier's means.
        tier = (tier_of.get(file) or tiers.tier_of(share)) if share else NO_HOLE
        row = _row(pictures, photo, tier, draws[tier], mask, str(file), "file", {})
        own = {"prompt": prompt_of[file]} if file in prompt_of else {}
        yield row | {"lost_share": lost} | own
        draws[tier] += 1


def read_masks(
    given: Given, protocol: Protocol, inputs: Inputs
) -> Iterator[tuple[MaskFile, Mask, float]]:
    """Read the mask files of a photo, each at the evaluated size.

    Yields:
        The file, its mask, and the share of its hole that was cut off; one that cannot be used has
        its row only.
    """
    photo = given.photo
    rules = files.Rules(protocol.mask_threshold, protocol.invert_masks, protocol.mask_labels)
    for file in given.masks or ():
        try:
            mask, note = files.read(file, rules, photo.original_size)
            if protocol.pooled:
                fitted = _of_pool(mask, *photo.pixels.shape[:2])
            elif mask.shape == photo.pixels.shape[:2] != photo.original_size:
                own, whole = (f"{w}x{h}" for h, w in (mask.shape, photo.original_size))
                taken = f"taken as drawn on the evaluated picture: {own}, the photo is {whole}"
                fitted = Fitted(mask, note=taken)
            else:
                turned = TURNED in photo.note
                files.require_size(mask, file.path, *photo.original_size, photo.id, turned=turned)
                fitted = protocol.geometry.mask(mask)
        except InputError as error:
            inputs.refused(str(file), "mask", str(error))
            continue
        share = float(fitted.mask.mean())
        odd = "no hole" if share == 0 else "more than 90 % hole" if share > 0.9 else ""
        notes = filter(None, (note, fitted.note, odd))
        inputs.ok(str(file), "mask", fitted.mask, "; ".join(notes))
        inputs.doubts.see(inputs.rows[-1], given.truth is None, photo.pixels, fitted.mask)
        yield file, fitted.mask, fitted.lost


def _of_pool(mask: Mask, height: int, width: int) -> Fitted:
    """Bring a mask that was drawn on no photo to the evaluated size."""
    if mask.shape == (height, width):
        return Fitted(mask)
    note = f"of a pool: brought from {mask.shape[1]}x{mask.shape[0]} to {width}x{height}"
    return Fitted(stretched(mask, height, width), note=note)


def _truth(given: Given, protocol: Protocol, pictures: Pictures) -> str:
    """What the plan says of a photo's truth; one that is another picture is kept."""
    if given.truth is None:
        return UNKNOWN if protocol.truth == UNKNOWN else ""
    sha = images.content_hash(given.truth)
    pictures.truth(sha, given.truth)
    return sha


def _generated(
    given: Given, protocol: Protocol, pictures: Pictures, inputs: Inputs
) -> Iterator[dict[str, Any]]:
    photo = given.photo
    height, width = photo.pixels.shape[:2]
    square = protocol.geometry.rule == "crop"
    for tier in protocol.tiers:
        for draw in range(protocol.draws):
            seed = tiers.seed_of(protocol.seed, photo.sha, tier, draw, height, width)
            try:
                hole = tiers.generate(tier, height, width, seed, square=square)
            except InputError as error:
                inputs.refused(photo.id, "mask", f"{photo.id}: {error}")
                continue
            shown = photo.square(hole.parameters) if square else photo
            if square:
                pictures.photo(shown)
            called = "".join(given.tiers[:1]) or tier
            yield _row(
                pictures, shown, called, draw, hole.mask, "generated", hole.family, hole.parameters
            )


def _row(
    pictures: Pictures,
    photo: Photo,
    tier: str,
    draw: int,
    mask: np.ndarray,
    source: str,
    family: str,
    parameters: dict[str, Any],
) -> dict[str, Any]:
    facts = tiers.describe(mask)
    sha = tiers.mask_hash(mask)
    pictures.hole(sha, mask)
    identity = f"{photo.id}|{tier}|{draw}|{photo.sha}|{sha}"
    return {
        "case_key": hashlib.sha256(identity.encode()).hexdigest()[:16],
        "photo": photo.id,
        "cluster": photo.cluster,
        "tier": tier,
        "draw": draw,
        "height": mask.shape[0],
        "width": mask.shape[1],
        "photo_sha": photo.sha,
        "mask_sha": sha,
        "mask_source": source,
        "family": family,
        "parameters": json.dumps(parameters, sort_keys=True),
        "hole_share": facts.share,
        "hole_width": facts.width,
        "components": facts.components,
        "border": facts.border,
        "lost_share": math.nan,
    }


def _kept(plan: pd.DataFrame) -> pd.Series:
    """Mark whose fills are kept as pictures: all, or what a report shows and the next by hash."""
    if len(plan) <= KEEP_ALL_UP_TO:
        return pd.Series(True, index=plan.index)
    return shown_cases.surely_shown(plan) | (shown_cases.case_hashes(plan).rank() <= KEEP_ALL_UP_TO)
