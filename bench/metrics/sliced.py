"""Sliced Wasserstein distance between two sets of pictures; needs no network.

Karras, Aila, Laine and Lehtinen, "Progressive growing of GANs", ICLR 2018, section 5: patches
of Laplacian pyramids, projected on random directions. Here only patches that touch the hole
are taken, as all others are equal.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.metrics.pair import Picture
from bench.metrics.patches import PATCH, Places, cut, directions, laplacian
from bench.metrics.record import SetValue
from bench.metrics.set_table import SWD_SIDE
from bench.metrics.structure import Planes

# A case with its photo (uint8 RGB, (H, W, 3)) and hole (bool, (H, W)).
Case = tuple[str, Picture, NDArray[np.bool_]]

MAX_CASES = 250  # at 256 x 256 a method's patches take 94 MB then, the photos' projections 330 MB
MIN_CASES = 10
_FEW_CASES = 50
_NAMED = 3  # photos that are left out
_COARSEST = 16
_PATCHES = 128
_REPEATS, _DIRECTIONS = 4, 128
_FEW = 8  # directions along which groups are left out
Patches = list[Planes]  # by level, float32 (n, 3, 49)
Grouping = Callable[[Sequence[str]], NDArray[np.int64] | None]
_Level = NDArray[np.float64]
Each = Callable[[Callable[[int], _Level], Iterable[int]], Iterable[_Level]]


class Photos:
    """What the distance needs of photos and holes, once for all methods that filled them.

    Per case and pyramid level, from full size down to a short side of 16 pixels, 128 patches of
    7 x 7 that touch the hole are drawn, seeded by the case. The first 250 cases with a hole are
    used, so memory has a bound; pictures with a side under 32 pixels are left out.

    Attributes:
        names: Ids of the cases used.
        groups: ``(n,)`` group of each, from 0; None if they were not put into any.
        small: Of which photos cases were left out as too small.
        refusal: Why there can be no distance, or empty.
        patches: The photos' own.
    """

    def __init__(
        self,
        cases: Iterable[Case],
        photo_of: Mapping[str, str] = MappingProxyType({}),
        grouped: Grouping | None = None,
    ) -> None:
        """Cut the patches.

        Args:
            cases: (case id, photo, hole), read one after the other.
            photo_of: Name of the photo by case id, where that is another.
            grouped: Puts the cases used, by their ids, into groups without which the distance is
                computed again.
        """
        self.refusal = ""
        self.names: list[str] = []
        self.small: list[str] = []
        self._places: list[list[Places]] = []  # of each case, by level; none without a hole
        self._projections: dict[int, list[Planes]] = {}
        self._few: dict[int, _Few] = {}
        cut = []
        for name, photo, hole in cases:
            self._places.append([])
            if min(hole.shape) < SWD_SIDE:
                self.small.append(photo_of.get(name, name))
            elif hole.any():
                masks = enumerate(_masks(hole))
                self._places[-1] = [_positions(mask, f"{name}|{level}") for level, mask in masks]
                cut.append(_cut(photo, self._places[-1]))
                self.names.append(name)
            if self.n == MAX_CASES:
                break
        self.groups = grouped(self.names) if grouped else None
        self.patches = _by_level(cut)
        if self.n < MIN_CASES:
            self.refusal = f"needs at least {MIN_CASES} cases with a hole, found {self.n}"
            self.refusal += f"; {self.left_out}" if self.small else ""

    @property
    def n(self) -> int:
        """Number of cases used."""
        return len(self.names)

    @property
    def left_out(self) -> str:
        """Which cases are left out, in words; empty if none."""
        if not self.small:
            return ""
        named = ", ".join(list(dict.fromkeys(self.small))[:_NAMED])
        return f"{len(self.small)} left out, with a side under {SWD_SIDE} pixels, of {named}"

    def cut(self, outputs: Iterable[Picture]) -> Patches:
        """Cut the patches of a method's fills.

        Args:
            outputs: In the order of the cases, read one after the other, no more than are used.

        Raises:
            ValueError: If there are fewer.
        """
        used = itertools.islice(outputs, len(self._places))
        pairs = zip(used, self._places, strict=True)
        return _by_level([_cut(output, places) for output, places in pairs if places])

    def distance(self, patches: Patches, level: int) -> NDArray[np.float64]:
        """Distance of a method's patches of a level to the photos'.

        Followed by how much it changes without each group. These changes are along a few of the
        directions, whose mean changes as that of all but for a little noise.
        """
        if level not in self._projections:
            flat = _normalised(self.patches[level])
            self._projections[level] = list(_projected(flat, level))
            self._few[level] = self._along_few(flat, level)
        groups = 0 if self.groups is None else int(self.groups.max()) + 1
        if patches is self.patches:  # of fills that are the photos: this is no check of them
            return np.zeros(1 + groups)
        flat = _normalised(patches[level])
        total = 0.0
        pairs = zip(_projected(flat, level), self._projections[level], strict=True)
        for mine, theirs in pairs:
            mine -= theirs
            total += float(np.abs(mine, out=mine).mean(dtype=np.float64))
        changes = _changes(self._along_few(flat, level), self._few[level])
        return np.array([total / _REPEATS, *changes])

    def _along_few(self, flat: Planes, level: int) -> _Few:
        """Normalised patches along a few directions, sorted, with what leaving out takes."""
        if self.groups is None:
            return _Few(np.empty((0, 0), np.float32), np.empty((0, 0), np.int8), np.empty(0))
        # A small picture has fewer levels than others.
        there = [len(places) > level for places in self._places if places]
        labels = np.repeat(self.groups[there], _PATCHES)
        projected = directions(np.random.default_rng(level), _DIRECTIONS)[:_FEW] @ flat.T
        order = projected.argsort(axis=1)
        squares = np.zeros(int(self.groups.max()) + 1)
        np.add.at(squares, labels, np.einsum("nd,nd->n", flat, flat))
        along = np.take_along_axis(projected, order, axis=1)
        return _Few(along, labels.astype(np.int8)[order], squares)


def swd(photos: Photos, patches: Patches, each: Each = map) -> SetValue:
    """Sliced Wasserstein distance of fills to photos, times 1000; lower is better.

    Args:
        photos: The photos and holes.
        patches: What `Photos.cut` cut of the fills, or `Photos.patches` if they are the photos;
            not needed where the photos are refused.
        each: The built-in `map`, or that of a pool of threads, which share the levels.

    Returns:
        Mean over levels; 0 if all fills equal their photos. NaN below 10 cases with a hole. With
        its changes without each group of cases, if the photos were put into groups.
    """
    n = photos.n
    if photos.refusal:
        return SetValue(float("nan"), n, photos.refusal)
    few = f"n = {n} is below {_FEW_CASES}: noisy" if n < _FEW_CASES else ""
    many = f"of the first {n} cases" if n == MAX_CASES else ""
    note = "; ".join(filter(None, (few, many, photos.left_out)))
    levels = list(each(partial(photos.distance, patches), range(len(patches))))
    value, *changes = (1000 * np.mean(levels, axis=0)).tolist()
    return SetValue(value, n, note, tuple(changes))


class _Few(NamedTuple):
    """Normalised patches of a level along a few directions.

    Attributes:
        along: ``(directions, n)``, sorted.
        labels: Group of each of these numbers.
        squares: ``(g,)`` sum of squares of the patches of each group.
    """

    along: Planes
    labels: NDArray[np.int8]
    squares: NDArray[np.float64]

    def without(self, group: int) -> Planes:
        """What is left without a group, normalised again: ``(directions, n - left out)``."""
        kept = self.along[self.labels != group].reshape(len(self.along), -1)
        share = kept.size / self.along.size
        kept -= kept.mean(axis=1, keepdims=True)
        # One scale for all three channels.
        kept *= np.sqrt(share * self.squares.sum() / (self.squares.sum() - self.squares[group]))
        return kept


def _changes(mine: _Few, theirs: _Few) -> NDArray[np.float64]:
    """How much the distance changes without each group, ``(g,)``; 0 where nothing is left."""
    found = np.zeros(len(mine.squares))
    if len(found):
        whole = np.abs(mine.along - theirs.along).mean(dtype=np.float64)
    for group in np.flatnonzero(mine.squares < mine.squares.sum()).tolist():
        left = mine.without(group) - theirs.without(group)
        found[group] = np.abs(left).mean(dtype=np.float64) - whole
    return found


def _masks(hole: NDArray[np.bool_]) -> Iterator[NDArray[np.uint8]]:
    """The hole by level, to a short side of 16 pixels: 1 where a pixel covers any of it."""
    import cv2

    current = hole.astype(np.uint8)
    while min(current.shape) >= 2 * _COARSEST:
        yield current
        height, width = current.shape
        even = cv2.copyMakeBorder(
            current, 0, height % 2, 0, width % 2, cv2.BORDER_CONSTANT, value=0
        )
        rows = np.maximum(even[::2], even[1::2])
        current = np.maximum(rows[:, ::2], rows[:, 1::2])
    yield current


def _positions(mask: NDArray[np.uint8], seed: str) -> Places:
    """Top left corners of patches inside the picture that touch the hole."""
    import cv2

    touching = cv2.dilate(mask, np.ones((PATCH, PATCH), np.uint8))
    reach = PATCH // 2
    inside = touching[reach:-reach, reach:-reach]
    places = np.flatnonzero(inside)
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
    chosen = np.random.default_rng(number).integers(len(places), size=_PATCHES)
    return np.divmod(places[chosen], inside.shape[1])


def _cut(picture: Picture, places: Sequence[Places]) -> Patches:
    """The patches of one picture by level."""
    return list(map(cut, laplacian(picture, len(places)), places))


def _by_level(cut: Sequence[Patches]) -> Patches:
    """All patches of a level together; small pictures have fewer levels than others."""
    levels = itertools.zip_longest(*cut)
    return [np.concatenate([each for each in level if each is not None]) for level in levels]


def _projected(flat: Planes, level: int) -> Iterator[Planes]:
    """Normalised patches on random directions, sorted along each."""
    rng = np.random.default_rng(level)
    for _ in range(_REPEATS):
        # One row per direction, so that sorting runs over contiguous memory.
        projected = directions(rng, _DIRECTIONS) @ flat.T
        projected.sort()
        yield projected


def _normalised(patches: Planes) -> Planes:
    """Bring each channel to mean 0 and deviation 1 over the set; then ``(n, 147)``."""
    mean = patches.mean(axis=(0, 2), keepdims=True, dtype=np.float64)
    deviation = patches.std(axis=(0, 2), keepdims=True, dtype=np.float64)
    deviation[deviation == 0] = 1  # a channel that is the same everywhere stays 0
    scaled = (patches - mean.astype(np.float32)) / deviation.astype(np.float32)
    return scaled.reshape(len(patches), -1)
