"""Any-mask Context Encoder: its network, the adapter, and that nobody has published weights."""

import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

import methods
from bench.cli import main
from bench.errors import BenchError, WeightsMissing
from methods import harness
from methods.networks.context_encoder.method import ContextEncoderAny
from methods.networks.context_encoder.network import AnyMaskNetwork, ChannelwiseConnected
from methods.verification import Part
from tests.support.network_kit import NETWORKS, own

WIDTHS = {"nef": 4, "ngf": 4}


@pytest.fixture
def nothing_here(folder, monkeypatch):
    """No weights in any folder, those of this project included."""
    # By way of sys.modules: the attribute `methods.card` is the function of that name.
    monkeypatch.setattr(sys.modules["methods.card"], "SMALL", folder)
    return folder


def test_the_bridge_takes_the_place_of_the_authors_bottleneck():
    with torch.device("meta"):
        network = AnyMaskNetwork()
    bottleneck = 2 * 512 * 4000 * 16 + 2 * 4000
    bridge = 512 * 16 * 16 + 512 * 16 + 512 * 512
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == 71_190_208 - bottleneck + bridge
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    assert shapes["main.11.weight"] == (512, 256, 4, 4)
    assert shapes["main.14.weight"] == (512, 16, 16)
    assert shapes["main.15.weight"] == (512, 512, 1, 1)
    assert shapes["main.30.weight"] == (64, 3, 4, 4)


def test_the_channel_wise_layer_is_one_linear_layer_per_map():
    torch.manual_seed(0)
    layer, maps = ChannelwiseConnected(3, 20), torch.randn(2, 3, 4, 5)
    expected = [
        F.linear(maps[:, c].flatten(1), layer.weight[c], layer.bias[c]).view(2, 4, 5)
        for c in range(3)
    ]
    assert torch.allclose(layer(maps), torch.stack(expected, 1), atol=1e-6)


def test_every_place_of_the_picture_has_a_say_in_every_other():
    network = AnyMaskNetwork(**WIDTHS).double()
    Part("network", None, "module", "", {"": 1.0}).fill(network)
    picture = torch.rand(1, 3, 128, 128, dtype=torch.float64, requires_grad=True)
    for row, column in ((0, 0), (70, 127)):
        (slope,) = torch.autograd.grad(network.eval()(picture)[0, 0, row, column], picture)
        assert (slope.abs().sum(1) > 0).float().mean() > 0.99


def test_the_whole_network_is_trained():
    network = AnyMaskNetwork(**WIDTHS)
    network(torch.rand(2, 3, 128, 128)).square().mean().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_the_network_sees_the_published_constants_in_the_hole():
    seen = []
    method = NETWORKS["context_encoder_any"].make("any")
    method.network = lambda pictures: seen.append(pictures) or torch.full_like(pictures, 0.5)
    picture = np.random.default_rng(0).integers(1, 256, (128, 128, 3), np.uint8)
    hole = np.zeros((128, 128), bool)
    hole[0:50, 30:90] = hole[100:110, 10:128] = True
    result = harness.fill(method, picture, hole, 0)
    shown = ((seen[0][0] + 1) / 2 * 255).permute(1, 2, 0).numpy()
    assert np.allclose(shown[hole], (117, 104, 123), atol=1e-3)
    assert np.allclose(shown[~hole], picture[~hole], atol=1e-3)
    assert np.allclose(result.raw[hole], 0.75)
    assert np.allclose(result.raw[~hole], (picture / 255)[~hole], atol=1e-6)


def test_weights_of_the_centre_network_are_refused(nothing_here):
    centre = methods.learnable("context_encoder").build(None, {**WIDTHS, "bottleneck": 8})
    save_file(centre.state_dict(), nothing_here / "own.safetensors")
    with pytest.raises(BenchError, match=r"unexpected: .*misshapen: main\.14\.weight"):
        own("context_encoder_any").load()


def test_nobody_has_published_weights_and_every_command_says_how_to_make_some(
    nothing_here, capsys, monkeypatch
):
    card = methods.card("context_encoder_any")
    assert card.checkpoints == ()
    assert card.training.startswith("inpaint-bench train context_encoder_any ")
    assert "No weights were ever published" in card.limits
    monkeypatch.setattr(ContextEncoderAny, "card", card)
    with pytest.raises(WeightsMissing, match="no weights are published; to make some, run"):
        methods.get("context_encoder_any").load()
    assert main(["check", "context_encoder_any"]) == 2
    assert "cannot be checked without weights" in capsys.readouterr().err
    for command in (["list"], ["weights", "list"]):
        assert main(command) == 0
        assert f"none published; {'run: ' * (command == ['list'])}{card.training}" in (
            capsys.readouterr().out
        )
    with pytest.raises(BenchError, match="no weights 'small'; it has none to choose from"):
        methods.parse("context_encoder_any:small")


def test_methods_with_files_or_without_a_network_have_nothing_to_be_trained_first():
    assert methods.card("context_encoder").training == ""
    assert methods.card("telea").training == ""
