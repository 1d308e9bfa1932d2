"""What of a picture is hole, decided by what the picture is and never by how bright a class is.

Grey pictures are soft masks: hole from a threshold up. Pictures that hold classes (by a palette, a
few colours, a few grey values, each in areas) have their hole where there is a class; if there are
several, the user says which. Transparency is the mask where nothing else varies.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.errors import InputError
from masks.picture import Decoded, explained
from masks.raster import Mask

THRESHOLD = 128
"""Least 8-bit value that is hole."""

_MOST = 32  # classes; more values than this are shades
_SHOWN = 6
_VOID = 255  # what VOC draws around its objects: to be left aside there, to be filled here
_NEARLY_GREY = 24  # how far the channels of grey may differ where a format changed values
_OFF_SHADE = 48  # likewise from the shades of one colour
_STRAY = 0.005  # share of pixels that such a format may have changed more

Ints = NDArray[np.integer]


@dataclass(frozen=True)
class _Held:
    """What a picture holds.

    Attributes:
        kind: What its numbers are: grey values, indices of a palette, or colours as 0xRRGGBB.
        numbers: One for each pixel, ``(H, W)``.
        values: Which of them occur, ``(V,)``, sorted.
        counts: How often, ``(V,)``.
        colours: Their colours, 0xRRGGBB, ``(V,)``.
    """

    kind: Literal["grey", "palette", "colours"]
    numbers: Ints
    values: Ints
    counts: Ints
    colours: Ints

    def text(self, at: int) -> str:
        """What the value at this place is called in ``--mask-labels``."""
        return f"#{self.colours[at]:06x}" if self.kind == "colours" else str(self.values[at])

    def channels(self) -> Ints:
        """Red, green and blue of the values, ``(V, 3)``."""
        return self.colours[:, None].astype(np.int64) >> np.array([16, 8, 0]) & 255

    def listed(self) -> str:
        """The values with their shares, the most frequent first; of many those that have one."""
        order = np.argsort(-self.counts, kind="stable").tolist()
        shares = self.counts / self.numbers.size
        most = _SHOWN if len(order) <= _MOST else max(int((shares >= 0.01).sum()), 1)
        shown = ", ".join(f"{self.text(at)} ({shares[at]:.1%})" for at in order[:most])
        return shown + (f" and {len(order) - most:,} more" if len(order) > most else "")

    def in_areas(self, chosen: Mask) -> bool:
        """Whether most pixels of these values have equal neighbours, unlike those of soft edges.

        Of several values the most frequent is left aside: one class with soft edges has it too.
        """
        if chosen.sum() > 1:
            chosen = chosen & (np.arange(len(chosen)) != np.where(chosen, self.counts, 0).argmax())
        inner = self.numbers[1:, 1:]
        equal = (inner == self.numbers[:-1, 1:]) & (inner == self.numbers[1:, :-1])
        asked = np.isin(inner, self.values[chosen])
        return bool(asked.any()) and bool(equal[asked].mean() >= 0.5)


def hole(decoded: Decoded, threshold: int, labels: Sequence[str], name: str) -> tuple[Mask, str]:
    """Decide where the hole is.

    Args:
        decoded: The picture.
        threshold: Least 8-bit value that is hole; any but `THRESHOLD` says that grey values are
            levels and no classes.
        labels: Which classes are hole: numbers in grey and palette pictures, colours as
            ``#rrggbb``; others, such as names, match nothing.
        name: What to call it in messages.

    Returns:
        bool ``(H, W)``, and what was taken for granted or an empty text.

    Raises:
        InputError: If it could mean several things, naming what it holds.
    """
    with explained(name):
        image, alpha = _without_alpha(decoded.image)
        held = _held(image, decoded.lossy)
        layer = alpha is not None and _is_layer(decoded.image, alpha, held)
    if labels:
        chosen, note = _named(held, labels, name), ""
    elif layer:
        held, alpha = _grey(alpha), None
        chosen = held.values >= (_middle(held) if threshold == THRESHOLD else threshold)
        note = "drawn in one colour on nothing: what is opaque is hole (if not: --invert-masks)"
    elif held.kind == "grey":
        chosen, note = _of_grey(held, threshold, decoded.lossy, name)
    else:
        advice = "choose with --mask-labels"
        if alpha is not None:
            advice += "; if its transparency is the mask, save that alone, in grey"
        elif decoded.lossy:
            advice = "save masks as PNG, JPEG and the like change colours"
        chosen, note = _of_colours(held, threshold, decoded.lossy, name, advice)
    mask = np.isin(held.numbers, held.values[chosen])
    aside = alpha is not None and not np.array_equal(mask, alpha >= threshold)
    notes = (*decoded.notes, note, "its transparency left aside" if aside else "")
    return mask, "; ".join(filter(None, notes))


def _without_alpha(image: Image.Image) -> tuple[Image.Image, NDArray[np.uint8] | None]:
    """The colours as stored, and transparency where it varies."""
    if image.mode.startswith("I") or not image.has_transparency_data:
        return image, None
    whole = image.convert("RGBA")
    alpha = np.asarray(whole.getchannel("A"))
    if image.mode != "P":  # a palette keeps its indices
        image = whole.convert("RGB")
    return image, None if (alpha == alpha.flat[0]).all() else alpha


def _is_layer(image: Image.Image, alpha: NDArray[np.uint8], held: _Held) -> bool:
    """Whether all that there is has one colour, or all that can be seen has one but black.

    What is hardly opaque may be off by what programs lose that store colours times opacity.
    """
    if held.kind == "grey" or len(held.values) == 1:
        return len(held.values) == 1
    colours = np.asarray(image.convert("RGBA"))[..., :3].astype(np.int16)
    colour = colours.reshape(-1, 3)[alpha.argmax()]
    off = np.abs(colours - colour).max(axis=2).astype(np.uint16)
    alike = (off * alpha <= 128 + alpha.astype(np.uint16))[alpha > 0].all()
    return bool(alike and colour.any())


def _middle(held: _Held) -> float:
    """Half way from the least opacity to that of most of what is drawn."""
    return (int(held.values[0]) + int(held.values[1:][held.counts[1:].argmax()])) / 2


def _held(image: Image.Image, lossy: bool) -> _Held:
    if image.mode in ("1", "L") or image.mode.startswith("I"):
        return _grey(np.asarray(image))
    if image.mode == "P":
        return _of_palette(np.asarray(image), np.array(image.getpalette("RGB"), np.uint8))
    image = image.convert("RGB")
    rgb = np.asarray(image)
    if (rgb[..., :2] == rgb[..., 1:]).all():
        return _grey(rgb[..., 0])
    # The fourth byte is there for speed: a pixel is one number.
    packed = np.asarray(image.convert("RGBX")).view(">u4")[..., 0] >> 8
    values, counts = _counted(packed)
    held = _Held("colours", packed, values, counts, values)
    if lossy or len(values) > _MOST:
        channels = held.channels()
        spread = channels.max(axis=1) - channels.min(axis=1)
        if counts[spread > _NEARLY_GREY].sum() <= _STRAY * packed.size:
            return _grey(np.asarray(image.convert("L")))
    return held


def _grey(levels: Any) -> _Held:
    levels = levels.astype(np.uint8) if levels.dtype == np.bool_ else levels
    values, counts = _counted(levels)
    return _Held("grey", levels, values, counts, values.astype(np.int64) * 0x010101)


def _of_palette(indices: Ints, palette: NDArray[np.uint8]) -> _Held:
    colours = np.zeros((256, 3), np.uint8)  # an index beyond the palette is black to a viewer
    colours.flat[: palette.size] = palette
    values, counts = _counted(indices)
    used = colours[values] @ np.array([0x10000, 0x100, 1])
    if len(set(used.tolist())) == len(used) and (colours[values] == colours[values][:, :1]).all():
        return _grey(colours[indices, 0])
    return _Held("palette", indices, values, counts, used)


def _counted(numbers: Ints) -> tuple[Ints, Ints]:
    """Which values occur, sorted, and how often."""
    least, size = int(numbers.min()), int(numbers.max()) + 1
    if least < 0 or size > (1 << 24 if numbers.size > 1 << 20 else 1 << 16):
        return np.unique(numbers, return_counts=True)
    counts = np.zeros(size, np.int64)
    for part in np.array_split(numbers, 8):  # which is faster than sorting, and takes less memory
        counts += np.bincount(part.ravel(), minlength=size)
    return np.flatnonzero(counts), counts[counts > 0]


def _named(held: _Held, labels: Sequence[str], name: str) -> Mask:
    """Which values the user named."""
    colours = [int(label[1:], 16) for label in labels if re.fullmatch("#[0-9a-fA-F]{6}", label)]
    numbers = [int(label) for label in labels if re.fullmatch("-?[0-9]+", label)]
    chosen = np.isin(held.colours, colours)
    if held.kind != "colours":
        chosen |= np.isin(held.values, numbers)
    if not chosen.any():
        raise InputError(f"mask '{name}' has no class {','.join(labels)}; it has {held.listed()}")
    return chosen


def _of_grey(held: _Held, threshold: int, lossy: bool, name: str) -> tuple[Mask, str]:
    values, greatest = held.values, int(held.values[-1])
    if greatest <= 1 and values[0] >= 0:
        return values > 0, ""
    full = 255 if greatest <= 255 else 65535
    classes = (values != 0) & (values != full)
    between = (values > 0.03 * full) & (values < 0.97 * full)
    # Values near full, and none between, are what lossy formats make of black and white.
    clean = not lossy and (between.any() or values[classes].max(initial=0) < 0.97 * full)
    few = 0 < classes.sum() <= _MOST and (values[0] <= 0 or len(values) > 2)  # else dark, bright
    if few and clean and threshold == THRESHOLD and held.in_areas(classes):
        return _of_classes(held, classes, values != 0, name)
    least = threshold * (full // 255)
    if greatest < least:
        raise InputError(
            f"mask '{name}' has nothing from {least} up, which would be hole; its greatest value "
            f"is {greatest}; give --mask-threshold, or --mask-labels if it holds classes"
        )
    photo = len(values) > _MOST and held.counts[between].sum() > 0.5 * held.numbers.size
    return values >= least, "most of it is neither black nor white, as of a photo" if photo else ""


def _of_colours(
    held: _Held, threshold: int, lossy: bool, name: str, advice: str
) -> tuple[Mask, str]:
    hole = held.colours != 0
    if held.kind == "palette" and (~hole).sum() > 1:
        hole = held.values != 0  # of a palette in which several colours are black, index 0
    void = (held.values == _VOID) & (held.kind == "palette") & (hole.sum() > 1)
    classes = hole & ~void
    if not classes.any():
        return hole, ""
    if classes.sum() == 1 or (classes.sum() <= _MOST and held.in_areas(classes)):
        return _of_classes(held, classes, hole, name)
    shade = _shades(held, lossy)
    if shade is None:
        raise InputError(
            f"mask '{name}' holds {len(held.values):,} colours: {held.listed()}; expected grey, "
            f"or one colour on black; {advice}"
        )
    return shade >= threshold / 255, "shades of one colour on black: the brighter half is hole"


def _of_classes(held: _Held, classes: Mask, hole: Mask, name: str) -> tuple[Mask, str]:
    """All of the hole if there is one class in it, perhaps with an outline."""
    names = [held.text(at) for at in np.flatnonzero(classes).tolist()]
    if len(names) > 1:
        ground = held.text(int(held.counts.argmax()))
        guess = ",".join([each for each in names if each != ground][:_SHOWN])
        raise InputError(
            f"mask '{name}' holds several classes: {held.listed()}; say which are hole, such as "
            f"--mask-labels '{guess}'"
        )
    known, outline = (
        [held.text(at) for at in np.flatnonzero(each).tolist()] for each in (~hole, hole & ~classes)
    )
    return hole, f"a mask of classes: hole is {' and '.join(names + outline)}, not {''.join(known)}"


def _shades(held: _Held, lossy: bool) -> NDArray[np.floating] | None:
    """How much of one colour each value has, 0 to 1; None if there are several colours."""
    rgb = held.channels().astype(np.float64)
    bright = rgb.max(axis=1) >= 64
    if not bright.any():
        return None
    colour = rgb[np.where(bright, held.counts, 0).argmax()]
    shade = rgb @ colour / (colour @ colour)
    off = np.abs(rgb - shade[:, None] * colour).max(axis=1) > (_OFF_SHADE if lossy else 3)
    stray = held.counts[off | (shade > 1.1)].sum() / held.numbers.size
    return shade if stray <= (_STRAY if lossy else 0) else None
