"""A tiny folder for every published protocol, laid out as its data is; pictures are made here."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage import data

from bench.planning.geometry import Geometry
from bench.protocols.record import Published
from tests.support import labelme

HEIGHT, WIDTH = 72, 64
BINS = 6
CATEGORIES = ("dog", "cat")


def write(published: Published, folder: Path, count: int = 2) -> Path:
    """Lay out so many photos and what belongs to them, all of it as the protocol expects."""
    LAYOUTS[published.data.reader](published, folder, count)
    return folder


def photo(number: int) -> np.ndarray:
    """Uint8 ``(HEIGHT, WIDTH, 3)``, another for each number."""
    whole: np.ndarray = data.astronaut()
    return whole[16 * number :, 20 * number :][:HEIGHT, :WIDTH]


def hole(number: int, height: int = HEIGHT, width: int = WIDTH, share: float = 0.1) -> np.ndarray:
    """Bool ``(height, width)``: a box of that share, further down for each number."""
    tall, wide = round(height * share**0.5), round(width * share**0.5)
    mask = np.zeros((height, width), bool)
    top = min(2 + number, height - tall)
    mask[top : top + tall, 3 : 3 + wide] = True
    return mask


def save(path: Path, pixels: np.ndarray) -> None:
    """Write a picture, with the folders it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def _named(published: Published, folder: Path, name: str) -> Path:
    """Where a photo lies: the pattern tells its folder and, mostly, its suffix."""
    path = folder / published.data.photos.replace("*", name)
    return path if path.suffix else path.with_suffix(".jpg")


def _hole(published: Published, number: int, height: int, width: int, **more: float) -> np.ndarray:
    mask = hole(number, height, width, **more)
    return mask if published.holes.hole == "white" else ~mask


def _mask_size(published: Published) -> tuple[int, int]:
    """Of the published files: that of the evaluated picture where it is known beforehand."""
    rule = Geometry.asked(published.size)
    return (rule.height, rule.width) if rule.rule in ("pad", "stretch") else (HEIGHT, WIDTH)


def _photos(published: Published, folder: Path, count: int, first: int = 0) -> list[Path]:
    paths = [_named(published, folder, f"{first + number:05}") for number in range(count)]
    for number, path in enumerate(paths):
        save(path, photo(number))
    if published.data.names:
        lines = [path.name for path in paths[::-1]]  # an order of its own
        (folder / published.data.names).write_text("\n".join(lines) + "\n")
    return paths


def _pairs(published: Published, folder: Path, count: int) -> None:
    for number, path in enumerate(_photos(published, folder, count)):
        name = f"mask_{number:05}" if published.holes.pairing == "sorted" else path.stem
        mask = _hole(published, number, *_mask_size(published))
        save(folder / published.data.masks.replace("*", name), mask)


def _marked(published: Published, folder: Path, count: int) -> None:
    for number in range(count):
        path = _named(published, folder, f"{number:06}")
        save(path, photo(number))
        mask = published.data.masks.replace("{photo}", path.stem).replace("*", "000")
        save(path.parent / mask, _hole(published, number, HEIGHT, WIDTH))


def _cycle(published: Published, folder: Path, count: int) -> None:
    _photos(published, folder, count)
    for number in range(max(count // 2, 1)):  # fewer masks than photos
        save(folder / published.data.masks.replace("*", f"{number:03}"), hole(number, 256, 256))


def _bins(published: Published, folder: Path, count: int) -> None:
    _photos(published, folder, count)
    for number in range(2 * BINS):
        share = number // 2 / 10 + 0.05
        path = folder / published.data.masks.replace("*", f"{number:05}")
        save(path, hole(number, 512, 512, share))


def _misato(published: Published, folder: Path, count: int) -> None:
    for number in range(count):
        name = f"{number * 499:04}"  # of the first category, and of the others
        save(_named(published, folder, name), photo(number))
        save(folder / published.data.masks.replace("*", name), hole(number))


def _removal(published: Published, folder: Path, count: int) -> None:
    for number in range(count):
        mask, clean = hole(number), photo(number)
        thing = np.where(mask[..., None], np.array([250, 20, 200], np.uint8), clean)
        for pattern, pixels in zip(
            (published.data.photos, published.data.masks, published.data.truth),
            (thing, mask, clean),
            strict=True,
        ):
            save(folder / pattern.replace("*", f"{number:03}.png"), pixels)


def _numbered(published: Published, folder: Path, count: int) -> None:
    for number in range(count):
        name = f"test_{number % 3 + 1}_{number // 3 + 1}"
        save(folder / f"{name}.png", photo(number))
        corners = [[3, 2 + number], [23, 20 + number]]
        shapes = [labelme.shape("rectangle", corners)]
        size = {"imageHeight": HEIGHT, "imageWidth": WIDTH}
        labelme.annotate(folder / f"{name}.json", shapes, **size)


def _brushbench(published: Published, folder: Path, count: int) -> None:
    records = {}
    for number in range(count):
        name = f"{number:09}.jpg"
        save(folder / published.data.photos / name, photo(number))
        mask = hole(number)
        records[str(number)] = {
            "image": name,
            "caption": f"astronaut {number}",
            "inpainting_mask": run_lengths(mask),
            "outpainting_mask": run_lengths(~mask),
        }
    (folder / published.data.masks.partition("#")[0]).write_text(json.dumps(records))


def run_lengths(mask: np.ndarray) -> list[int]:
    """Pairs of a start, from 1 on, and a length, row by row."""
    pairs = []
    start = 1
    for filled, run in itertools.groupby(mask.ravel().tolist()):
        length = len(list(run))
        pairs += [start, length] if filled else []
        start += length
    return pairs


def _hdpainter(published: Published, folder: Path, count: int) -> None:
    """Two shapes a photo, of two categories; both are listed."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number in range(count):
        name = f"{number:012}.jpg"
        save(folder / published.data.photos / name, photo(number))
        images.append({"id": 7 + number, "file_name": name, "height": HEIGHT, "width": WIDTH})
        for category in range(2):
            left = 4 + 30 * category
            arrow = [left, 10, left + 20, 10, left + 10, 20, left + 20, 30, left, 30]
            annotations.append({
                "id": len(annotations), "image_id": 7 + number, "category_id": 1 + category,
                "iscrowd": 0, "segmentation": [arrow],
            })  # fmt: skip
    named = [{"id": 1 + at, "name": name} for at, name in enumerate(CATEGORIES)]
    path = folder / published.data.masks
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": named}))
    with (folder / published.data.names).open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("image_idx", "segment_idx"))
        table.writerows((number, segment) for number in range(count) for segment in range(2))


LAYOUTS: dict[str, Callable[[Published, Path, int], object]] = {
    "folder": _photos,
    "folders": _pairs,
    "marked": _marked,
    "cycle": _cycle,
    "bins": _bins,
    "misato": _misato,
    "removal": _removal,
    "numbered": _numbered,
    "brushbench": _brushbench,
    "hdpainter": _hdpainter,
}
"""By reader, as in a protocol's ``[data]``."""
