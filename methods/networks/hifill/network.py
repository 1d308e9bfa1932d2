"""HiFill's network: a coarse stage at half the size, then a refining one with attention.

Section 3 of the paper, in the form of the first author's training code, which differs from the
paper in places. Names of layers are those of its variables; ``128`` and the like in them are the
sides of feature maps for a picture of 512 x 512.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from methods.layers.elu import elu
from methods.networks.hifill.attention import AttentionScores, AttentionTransfer, covered_cells

_COARSE_DILATIONS = (1, 1, 1, 2, 2, 2, 2, 2, 4, 4, 4, 4, 8, 8)
_REFINE_DILATIONS = (1, 2, 4, 8, 16)


class Gated(nn.Module):
    """Convolution whose features are weighted by a light-weight gate, ``sigmoid(gate) elu(feat)``.

    Padding is that of TensorFlow's SAME for even sides, uneven where the stride is 2.

    Args:
        incoming: Channels taken.
        outgoing: Channels given.
        side: Of the kernel.
        stride: 1 or 2.
        dilation: Of the kernel; 1 where the stride is 2.
        single: Whether the gate is one channel for all features; otherwise it is pixelwise, a
            1 x 1 convolution with a channel for each.
    """

    def __init__(
        self,
        incoming: int,
        outgoing: int,
        side: int = 3,
        *,
        stride: int = 1,
        dilation: int = 1,
        single: bool = False,
    ) -> None:
        """Make the two convolutions."""
        super().__init__()
        before, after = (side - 2) // 2, (side - 1) // 2
        self.uneven = (before, after, before, after) if stride == 2 else (0, 0, 0, 0)
        self.single = single
        padding = dilation * (side // 2) if stride == 1 else 0
        self.feat = nn.Conv2d(incoming, outgoing, side, stride, padding, dilation)
        if single:
            self.gate = nn.Conv2d(incoming, 1, side, stride, padding, dilation)
        else:
            self.gate = nn.Conv2d(incoming, outgoing, 1)
        self.stride = stride

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Convolve ``(N, incoming, h, w)``."""
        padded = F.pad(features, self.uneven) if any(self.uneven) else features
        # Strided by hand: oneDNN's gradient of a 1 x 1 convolution of stride 2 crashes on weights
        # in channels-last order (torch 2.15).
        thinned = features[..., :: self.stride, :: self.stride]
        gate = self.gate(padded if self.single else thinned)
        return torch.sigmoid(gate) * elu(self.feat(padded))


class Up(nn.Module):
    """Double the size, then convolve.

    Args:
        name: Of the layer; the convolution's name repeats it.
        incoming: Channels taken.
        outgoing: Channels given.
        single: Kind of gate, see `Gated`.
    """

    def __init__(self, name: str, incoming: int, outgoing: int, *, single: bool = False) -> None:
        """Make the convolution."""
        super().__init__()
        self.inner = f"{name}_conv"
        self.add_module(self.inner, Gated(incoming, outgoing, single=single))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """From ``(N, incoming, h, w)`` to ``(N, outgoing, 2h, 2w)``."""
        return self.get_submodule(self.inner)(doubled(features))


class Filling(NamedTuple):
    """What the network gives.

    Attributes:
        coarse: First picture, ``(N, 3, H, W)`` in ``[-1, 1]``.
        refined: Second one, likewise; known pixels are not pasted into it.
        attention: ``(N, queries, keys)``; cells of 16 x 16 pixels, numbered row by row.
    """

    coarse: torch.Tensor
    refined: torch.Tensor
    attention: torch.Tensor


