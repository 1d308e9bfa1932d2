"""HiFill's attention: scored once between patches of features, then pasted at three levels.

Section 3.1 of the paper (attention computing module, attention transfer module), in the form of
the first author's training code.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

CELL = 16  # pixels of the picture per side of an attention cell
_SHARPNESS = 10.0
_SMALLEST_NORM = 1e-8


class AttentionScores(nn.Module):
    """Compare every patch of features with all patches clear of the hole."""

    def forward(self, features: torch.Tensor, covered: torch.Tensor) -> torch.Tensor:
        """Score.

        Args:
            features: ``(N, C, 2 rows, 2 columns)``.
            covered: ``(N, 1, rows, columns)``, what `covered_cells` gives.

        Returns:
            ``(N, queries, keys)``: shares of the keys for each query, cells numbered row by row.
            They sum to less than 1 where keys are covered, which get none.
        """
        rows, columns = covered.shape[-2:]
        with torch.autocast(features.device.type, enabled=False):  # scores reach hundreds
            precise = torch.promote_types(features.dtype, torch.float32)
            patches = F.unfold(features[..., ::2, ::2].to(precise), 3, padding=1)
            keys = F.normalize(patches, dim=1, eps=_SMALLEST_NORM)
            scores = _fused(patches.transpose(1, 2) @ keys, rows, columns)
        usable = 1 - covered.flatten(2)
        # Covered keys take part in the softmax with 0 and lose their share afterwards.
        return torch.softmax(_SHARPNESS * scores * usable, -1) * usable


class AttentionTransfer(nn.Module):
    """Rebuild features of one level from their own patches; overlapping patches are summed.

    Args:
        rate: Features per side of an attention cell.
    """

    def __init__(self, rate: int) -> None:
        """Keep the rate: 2 has patches of 3, the others twice the rate."""
        super().__init__()
        self.rate = rate

    def forward(self, features: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
        """Transfer.

        Args:
            features: ``(N, C, rate rows, rate columns)``.
            attention: ``(N, queries, keys)``.

        Returns:
            The shape of ``features``.
        """
        if self.rate == 2:
            return _pasted_patches(features, attention)
        return _pasted_cells(features, attention, self.rate)


def covered_cells(mask: torch.Tensor) -> torch.Tensor:
    """Say which cells may not be copied from: those with a hole in them or in a neighbour.

    Args:
        mask: ``(N, 1, H, W)``, 1 in the hole; sides are multiples of 16.

    Returns:
        ``(N, 1, H / 16, W / 16)``, 1 where covered.
    """
    return F.max_pool2d(F.max_pool2d(mask, CELL), 3, stride=1, padding=1)


def _fused(scores: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Favour matches whose neighbours match too, along rows, then along columns."""
    scores = _along_diagonal(scores)
    by_columns = _transposed(scores, rows, columns)
    return _transposed(_along_diagonal(by_columns), columns, rows)


def _along_diagonal(scores: torch.Tensor) -> torch.Tensor:
    """Add the scores of the next pair and of the pair before, also across line ends."""
    return scores + F.pad(scores, (1, -1, 1, -1)) + F.pad(scores, (-1, 1, -1, 1))


def _transposed(scores: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Number the cells column by column instead of row by row, queries and keys alike."""
    apart = scores.unflatten(2, (rows, columns)).unflatten(1, (rows, columns))
    return apart.transpose(1, 2).transpose(3, 4).flatten(3).flatten(1, 2)


def _pasted_patches(features: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
    """Patches of 3 in steps of 2; the last row and column reach beyond the border."""
    height, width = features.shape[-2:]
    patches = F.unfold(F.pad(features, (0, 1, 0, 1)), 3, stride=2)
    pasted = patches @ attention.transpose(1, 2)
    return F.fold(pasted, (height + 1, width + 1), 3, stride=2)[..., :height, :width]


def _pasted_cells(features: torch.Tensor, attention: torch.Tensor, rate: int) -> torch.Tensor:
    """Patches of twice the rate, each reaching half a cell beyond its own cell.

    On a grid moved by half a cell a patch is four whole cells. Summing the attention of the four
    patches that share a cell first costs a quarter of pasting the overlapping patches.
    """
    height, width = features.shape[-2:]
    rows, columns, half = height // rate, width // rate, rate // 2
    cells = F.pixel_unshuffle(F.pad(features, (half,) * 4), rate)
    apart = attention.unflatten(2, (rows, columns)).unflatten(1, (rows, columns))
    corners = [(x, 1 - x, y, 1 - y) * 2 for y in (0, 1) for x in (0, 1)]
    shares = torch.stack([F.pad(apart, corner) for corner in corners]).sum(0)
    pasted = cells.flatten(2) @ shares.flatten(3).flatten(1, 2).transpose(1, 2)
    moved = F.pixel_shuffle(pasted.unflatten(2, (rows + 1, columns + 1)), rate)
    return moved[..., half:-half, half:-half]
