"""Nearest-neighbour resampling, in the two conventions that matter here."""

from __future__ import annotations

import torch


def resize(planes: torch.Tensor, size: tuple[int, int], corners: bool = False) -> torch.Tensor:
    """Resample by nearest neighbour.

    Args:
        planes: ``(..., H, W)``.
        size: Rows and columns wanted.
        corners: Whether the corner pixels of both sizes lie on each other, as in TensorFlow 1;
            otherwise pixel ``i`` is taken from ``floor(i * H / rows)``.

    Returns:
        ``(..., rows, columns)``.
    """
    for axis, wanted in zip((-2, -1), size, strict=True):
        length = planes.shape[axis]
        if length != wanted:
            planes = planes.index_select(axis, _indices(length, wanted, corners, planes.device))
    return planes


def _indices(length: int, wanted: int, corners: bool, device: torch.device) -> torch.Tensor:
    numbers = torch.arange(wanted, device=device)
    if not corners or wanted == 1:
        return numbers * length // wanted
    # In float32, as TensorFlow does; it decides what lies halfway.
    places = numbers.float() * (length - 1) / (wanted - 1)
    return (places + 0.5).floor().long().clamp_max(length - 1)