class HiFillNetwork(nn.Module):
    """The generator.

    Published is a graph for 512 x 512. The layers take any multiple of 16.

    Args:
        coarse_width: Channels of the coarse stage at a quarter of the size; twice that within.
        refine_width: Channels of the refining stage at half the size, doubled at each halving.
    """

    def __init__(self, coarse_width: int = 32, refine_width: int = 32) -> None:
        """Make all layers, in the order of the published variables."""
        super().__init__()
        self._make_coarse(coarse_width)
        self.coarse_names = tuple(name for name, _ in self.named_children())
        self._make_refine(refine_width)
        self.scores = AttentionScores()
        self.att_transfer64 = AttentionTransfer(2)
        self.att_transfer128 = AttentionTransfer(4)
        self.att_transfer256 = AttentionTransfer(8)

    def forward(self, blanked: torch.Tensor, mask: torch.Tensor) -> Filling:
        """Fill.

        Args:
            blanked: ``(N, 3, H, W)``, BGR in ``[-1, 1]``, 0 in the hole; sides are multiples
                of 16.
            mask: ``(N, 1, H, W)``, 1 in the hole.
        """
        features = torch.cat([blanked, mask], 1)[..., ::2, ::2]
        for name in self.coarse_names:
            features = self._layer(name, features)
        coarse = doubled(features.clamp(-1, 1))
        pasted = coarse * mask + blanked * (1 - mask)
        refined, attention = self._refine(torch.cat([pasted, mask], 1), mask)
        return Filling(coarse, refined, attention)

    def _refine(
        self, pasted: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        fine = self._layers(pasted, "re_en_down_256", "re_en_conv_256")
        middle = self._layers(fine, "re_en_down_128", "re_en_conv_128")
        deep = self._layers(middle, "re_en_down_64", "re_en_conv_64")
        deep = self._layers(deep, *(f"re_dil_d{each}" for each in _REFINE_DILATIONS))
        attention = self.scores(deep, covered_cells(mask))
        features = self._layer("re_att_64_att1", self.att_transfer64(deep, attention))
        features = self._layer("re_att_64_att3", torch.cat([deep, features], 1))
        for side, skip in ((128, middle), (256, fine)):
            features = self._layers(features, f"re_de_up__{side}", f"re_de_conv_{side}")
            copied = self.get_submodule(f"att_transfer{side}")(skip, attention)
            copied = self._layers(copied, f"re_de_att_{side}_1", f"re_de_att_{side}_2")
            features = torch.cat([copied, features], 1)
        return self._layer("re_de_toRGB__256", features).clamp(-1, 1), attention

    def _layer(self, name: str, features: torch.Tensor) -> torch.Tensor:
        return self.get_submodule(name)(features)

    def _layers(self, features: torch.Tensor, *names: str) -> torch.Tensor:
        for name in names:
            features = self._layer(name, features)
        return features

    def _make_coarse(self, width: int) -> None:
        wide = 2 * width
        self.add_module("c_en_down_128", Gated(4, width, 5, stride=2, single=True))
        self.add_module("c_en_conv_128", Gated(width, width, single=True))
        self.add_module("c_en_down_64", Gated(width, wide, stride=2, single=True))
        for index in (1, 2, 3):
            self.add_module(f"c_en_conv{index}_64", Gated(wide, wide, single=True))
        for index, dilation in enumerate(_COARSE_DILATIONS, 1):
            self.add_module(f"c_dil_d{index}", Gated(wide, wide, dilation=dilation, single=True))
        for index in (1, 2, 3):
            self.add_module(f"c_de_conv{index}_64", Gated(wide, wide, single=True))
        self.add_module("c_de_up_128", Up("c_de_up_128", wide, width, single=True))
        self.add_module("c_de_conv_128", Gated(width, width, single=True))
        self.add_module("c_de_toRGB", Up("c_de_toRGB", width, 3, single=True))

    def _make_refine(self, width: int) -> None:
        incoming = 4
        for side, channels in ((256, width), (128, 2 * width), (64, 4 * width)):
            self.add_module(f"re_en_down_{side}", Gated(incoming, channels, stride=2))
            self.add_module(f"re_en_conv_{side}", Gated(channels, channels))
            incoming = channels
        for dilation in _REFINE_DILATIONS:
            self.add_module(f"re_dil_d{dilation}", Gated(incoming, incoming, dilation=dilation))
        self.add_module("re_att_64_att1", Gated(incoming, incoming))
        self.add_module("re_att_64_att3", Gated(2 * incoming, incoming))
        for side, channels in ((128, 2 * width), (256, width)):
            self.add_module(f"re_de_up__{side}", Up(f"re_de_up__{side}", incoming, channels))
            self.add_module(f"re_de_conv_{side}", Gated(channels, channels))
            self.add_module(f"re_de_att_{side}_1", Gated(channels, channels))
            self.add_module(f"re_de_att_{side}_2", Gated(channels, channels, dilation=2))
            incoming = 2 * channels
        self.add_module("re_de_toRGB__256", Up("re_de_toRGB__256", incoming, 3))


def doubled(features: torch.Tensor) -> torch.Tensor:
    """Double the size bilinearly as TensorFlow 1 did: even samples stay, odd ones are means.

    The last odd one repeats the last sample.
    """
    height, width = features.shape[-2:]
    # With one sample more, aligned corners put the samples exactly there.
    padded = F.pad(features, (0, 1, 0, 1), mode="replicate")
    size = (2 * height + 1, 2 * width + 1)
    enlarged = F.interpolate(padded, size, mode="bilinear", align_corners=True)
    return enlarged[..., :-1, :-1]
