"""Fit pictures to the sizes a method takes, and fills back to the size of the photo."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from methods.card import SizeRule


def fit(
    images: torch.Tensor, masks: torch.Tensor, rule: SizeRule
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pad or resize to what the rule asks for.

    Before a resize the hole is filled from its known neighbours, so that its blank does not
    bleed into known pixels; after it the enlarged hole is blanked again.

    Args:
        images: ``(N, 3, H, W)``, hole pixels 0.
        masks: ``(N, 1, H, W)``, 1 in the hole. A pixel that covers any hole stays hole.
        rule: The card's size rule.

    Returns:
        Pictures and masks at the method's size.
    """
    if rule.kind == "any":
        return images, masks
    if rule.kind == "multiple":
        height, width = images.shape[-2:]
        pad = -height % rule.of, -width % rule.of
        return _pad(images, pad, rule.padding), _pad(masks, pad, rule.padding)
    if rule.kind == "fixed":
        size = (rule.side, rule.side)
        if images.shape[-2:] == size:
            return images, masks
        resized = F.interpolate(
            from_neighbours(images, masks), size, mode="bilinear", antialias=True
        )
        hole = (F.interpolate(masks, size, mode="bilinear", antialias=True) > 0).to(masks.dtype)
        return resized * (1 - hole), hole
    raise ValueError(f"size rule {rule.kind!r} is none of any, multiple, fixed")


def unfit(images: torch.Tensor, height: int, width: int, rule: SizeRule) -> torch.Tensor:
    """Undo `fit` for a filled picture: crop the padding or resize back."""
    if rule.kind == "fixed" and images.shape[-2:] != (height, width):
        return F.interpolate(images, (height, width), mode="bilinear", antialias=True)
    return images[..., :height, :width]


def from_neighbours(images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Fill holes smoothly from their known neighbours, by averaging down and filling up.

    Args:
        images: ``(N, C, H, W)``; pixels under the mask are ignored.
        masks: ``(N, 1, H, W)``, 1 in the hole.

    Returns:
        The pictures with known pixels unchanged; holes without any known pixel become 0.
    """
    known = 1 - masks
    height, width = images.shape[-2:]
    if not bool(masks.any()):
        return images
    if height == 1 and width == 1:
        return images * known
    half = ((height + 1) // 2, (width + 1) // 2)
    weight = F.adaptive_avg_pool2d(known, half)
    colour = F.adaptive_avg_pool2d(images * known, half) / weight.clamp_min(1e-6)
    coarse = from_neighbours(colour * (weight > 0), (weight == 0).to(images.dtype))
    smooth = F.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
    return images * known + smooth * masks


def _pad(planes: torch.Tensor, pad: tuple[int, int], mode: str) -> torch.Tensor:
    """Pad at the bottom and the right; reflection in several steps where it exceeds the picture."""
    down, right = pad
    if mode == "symmetric":
        height, width = planes.shape[-2:]
        rows, columns = _mirrored(height, down), _mirrored(width, right)
        return planes[..., rows.to(planes.device), :][..., columns.to(planes.device)]
    while down or right:
        height, width = planes.shape[-2:]
        if mode == "reflect":
            step_down, step_right = min(down, height - 1), min(right, width - 1)
            if (down and not step_down) or (right and not step_right):
                mode = "replicate"  # a side of one pixel has nothing to reflect
                continue
        else:
            step_down, step_right = down, right
        planes = F.pad(planes, (0, step_right, 0, step_down), mode=mode)
        down, right = down - step_down, right - step_right
    return planes


def _mirrored(length: int, more: int) -> torch.Tensor:
    """Indices ``a b c | c b a | a b c ...``: the picture and its mirror image in turn."""
    place = torch.arange(length + more) % (2 * length)
    return torch.minimum(place, 2 * length - 1 - place)
