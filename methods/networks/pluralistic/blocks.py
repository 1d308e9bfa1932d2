"""The blocks that Pluralistic's networks are made of, and the second names of their layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import nn

from bench.errors import BenchError
from methods.networks.pluralistic.spectral import SpectralConvolution

_SLOPE = 0.1
_ATTENTION_SLOPE = 0.01
_ROWS = 1024  # of the attention matrix at once, whose side is the number of positions


class Block(nn.Module):
    """A main branch and a shortcut, summed.

    Attributes:
        second_names: Published files hold the convolutions twice: here by their first name, and
            under the place they have in a branch, which is their name in this code.
    """

    second_names: ClassVar[Mapping[str, str]]
    model: nn.Sequential
    shortcut: nn.Sequential

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Take ``(N, C, H, W)`` through both branches."""
        summed: torch.Tensor = self.model(maps) + self.shortcut(maps)
        return summed


class FirstBlock(Block):
    """Halves a picture, without any activation before its first convolution."""

    second_names: ClassVar[Mapping[str, str]] = {
        "conv1": "model.0",
        "conv2": "model.2",
        "bypass": "shortcut.1",
    }

    def __init__(self, outgoing: int) -> None:
        """Make both branches for RGB."""
        super().__init__()
        self.model = nn.Sequential(
            SpectralConvolution(3, outgoing),
            nn.LeakyReLU(_SLOPE),
            SpectralConvolution(outgoing, outgoing),
            nn.AvgPool2d(2),
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2), SpectralConvolution(3, outgoing, kernel=1, padding=0)
        )


