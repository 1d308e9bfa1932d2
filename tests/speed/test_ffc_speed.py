"""The lean form of fast Fourier convolution against the plain one, side by side on one thread.

The plain form is written as the definition reads: one convolution per path, each with its own
padding and followed by its normalisation; real and imaginary parts stacked, copied and taken apart
again. Only agreement is asserted.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from methods.layers.ffc import FFCBNAct, FFCResBlock, Join
from methods.layers.ffc_lean import Lean
from methods.networks.lama.network import Generator
from methods.verification import Part
from tests.support.turns import keep, take_turns


def plain_convolution(conv, x):
    if conv.padding_mode == "reflect":
        x = F.pad(x, [conv.padding[0]] * 4, mode="reflect")
    return F.conv2d(x, conv.weight, None, conv.stride)


def plain_fourier_unit(unit, x):
    batch, channels, height, width = x.shape
    spectrum = torch.fft.rfftn(x, dim=(-2, -1), norm="ortho")
    stacked = torch.stack((spectrum.real, spectrum.imag), -1)
    stacked = stacked.permute(0, 1, 4, 2, 3).contiguous()
    planes = torch.relu(unit.bn(unit.conv_layer(stacked.view(batch, 2 * channels, height, -1))))
    stacked = planes.view(batch, -1, 2, height, width // 2 + 1).permute(0, 1, 3, 4, 2).contiguous()
    spectrum = torch.complex(stacked[..., 0], stacked[..., 1])
    return torch.fft.irfftn(spectrum, s=(height, width), dim=(-2, -1), norm="ortho")


def plain_spectral_transform(module, x):
    x = module.conv1(x)
    return module.conv2(x + plain_fourier_unit(module.fu, x))


def plain_ffc(layer, pair):
    near, far = pair
    ffc = layer.ffc
    local = plain_convolution(ffc.convl2l, near)
    if ffc.convg2l is not None:
        local = local + plain_convolution(ffc.convg2l, far)
    local = torch.relu(layer.bn_l(local))
    if ffc.convl2g is None:
        return local, 0
    distant = plain_convolution(ffc.convl2g, near)
    if ffc.convg2g is not None:
        distant = distant + plain_spectral_transform(ffc.convg2g, far)
    return local, torch.relu(layer.bn_g(distant))


def plain_block(block, pair):
    near, far = plain_ffc(block.conv2, plain_ffc(block.conv1, pair))
    return pair[0] + near, pair[1] + far


def plain_network(model, x):
    for layer in model:
        if isinstance(layer, FFCBNAct):
            x = plain_ffc(layer, x if isinstance(x, tuple) else (x, 0))
        elif isinstance(layer, FFCResBlock):
            x = plain_block(layer, x)
        elif isinstance(layer, Join):
            x = torch.cat(x, 1)
        else:
            x = layer(x)
    return x


def compare(benchmark, what, forms):
    with torch.inference_mode():
        turns = take_turns(benchmark, forms)
    than_trained = turns.ratio("lean", "trained")
    keep(benchmark, turns, "lean", "plain", what, ratio_to_the_trained_form=than_trained)


def filled(module, gain):
    Part("module", None, "module", "", {"": gain}).fill(module)
    return module.eval()


@pytest.mark.parametrize("side", [32, 64])
def test_a_residual_block(benchmark, side):
    channels = 512 if benchmark.enabled else 32
    block = filled(FFCResBlock(channels, 0.75), 0.4)
    # The lean form has both parts in one tensor from the start, as within a network.
    lean = Lean(nn.Sequential(block).eval()).layers[1]
    x = torch.rand(1, channels, side, side)
    pair = x[:, : channels // 4].clone(), x[:, channels // 4 :].clone()
    with torch.inference_mode():
        expected = torch.cat(plain_block(block, pair), 1)
        assert (lean(x) - expected).abs().max() < 1e-5 * expected.abs().max()
    forms = {
        "plain": lambda: plain_block(block, pair),
        "trained": lambda: block(pair),
        "lean": lambda: lean(x),
    }
    compare(benchmark, f"block at {side} x {side}", forms)


@pytest.mark.parametrize("side", [256])
def test_a_whole_network(benchmark, side):
    config = {"blocks": 9} if benchmark.enabled else {"blocks": 2, "ngf": 8}
    network = filled(Generator(**config), 0.7)
    lean = Lean(network.model)
    x = torch.rand(1, 4, side, side)
    with torch.inference_mode():
        assert (lean(x) - plain_network(network.model, x)).abs().max() < 1e-4
    forms = {
        "plain": lambda: plain_network(network.model, x),
        "trained": lambda: network(x),
        "lean": lambda: lean(x),
    }
    what = f"network of {config['blocks']} blocks at {side} x {side}"
    compare(benchmark, what, forms)
