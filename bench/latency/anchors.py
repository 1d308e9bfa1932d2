"""Fixed workloads that the time of methods is divided by, so that machines and days drop out.

They are never changed: another workload gets another name.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

ANCHOR, FOURIER, SLOWER = "anchor-v1", "anchor-fft-v1", "anchor-slower-v1"
NAMES = (ANCHOR, FOURIER)
_SIDES = {"cpu": 64, "cuda": 1024}  # so that a call takes tens of milliseconds
_WIDTH = 64


def make(name: str, device: torch.device) -> tuple[Callable[[], torch.Tensor], str]:
    """Make an anchor: a stack of convolutions, or a Fourier transform and back.

    Args:
        name: ``anchor-v1``; ``anchor-fft-v1``, which answers otherwise where caches are contended;
            or ``anchor-slower-v1``, the first with 9.4 % more work, to see whether that is seen.
        device: Where it runs.

    Returns:
        The work, in float32 at batch 1, and what it is in words.
    """
    side = _SIDES.get(device.type, _SIDES["cpu"])
    stream = torch.Generator().manual_seed(0)
    if name == FOURIER:
        x = torch.rand(1, _WIDTH, 2 * side, 2 * side, generator=stream).to(device)
        weight = _weight(2 * _WIDTH, 2 * _WIDTH, 1, stream).to(device)

        def transform() -> torch.Tensor:
            spectrum = torch.fft.rfft2(x, norm="ortho")
            planes = F.conv2d(torch.cat([spectrum.real, spectrum.imag], 1), weight)
            halves = torch.complex(*planes.chunk(2, 1))
            return torch.fft.irfft2(halves, s=x.shape[-2:], norm="ortho")

        return transform, f"rfft2, 1x1 convolution, irfft2 of {_WIDTH} x {2 * side} x {2 * side}"
    height = side + side // 10 if name == SLOWER else side
    network = _stack(stream).to(device).eval()
    x = torch.rand(1, 4, height, side, generator=stream).to(device)
    return lambda: network(x), f"8 convolutions 3x3, {_WIDTH} channels, {height} x {side}"


def _stack(stream: torch.Generator) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise((4, *[_WIDTH] * 7, 3)):
        convolution = nn.Conv2d(before, after, 3, padding=1)
        with torch.no_grad():
            convolution.weight.copy_(_weight(after, before, 3, stream))
            assert convolution.bias is not None
            convolution.bias.zero_()
        layers += [convolution, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _weight(out: int, channels: int, kernel: int, stream: torch.Generator) -> torch.Tensor:
    spread = (2 / (channels * kernel**2)) ** 0.5
    return spread * torch.randn(out, channels, kernel, kernel, generator=stream)
