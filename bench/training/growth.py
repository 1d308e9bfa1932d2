"""Put a trained network of LaMa's kind into a larger one, which then computes the same.

New channels are drawn at random, and nothing listens to them yet; attention weighs everything
alike, and the normalisation before it makes up for that one weight. So trainings that go on from
there differ by what was added, not by where they start (the idea of Net2Net: Chen, Goodfellow,
Shlens, ICLR 2016).
"""

from __future__ import annotations

import operator

import torch
from torch import nn

from bench.errors import BenchError
from methods.layers.ffc import FFCResBlock


@torch.no_grad()
def grow(network: nn.Module, trained: nn.Module, source: str) -> None:
    """Put a trained generator into one of as many blocks, with as many channels or more.

    Args:
        network: The larger one, as drawn at random; may have attention where the other has none.
        trained: The other.
        source: Its name, for messages.

    Raises:
        BenchError: If it does not fit in.
    """
    room, learned = network.state_dict(), trained.state_dict()  # the very tensors of both
    _check(room, learned, source)
    layers = dict(trained.named_modules())
    joined: torch.Tensor | None = _joined(network, trained)
    for name, old in learned.items():
        if isinstance(layers[name.rpartition(".")[0]], nn.ConvTranspose2d) and old.ndim > 1:
            # Its weights come as (input, output); the first one is what follows the blocks.
            _put(room[name].transpose(0, 1), old.transpose(0, 1), joined)
            joined = None
        else:
            _put(room[name], old)
    for name, block in network.named_modules():
        if isinstance(block, FFCResBlock) and f"{name}.ca" not in layers:
            _attend_alike(block)


def _check(room: dict[str, torch.Tensor], learned: dict[str, torch.Tensor], source: str) -> None:
    # Attention hears both parts, so that in a wider network its channels are not the first ones.
    fits = operator.eq if any(".ca." in name for name in learned) else operator.ge
    wrong = [
        name
        for name, old in learned.items()
        if name not in room
        or room[name].ndim != old.ndim
        or not all(map(fits, room[name].shape, old.shape))
    ]
    if wrong:
        raise BenchError(
            f"--start {source}: expected a network that the one to be trained has room for (as "
            "many blocks, no more channels, as many where it has attention), found no place for "
            f"{', '.join(wrong[:3])}"
        )


def _joined(network: nn.Module, trained: nn.Module) -> torch.Tensor:
    """Where the trained channels are behind the blocks: local ones, then global ones."""
    (near, far), (first, _) = (
        next(
            [norm.num_features for norm in _norms(block)]
            for block in each.modules()
            if isinstance(block, FFCResBlock)
        )
        for each in (trained, network)
    )
    return torch.cat([torch.arange(near), first + torch.arange(far)])


def _norms(block: FFCResBlock) -> list[nn.BatchNorm2d]:
    """What comes before attention: the local and the global part's normalisation."""
    return [norm for norm in (block.conv2.bn_l, block.conv2.bn_g) if norm is not None]


def _put(room: torch.Tensor, old: torch.Tensor, heard: torch.Tensor | None = None) -> None:
    """Put values ``(outputs, inputs, ...)``, ``(outputs,)`` or one among those of more channels.

    Args:
        room: Of the larger layer.
        old: Of the trained one.
        heard: Which inputs the trained ones are; None for the first.
    """
    own = room[: len(old)] if old.ndim else room
    if old.ndim < 2:
        own.copy_(old)
        return
    own.zero_()  # the trained outputs do not hear new inputs
    own[:, torch.arange(old.shape[1]) if heard is None else heard] = old


def _attend_alike(block: FFCResBlock) -> None:
    """Let attention give each channel and place one weight, and take it out again beforehand."""
    if block.ca is None or block.sa is None:
        return
    for name, weight in block.named_parameters():
        if name.startswith(("ca.conv_a2", "sa.")):
            nn.init.zeros_(weight)
    norms = _norms(block)
    ones = tuple(torch.ones(1, norm.num_features, 1, 1) for norm in norms)
    for norm, weighed in zip(norms, block.sa(block.ca(ones)), strict=True):
        norm.weight.div_(weighed.mean())  # a ReLU follows: positive factors pass it
        norm.bias.div_(weighed.mean())
