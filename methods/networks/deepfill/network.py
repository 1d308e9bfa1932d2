"""The network, in the three forms that are published."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from bench.errors import InputError
from methods.layers.contextual import VARIANTS, Settings, attend, offsets
from methods.layers.contextual.sampling import resize
from methods.layers.elu import elu

_MULTIPLE = 8  # two halvings, and one more within the attention
_LARGEST_DILATION = 16


class Layer(NamedTuple):
    """A convolution; the width of its output is in units of half the base width."""

    name: str
    width: int
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    activation: str = "elu"
    doubled: bool = False  # its input is enlarged by two first


def _encoder(prefix: str, second: int, fourth: int, last: str = "elu") -> tuple[Layer, ...]:
    return (
        Layer(f"{prefix}conv1", 2, kernel=5),
        Layer(f"{prefix}conv2_downsample", second, stride=2),
        Layer(f"{prefix}conv3", 4),
        Layer(f"{prefix}conv4_downsample", fourth, stride=2),
        Layer(f"{prefix}conv5", 8),
        Layer(f"{prefix}conv6", 8, activation=last),
    )


def _decoder(prefix: str) -> tuple[Layer, ...]:
    return (
        Layer(f"{prefix}conv11", 8),
        Layer(f"{prefix}conv12", 8),
        Layer(f"{prefix}conv13", 4, doubled=True),
        Layer(f"{prefix}conv14", 4),
        Layer(f"{prefix}conv15", 2, doubled=True),
        Layer(f"{prefix}conv16", 1),
        Layer(f"{prefix}conv17", 0, activation="clamp"),
    )


_DILATED = (
    Layer("conv7_atrous", 8, dilation=2),
    Layer("conv8_atrous", 8, dilation=4),
    Layer("conv9_atrous", 8, dilation=8),
    Layer("conv10_atrous", 8, dilation=_LARGEST_DILATION),
)
_COARSE = (*_encoder("", 4, 8), *_DILATED, *_decoder(""))
_BESIDE = (*_encoder("", 2, 4), *_DILATED)
_BEFORE_ATTENTION = _encoder("pm", 2, 8, last="relu")
_AFTER_ATTENTION = (Layer("pmconv9", 8), Layer("pmconv10", 8))
_JOINT = _decoder("all")


class Convolution(nn.Module):
    """A convolution with bias, padded as the variant has it, and an activation.

    Args:
        channels: Of the input.
        layer: What kind.
        unit: Half the base width.
        variant: Out of `contextual.VARIANTS`.
    """

    def __init__(self, channels: int, layer: Layer, unit: int, variant: str) -> None:
        """Make the weights."""
        super().__init__()
        # TensorFlow pads even sizes at the end only where the stride is 2.
        self.at_end = variant == "tf" and layer.stride == 2
        padding = 0 if self.at_end else layer.kernel // 2 * layer.dilation
        self.conv = nn.Conv2d(
            channels, layer.width * unit or 3, layer.kernel, layer.stride, padding, layer.dilation,
            padding_mode="reflect" if variant == "mmagic" else "zeros",
        )  # fmt: skip
        self.doubled = layer.doubled
        # MMagic has one activation for all layers of an encoder.
        relu = layer.activation == "relu"
        self.activation = "elu" if relu and variant == "mmagic" else layer.activation

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Convolve: ``(N, C, H, W)``."""
        if self.doubled:
            features = F.interpolate(features, scale_factor=2, mode="nearest")
        if self.at_end:
            features = F.pad(features, (0, 1, 0, 1))
        features = self.conv(features)
        if self.activation == "clamp":
            return features.clamp(-1, 1)
        return F.relu(features) if self.activation == "relu" else elu(features)


class Stage(nn.Module):
    """Convolutions by the names of the checkpoints.

    Args:
        unit: Half the base width.
        variant: Out of `contextual.VARIANTS`.
    """

    def __init__(self, unit: int, variant: str) -> None:
        """Keep the settings."""
        super().__init__()
        self.unit = unit
        self.variant = variant

    def add(self, layers: Iterable[Layer], channels: int) -> None:
        """Make layers, one after another."""
        for layer in layers:
            self.add_module(layer.name, Convolution(channels, layer, self.unit, self.variant))
            channels = layer.width * self.unit

    def run(self, layers: Iterable[Layer], features: torch.Tensor) -> torch.Tensor:
        """Apply layers, one after another."""
        for layer in layers:
            features = self.get_submodule(layer.name)(features)
        return features


class CoarseGenerator(Stage):
    """The first stage."""

    def __init__(self, unit: int, variant: str) -> None:
        """Make the layers in the order of the checkpoints."""
        super().__init__(unit, variant)
        self.add(_COARSE, 5)

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """Fill: ``(N, 5, H, W)``, picture, ones and mask, to ``(N, 3, H, W)`` in ``[-1, 1]``."""
        return self.run(_COARSE, planes)


