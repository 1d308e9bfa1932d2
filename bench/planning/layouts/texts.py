"""Layouts of sets with a text a photo: what is to be filled in."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

from bench.errors import InputError
from bench.planning.layouts.laid import Laid, Place
from bench.planning.pairs import Wanted
from bench.protocols.record import Published
from masks.annotations import brushbench as brush
from masks.annotations import entries, labels_of
from masks.mask_file import MaskFile


def brushbench(published: Published, place: Place) -> Laid:
    """The photos of BrushBench's list, each with its caption and one of its two masks."""
    path = place.file(published.data.masks.partition("#")[0])
    masks = entries(path) or {}
    content: Any = json.loads(path.read_text("utf-8-sig"))  # which was just read so
    if not brush.is_list(content):
        kept = " and ".join(("image", *brush.LABELS))
        raise InputError(f"{path}: expected records by number, each with {kept}")
    photos, lost = [], []
    for record in content.values():
        image = record["image"]
        name = next((n for n in (f"{published.data.photos}/{image}", image) if place.has(n)), "")
        if not name:
            lost.append((image, "photo", f"listed in {path.name}, and not there"))
            continue
        text = str(record.get("caption", ""))
        photos.append(Wanted(name, (masks[image],), prompt=text, tiers=(published.name,)))
    return place.some(photos, published, lost)


def hdpainter(published: Published, place: Place) -> Laid:
    """The photos of HD-Painter's list: COCO's, by places of image and segment in its annotation."""
    path = place.file(published.data.masks)
    masks = entries(path) or {}
    names = list(masks)
    photos: dict[str, Wanted] = {}
    lost = []
    for number, (image, segment) in enumerate(_places(place, published.data.names), start=2):
        where = f"{published.data.names}, row {number}"
        if not 0 <= image < len(names):
            lost.append(
                (where, "mask", f"there is no image {image} of {len(names)} in {path.name}")
            )
            continue
        name, labels = names[image], labels_of(masks[names[image]])
        photo = f"{published.data.photos}/{name}"
        if not place.has(photo) or not 0 <= segment < len(labels):
            there = 0 <= segment < len(labels)
            what = "its photo is not there" if there else f"it has no segment {segment}"
            lost.append((photo, "photo", f"{where}: {what}"))
            continue
        mask = MaskFile(path, name, hull=segment)
        before = photos.setdefault(photo, Wanted(photo, ()))
        if mask in (before.masks or ()):
            lost.append((where, "mask", "listed again"))
            continue
        photos[photo] = replace(
            before,
            masks=(*(before.masks or ()), mask),
            tiers=(*before.tiers, published.name),
            prompts=(*before.prompts, labels[segment]),
        )
    return place.some(list(photos.values()), published, lost)


def _places(place: Place, name: str) -> list[tuple[int, int]]:
    text = place.file(name).read_text("utf-8-sig", errors="replace")
    rows = list(csv.DictReader(io.StringIO(text)))
    try:
        return [(int(row["image_idx"]), int(row["segment_idx"])) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{name}: expected columns image_idx and segment_idx with numbers: {error!r}"
        ) from error
