"""PEN-Net: names and values of the published network, the adapter, weight files."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

import methods
from bench.cli import main
from bench.errors import BenchError, WeightsMissing
from methods import harness, weights
from methods.card import SizeRule
from methods.conformance import check
from methods.networks.pennet.method import PENNet
from methods.networks.pennet.network import AttentionTransfer, PyramidContextEncoder
from methods.verification import Part
from tests.support.golden_files import FOLDER, outcome

KEYS = json.loads((FOLDER / "pennet.keys.json").read_text("utf-8"))["netG"]


class Small(PENNet):
    """At a size that is quick; the network takes any multiple of 64."""

    card = replace(PENNet.card, size=SizeRule("fixed", side=64))


@pytest.fixture(scope="module")
def state():
    network = PyramidContextEncoder()
    Part("network", "netG", "keys.json", "", {"": 1.0}).fill(network)
    return network.state_dict()


@pytest.fixture(scope="module")
def filled(state, tmp_path_factory):
    """A weights folder with a file of the true structure, its values made by rule."""
    folder = tmp_path_factory.mktemp("weights")
    torch.save({"netG": state}, folder / "pennet-places2.pth")
    return folder


@pytest.fixture
def here(filled, monkeypatch):
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(filled))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_names_and_shapes_are_those_of_the_checkpoints(state):
    assert {name: list(tensor.shape) for name, tensor in state.items()} == KEYS
    assert list(state) == list(KEYS)
    assert sum(tensor.numel() for tensor in state.values()) == 10_231_538


@pytest.mark.parametrize(
    "case",
    [
        "atn_fuse_k3",
        "atn_nofuse_k1",
        "64x64_s0",
        "128x192_s1",
        "256x256_s2",
    ],
)
def test_every_stored_array_is_reproduced(case):
    result = outcome("pennet", "pennet.npz", case)
    assert result.reason == ""
    assert result.comparisons
    assert [each for each in result.comparisons if not each.passed] == []


def test_attention_takes_patches_from_clear_places_only():
    torch.manual_seed(0)
    low, high = torch.rand(1, 8, 16, 16), torch.rand(1, 4, 8, 8)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., :32, :] = 1
    changed = low.clone()
    changed[..., :6, :] += 100  # far enough within the hole to be in no clear patch
    module = AttentionTransfer(8, 3, fuse=False)
    before, after = module(low, high, mask), module(changed, high, mask)
    assert (before - after).abs().max() < 1e-3
    assert module(low, high, 1 - mask)[..., :6, :].sub(before[..., :6, :]).abs().max() > 0.01


def test_attention_without_any_clear_place_gives_nearly_nothing():
    module = AttentionTransfer(4, 3, fuse=False)
    out = module(torch.rand(1, 4, 4, 4), torch.rand(1, 4, 2, 2), torch.ones(1, 1, 64, 64))
    assert 0 < out.abs().max() < 1e-7


def test_the_whole_network_is_trained_where_its_features_are_dead_too():
    network = PyramidContextEncoder((8, 8, 8, 8, 8, 8))
    mask = torch.zeros(2, 1, 128, 128)
    mask[..., 40:60, 20:90] = 1
    with torch.no_grad():
        network.dw_conv06[0].bias[:] = -100  # then all of its features are 0
    masked = torch.cat([torch.rand(2, 3, 128, 128) * (1 - mask) + mask, mask], 1)
    pyramid, output = network(masked, mask)
    (output.mean() + sum(picture.mean() for picture in pyramid)).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())
    assert network.at_conv01.conv00[0].weight.grad.any()


def test_attention_is_as_sharp_in_half_precision_as_in_full():
    torch.manual_seed(0)
    high, mask = 30 * torch.randn(1, 16, 8, 8), torch.zeros(1, 1, 64, 64)
    module = AttentionTransfer(8, 3, fuse=False)
    expected = module._attention(high.bfloat16().float(), mask)
    with torch.autocast("cpu", torch.bfloat16):
        found = module._attention(high.bfloat16(), mask)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


def test_the_adapter_fills_the_hole_and_keeps_the_rest(here):
    method = Small("pennet")
    method.load()
    photo = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    hole = np.zeros((64, 64), bool)
    hole[20:40, 16:48] = True
    result = harness.fill(method, photo, hole, 0)
    signed = torch.from_numpy(photo / np.float32(255)).permute(2, 0, 1)[None] * 2 - 1
    mask = torch.from_numpy(hole).float()[None, None]
    with torch.inference_mode():
        _, expected = method.network(torch.cat([signed.where(mask == 0, 1), mask], 1), mask)
    expected = (expected[0].permute(1, 2, 0).numpy() + 1) / 2
    assert np.abs(result.raw - expected)[hole].max() < 1e-5
    assert np.abs(result.raw - photo / np.float32(255))[~hole].max() < 1e-6


def test_the_method_keeps_every_rule_with_weights_made_by_rule(here):
    results = check(Small)
    assert len(results) > 10
    assert [each for each in results if each.status not in ("passed", "declined")] == []


@pytest.mark.nightly
def test_the_method_keeps_every_rule_at_its_own_size(here):
    assert [each for each in check("pennet") if each.status not in ("passed", "declined")] == []


def test_without_weights_it_is_unavailable_and_says_what_to_do(folder, capsys):
    with pytest.raises(WeightsMissing, match="inpaint-bench weights add pennet-celebahq FILE"):
        methods.get("pennet:celebahq").load()
    assert main(["check", "pennet"]) == 2
    assert "pennet cannot be checked without weights" in capsys.readouterr().err
    assert main(["list"]) == 0
    assert "unavailable:     no weights here" in capsys.readouterr().out


def test_it_is_no_part_of_the_default_job():
    assert not methods.card("pennet").default


def test_each_choice_of_weights_has_its_file():
    card = methods.card("pennet")
    assert [each.name for each in card.checkpoints] == [f"pennet-{name}" for name in card.weights]
    assert methods.get("pennet").checkpoints[0].name == "pennet-places2"
    assert methods.get("pennet:dtd").checkpoints[0].name == "pennet-dtd"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"netG": state},
        lambda state: state,
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
    ],
    ids=["wrapped", "bare", "prefixed"],
)
def test_the_published_forms_of_the_file_are_read(folder, state, wrap):
    torch.save(wrap(state), folder / "pennet-places2.pth")
    method = methods.get("pennet")
    method.load()
    loaded = method.network.state_dict()
    assert all(torch.equal(tensor, loaded[name]) for name, tensor in state.items())


def test_a_file_of_another_network_is_refused_with_its_keys(folder, state):
    wrong = dict(state)
    wrong["stranger.weight"] = wrong.pop("torgb1.0.bias")
    wrong["decoder.2.bias"] = torch.zeros(4)
    torch.save({"netG": wrong}, folder / "pennet-places2.pth")
    with pytest.raises(BenchError) as error:
        methods.get("pennet").load()
    for word in (
        "unexpected: stranger.weight",
        "missing: torgb1.0.bias",
        "misshapen: decoder.2.bias (4,), expected (3,)",
    ):
        assert word in str(error.value)


class Malicious:
    def __reduce__(self):
        return print, ("executed",)


def test_a_file_that_would_run_code_is_refused_and_runs_nothing(folder, capsys):
    (folder / "pennet-places2.pth").write_bytes(pickle.dumps({"netG": Malicious()}))
    with pytest.raises(BenchError, match="expected a state dict of tensors"):
        methods.get("pennet").load()
    assert "executed" not in capsys.readouterr().out


def test_the_first_file_is_trusted_aloud_and_another_one_refused(folder, capsys):
    source = folder / "gen_00001.pth"
    source.write_bytes(b"first")
    assert main(["weights", "verify", "pennet-dtd", str(source)]) == 2
    assert "no SHA-256 is documented" in capsys.readouterr().err
    assert main(["weights", "add", "pennet-dtd", str(source)]) == 0
    shown = capsys.readouterr()
    kept = weights.cache_folder() / "pennet-dtd.pth"
    assert str(kept) in shown.out
    assert "trusted on first use" in shown.err
    assert main(["weights", "verify", "pennet-dtd", str(kept)]) == 0
    kept.write_bytes(b"other")
    with pytest.raises(BenchError, match="expected SHA-256"):
        weights.find(methods.card("pennet").checkpoints[2])


def test_other_weights_are_another_identity(folder):
    missing = methods.get("pennet").identity
    (folder / "pennet-places2.pth").write_bytes(b"some")
    assert methods.get("pennet").identity != missing
