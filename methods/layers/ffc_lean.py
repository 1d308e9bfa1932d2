"""A copy of a network of fast Fourier convolutions that is faster, for inference only.

It computes the same but for rounding. Batch normalisation is folded into convolutions; both parts
of a pair live in one tensor, local channels first, so that they are padded, activated and added at
once, and the paths that leave the local part are one convolution; on a CPU, features lie in memory
channels last but in the residual blocks, whose Fourier transforms want them first; and the last
convolution is taken apart into rows.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

from methods.layers.ffc import FFCBNAct, FFCResBlock, Join, SpectralTransform


class Lean(nn.Module):
    """The copy.

    Args:
        model: Layers of `methods.layers.ffc` and of torch, in eval mode; they stay as they are.
        channels_last: Whether features lie so outside of the residual blocks.

    Raises:
        ValueError: If the network is in training mode, or a layer is of a kind or form that there
            is no lean one for.
    """

    def __init__(self, model: nn.Sequential, *, channels_last: bool = True) -> None:
        """Translate layer by layer."""
        super().__init__()
        if model.training:
            raise ValueError("lean copy: expected a network in eval mode, found training mode")
        order = [_ChannelsLast()] if channels_last else []
        layers: list[nn.Module] = []
        for layer in model:
            if isinstance(layer, FFCBNAct):
                layers.append(_Convolution(layer))
            elif isinstance(layer, FFCResBlock):
                layers.append(_Block(layer))
            elif isinstance(layer, nn.BatchNorm2d) and isinstance(layers[-1], nn.ConvTranspose2d):
                layers[-1] = fuse_conv_bn_eval(layers[-1], layer, transpose=True)
            elif isinstance(layer, nn.ReLU):
                layers.append(nn.ReLU(inplace=True))
            elif isinstance(layer, nn.Conv2d):
                layers.append(_Rows(layer))
            elif isinstance(layer, Join):
                layers += order
            elif isinstance(layer, nn.ReflectionPad2d | nn.ConvTranspose2d | nn.Sigmoid):
                layers.append(copy.deepcopy(layer))
            else:
                raise ValueError(f"lean copy: expected layers of LaMa, found {layer}")
        self.layers = nn.Sequential(*order, *layers).requires_grad_(False).eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute what the network computes."""
        return self.layers(x).contiguous()


class _ChannelsLast(nn.Module):
    """Change how a tensor lies in memory."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Copy, where it does not lie so."""
        return x.contiguous(memory_format=torch.channels_last)


