"""Fast Fourier convolution: features in two parts, one of which sees the whole picture at once.

Chi, Jiang, Mu, Fast Fourier Convolution, NeurIPS 2020, in the form that LaMa uses (Suvorov et al.,
WACV 2022, section 2.1). Names of modules are those of LaMa's checkpoints.
`methods.layers.ffc_lean` makes a faster copy for inference.

Features are a pair: the local part, then the global part; one that does not exist is the integer 0.
"""

from __future__ import annotations

from typing import TypeGuard

import torch
import torch.nn.functional as F
from torch import nn

Part = torch.Tensor | int | None
Pair = tuple[Part, Part]


def present(part: Part) -> TypeGuard[torch.Tensor]:
    """Tell whether a part exists; one that does not is the integer 0 or None."""
    return isinstance(part, torch.Tensor)


def split(channels: int, ratio: float) -> tuple[int, int]:
    """Divide channels into local and global ones; the global share is rounded down."""
    far = int(channels * ratio)
    return channels - far, far


class FourierUnit(nn.Module):
    """A 1x1 convolution of the spectrum: each output pixel depends on all input pixels.

    Args:
        channels: Of the input.
        out_channels: Of the output.

    Attributes:
        full_precision: For `methods.execution`: its weights are used in single precision always.
    """

    full_precision = True

    def __init__(self, channels: int, out_channels: int) -> None:
        """Make the layers; real and imaginary parts are channels of their own."""
        super().__init__()
        self.conv_layer = nn.Conv2d(2 * channels, 2 * out_channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(2 * out_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Transform, convolve, transform back.

        Args:
            x: ``(N, channels, H, W)`` of any size.

        Returns:
            ``(N, out_channels, H, W)``, in float32 where ``x`` is in half precision.
        """
        # CUDA transforms half precision at powers of two only, and its range is narrow.
        with torch.autocast(x.device.type, enabled=False):
            full = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
            spectrum = torch.fft.rfft2(full, norm="ortho")
            # Channel 2k is the real part of channel k, 2k + 1 the imaginary one.
            planes = torch.view_as_real(spectrum).permute(0, 1, 4, 2, 3).flatten(1, 2)
            planes = F.relu(self.bn(self.conv_layer(planes)))
            pairs = planes.unflatten(1, (-1, 2)).permute(0, 1, 3, 4, 2).contiguous()
            size = (x.shape[-2], x.shape[-1])  # which of two widths the spectrum cannot tell
            return torch.fft.irfft2(torch.view_as_complex(pairs), s=size, norm="ortho")


class SpectralTransform(nn.Module):
    """From the global part to the global part: a Fourier unit at half the channels.

    Args:
        channels: Of the input.
        out_channels: Of the output.
        stride: 1, or 2 to halve the size first.
        enable_lfu: Whether a second Fourier unit looks at the four quadrants of a picture.
    """

    def __init__(
        self, channels: int, out_channels: int, stride: int = 1, enable_lfu: bool = False
    ) -> None:
        """Make the layers."""
        super().__init__()
        half = out_channels // 2
        self.stride = stride
        self.conv1 = nn.Sequential(
            nn.Conv2d(channels, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU()
        )
        self.fu = FourierUnit(half, half)
        self.lfu = FourierUnit(half, half) if enable_lfu else None
        self.conv2 = nn.Conv2d(half, out_channels, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Transform ``(N, channels, H, W)`` to ``(N, out_channels, H / stride, W / stride)``.

        Raises:
            ValueError: If quadrants are asked for that the map does not have.
        """
        if self.stride == 2:
            x = F.avg_pool2d(x, 2)
        x = self.conv1(x)
        y = x + self.fu(x)
        if self.lfu is not None:
            y = y + self.lfu(_quadrants(x)).repeat(1, 1, 2, 2)
        return self.conv2(y)


def _quadrants(x: torch.Tensor) -> torch.Tensor:
    """Stack the quadrants of the first quarter of channels: ``(N, C, H / 2, W / 2)``.

    Their order is top left, bottom left, top right, bottom right.
    """
    channels, height, width = x.shape[1:]
    if channels % 4 or height % 2 or height != width:
        raise ValueError(
            "quadrants: expected square maps of even side with a multiple of 4 channels, found "
            f"{channels} channels of {height} x {width}"
        )
    halves = torch.cat(x[:, : channels // 4].chunk(2, 2), 1)
    return torch.cat(halves.chunk(2, 3), 1)


class FFC(nn.Module):
    """Convolve a pair of parts along up to four paths.

    A path is absent where one of its ends has no channels. Convolutions pad by reflection and have
    no bias.

    Args:
        channels: Of both parts together, in the input.
        out_channels: Likewise in the output.
        kernel: Side of the kernels.
        ratio_gin: Global share of the input's channels.
        ratio_gout: Global share of the output's channels.
        stride: 1 or 2.
        padding: In pixels.
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        kernel: int,
        ratio_gin: float,
        ratio_gout: float,
        stride: int = 1,
        padding: int = 0,
    ) -> None:
        """Make the paths."""
        super().__init__()
        local_in, global_in = split(channels, ratio_gin)
        local_out, global_out = split(out_channels, ratio_gout)

        def path(before: int, after: int) -> nn.Conv2d | None:
            if not (before and after):
                return None
            return nn.Conv2d(
                before,
                after,
                kernel,
                stride,
                padding,
                bias=False,
                padding_mode="reflect" if padding else "zeros",
            )

        self.convl2l = path(local_in, local_out)
        self.convl2g = path(local_in, global_out)
        self.convg2l = path(global_in, local_out)
        both = bool(global_in and global_out)
        self.convg2g = SpectralTransform(global_in, global_out, stride) if both else None

    def forward(self, pair: Pair) -> Pair:
        """Convolve ``(N, C, H, W)`` each."""
        near, far = pair
        return (
            _sum((self.convl2l, near), (self.convg2l, far)),
            _sum((self.convl2g, near), (self.convg2g, far)),
        )


def _sum(*paths: tuple[nn.Module | None, Part]) -> Part:
    """Add what the paths that exist give; 0 if none does."""
    total: Part = 0
    for path, part in paths:
        if path is not None and present(part):
            total = path(part) + total if present(total) else path(part)
    return total


class FFCBNAct(nn.Module):
    """`FFC`, then batch normalisation and ReLU for each part; the arguments are those of `FFC`."""

    def __init__(
        self,
        channels: int,
        out_channels: int,
        kernel: int,
        ratio_gin: float = 0,
        ratio_gout: float = 0,
        stride: int = 1,
        padding: int = 0,
    ) -> None:
        """Make the layers."""
        super().__init__()
        self.ffc = FFC(channels, out_channels, kernel, ratio_gin, ratio_gout, stride, padding)
        near, far = split(out_channels, ratio_gout)
        self.bn_l = nn.BatchNorm2d(near) if near else None
        self.bn_g = nn.BatchNorm2d(far) if far else None

    def forward(self, x: torch.Tensor | Pair) -> Pair:
        """Convolve a pair, or a tensor that is all local."""
        near, far = self.ffc(x if isinstance(x, tuple) else (x, 0))
        return _activated(self.bn_l, near), _activated(self.bn_g, far)


def _activated(norm: nn.BatchNorm2d | None, part: Part) -> Part:
    return F.relu(norm(part)) if norm is not None and present(part) else part


class FFCResBlock(nn.Module):
    """Two 3x3 convolutions of a pair, added to their input, with attention before the sum if asked.

    Args:
        channels: Of both parts together.
        ratio: Global share of the channels.
        ca: Attention to channels, pair to pair.
        sa: Attention to places, pair to pair, which follows it.
    """

    def __init__(
        self,
        channels: int,
        ratio: float,
        ca: nn.Module | None = None,
        sa: nn.Module | None = None,
    ) -> None:
        """Make the convolutions."""
        super().__init__()
        self.conv1 = FFCBNAct(channels, channels, 3, ratio, ratio, padding=1)
        self.conv2 = FFCBNAct(channels, channels, 3, ratio, ratio, padding=1)
        self.ca = ca
        self.sa = sa

    def forward(self, pair: Pair) -> Pair:
        """Convolve, attend, add; nothing is activated after the sum."""
        new: Pair = self.conv2(self.conv1(pair))
        for attention in (self.ca, self.sa):
            new = attention(new) if attention is not None else new
        near, far = (
            x + y if present(x) and present(y) else x for x, y in zip(pair, new, strict=True)
        )
        return near, far


class Join(nn.Module):
    """Make one tensor of a pair, local channels first."""

    def forward(self, pair: Pair) -> torch.Tensor:
        """Join ``(N, C, H, W)`` each."""
        return torch.cat([part for part in pair if present(part)], 1)
