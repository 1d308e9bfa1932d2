"""Attention for the pairs of fast Fourier convolution, as ReLaMa has it in each residual block.

After CBAM (Woo, Park, Lee, Kweon, ECCV 2018), in the form that the note on ReLaMa by te4p0t
(January 2022) gives; it has no paper.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from methods.layers.ffc import Pair, Part, present, split


class FFCChannelAttention(nn.Module):
    """Weigh each channel by what its mean and its maximum, with those of all others, say of it.

    Args:
        channels: Of both parts together.
        ratio_g: Global share of the channels.
        reduction: How many times fewer channels there are between the two layers.
        double_sigmoid: Whether a sigmoid is taken before the sum of the two opinions and another
            after it, which keeps weights between 0.5 and 0.88, as ReLaMa's are; if not, only after
            the sum, as in CBAM.

    Raises:
        ValueError: If the reduction leaves no channel.
    """

    def __init__(
        self, channels: int, ratio_g: float, reduction: int = 4, double_sigmoid: bool = True
    ) -> None:
        """Make the layers; a part without channels has none."""
        super().__init__()
        if not 1 <= reduction <= channels:
            raise ValueError(
                f"channel attention: expected a reduction from 1 to the {channels} channels, found "
                f"{reduction}"
            )
        self.counts = split(channels, ratio_g)
        self.double_sigmoid = double_sigmoid
        few = channels // reduction
        near, far = self.counts
        self.conv1 = nn.Conv2d(channels, few, 1, bias=False)
        self.conv_a2l = nn.Conv2d(few, near, 1) if near else None
        self.conv_a2g = nn.Conv2d(few, far, 1) if far else None

    def forward(self, x: torch.Tensor | Pair) -> Part | Pair:
        """Weigh the channels.

        Args:
            x: A pair of ``(N, C, H, W)``, one of which may be missing, or a tensor that is all
                local.

        Returns:
            The same form; a missing part comes back as it came.

        Raises:
            ValueError: If a part has not the channels it should have.
        """
        return self._weighed_pair(x) if isinstance(x, tuple) else self._weighed_pair((x, 0))[0]

    def _weighed_pair(self, pair: Pair) -> Pair:
        self._check(pair)
        parts = [part for part in pair if present(part)]
        means = torch.cat([part.mean((2, 3), keepdim=True) for part in parts], 1)
        maxima = torch.cat([part.amax((2, 3), keepdim=True) for part in parts], 1)
        opinions = F.relu(self.conv1(means)), F.relu(self.conv1(maxima))
        near, far = (
            part * self._gate(layer, *opinions) if layer is not None and present(part) else part
            for part, layer in zip(pair, (self.conv_a2l, self.conv_a2g), strict=True)
        )
        return near, far

    def _gate(self, layer: nn.Conv2d, mean: torch.Tensor, maximum: torch.Tensor) -> torch.Tensor:
        if self.double_sigmoid:
            return torch.sigmoid(torch.sigmoid(layer(mean)) + torch.sigmoid(layer(maximum)))
        return torch.sigmoid(layer(mean) + layer(maximum))

    def _check(self, pair: Pair) -> None:
        found = tuple(part.shape[1] if present(part) else 0 for part in pair)
        if found != self.counts:
            raise ValueError(
                f"channel attention: expected {self.counts[0]} local and {self.counts[1]} global "
                f"channels, found {found[0]} and {found[1]}"
            )


class FFCSpatialAttention(nn.Module):
    """Weigh each place of a part by mean and maximum over channels around it.

    The two parts share the layer but do not see each other.

    Args:
        kernel: Side of what is around, 3 or 7.

    Raises:
        ValueError: If it is another one.
    """

    def __init__(self, kernel: int = 7) -> None:
        """Make the layer."""
        super().__init__()
        if kernel not in (3, 7):
            raise ValueError(f"spatial attention: expected a kernel of 3 or 7, found {kernel}")
        self.conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: torch.Tensor | Pair) -> torch.Tensor | Pair:
        """Weigh the places.

        Args:
            x: A pair of ``(N, C, H, W)``, one of which may be missing, or a tensor.

        Returns:
            The same form; a missing part comes back as it came.
        """
        if not isinstance(x, tuple):
            return self._weighed(x)
        near, far = (self._weighed(part) if present(part) else part for part in x)
        return near, far

    def _weighed(self, part: torch.Tensor) -> torch.Tensor:
        both = torch.cat([part.mean(1, keepdim=True), part.amax(1, keepdim=True)], 1)
        return part * torch.sigmoid(self.conv(both))
