"""Sliced Wasserstein distance between two sets of pictures; needs no network.

Karras, Aila, Laine and Lehtinen, "Progressive growing of GANs", ICLR 2018, section 5: patches
of Laplacian pyramids, projected on random directions. Here only patches that touch the hole
are taken, as all others are equal.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from bench.metrics.distribution import SetValue
from bench.metrics.pair import Picture
from bench.metrics.record import Metric
from bench.metrics.structure import Planes

# A case with its output, photo (uint8 RGB, (H, W, 3)) and hole (bool, (H, W)).
Case = tuple[str, Picture, Picture, NDArray[np.bool_]]

MAX_CASES = 250  # at 256 x 256 this holds 188 MB of patches
MIN_CASES = 10
_FEW_CASES = 50
_SIDE = 32
_COARSEST = 16
_PATCH = 7
_PATCHES = 128
_REPEATS, _DIRECTIONS = 4, 128


def swd(cases: Iterable[Case]) -> SetValue:
    """Sliced Wasserstein distance of outputs to photos, times 1000; lower is better.

    Per case and pyramid level, from full size down to a short side of 16 pixels, 128 patches of
    7 x 7 that touch the hole are drawn at the same positions in output and photo, seeded by the
    case. The first 250 cases are used, so memory has a bound.

    Args:
        cases: (case id, output, photo, hole), read one after the other.

    Returns:
        Mean over levels; 0 if all outputs equal their photos. NaN below 10 cases with a hole,
        or if a picture has a side under 32 pixels.
    """
    patches: defaultdict[int, list[tuple[Planes, Planes]]] = defaultdict(list)
    n = 0
    for name, output, photo, hole in itertools.islice(_with_hole(cases), MAX_CASES):
        height, width = hole.shape
        if min(height, width) < _SIDE:
            reason = f"needs sides of at least {_SIDE} pixels, {name} has {width}x{height}"
            return SetValue(float("nan"), n, reason)
        n += 1
        levels = zip(_pyramid(output), _pyramid(photo), _masks(hole), strict=True)
        for level, (mine, theirs, mask) in enumerate(levels):
            rows, columns = _positions(mask, f"{name}|{level}")
            patches[level].append((_cut(mine, rows, columns), _cut(theirs, rows, columns)))
    if n < MIN_CASES:
        return SetValue(float("nan"), n, f"needs at least {MIN_CASES} cases with a hole, found {n}")
    values = [
        _distance(*(np.concatenate(side) for side in zip(*pairs, strict=True)), seed=level)
        for level, pairs in sorted(patches.items())
    ]
    note = f"n = {n} is below {_FEW_CASES}: noisy" if n < _FEW_CASES else ""
    if n == MAX_CASES:
        note = f"of the first {n} cases"
    return SetValue(1000 * float(np.mean(values)), n, note)


def _with_hole(cases: Iterable[Case]) -> Iterator[Case]:
    return (case for case in cases if case[3].any())


def _pyramid(picture: Picture) -> Iterator[Planes]:
    """Laplacian pyramid, fine to coarse; the last level is the low-pass rest."""
    import cv2

    current: Planes = picture.astype(np.float32) / 255
    while min(current.shape[:2]) >= 2 * _COARSEST:
        coarse = cv2.pyrDown(current)
        height, width = current.shape[:2]
        yield current - cv2.pyrUp(coarse, dstsize=(width, height))
        current = coarse
    yield current


def _masks(hole: NDArray[np.bool_]) -> Iterator[NDArray[np.uint8]]:
    """The hole at each level of `_pyramid`: 1 where a pixel covers any of it."""
    import cv2

    current = hole.astype(np.uint8)
    while min(current.shape) >= 2 * _COARSEST:
        yield current
        height, width = current.shape
        even = cv2.copyMakeBorder(
            current, 0, height % 2, 0, width % 2, cv2.BORDER_CONSTANT, value=0
        )
        current = even.reshape((height + 1) // 2, 2, (width + 1) // 2, 2).max(axis=(1, 3))
    yield current


def _positions(mask: NDArray[np.uint8], seed: str) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Top left corners of patches inside the picture that touch the hole."""
    import cv2

    touching = cv2.dilate(mask, np.ones((_PATCH, _PATCH), np.uint8))
    reach = _PATCH // 2
    rows, columns = np.nonzero(touching[reach:-reach, reach:-reach])
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
    chosen = np.random.default_rng(number).integers(len(rows), size=_PATCHES)
    return rows[chosen], columns[chosen]


def _cut(planes: Planes, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Planes:
    """Patches ``(n, 3, 49)``, one channel after the other."""
    windows = np.lib.stride_tricks.sliding_window_view(planes, (_PATCH, _PATCH), axis=(0, 1))
    return windows[rows, columns].reshape(len(rows), 3, _PATCH * _PATCH)


def _distance(mine: Planes, theirs: Planes, *, seed: int) -> float:
    """Sliced Wasserstein distance of two sets of patches, each normalised per channel."""
    mine, theirs = _normalised(mine), _normalised(theirs)
    rng = np.random.default_rng(seed)
    total = 0.0
    for _ in range(_REPEATS):
        directions = rng.standard_normal((_DIRECTIONS, mine.shape[1])).astype(np.float32)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        # One row per direction, so that sorting runs over contiguous memory.
        apart = np.sort(directions @ mine.T) - np.sort(directions @ theirs.T)
        total += float(np.abs(apart).mean(dtype=np.float64))
    return total / _REPEATS


def _normalised(patches: Planes) -> Planes:
    """Bring each channel to mean 0 and deviation 1 over the set; then ``(n, 147)``."""
    mean = patches.mean(axis=(0, 2), keepdims=True, dtype=np.float64)
    deviation = patches.std(axis=(0, 2), keepdims=True, dtype=np.float64)
    deviation[deviation == 0] = 1  # a channel that is the same everywhere stays 0
    scaled = (patches - mean.astype(np.float32)) / deviation.astype(np.float32)
    return scaled.reshape(len(patches), -1)


METRICS = (
    Metric(
        "swd", "Sliced Wasserstein distance", "", "lower", "set", "hole",
        f"Laplacian pyramid, {_PATCHES} patches of 7x7 touching the hole, "
        f"{_REPEATS * _DIRECTIONS} directions, x1000, first {MAX_CASES} cases",
        "1", swd, minimum_side=_SIDE, note="of outputs against the photos of the same cases",
    ),
)  # fmt: skip