class _Convolution(nn.Module):
    """`FFCBNAct` of a tensor that holds both parts."""

    halved = ("weight", "bias", "across")
    weight: torch.Tensor
    bias: torch.Tensor
    across: torch.Tensor

    def __init__(self, plain: FFCBNAct) -> None:
        """Fold and join the weights."""
        super().__init__()
        ffc = plain.ffc
        if ffc.convl2l is None:
            raise ValueError("lean copy: expected a local part, found none")
        self.stride, self.padding = ffc.convl2l.stride[0], int(ffc.convl2l.padding[0])
        self.near_in, self.near_out = ffc.convl2l.in_channels, ffc.convl2l.out_channels
        pairs = ((ffc.convl2l, plain.bn_l), (ffc.convl2g, plain.bn_g))
        folded = [_folded(conv, norm) for conv, norm in pairs if conv is not None]
        self.register_buffer("weight", torch.cat([weight for weight, _ in folded]))
        self.register_buffer("bias", torch.cat([bias for _, bias in folded]))
        self.spectral: _Spectral | None = None
        if ffc.convg2l is not None and ffc.convg2g is not None:
            self.register_buffer("across", _folded(ffc.convg2l, plain.bn_l)[0])
            self.spectral = _Spectral(ffc.convg2g, plain.bn_g)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve, normalise, activate."""
        padded = F.pad(x, [self.padding] * 4, mode="reflect") if self.padding else x
        out = F.conv2d(padded[:, : self.near_in], self.weight, self.bias, self.stride)
        if self.spectral is not None:
            out[:, : self.near_out] += F.conv2d(
                padded[:, self.near_in :], self.across, None, self.stride
            )
            out[:, self.near_out :] += self.spectral(x[:, self.near_in :])
        return out.relu_()


class _Spectral(nn.Module):
    """`SpectralTransform` and the normalisation that follows it, but for its shift."""

    halved = ("first", "first_bias", "last")
    first: torch.Tensor
    first_bias: torch.Tensor
    middle: torch.Tensor
    middle_bias: torch.Tensor
    last: torch.Tensor

    def __init__(self, plain: SpectralTransform, norm: nn.BatchNorm2d | None) -> None:
        """Fold the weights."""
        super().__init__()
        if plain.lfu is not None or plain.stride != 1:
            raise ValueError("lean copy: expected a spectral transform without LFU and stride")
        for name, (weight, bias) in {
            "first": _folded(plain.conv1[0], plain.conv1[1]),
            "middle": _folded(plain.fu.conv_layer, plain.fu.bn),
            "last": _folded(plain.conv2, norm),
        }.items():
            self.register_buffer(name, weight)
            self.register_buffer(f"{name}_bias", bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Transform the global part."""
        x = F.conv2d(x, self.first, self.first_bias).relu_()
        with torch.autocast(x.device.type, enabled=False):  # as in `methods.layers.ffc.FourierUnit`
            full = x.float()
            spectrum = torch.fft.rfft2(full, norm="ortho")
            planes = torch.view_as_real(spectrum).permute(0, 1, 4, 2, 3).flatten(1, 2)
            planes = F.conv2d(planes, self.middle, self.middle_bias).relu_()
            pairs = planes.unflatten(1, (-1, 2)).permute(0, 1, 3, 4, 2).contiguous()
            size = (x.shape[-2], x.shape[-1])
            full += torch.fft.irfft2(torch.view_as_complex(pairs), s=size, norm="ortho")
        return F.conv2d(full.to(x.dtype), self.last)


class _Block(nn.Module):
    """`FFCResBlock` of a tensor that holds both parts."""

    def __init__(self, plain: FFCResBlock) -> None:
        """Translate the convolutions; attention stays as it is."""
        super().__init__()
        self.conv1, self.conv2 = _Convolution(plain.conv1), _Convolution(plain.conv2)
        self.ca, self.sa = copy.deepcopy(plain.ca), copy.deepcopy(plain.sa)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve, attend, add."""
        x = x.contiguous()
        new = self.conv2(self.conv1(x))
        near = self.conv2.near_out
        for attention in (self.ca, self.sa):
            if attention is not None:
                new = torch.cat(attention((new[:, :near], new[:, near:])), 1)
        return new.add_(x)


class _Rows(nn.Module):
    """A convolution with few outputs: one along rows with many, whose rows are then summed.

    The units that compute several outputs at once are idle in a convolution to three.
    """

    halved = ("weight", "bias")
    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, plain: nn.Conv2d) -> None:
        """Take the rows of the kernels apart."""
        super().__init__()
        if plain.bias is None or plain.padding != (0, 0) or plain.stride != (1, 1):
            raise ValueError(f"lean copy: expected a bias, no padding, no stride, found {plain}")
        self.height = plain.kernel_size[0]
        rows = plain.weight.detach().permute(0, 2, 1, 3).flatten(0, 1)[:, :, None]
        self.register_buffer("weight", rows.contiguous())
        self.register_buffer("bias", plain.bias.detach()[:, None, None].clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve ``(N, C, H, W)``."""
        rows = F.conv2d(x, self.weight).unflatten(1, (-1, self.height))
        height = x.shape[-2] - self.height + 1
        out = self.bias + rows[:, :, 0, :height]
        for row in range(1, self.height):
            out += rows[:, :, row, row : row + height]
        return out


def _folded(conv: nn.Module, norm: nn.Module | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of a convolution with the normalisation that follows it."""
    if not (isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)):
        raise ValueError(f"lean copy: expected a normalised convolution, found {conv}, {norm}")
    fused = fuse_conv_bn_eval(conv, norm)
    assert fused.bias is not None
    return fused.weight.detach(), fused.bias.detach()