class ResidualBlock(Block):
    """Activations before convolutions; keeps the size or halves it.

    Args:
        incoming: Channels.
        hidden: Channels between the convolutions.
        outgoing: Channels.
        halve: Whether to average over squares of 2 x 2 at the end.
        slope: Of the leaky activations.
    """

    second_names: ClassVar[Mapping[str, str]] = {
        "conv1": "model.1",
        "conv2": "model.3",
        "bypass": "shortcut.0",
    }

    def __init__(
        self, incoming: int, hidden: int, outgoing: int, halve: bool = False, slope: float = _SLOPE
    ) -> None:
        """Make both branches."""
        super().__init__()
        self.model = nn.Sequential(
            nn.LeakyReLU(slope),
            SpectralConvolution(incoming, hidden),
            nn.LeakyReLU(slope),
            SpectralConvolution(hidden, outgoing),
        )
        self.shortcut = nn.Sequential(SpectralConvolution(incoming, outgoing, 1, padding=0))
        self.pool = nn.AvgPool2d(2) if halve else nn.Identity()

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Take ``(N, C, H, W)`` through both branches."""
        pooled: torch.Tensor = self.pool(super().forward(maps))
        return pooled


class DecoderBlock(Block):
    """Doubles the size, with instance normalisation before the convolutions.

    Args:
        incoming: Channels.
        outgoing: Channels, those between the convolutions too.
    """

    second_names: ClassVar[Mapping[str, str]] = {
        "conv1": "model.2",
        "conv2": "model.5",
        "bypass": "shortcut.0",
    }

    def __init__(self, incoming: int, outgoing: int) -> None:
        """Make both branches."""
        super().__init__()
        self.model = nn.Sequential(
            nn.InstanceNorm2d(incoming, affine=True),
            nn.LeakyReLU(_SLOPE),
            SpectralConvolution(incoming, outgoing),
            nn.InstanceNorm2d(outgoing, affine=True),
            nn.LeakyReLU(_SLOPE),
            SpectralConvolution(outgoing, outgoing, transposed=True),
        )
        self.shortcut = nn.Sequential(SpectralConvolution(incoming, outgoing, transposed=True))


class ToPicture(nn.Module):
    """Features to RGB in ``[-1, 1]``."""

    second_names: ClassVar[Mapping[str, str]] = {"conv1": "model.2"}

    def __init__(self, incoming: int) -> None:
        """Make the convolution."""
        super().__init__()
        self.model = nn.Sequential(
            nn.LeakyReLU(_SLOPE),
            nn.ReflectionPad2d(1),
            SpectralConvolution(incoming, 3, padding=0),
            nn.Tanh(),
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """``(N, C, H, W)`` to ``(N, 3, H, W)``."""
        picture: torch.Tensor = self.model(maps)
        return picture


class Attention(nn.Module):
    """Short and long term attention (section 3.3 of the paper).

    By what positions of the decoder have in common, features are read from the decoder itself
    (short term) and, within the hole, from the encoder (long term).

    Args:
        channels: Of either feature map.
    """

    def __init__(self, channels: int) -> None:
        """Make the query, which is the key too, and the block that merges both readings."""
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1))
        self.alpha = nn.Parameter(torch.zeros(1))
        self.query_conv = nn.Conv2d(channels, channels // 4, 1)
        nn.init.orthogonal_(self.query_conv.weight, gain=0.02)
        self.model = ResidualBlock(2 * channels, channels, channels, slope=_ATTENTION_SLOPE)

    def forward(
        self, maps: torch.Tensor, encoded: torch.Tensor, valid: torch.Tensor
    ) -> torch.Tensor:
        """Attend and merge.

        Args:
            maps: The decoder's, ``(N, C, h, w)``.
            encoded: The encoder's, of the same shape.
            valid: ``(N, 1, h, w)``, 1 where known, fractions at the hole's edge.

        Returns:
            ``(N, C, h, w)``.
        """
        own, others = self._read(maps, torch.cat([maps, encoded], 1)).chunk(2, 1)
        short = self.gamma * own + maps
        long = self.alpha * (1 - valid) * others + valid * encoded
        merged: torch.Tensor = self.model(torch.cat([short, long], 1))
        return merged

    def short_term(self, maps: torch.Tensor) -> torch.Tensor:
        """The short term reading alone, ``(N, C, h, w)``, as discriminators use it."""
        return self.gamma * self._read(maps, maps) + maps

    def _read(self, maps: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        queries = self.query_conv(maps).flatten(2)
        flat = values.flatten(2)
        read = [flat @ attention(rows, queries).transpose(1, 2) for rows in queries.split(_ROWS, 2)]
        return torch.cat(read, 2).view_as(values)


def attention(rows: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """How much each position (of ``rows``) reads from all positions (of ``keys``).

    Args:
        rows: ``(N, D, q)``.
        keys: ``(N, D, p)``.

    Returns:
        ``(N, q, p)``; each row sums to 1.
    """
    single = torch.promote_types(rows.dtype, torch.float32)  # the scores are not scaled
    with torch.autocast(rows.device.type, enabled=False):
        return torch.softmax(rows.to(single).transpose(1, 2) @ keys.to(single), -1)


def under_one_name(
    state: Mapping[str, torch.Tensor], network: nn.Module, source: str
) -> dict[str, torch.Tensor]:
    """Leave out the second names of tensors, once they are seen to be the same tensors.

    Args:
        state: Tensors of a published file.
        network: The network it is for.
        source: Where the tensors are from, for messages.

    Raises:
        BenchError: If a second name is missing or has other values.
    """
    twins = _twins(network)
    missing = [twin for twin in twins if twin not in state]
    if missing:
        raise BenchError(
            f"{source}: expected layers under two names, found missing: {', '.join(missing)}. "
            "Is it the file of another network?"
        )
    differing = [
        f"{twin} and {name}"
        for twin, name in twins.items()
        if name in state and not torch.equal(state[twin], state[name])
    ]
    if differing:
        raise BenchError(
            f"{source}: expected two names of one tensor, found different values: "
            f"{', '.join(differing)}; the file is damaged"
        )
    return {name: tensor for name, tensor in state.items() if name not in twins}


def _twins(network: nn.Module) -> dict[str, str]:
    """Name in the network by second name."""
    found: dict[str, str] = {}
    names = list(network.state_dict())
    for path, block in network.named_modules():
        if isinstance(block, Block | ToPicture):
            for second, place in block.second_names.items():
                first = f"{path}.{place}."
                found |= {
                    f"{path}.{second}.{name.removeprefix(first)}": name
                    for name in names
                    if name.startswith(first)
                }
    return found
