"""How far the samples that a method gives for one case are from each other.

The mean over all pairs of samples of the same case, as in Zhu et al., Toward Multimodal
Image-to-Image Translation (BicycleGAN), NeurIPS 2017, and Zheng et al., Pluralistic Image
Completion, CVPR 2019. Samples of different cases are never compared, nor is the photo. Higher is
more diverse, and says nothing of how good the samples are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import InputError
from bench.metrics.pair import Picture
from bench.metrics.perception_table import LPIPS_SIDE
from bench.metrics.perceptual import Lpips
from bench.metrics.structure import Box

L1 = ("diversity_l1", "diversity_l1_hole")


def names(network: str = "") -> tuple[str, ...]:
    """What is measured.

    Args:
        network: ``lpips`` or ``lpips_untrained``, the column that the distances are of, or empty
            for those without a network alone.

    Returns:
        Mean absolute difference of the whole picture and of the hole, in ``[0, 1]``; LPIPS of the
        whole picture, the mean of its map over the hole, and that of the hole's bounding box
        alone (the protocol of Pluralistic, whose holes are boxes).
    """
    perceptual = (f"diversity_{network}{region}" for region in ("", "_hole", "_box"))
    return L1 + (tuple(perceptual) if network else ())


def diversity(
    pictures: Sequence[Picture], hole: NDArray[np.bool_], network: tuple[str, Lpips] | None = None
) -> dict[str, float]:
    """Mean distance over all pairs of samples of one case.

    Args:
        pictures: The samples, uint8 RGB ``(H, W, 3)``, known pixels pasted back.
        hole: bool ``(H, W)``.
        network: Which LPIPS, and its network.

    Returns:
        By the names of `names`; NaN for fewer than two samples, for the hole's where there is
        none, and for LPIPS of less than 32 pixels a side.

    Raises:
        InputError: If shapes differ.
    """
    shapes = {picture.shape for picture in pictures} - {(*hole.shape, 3)}
    if shapes:
        raise InputError(f"samples: expected {(*hole.shape, 3)} as the hole, found {shapes}")
    values = _mean_over_pairs(pictures, lambda a, b: _absolute(a, b, hole), len(L1))
    if network is not None:
        values += _perceptual(pictures, hole, network[1])
    return dict(zip(names(network[0] if network else ""), values, strict=True))


def identical(network: str = "") -> dict[str, float]:
    """What a deterministic method has, whose samples are one picture: no distance at all."""
    return dict.fromkeys(names(network), 0.0)


def _absolute(first: Picture, second: Picture, hole: NDArray[np.bool_]) -> tuple[float, float]:
    import cv2

    apart = cv2.absdiff(first, second)
    in_hole = apart[hole].mean() if hole.any() else math.nan
    return float(apart.mean() / 255), float(in_hole / 255)


def _perceptual(
    pictures: Sequence[Picture], hole: NDArray[np.bool_], network: Lpips
) -> list[float]:
    whole = [math.nan, math.nan]
    if min(hole.shape) >= LPIPS_SIDE:
        features = [network.features(picture) for picture in pictures]
        whole = _mean_over_pairs(features, lambda a, b: _of_map(network, a, b, hole), 2)
    box = Box.around(hole)
    if min(box.bottom - box.top, box.right - box.left) < LPIPS_SIDE:
        return [*whole, math.nan]
    crops = [network.features(np.ascontiguousarray(picture[box.slices])) for picture in pictures]
    size = box.bottom - box.top, box.right - box.left
    inside = _mean_over_pairs(crops, lambda a, b: network.distance(a, b, size)[:1], 1)
    return [*whole, *inside]


def _of_map(
    network: Lpips, first: Any, second: Any, hole: NDArray[np.bool_]
) -> tuple[float, float]:
    height, width = hole.shape
    value, spatial = network.distance(first, second, (height, width))
    return value, float(spatial[hole].mean(dtype=np.float64)) if hole.any() else math.nan


def _mean_over_pairs(
    items: Sequence[Any], distances: Callable[[Any, Any], Sequence[float]], count: int
) -> list[float]:
    """Means of several distances; summed exactly, so that the order of samples is of no account."""
    found = [distances(a, b) for a, b in combinations(items, 2)]
    if not found:
        return [math.nan] * count
    return [math.fsum(values) / len(found) for values in zip(*found, strict=True)]
