"""The rule that makes weights, pictures and holes from names and numbers, the same everywhere."""

from __future__ import annotations

import fnmatch
import math
import zlib
from collections.abc import Callable, Collection

import numpy as np
import torch

_WAVE, _GRAIN = 0.35, 0.1
_STROKE = 0.03  # half the width of the diagonal stroke, as a share of the picture


def tensor(name: str, shape: tuple[int, ...], gain: float = 1.0) -> np.ndarray:
    """Make a weight.

    Args:
        name: Its name in the reference's state dict; seeds the values, and says by its last part
            what kind of tensor this is.
        shape: Two dimensions or more are taken for a layer's weight, whatever the name.
        gain: Factor of a layer's weight on top of He's scale.

    Returns:
        float32 of that shape.
    """
    stream = _stream(zlib.crc32(name.encode()))
    kind = name.split(".")[-1]
    if kind == "running_var":
        values = 0.5 + stream.random(shape)
    elif kind == "running_mean":
        values = 0.1 * stream.standard_normal(shape)
    elif kind in ("weight_u", "weight_v"):
        values = stream.standard_normal(shape)
        values = values / np.linalg.norm(values)
    elif len(shape) > 1:
        scale = gain * np.sqrt(2.0 / math.prod(shape[1:]))
        values = scale * stream.standard_normal(shape)
    elif kind == "bias":
        values = 0.1 * stream.standard_normal(shape)
    else:
        values = 1.0 + 0.1 * stream.standard_normal(shape)
    return np.asarray(values, np.float32)


def fill(
    module: torch.nn.Module,
    make: Callable[[str, tuple[int, ...]], torch.Tensor],
    skip: Collection[str] = (),
) -> None:
    """Set all tensors of a module but integer buffers.

    Args:
        module: What is filled.
        make: Gives a tensor from its name and shape.
        skip: Patterns of names that are left as they are.
    """
    with torch.no_grad():
        for name, values in module.state_dict().items():
            skipped = any(fnmatch.fnmatchcase(name, pattern) for pattern in skip)
            if values.is_floating_point() and not skipped:
                values.copy_(make(name, tuple(values.shape)))


def image(height: int, width: int, seed: int, channels: int) -> np.ndarray:
    """Make smooth colour waves with fine grain: float32 ``(channels, height, width)``, 0 to 1."""
    stream = _stream(1000 + seed)
    rows = np.arange(height, dtype=np.float64)[:, None]
    columns = np.arange(width, dtype=np.float64)[None, :]
    planes = np.empty((channels, height, width))
    for plane in planes:
        down, across = stream.uniform(0.5, 4.0), stream.uniform(0.5, 4.0)
        phase = stream.uniform(0, 2 * np.pi)
        turns = down * rows / height + across * columns / width
        wave = 0.5 + _WAVE * np.sin(2 * np.pi * turns + phase)
        plane[:] = wave + _GRAIN * (stream.random((height, width)) - 0.5)
    return planes.clip(0, 1).astype(np.float32)


def mask(height: int, width: int, seed: int) -> np.ndarray:
    """Make a hole, a box and a diagonal stroke: float32 ``(1, height, width)``, 1 in the hole."""
    stream = _stream(2000 + seed)
    box_height = int(height * stream.uniform(0.2, 0.4))
    box_width = int(width * stream.uniform(0.2, 0.4))
    top = int(stream.integers(0, height - box_height))
    left = int(stream.integers(0, width - box_width))
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    hole = np.abs(rows * width - columns * height) < _STROKE * height * width
    hole[top : top + box_height, left : left + box_width] = True
    return hole[None].astype(np.float32)


def _stream(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))
