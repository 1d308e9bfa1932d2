"""The plan of a run: cases = photos x tiers x draws, their holes, and the protocol fingerprint."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import InputError
from bench.folder import shown_cases
from bench.folder.schema import PLAN
from bench.folder.store import RunFolder, WritePicture
from bench.planning import doubts, images
from bench.planning.geometry import Fitted, stretched
from bench.planning.images import Photo
from bench.planning.pairing import Given, Inputs, Tell, read_photos, untold
from bench.planning.pairs import read_pairs
from bench.planning.pictures import mask_file, photo_file
from bench.planning.protocol import UNKNOWN, Protocol
from masks import files, tiers
from masks.files import MaskFile
from masks.kinds import visible
from masks.picture import TURNED
from masks.raster import Mask

KEEP_ALL_UP_TO = 5000
NO_HOLE = "no-hole"


def make(
    protocol: Protocol, store: RunFolder, tell: Tell = untold
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the photos, and draw or read their holes.

    Photos and holes go to the run folder under their content's name; the two tables are the
    caller's to write, once it knows that they belong there.

    Args:
        protocol: What is asked for.
        store: The run folder.
        tell: Told how many of how many photos are read.

    Returns:
        The plan, one row per case, and the inputs, one row per file (columns in
        ``docs/run-folder.md``).

    Raises:
        InputError: If no photo can be used, or no hole has a pixel.
    """
    inputs = Inputs()
    rows: list[dict[str, Any]] = []
    idle: set[str] = set()
    with store.writing() as write:
        for given in read_photos(protocol, inputs, tell):
            cases = list(_cases(given, protocol, write, inputs))
            if not cases:
                idle.add(given.photo.id)
            else:
                write(photo_file(given.photo.sha), given.photo.pixels)
                truth = _truth(given, protocol, write)
                prompt = given.prompt or protocol.prompt
                facts = {"truth": truth, "prompt": prompt, "group": given.group}
                rows.extend(case | facts for case in cases)
    for path, reason in doubts.unread(protocol, inputs.rows):
        inputs.refused(path, "other", reason)
    inputs.doubts.note(protocol)
    _refuse_nothing(rows, inputs)
    inputs.drop(idle)
    plan = pd.DataFrame(rows)
    plan.insert(0, "case", np.arange(len(plan)))
    plan["keep"] = _kept(plan)
    return PLAN.typed(plan), inputs.table()


def picture_files(plan: pd.DataFrame) -> list[str]:
    """The files of a plan's photos, holes and truths in the run folder."""
    truths = plan.loc[~plan["truth"].isin(["", UNKNOWN]), "truth"]
    photos = [*plan["photo_sha"].unique(), *truths.unique()]
    return [*map(photo_file, photos), *map(mask_file, plan["mask_sha"].unique())]


def inputs_key(protocol: Protocol) -> str:
    """Hash of the request and of the listing of its files, to see whether a plan still holds."""
    text = protocol.key_text()
    folders: tuple[str | Path | None, ...] = (protocol.photos, protocol.masks, protocol.truth)
    if protocol.pairs is not None:
        folders = (protocol.pairs, *folders[1:], *read_pairs(protocol).files)
        text += f"\n{hashlib.sha256(Path(protocol.pairs).read_bytes()).hexdigest()}"
    for folder in folders:
        if folder not in (None, images.BUNDLED, UNKNOWN):
            paths = [Path(folder)] if Path(folder).is_file() else visible(Path(folder))
            for path in paths:
                with contextlib.suppress(OSError):  # a link to nowhere is no file
                    stat = path.stat()
                    text += f"\n{path}|{stat.st_size}|{stat.st_mtime_ns}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def fingerprint(plan: pd.DataFrame, protocol: Protocol, metric_signatures: Sequence[str]) -> str:
    """One printable line for the protocol: photos, masks, truth, size rule, paste-back, metrics.

    Nothing is said of a truth that is the photo itself.
    """
    photos = plan[["photo", "photo_sha"]].drop_duplicates().agg("|".join, axis=1)
    return " ".join(
        (
            f"photos:{_digest(sorted(photos))}/{len(photos)}",
            f"masks:{_digest(sorted(plan['case_key']))}/{len(plan)}",
            *_truth_part(plan),
            f"size:{protocol.size_rule}",
            "paste:known-8bit",
            f"metrics:{_digest(sorted(metric_signatures))}",
        )
    )


def _truth_part(plan: pd.DataFrame) -> Iterator[str]:
    other = plan.loc[plan["truth"] != "", ["photo", "truth"]].drop_duplicates()
    if (other["truth"] == UNKNOWN).any():
        yield f"truth:{UNKNOWN}"
    elif len(other):
        yield f"truth:{_digest(sorted(other.agg('|'.join, axis=1)))}/{len(other)}"


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:10]


def _refuse_nothing(rows: list[dict[str, Any]], inputs: Inputs) -> None:
    """Refuse a plan in which there is nothing to fill."""
    if not rows:
        # One file for each reason is enough.
        reasons = {
            row["reason"].replace(row["path"], ""): row["reason"]
            for row in inputs.rows[::-1]
            if row["kind"] != "other"
        }
        shown = list(filter(None, reversed(reasons.values())))[:3]
        raise InputError(f"no photo with a hole to fill: {'; '.join(shown) or 'none given'}")
    if all(row["tier"] == NO_HOLE for row in rows):
        raise InputError(
            f"nothing to fill: the {len(rows)} masks that were read have no hole (first: "
            f"{rows[0]['mask_source']}); white is hole, from --mask-threshold up, or black with "
            "--invert-masks"
        )


def _cases(
    given: Given, protocol: Protocol, write: WritePicture, inputs: Inputs
) -> Iterator[dict[str, Any]]:
    photo = given.photo
    if given.masks is None:
        yield from _generated(photo, protocol, write, inputs)
        return
    draws: Counter[str] = Counter()
    for file, mask, lost in read_masks(given, protocol, inputs):
        share = float(mask.mean())
        # A case without a hole is perfect for every method: it must not enter a tier's means.
        tier = tiers.tier_of(share) if share else NO_HOLE
        row = _row(write, photo, tier, draws[tier], mask, str(file), "file", {})
        yield row | {"lost_share": lost}
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
            if protocol.pairing == "pool":
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


def _truth(given: Given, protocol: Protocol, write: WritePicture) -> str:
    """What the plan says of a photo's truth; one that is another picture is kept."""
    if given.truth is None:
        return UNKNOWN if protocol.truth == UNKNOWN else ""
    sha = images.content_hash(given.truth)
    write(photo_file(sha), given.truth)
    return sha


def _generated(
    photo: Photo, protocol: Protocol, write: WritePicture, inputs: Inputs
) -> Iterator[dict[str, Any]]:
    height, width = photo.pixels.shape[:2]
    for tier in protocol.tiers:
        for draw in range(protocol.draws):
            seed = tiers.seed_of(protocol.seed, photo.sha, tier, draw, height, width)
            try:
                hole = tiers.generate(tier, height, width, seed)
            except InputError as error:
                inputs.refused(photo.id, "mask", f"{photo.id}: {error}")
                continue
            yield _row(
                write, photo, tier, draw, hole.mask, "generated", hole.family, hole.parameters
            )


def _row(
    write: WritePicture,
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
    write(mask_file(sha), mask)
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
