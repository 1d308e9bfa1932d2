"""Convolutions under the spectral normalisation of Pluralistic's checkpoints, and its folding.

Miyato, Kataoka, Koyama, Yoshida, Spectral Normalization for Generative Adversarial Networks,
ICLR 2018, as the authors of Pluralistic wrote it. It is not PyTorch's: it takes a step in every
call, in eval mode too, and the rows of its matrix are a weight's first dimension, which for
transposed convolutions counts the incoming channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

_SMALLEST = 1e-12


class NormalisedWeight(nn.Module):
    """A weight divided by its largest singular value, which two vectors follow.

    Args:
        layer: Its shapes and first values are taken over.
    """

    def __init__(self, layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
        """Take the weights over, and start the vectors at random."""
        super().__init__()
        assert layer.bias is not None
        rows, columns = layer.weight.flatten(1).shape
        self.bias = layer.bias
        self.weight_u = nn.Parameter(_unit(torch.randn(rows)), requires_grad=False)
        self.weight_v = nn.Parameter(_unit(torch.randn(columns)), requires_grad=False)
        self.weight_bar = nn.Parameter(layer.weight.detach())

    def forward(self) -> torch.Tensor:
        """Take a step of the power iteration and normalise; the gradient flows through both."""
        matrix = self.weight_bar.flatten(1)
        # Never at half precision, in which the vectors would not settle.
        with torch.autocast(matrix.device.type, enabled=False):
            with torch.no_grad():
                v = _unit(matrix.T @ self.weight_u)
                u = _unit(matrix @ v)
                self.weight_v.copy_(v)
                self.weight_u.copy_(u)
            return self.weight_bar / (u @ (matrix @ v))


class SpectralConvolution(nn.Module):
    """A convolution with normalised weights, of stride 1 or doubling the size.

    Args:
        incoming: Channels.
        outgoing: Likewise.
        kernel: Side of the kernel.
        padding: Zeros around the input.
        transposed: Whether it is transposed, which doubles the size.
    """

    def __init__(
        self,
        incoming: int,
        outgoing: int,
        kernel: int = 3,
        padding: int = 1,
        transposed: bool = False,
    ) -> None:
        """Make the weights."""
        super().__init__()
        self.channels = incoming, outgoing
        self.kernel, self.padding, self.transposed = kernel, padding, transposed
        self.module = NormalisedWeight(self._plain())

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Convolve ``(N, C, H, W)``."""
        weight, bias = self.module(), self.module.bias
        if self.transposed:
            return F.conv_transpose2d(maps, weight, bias, 2, self.padding, 1)
        return F.conv2d(maps, weight, bias, padding=self.padding)

    def folded(self) -> nn.Module:
        """A plain convolution that gives, always, what this one gives in its next call."""
        with torch.device("meta"):
            layer = self._plain()
        layer.weight = nn.Parameter(self.module().detach())
        layer.bias = nn.Parameter(self.module.bias.detach())
        return layer

    def _plain(self) -> nn.Conv2d | nn.ConvTranspose2d:
        if self.transposed:
            return nn.ConvTranspose2d(*self.channels, self.kernel, 2, self.padding, 1)
        return nn.Conv2d(*self.channels, self.kernel, padding=self.padding)


def fold(network: nn.Module) -> None:
    """Put plain convolutions in the place of normalised ones, for inference.

    The result is that of the network's next call. From then on it does not depend on how many
    calls there were, and costs no power iteration.
    """
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, SpectralConvolution):
                setattr(parent, name, child.folded())


def _unit(vector: torch.Tensor) -> torch.Tensor:
    return vector / (vector.norm() + _SMALLEST)
