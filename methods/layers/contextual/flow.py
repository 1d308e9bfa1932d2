"""A picture of where attention copied from: direction as hue, distance as depth of colour."""

from __future__ import annotations

import functools
from typing import Literal

import torch

from methods.layers.contextual.sampling import resize

_TOO_FAR = 1e7
_TINY = 2.220446e-16
# Lengths of the wheel's runs red to yellow, green, cyan, blue, magenta, red.
_RUNS = (15, 6, 4, 11, 13, 6)
# In each run one channel is full, and one rises (+1) or falls (-1).
_FULL = (0, 1, 1, 2, 2, 0)
_MOVING = ((1, 1), (0, -1), (2, 1), (1, -1), (0, 1), (2, -1))


def offsets(best: torch.Tensor, keys: tuple[int, int]) -> torch.Tensor:
    """How far from each query its key lies.

    Args:
        best: ``(B, h, w)``, for each query the index of its key.
        keys: Rows and columns of keys. If they are not those of the queries, indices are
            stretched as in the PyTorch port, which has no meaning as a place.

    Returns:
        Integers ``(B, 2, h, w)``: rows down, columns to the right.
    """
    height, width = best.shape[1:]
    if keys != (height, width):
        stretch = height * width / (keys[0] * keys[1])
        best = ((best + 1).float() * stretch - 1).trunc().long()
    down = best // width - torch.arange(height, device=best.device)[:, None]
    right = best % width - torch.arange(width, device=best.device)
    return torch.stack([down, right], 1)


def flow_to_image(
    flow: torch.Tensor, normalise: Literal["running", "item"] = "running"
) -> torch.Tensor:
    """Colour offsets by the wheel that is usual for optical flow (of Middlebury).

    Args:
        flow: ``(B, 2, h, w)``, rows down and columns to the right.
        normalise: The deepest colour stands for the largest distance in the items so far
            (``running``, as published) or in each ``item``.

    Returns:
        ``(B, 3, h, w)`` in ``[0, 1]``, float32, in steps of 1/255; white where nothing moved.
    """
    u, v = flow.to(torch.float64).unbind(1)
    unknown = (u.abs() > _TOO_FAR) | (v.abs() > _TOO_FAR)
    u, v = u.masked_fill(unknown, 0), v.masked_fill(unknown, 0)
    largest = (u.square() + v.square()).sqrt().flatten(1).amax(1)
    if normalise == "running":
        largest = largest.cummax(0).values
    u, v = (part / (largest[:, None, None] + _TINY) for part in (u, v))
    undefined = u.isnan() | v.isnan()
    u, v = u.nan_to_num(0), v.nan_to_num(0)
    colour = _wheel_colour(u, v)
    radius = (u.square() + v.square()).sqrt()[:, None]
    colour = torch.where(radius <= 1, 1 - radius * (1 - colour), 0.75 * colour)
    levels = (255 * colour).floor().masked_fill(undefined[:, None], 0)
    return (levels / 255).float()


def enlarge(flow: torch.Tensor, rate: int, corners: bool) -> torch.Tensor:
    """Repeat the pixels of a flow picture, ``(B, 3, h, w)`` to ``(B, 3, h rate, w rate)``."""
    return resize(flow, (flow.shape[2] * rate, flow.shape[3] * rate), corners)


def _wheel_colour(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Pure colour of a direction, ``(B, h, w)`` each to ``(B, 3, h, w)``."""
    wheel = _wheel(u.device)
    # Negated as floats: the sign of zero chooses the end of the wheel.
    # Counted from 1: bytes are cut off, so that even the rounding of this sum shows in the picture.
    place = (torch.atan2(-v, -u) / torch.pi + 1) / 2 * (len(wheel) - 1) + 1
    number = place.floor().long()
    share = (place - number)[..., None]
    below, above = wheel[number - 1] / 255, wheel[number % len(wheel)] / 255
    colour = (1 - share) * below + share * above
    return colour.movedim(-1, 1)


@functools.cache
@torch.inference_mode(False)
def _wheel(device: torch.device) -> torch.Tensor:
    """The 55 colours, ``(55, 3)``, 0 to 255; made once, for who must not copy to the device."""
    runs = []
    for length, full, (moving, sign) in zip(_RUNS, _FULL, _MOVING, strict=True):
        ramp = (255 * torch.arange(length, dtype=torch.float64) / length).floor()
        run = torch.zeros(length, 3, dtype=torch.float64)
        run[:, full] = 255
        run[:, moving] = ramp if sign > 0 else 255 - ramp
        runs.append(run)
    return torch.cat(runs).to(device)
