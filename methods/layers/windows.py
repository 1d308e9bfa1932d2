"""One square window around each hole, for networks that predict the centre of a square.

A window is scaled to the network's side, the network's centre blanked and predicted, and the
prediction scaled back. Holes whose windows nearly coincide share one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

from bench.errors import Declined
from methods import sizes

_MOST_BLANKED = 4  # times the hole
_Group = tuple[tuple[int, ...], tuple[slice, slice]]  # numbers of holes, and their box


@dataclass(frozen=True)
class Form:
    """What the network takes: ``side`` pixels, of which those from ``first`` on are blanked.

    Attributes:
        side: Of the network's square, and the least of a window.
        first: First row and column that is blanked.
        stop: The one after the last.
    """

    side: int
    first: int
    stop: int


@dataclass(frozen=True)
class Window:
    """A square of the picture, which it may exceed, around one or several holes.

    Attributes:
        top: First row, may be negative.
        left: First column, likewise.
        side: In pixels of the picture.
        box: Rows and columns of the holes it is for.
        hole: Those holes, bool of the size of the box.
    """

    top: int
    left: int
    side: int
    box: tuple[slice, slice]
    hole: np.ndarray


def place(hole: np.ndarray, form: Form) -> list[Window]:
    """Place the windows of a picture.

    Args:
        hole: bool, ``(H, W)``.
        form: What the network takes.

    Raises:
        Declined: If they would blank more than four times the hole.
    """
    labels, count = ndimage.label(hole, np.ones((3, 3)))
    boxes = ndimage.find_objects(labels)
    groups: list[_Group] = [((number,), boxes[number - 1]) for number in range(1, count + 1)]
    while pair := _overlapping(groups, hole.shape, form):
        one, other = pair
        box = tuple(
            slice(min(a.start, b.start), max(a.stop, b.stop))
            for a, b in zip(one[1], other[1], strict=True)
        )
        groups = [each for each in groups if each not in pair]
        groups.append(((*one[0], *other[0]), (box[0], box[1])))
    placed = [
        Window(*_square(box, hole.shape, form), box, np.isin(labels[box], numbers))
        for numbers, box in groups
    ]
    ratio = blanked(hole, placed, form)
    if ratio > _MOST_BLANKED:
        raise Declined(
            f"one window per hole would blank {ratio:.1f} times the hole in {len(placed)} windows, "
            f"more than {_MOST_BLANKED}"
        )
    return placed


def blanked(hole: np.ndarray, placed: Sequence[Window], form: Form) -> float:
    """How many times the hole's area of the picture is blanked, known pixels among it."""
    centres = np.zeros_like(hole)
    for window in placed:
        first = math.floor(window.side * form.first / form.side)
        stop = math.ceil(window.side * form.stop / form.side)
        rows, columns = (
            slice(max(start + first, 0), max(start + stop, 0))
            for start in (window.top, window.left)
        )
        centres[rows, columns] = True
    return float(centres.sum() / hole.sum())


def cut(
    image: torch.Tensor, mask: torch.Tensor, placed: Sequence[Window], form: Form
) -> torch.Tensor:
    """Cut out the windows and scale them to the network's side.

    Holes are filled from their neighbours first, so that other holes of a window say nothing
    false and none bleeds when scaled. Beyond its edges the picture is reflected.

    Args:
        image: ``(3, H, W)``.
        mask: ``(1, H, W)``, 1 in the hole.
        placed: The windows.
        form: What the network takes.

    Returns:
        ``(N, 3, side, side)``, nothing blanked yet.
    """
    smooth = sizes.from_neighbours(image[None], mask[None])[0]
    squares = []
    for window in placed:
        rows = _reflected(window.top, window.side, image.shape[-2]).to(image.device)
        columns = _reflected(window.left, window.side, image.shape[-1]).to(image.device)
        square = smooth[:, rows][:, :, columns][None]
        if window.side != form.side:
            size = (form.side, form.side)
            square = F.interpolate(square, size, mode="bilinear", antialias=True)
        squares.append(square)
    return torch.cat(squares)


def paste(squares: torch.Tensor, image: torch.Tensor, placed: Sequence[Window]) -> torch.Tensor:
    """Scale predictions back and take the hole's pixels from them, no others.

    Args:
        squares: ``(N, 3, side, side)``, predicted where the network blanks and around it.
        image: ``(3, H, W)``.
        placed: The windows.
    """
    result = image.clone()
    for square, window in zip(squares, placed, strict=True):
        size = (window.side, window.side)
        enlarged = F.interpolate(square[None], size, mode="bicubic")[0].clamp(0, 1)
        rows, columns = window.box
        patch = enlarged[
            :,
            rows.start - window.top : rows.stop - window.top,
            columns.start - window.left : columns.stop - window.left,
        ]
        hole = torch.from_numpy(window.hole).to(image.device)
        result[:, rows, columns] = torch.where(hole, patch, result[:, rows, columns])
    return result


def _square(box: tuple[slice, slice], shape: tuple[int, ...], form: Form) -> tuple[int, int, int]:
    """Top, left and side of the smallest window whose blanked centre holds a box."""
    longest = max(each.stop - each.start for each in box)
    side = max(form.side, math.ceil(longest * form.side / (form.stop - form.first)))
    while True:
        starts = [_start(each, side, length, form) for each, length in zip(box, shape, strict=True)]
        if starts[0] is not None and starts[1] is not None:
            return starts[0], starts[1], side
        side += 1  # the box fits, but between whole pixels


def _start(extent: slice, side: int, length: int, form: Form) -> int | None:
    """Where a window starts: centred, or moved as far as the box allows to lie in the picture."""
    lowest = math.ceil(extent.stop - side * form.stop / form.side)
    highest = math.floor(extent.start - side * form.first / form.side)
    if lowest > highest:
        return None
    centred = min(max((extent.start + extent.stop - side) // 2, lowest), highest)
    inside = min(max(centred, 0), length - side)
    return inside if lowest <= inside <= highest and inside >= 0 else centred


def _overlapping(
    groups: list[_Group], shape: tuple[int, ...], form: Form
) -> tuple[_Group, _Group] | None:
    """The first two groups of holes whose windows share more than half of the smaller one."""
    squares = [(group, _square(group[1], shape, form)) for group in groups]
    for (one, a), (other, b) in combinations(squares, 2):
        height = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
        width = min(a[1] + a[2], b[1] + b[2]) - max(a[1], b[1])
        if height > 0 and width > 0 and height * width > min(a[2], b[2]) ** 2 / 2:
            return one, other
    return None


def _reflected(start: int, count: int, length: int) -> torch.Tensor:
    """Indices ``start`` to ``start + count`` of a line that is reflected at its ends."""
    period = max(2 * (length - 1), 1)
    index = torch.arange(start, start + count) % period
    return torch.minimum(index, period - index)