class ContextualAttention(nn.Module):
    """Contextual attention of features to themselves; no weights.

    Args:
        variant: Out of `contextual.VARIANTS`.
        softmax_scale: Factor of the scores.
    """

    def __init__(self, variant: str, softmax_scale: float) -> None:
        """Keep the settings."""
        super().__init__()
        self.settings = Settings(
            ksize=3, rate=2, fuse_k=3, softmax_scale=softmax_scale, variant=VARIANTS[variant]
        )

    def forward(
        self, features: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Rebuild features ``(N, C, h, w)``: the output, and where each part came from."""
        output, best = attend(features, features, mask, self.settings)
        return output, offsets(best, (best.shape[1], best.shape[2]))


class FineGenerator(Stage):
    """The second stage: a dilated branch and one with attention, then both together."""

    def __init__(self, unit: int, variant: str, softmax_scale: float) -> None:
        """Make the layers in the order of the checkpoints."""
        super().__init__(unit, variant)
        self.add(_BESIDE, 5)
        self.add(_BEFORE_ATTENTION, 5)
        self.contextual_attention = ContextualAttention(variant, softmax_scale)
        self.add(_AFTER_ATTENTION, 8 * unit)
        self.add(_JOINT, 16 * unit)

    def forward(
        self, planes: torch.Tensor, small_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Refine.

        Args:
            planes: ``(N, 5, H, W)``, picture, ones and mask.
            small_mask: ``(N, 1, H / 4, W / 4)``.

        Returns:
            ``(N, 3, H, W)`` in ``[-1, 1]``, and the attention's offsets.
        """
        beside = self.run(_BESIDE, planes)
        features = self.run(_BEFORE_ATTENTION, planes)
        attended, moved = self.contextual_attention(features, small_mask)
        joint = torch.cat([beside, self.run(_AFTER_ATTENTION, attended)], 1)
        return self.run(_JOINT, joint), moved


class Generator(nn.Module):
    """Both stages.

    Args:
        n: Base width, even.
        variant: Out of `contextual.VARIANTS`: the function of the official code (``tf``), of the
            PyTorch port (``torch``) or of MMagic (``mmagic``).
        softmax_scale: Of the attention.
        mask_down: How the mask gets to the size of features: ``nearest``, as published, loses
            thin strokes; ``max`` keeps them.

    Raises:
        InputError: If a setting is not known.
    """

    def __init__(
        self,
        n: int = 32,
        variant: str = "torch",
        softmax_scale: float = 10.0,
        mask_down: str = "nearest",
    ) -> None:
        """Make the stages."""
        super().__init__()
        if variant not in VARIANTS or mask_down not in ("nearest", "max") or n % 2:
            raise InputError(
                f"expected a variant out of {', '.join(VARIANTS)}, mask_down nearest or max and "
                f"an even n, found {variant!r}, {mask_down!r} and {n}"
            )
        self.variant = variant
        self.mask_down = mask_down
        self.coarse_generator = CoarseGenerator(n // 2, variant)
        self.fine_generator = FineGenerator(n // 2, variant, softmax_scale)

    def forward(
        self, masked: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Fill.

        Args:
            masked: ``(N, 3, H, W)`` in ``[-1, 1]``, 0 in the hole; sides are multiples of 8.
            mask: ``(N, 1, H, W)``, 1 in the hole.

        Returns:
            The coarse and the fine picture, ``(N, 3, H, W)`` in ``[-1, 1]``, and where the
            attention mostly copied from, ``(N, 2, H / 8, W / 8)``: cells of 8 pixels down and to
            the right.

        Raises:
            InputError: If a side does not fit.
        """
        height, width = mask.shape[2:]
        if height % _MULTIPLE or width % _MULTIPLE or min(height, width) < self.smallest_side:
            raise InputError(
                f"expected sides that are multiples of {_MULTIPLE}, from {self.smallest_side} "
                f"pixels for variant {self.variant}, found {width}x{height}"
            )
        marks = torch.cat([torch.ones_like(mask), mask], 1)
        coarse = self.coarse_generator(torch.cat([masked, marks], 1))
        composite = coarse * mask + masked * (1 - mask)
        small = self._small(mask)
        fine, moved = self.fine_generator(torch.cat([composite, marks], 1), small)
        return coarse, fine, moved

    @property
    def smallest_side(self) -> int:
        """Reflection needs feature maps that are larger than the largest padding."""
        return 4 * _LARGEST_DILATION + _MULTIPLE if self.variant == "mmagic" else _MULTIPLE

    def _small(self, mask: torch.Tensor) -> torch.Tensor:
        """The mask at the size of features, which the attention halves once more."""
        height, width = mask.shape[2:]
        if self.mask_down == "max":
            mask = F.max_pool2d(mask, _MULTIPLE)
        return resize(mask, (height // 4, width // 4), VARIANTS[self.variant].corners)
