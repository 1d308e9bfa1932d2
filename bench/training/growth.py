"""Put a trained network of LaMa's kind into a larger one, which then computes the same.

New channels are drawn at random, and nothing listens to them yet; attention weighs everything
alike, and the normalisation before it makes up for that one weight. So trainings that go on from
there differ by what was added, not by where they start (the idea of Net2Net: Chen, Goodfellow,
Shlens, ICLR 2016).
"""

from __future__ import annotations

import torch
from torch import nn

from bench.errors import BenchError
from methods.layers.ffc import FFCResBlock, Pair, present
from methods.layers.ffc_attention import FFCChannelAttention, FFCSpatialAttention


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
    room = network.state_dict()  # the very tensors of the network
    _check(room, trained, source)
    layers = dict(trained.named_modules())
    joined: torch.Tensor | None = _joined(network, trained)
    for name, old in trained.state_dict().items():
        if isinstance(layers[name.rpartition(".")[0]], nn.ConvTranspose2d) and old.ndim > 1:
            # Its weights come as (input, output); the first one is what follows the blocks.
            heard, joined = joined, None
            _put(room[name].transpose(0, 1), old.transpose(0, 1), heard)
        else:
            _put(room[name], old)
    for name, block in network.named_modules():
        if isinstance(block, FFCResBlock) and f"{name}.sa" not in layers:
            _attend_alike(block)


def _check(room: dict[str, torch.Tensor], trained: nn.Module, source: str) -> None:
    wrong = [
        name
        for name, old in trained.state_dict().items()
        if name not in room
        or room[name].ndim != old.ndim
        or any(new < few for new, few in zip(room[name].shape, old.shape, strict=True))
    ]
    attentive = any(isinstance(each, FFCChannelAttention) for each in trained.modules())
    if attentive and not wrong:  # it hears both parts, so its channels are not the first ones
        wrong = [
            name for name, old in trained.state_dict().items() if room[name].shape != old.shape
        ]
    if wrong:
        raise BenchError(
            f"--start {source}: expected a network that the one to be trained has room for (as "
            "many blocks, no more channels, as many where it has attention), found no place for "
            f"{', '.join(wrong[:3])}"
        )


def _joined(network: nn.Module, trained: nn.Module) -> torch.Tensor:
    """Where the trained channels are behind the blocks: local ones, then global ones."""
    near, far = _parts(trained)
    return torch.cat([torch.arange(near), _parts(network)[0] + torch.arange(far)])


def _parts(network: nn.Module) -> tuple[int, int]:
    """Local and global channels of the residual blocks, all of which have as many."""
    block = next(each for each in network.modules() if isinstance(each, FFCResBlock))
    near, far = (norm.num_features if norm is not None else 0 for norm in _norms(block))
    return near, far


def _norms(block: FFCResBlock) -> tuple[nn.BatchNorm2d | None, nn.BatchNorm2d | None]:
    """What comes before attention: the local and the global part's normalisation."""
    return block.conv2.bn_l, block.conv2.bn_g


def _put(room: torch.Tensor, old: torch.Tensor, heard: torch.Tensor | None = None) -> None:
    """Put values ``(outputs, inputs, ...)`` or ``(outputs,)`` among those of more channels.

    Args:
        room: Of the larger layer.
        old: Of the trained one.
        heard: Which inputs the trained ones are; None for the first.
    """
    own = room[tuple(slice(count) for count in old.shape[:1])]
    if old.ndim < 2:
        own.copy_(old)
        return
    own.zero_()  # the trained outputs do not hear new inputs
    own[:, torch.arange(old.shape[1]) if heard is None else heard] = old


def _attend_alike(block: FFCResBlock) -> None:
    """Let attention give each channel and place one weight, and take it out again beforehand."""
    if isinstance(block.ca, FFCChannelAttention):
        for layer in (block.ca.conv_a2l, block.ca.conv_a2g):
            for weight in layer.parameters() if layer is not None else ():
                nn.init.zeros_(weight)
    if isinstance(block.sa, FFCSpatialAttention):
        nn.init.zeros_(block.sa.conv.weight)
    norms = _norms(block)
    near, far = (
        torch.ones(1, norm.num_features, 1, 1) if norm is not None else 0 for norm in norms
    )
    pair: Pair = (near, far)
    for attention in (block.ca, block.sa):
        pair = attention(pair) if attention is not None else pair
    for norm, of_ones in zip(norms, pair, strict=True):
        if norm is not None and present(of_ones):  # a ReLU follows: positive factors pass it
            norm.weight.div_(of_ones.mean())
            norm.bias.div_(of_ones.mean())
