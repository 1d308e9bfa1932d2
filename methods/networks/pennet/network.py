"""The generator, and the attention that fills one level from the one above.

Names of modules are those of the authors' PyTorch checkpoints, whose levels count from 1, the
finest.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

CHANNELS = (32, 64, 128, 256, 512, 512)
SOFTMAX_SCALE = 10.0
_SMALLEST_NORM = 1e-4
_SMALLEST_SHARE = 1e-8
_DILATIONS = (1, 2, 4, 8)
_LARGEST_SCORES = 2**26  # numbers of the attention's scores that are in memory at once


class AttentionTransfer(nn.Module):
    """Rebuild low-level features from their own patches, weighted by attention one level up.

    Where a place of the upper level looks like another one that lies clear of the hole, the
    patch of the lower level there is pasted here.

    Args:
        channels: Of the low-level features.
        ksize: Side of the patches that are compared.
        fuse: Whether four dilated convolutions follow.
    """

    def __init__(self, channels: int, ksize: int, fuse: bool) -> None:
        """Make the convolutions, if there are to be any."""
        super().__init__()
        self.ksize = ksize
        self.fuse = fuse
        if fuse:
            for index, dilation in enumerate(_DILATIONS):
                convolution = nn.Conv2d(
                    channels, channels // 4, 3, padding=dilation, dilation=dilation
                )
                self.add_module(f"conv{index:02}", nn.Sequential(convolution, nn.ReLU()))

    def forward(self, low: torch.Tensor, high: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Transfer.

        Args:
            low: ``(N, C, 2h, 2w)``.
            high: ``(N, D, h, w)``.
            mask: ``(N, 1, H, W)`` at any size, 1 in the hole.

        Returns:
            ``(N, C, 2h, 2w)``.
        """
        step = max(1, _LARGEST_SCORES // high.shape[-2:].numel() ** 2)
        groups = zip(*(each.split(step) for each in (low, high, mask)), strict=True)
        pasted = torch.cat([self._paste(*group) for group in groups])
        if not self.fuse:
            return pasted
        branches = [self.get_submodule(f"conv{index:02}") for index in range(len(_DILATIONS))]
        return torch.cat([branch(pasted) for branch in branches], 1)

    def _paste(self, low: torch.Tensor, high: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        shares = self._attention(high, mask)
        patches = F.unfold(low, 4, stride=2, padding=1)  # (N, 16 C, h w)
        # Up to four patches overlap; near the border it is fewer, and divided by 4 all the same.
        return F.fold(patches @ shares, low.shape[-2:], 4, stride=2, padding=1) / 4

    def _attention(self, high: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Shares of the keys (rows) for each query (columns): ``(N, h w, h w)``."""
        valid = self._valid(mask, high.shape[-2:])
        # Keys that touch the hole take part in the softmax with 0 and get no share of it.
        shares = torch.softmax(self._scores(high).mul_(valid).mul_(SOFTMAX_SCALE), dim=1)
        return (shares * valid).clamp_min_(_SMALLEST_SHARE)

    def _scores(self, high: torch.Tensor) -> torch.Tensor:
        # The softmax is of ten times the scores: in half precision it would see little but noise.
        with torch.autocast(high.device.type, enabled=False):
            high = high.float()
            queries = F.unfold(high, self.ksize, padding=self.ksize // 2)
            # Summed over channels first: one long sum in float32 would cost a digit.
            squares = F.unfold(
                high.square().sum(1, keepdim=True), self.ksize, padding=self.ksize // 2
            ).sum(1, keepdim=True)
            # Bounded before the root, whose slope at 0 is infinite.
            norms = squares.clamp_min(_SMALLEST_NORM**2).sqrt()
            return (queries / norms).transpose(1, 2) @ queries

    def _valid(self, mask: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
        """1 for keys whose window is clear of the hole, else 0: ``(N, h w, 1)``."""
        small = F.interpolate(mask, tuple(size), mode="bilinear", align_corners=True)
        windows = F.unfold(small, self.ksize, padding=self.ksize // 2)
        return (windows.mean(1) == 0).to(mask.dtype)[..., None]


class PyramidContextEncoder(nn.Module):
    """The generator.

    Args:
        channels: Of the six levels, fine to coarse; the last two are equal.
    """

    def __init__(self, channels: Sequence[int] = CHANNELS) -> None:
        """Make all levels, in the order of the checkpoints."""
        super().__init__()
        widths = (4, *channels)
        for level in range(1, 7):
            activation = nn.LeakyReLU(0.2) if level < 6 else nn.ReLU()
            halve = nn.Conv2d(widths[level - 1], widths[level], 3, stride=2, padding=1)
            self.add_module(f"dw_conv{level:02}", nn.Sequential(halve, activation))
        for level in range(5, 0, -1):
            ksize = 1 if level == 5 else 3
            attention = AttentionTransfer(widths[level], ksize, fuse=level < 5)
            self.add_module(f"at_conv{level:02}", attention)
        for level in range(5, 0, -1):
            incoming = widths[6] if level == 5 else 2 * widths[level + 1]
            merge = nn.Conv2d(incoming, widths[level], 3, padding=1)
            self.add_module(f"up_conv{level:02}", nn.Sequential(merge, nn.ReLU()))
        for level in range(5, 0, -1):
            to_rgb = nn.Sequential(nn.Conv2d(2 * widths[level], 3, 1), nn.Tanh())
            self.add_module(f"torgb{level}", to_rgb)
        self.decoder = nn.Sequential(
            nn.Conv2d(2 * widths[1], widths[1], 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(widths[1], 3, 3, padding=1),
            nn.Tanh(),
        )

    def forward(
        self, masked: torch.Tensor, mask: torch.Tensor
    ) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Fill.

        Args:
            masked: ``(N, 4, H, W)``: RGB in ``[-1, 1]``, white in the hole, and the mask; sides
                are multiples of 64.
            mask: ``(N, 1, H, W)``, 1 in the hole.

        Returns:
            The pyramid of pictures, from half the size down, and the picture; all in ``[-1, 1]``.
        """
        features = {0: masked}
        for level in range(1, 7):
            features[level] = self._part("dw_conv", level, features[level - 1])
        filled = {6: features[6]}
        for level in range(5, 0, -1):
            filled[level] = self._part("at_conv", level, features[level], filled[level + 1], mask)
        both = filled[6]
        pyramid: list[torch.Tensor] = []
        for level in range(5, 0, -1):
            up = self._part("up_conv", level, _doubled(both))
            both = torch.cat([up, filled[level]], 1)
            pyramid.insert(0, self.get_submodule(f"torgb{level}")(both))
        return pyramid, self.decoder(_doubled(both))

    def _part(self, name: str, level: int, *inputs: torch.Tensor) -> torch.Tensor:
        return self.get_submodule(f"{name}{level:02}")(*inputs)


def _doubled(features: torch.Tensor) -> torch.Tensor:
    return F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=True)
