"""What is odd about the output of a method, found in the pixels that everybody knows.

Three places tell: known pixels before they are pasted over, the hole's edge, where a fill goes on
from what lies around it, and the hole itself. Known pixels that came back as they were given, or
all alike, say nothing; the edge then still does. A fill that is merely bad is no suspicion.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from bench.errors import ContractError

_LEVEL: Final = 1 / 255  # of an 8-bit picture
_GRID: Final = 40  # rows and columns that are looked at
_PAIRS: Final = 400  # of pixels beside each other and apart that are looked at along an edge
_FEWEST: Final = 16  # pixels from which something is concluded
_SHARE: Final = 0.8  # of what they are off by: known pixels off by less fit much better
_SHARE_AT_EDGE: Final = 0.6  # likewise at the edge, which no fill meets exactly
_ODD_AT_EDGE: Final = 0.03  # an edge that is off by less tells nothing
_BRIGHT: Final = 32  # a grey level that nobody takes for black
_LARGE: Final = 64  # pixels of a hole that is no speck
_OVER: Final = 0.02  # beyond the range by less is overshoot
_CLIPPED: Final = 0.05  # share of the hole's values that may lie beyond the range by more
_BEYOND: Final = 2.0  # a hole with most values above was never of 0 to 1

ADVICE: Final = {
    "channel order": "return red, green, blue, in the order in which the picture was given",
    "shift": "return every pixel at the place where it was given",
    "range": "return floats of 0 to 1, or 8-bit pictures as uint8 where these are asked for",
    "hole": 'fill where the mask is 1 (black on purpose is of the family "floor" by its card)',
}
"""What to do, by the rule that was broken."""
_ORDERS: Final = {
    "".join("RGB"[order.index(place)] for place in range(3)): order
    for order in itertools.permutations(range(3))
    if order != (0, 1, 2)
}
# What the values lie between, and what makes them values of 0 to 1: a factor and a summand.
_RANGES: Final = {
    (0, 255): (1 / 255, 0), (-1, 1): (1 / 2, 1 / 2), (0, 1 / 255): (255, 0), (1, 0): (-1, 1),
}  # fmt: skip
# Whether rows and columns change places, rows are turned round, columns are.
_TURNS: Final = {
    "mirrored": (0, 0, 1), "upside down": (0, 1, 0), "turned by 180 degrees": (0, 1, 1),
    "transposed": (1, 0, 0), "turned right": (1, 0, 1), "turned left": (1, 1, 0),
    "transposed along the other diagonal": (1, 1, 1),
}  # fmt: skip


class Suspicion(NamedTuple):
    """One thing that is odd.

    Attributes:
        rule: A key of `ADVICE`.
        words: What was seen; without a semicolon, which parts several.
        certain: Whether nothing but a broken output explains it.
    """

    rule: str
    words: str
    certain: bool


def refuse(found: Iterable[Suspicion], advice: Mapping[str, str] = ADVICE) -> None:
    """Refuse an output that is certainly broken.

    Args:
        found: What is odd about it.
        advice: What to do, by the rule that was broken.

    Raises:
        ContractError: With what was seen, and what to do.
    """
    for rule, words, certain in found:
        if certain:
            raise ContractError(f"output: {words}; {advice[rule]}")


def suspicions(raw: np.ndarray, photo: np.ndarray, hole: np.ndarray) -> list[Suspicion]:
    """Look at one output.

    Args:
        raw: What the method returned, float32 ``(H, W, 3)``, not clipped.
        photo: uint8 ``(H, W, 3)``, of which the hole was given as 0.
        hole: bool ``(H, W)``, neither all nor nothing.

    Returns:
        What is odd, at most one thing of each kind.
    """
    inside, outside = _edge(raw, photo, hole)
    if not np.any(np.abs(inside) > _LEVEL / 2):
        return _black(raw, photo, hole, outside)
    found = _Pixels(raw, photo, hole).fit() or _fit_at_edge(inside, outside)
    return [*found, *_out_of_range(raw, hole)]


class _Reading(NamedTuple):
    """Another way to read values, and by how much they are off as they are and read that way."""

    rule: str
    words: str
    own: float
    other: float

    def suspicion(self, where: str) -> Suspicion:
        """In words; certain where it explains all but rounding, and something was to explain."""
        off = f"off by {self.other:.3f} instead of {self.own:.3f}"
        certain = self.other <= 2 * _LEVEL and self.own >= 4 * max(self.other, _LEVEL / 2)
        return Suspicion(self.rule, f"{where} better {self.words} ({off})", certain)


class _Pixels:
    """The pixels of a grid, the same few thousand of a picture of any size."""

    def __init__(self, raw: np.ndarray, photo: np.ndarray, hole: np.ndarray) -> None:
        self._photo, self._hole = photo, hole
        grid = self._grid()
        self._raw, self._known = raw[grid], ~hole[grid]
        self._given = photo[grid] * np.float32(_LEVEL)

    def fit(self) -> list[Suspicion]:
        """How known pixels fit much better, if they do."""
        own, wanted = self._raw[self._known], self._given[self._known]
        if len(own) < _FEWEST or _off(own, wanted) <= _LEVEL:
            return []
        if _alike(own):  # they are blank, or all of the picture is
            whole = Suspicion("hole", "the whole picture is of one colour", False)
            return [whole] if _alike(self._raw.reshape(-1, 3)) else []
        readings = [*_readings(own, wanted), *self._moved(), *self._turned()]
        best = min(readings, key=lambda each: each.other / max(each.own, _LEVEL))
        spread = _off(wanted.mean(0), wanted)  # of which a grey picture would be off
        fits = best.other < min(_SHARE * best.own, max(spread / 2, _LEVEL))
        return [best.suspicion("known pixels fit the photo")] if fits else []

    def _grid(self, down: int = 0, right: int = 0) -> tuple[np.ndarray, ...]:
        """Places off the border, or what lies a pixel beside them."""
        height, width = self._hole.shape
        return np.ix_(_lines(height) + down, _lines(width) + right)

    def _moved(self) -> Iterator[_Reading]:
        for down, right in itertools.product((-1, 0, 1), repeat=2):
            if (down, right) != (0, 0):
                ways = ("down", "", "up")[down + 1], ("right", "", "left")[right + 1]
                words = f"moved by a pixel {' and '.join(filter(None, ways))}"
                there = self._grid(down, right)
                yield self._placed(words, self._photo[there], self._hole[there])

    def _turned(self) -> Iterator[_Reading]:
        height, width = self._hole.shape
        for words, (rows, down, right) in _TURNS.items():
            if not rows or height == width:
                turn = np.s_[:: 1 - 2 * down, :: 1 - 2 * right]
                photo, hole = (
                    (each.swapaxes(0, 1) if rows else each)[turn][self._grid()]
                    for each in (self._photo, self._hole)
                )
                yield self._placed(words, photo, hole)

    def _placed(self, words: str, photo: np.ndarray, hole: np.ndarray) -> _Reading:
        """Them beside those of another place, where both are known."""
        both = self._known & ~hole
        if (count := 3 * int(both.sum())) < 3 * _FEWEST:
            return _Reading("shift", words, 0, np.inf)
        own, other = (
            float(np.einsum("hwc,hw->", np.abs(self._raw - wanted), both, dtype=np.float32)) / count
            for wanted in (self._given, photo * np.float32(_LEVEL))
        )
        return _Reading("shift", words, own, other)


@cache
def _lines(length: int) -> np.ndarray:
    """Some of so many rows or columns, without a rhythm that an enlarged picture may have too."""
    return np.sort(np.random.default_rng(0).permutation(np.arange(1, length - 1))[:_GRID])


def _edge(raw: np.ndarray, photo: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Some of the output just inside of the hole, and the photo beside it, ``(n, 3)`` each."""
    flat, width = hole.ravel(), hole.shape[1]
    within, around = [], []
    for step in (1, width):
        first = np.flatnonzero(flat[step:] != flat[:-step])
        if step == 1:  # the end of a row is not beside the start of the next
            first = first[(first + 1) % width != 0]
        first = first[:: 1 + len(first) // _PAIRS]
        within.append(first + step * ~flat[first])
        around.append(first + step * flat[first])
    inside = raw.reshape(-1, 3)[np.concatenate(within)]
    return inside, photo.reshape(-1, 3)[np.concatenate(around)] * np.float32(_LEVEL)


def _fit_at_edge(inside: np.ndarray, outside: np.ndarray) -> list[Suspicion]:
    """How the fill goes on much better from what lies around it; of one colour it never does."""
    if len(inside) < _FEWEST or _off(inside, outside) < _ODD_AT_EDGE or _alike(inside):
        return []
    best = min(_readings(inside, outside), key=lambda each: each.other)
    fits = best.other < _SHARE_AT_EDGE * best.own
    return (
        [best.suspicion("the fill fits what lies around it")._replace(certain=False)]
        if fits
        else []
    )


def _readings(own: np.ndarray, wanted: np.ndarray) -> Iterator[_Reading]:
    """Values in other orders of channels and of other ranges."""
    off, low, high = _off(own, wanted), own.min(), own.max()
    apart = np.abs(own[:, :, None] - wanted[:, None]).mean(0)  # of each channel and each
    for name, order in _ORDERS.items():
        yield _Reading("channel order", f"as {name}", off, float(apart[order, range(3)].mean()))
    for (first, last), (factor, summand) in _RANGES.items():
        if (last == 255 and high < _BEYOND) or (first == -1 and low > -_CLIPPED):
            continue
        words = f"as values of {first} to {last:.3g}"
        read = own * np.float32(factor) + np.float32(summand)
        yield _Reading("range", words, off, _off(read, wanted))


def _alike(pixels: np.ndarray) -> bool:
    """Whether they are of one colour; those of 0 to 1/255 are still told apart."""
    return bool(np.ptp(pixels, 0).max() < _LEVEL / 100)


def _off(own: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(own - wanted).mean())


def _black(
    raw: np.ndarray, photo: np.ndarray, hole: np.ndarray, outside: np.ndarray
) -> list[Suspicion]:
    """A hole that is as it was given, unless black is what may well belong there."""
    bright = (outside.max(1) > _BRIGHT * _LEVEL).mean() if len(outside) else 0
    if bright < 0.5 or np.any(np.abs(raw[hole]) > _LEVEL / 2):
        return []
    certain = hole.sum() >= _LARGE and (photo[hole].max(1) > _BRIGHT).mean() >= 0.5
    known = raw[~hole]
    if not np.any(np.abs(known) > _LEVEL / 2):
        words = "the whole picture is black"
    elif _off(known, photo[~hole] * np.float32(_LEVEL)) > _ODD_AT_EDGE:
        words = "the hole is black, as it was given, and known pixels were changed instead"
    else:
        words = "the hole is black, as it was given"
    return [Suspicion("hole", words, bool(certain))]


def _out_of_range(raw: np.ndarray, hole: np.ndarray) -> list[Suspicion]:
    """A hole of which much is clipped."""
    if raw.min() >= -_OVER and raw.max() <= 1 + _OVER:
        return []
    values = raw[hole]
    share = ((values < -_OVER) | (values > 1 + _OVER)).mean()
    if share <= _CLIPPED:
        return []
    ends = f"{values.min():.3g} to {values.max():.3g}"
    words = f"values of the hole are clipped ({share:.0%} of them, which go from {ends})"
    return [Suspicion("range", words, bool(np.median(values) > _BEYOND))]
