"""Pluralistic: names and values of the published networks, their normalisation, the adapter."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import methods
from bench.errors import BenchError, InputError, WeightsMissing
from methods import harness, weights
from methods.conformance import check
from methods.networks.pluralistic.blocks import Attention, under_one_name
from methods.networks.pluralistic.method import Pluralistic
from methods.networks.pluralistic.network import (
    CompletionNetwork,
    Discriminator,
    Encoder,
    Generator,
    target_scale,
)
from methods.networks.pluralistic.spectral import SpectralConvolution, fold
from methods.verification import Part
from methods.weights import Checkpoint
from tests.support.golden_files import FOLDER, outcome

KEYS = json.loads((FOLDER / "pluralistic.keys.json").read_text("utf-8"))
SMALL = {"base_width": 8, "largest_width": 16, "latent": 4}
TWINS = ("conv1", "conv2", "bypass")  # the first names of layers that have two


class Small(Pluralistic):
    """With narrow networks in a file as this project writes them."""

    card = replace(
        Pluralistic.card,
        weights=("small",),
        checkpoints=(
            Checkpoint("pluralistic-small", "small.safetensors", choice="small", config=SMALL),
        ),
    )


def filled(network):
    Part("network", None, "module", "", {"": 1.0}).fill(network)
    return network.eval()


def own_names(file):
    return {name: shape for name, shape in KEYS[file].items() if not has_twin(name)}


def has_twin(name):
    return any(f"{twin}." in name for twin in TWINS)


def published(file, network, prefix="module."):
    """A file's tensors as they are published: most under two names, after parallel training."""
    own = network.state_dict()
    return {
        prefix + name: own[twin_of(name, network) if has_twin(name) else name].clone()
        for name in KEYS[file]
    }


def twin_of(name, network):
    """The name of the same tensor within its branch, looked up in the network."""
    path, kind, rest = next(name.partition(f"{twin}.") for twin in TWINS if f"{twin}." in name)
    block = network.get_submodule(path.removesuffix("."))
    branch = "shortcut" if kind == "bypass." else "model"
    places = [
        place
        for place, layer in block.get_submodule(branch).named_children()
        if isinstance(layer, SpectralConvolution)
    ]
    return f"{path}{branch}.{places[kind == 'conv2.']}.{rest}"


def scene(height=64, width=64):
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    hole = np.zeros((height, width), bool)
    hole[20:40, 16:48] = True
    return photo, hole


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def small(folder):
    save_file(filled(CompletionNetwork(**SMALL)).state_dict(), folder / "small.safetensors")
    return folder


@pytest.fixture(scope="module")
def networks():
    return filled(Encoder()), filled(Generator())


@pytest.fixture
def here(networks, folder):
    for letter, network in zip("EG", networks, strict=True):
        state = published(f"latest_net_{letter}.pth", network)
        torch.save(state, folder / f"pluralistic-place2_random-{letter}.pth")
    return folder


# -- the networks -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letter", "make", "count"),
    [("E", Encoder, 3_604_224), ("G", Generator, 2_374_016), ("D", Discriminator, 1_575_075)],
)
def test_names_shapes_and_order_are_those_of_the_checkpoints(letter, make, count):
    with torch.device("meta"):
        network = make()
    state = network.state_dict()
    expected = own_names(f"latest_net_{letter}.pth")
    assert {name: list(tensor.shape) for name, tensor in state.items()} == expected
    assert list(state) == list(expected)
    assert sum(each.numel() for each in network.parameters() if each.requires_grad) == count


@pytest.mark.parametrize("case", ["a128", "a128_train", "b96x160"])
def test_every_stored_array_is_reproduced(case):
    result = outcome("pluralistic", "pluralistic.npz", case)
    assert result.reason == ""
    assert result.comparisons
    assert [each for each in result.comparisons if not each.passed] == []


def test_attention_reads_in_parts_what_it_would_read_at_once():
    torch.manual_seed(0)
    layer = Attention(8)
    torch.nn.init.normal_(layer.query_conv.weight)
    layer.gamma.data.fill_(0.7)
    maps = torch.rand(2, 8, 40, 50)  # 2000 positions
    queries = layer.query_conv(maps).flatten(2)
    shares = torch.softmax(queries.transpose(1, 2) @ queries, -1)
    read = torch.einsum("nij,ncj->nci", shares, maps.flatten(2)).view_as(maps)
    assert torch.allclose(layer.short_term(maps), 0.7 * read + maps, atol=1e-5)


def test_what_is_known_is_read_from_the_encoder_as_it_is():
    torch.manual_seed(0)
    layer = filled(Attention(8))
    maps, encoded, valid = torch.rand(1, 8, 4, 4), torch.rand(1, 8, 4, 4), torch.ones(1, 1, 4, 4)
    fold(layer)
    before = layer(maps, encoded, valid)
    layer.alpha.data.fill_(100.0)
    assert torch.equal(layer(maps, encoded, valid), before)
    assert not torch.allclose(layer(maps, encoded, 1 - valid), before)


def test_scores_cover_a_picture_by_patches():
    network = Discriminator(base_width=8, largest_width=16)
    assert network(torch.rand(1, 3, 256, 256)).shape == (1, 1, 6, 6)


@pytest.mark.parametrize(("share", "scale"), [(0.0, 0.998), (0.75, 0.599), (1.0, 0.168)])
def test_training_aims_for_a_narrower_prior_the_less_is_hidden(share, scale):
    valid = torch.zeros(1, 1, 4, 4)
    valid.view(-1)[: int(16 * share)] = 1
    assert target_scale(valid).tolist() == pytest.approx([scale], abs=1e-3)


def test_widths_that_attention_cannot_merge_are_refused():
    with pytest.raises(InputError, match="expected largest_width up to 4 x base_width = 64"):
        Generator(base_width=16, largest_width=128)


# -- spectral normalisation ---------------------------------------------------------------------


@pytest.mark.parametrize("transposed", [False, True])
def test_after_many_calls_the_largest_singular_value_is_1(transposed):
    torch.manual_seed(0)
    layer = SpectralConvolution(4, 6, transposed=transposed)
    for _ in range(200):
        weight = layer.module()
    rows = weight.shape[0]
    assert rows == (4 if transposed else 6)
    largest = torch.linalg.svdvals(weight.detach().view(rows, -1))[0]
    assert float(largest) == pytest.approx(1, abs=1e-4)


def test_every_call_takes_a_step_in_eval_mode_too():
    network = filled(SpectralConvolution(4, 6))
    maps = torch.rand(1, 4, 8, 8)
    assert (network(maps) - network(maps)).abs().max() > 1e-4


def test_the_gradient_flows_through_weights_of_two_calls_but_not_into_the_vectors():
    torch.manual_seed(0)
    layer = SpectralConvolution(2, 3).double()
    maps = torch.rand(1, 2, 4, 4, dtype=torch.float64)
    (layer(maps).square().sum() + layer(-maps).square().sum()).backward()
    assert layer.module.weight_bar.grad.abs().max() > 0
    assert layer.module.weight_u.grad is None
    # Scaling a weight changes nothing, so no gradient points along it.
    along = (layer.module.weight_bar.grad * layer.module.weight_bar.detach()).sum()
    assert abs(float(along)) < 1e-9


def test_folded_is_the_next_call_bit_for_bit_and_stays_so():
    stateful, folded = (filled(CompletionNetwork(**SMALL)) for _ in range(2))
    fold(folded)
    assert not any("weight_bar" in name for name in folded.state_dict())
    visible, valid = torch.rand(1, 3, 64, 96), torch.ones(1, 1, 64, 96)
    with torch.inference_mode():
        first = stateful(visible, valid, None)
        assert torch.equal(folded(visible, valid, None), first)
        assert torch.equal(folded(visible, valid, None), first)
        assert not torch.equal(stateful(visible, valid, None), first)


def test_both_training_paths_reach_every_weight():
    torch.manual_seed(0)
    network = CompletionNetwork(**SMALL)
    network.generator.attn1.gamma.data.fill_(0.5)
    network.generator.attn1.alpha.data.fill_(0.5)
    image, valid = torch.rand(2, 3, 64, 64) * 2 - 1, torch.ones(2, 1, 64, 64)
    valid[..., 16:48, 16:48] = 0
    posterior, prior, features = network.encoder.both_paths(valid * image, (1 - valid) * image)
    divergence = torch.distributions.kl_divergence(posterior, prior).mean()
    loss = divergence
    for path in (posterior, prior):
        pictures = network.generator(path.rsample(), features[-1], features[2], valid)
        loss = loss + sum(picture.abs().mean() for picture in pictures)
    loss.backward()
    untouched = [
        name
        for name, each in network.named_parameters()
        if each.requires_grad and (each.grad is None or not each.grad.abs().sum() > 0)
    ]
    assert untouched == []


# -- the adapter --------------------------------------------------------------------------------


def test_the_adapter_draws_from_the_prior_fills_the_hole_and_keeps_the_rest(small):
    method = Small()
    method.load()
    photo, hole = scene(64, 96)
    result = harness.fill(method, photo, hole, 7)
    valid = torch.from_numpy(~hole).float()[None, None]
    visible = valid * (torch.from_numpy(photo / np.float32(255)).permute(2, 0, 1)[None] * 2 - 1)
    with torch.inference_mode():
        prior, features = method.network.encoder(visible)
        noise = torch.randn(1, 4, 2, 3, generator=torch.Generator().manual_seed(7))
        code = prior.loc + prior.scale * noise
        *_, expected = method.network.generator(code, features[-1], features[2], valid)
    expected = (expected[0].permute(1, 2, 0).numpy() + 1) / 2
    assert np.abs(result.raw - expected)[hole].max() < 1e-5
    assert np.abs(result.raw - photo / np.float32(255))[~hole].max() < 1e-6


def test_the_mean_is_the_same_for_every_seed_and_says_that_nobody_published_it(small):
    method, drawing = Small("pluralistic@mean"), Small()
    assert not method.card.stochastic
    assert drawing.card.stochastic
    assert "not a published mode" in method.card.title
    fills = []
    for each in (method, drawing):
        each.load()
        fills.append([harness.fill(each, *scene(), seed).picture for seed in (0, 1)])
    (mean, again), (drawn, other) = fills
    assert np.array_equal(mean, again)
    assert not np.array_equal(drawn, other)
    assert not np.array_equal(mean, drawn)


@pytest.mark.parametrize("name", ["pluralistic", "pluralistic@mean"])
def test_the_method_keeps_every_rule_with_weights_made_by_rule(small, name):
    class Named(Small):
        def __init__(self, given="", *, device="cpu"):
            super().__init__(name, device=device)

    results = check(Named)
    assert len(results) > 10
    assert [each for each in results if each.status not in ("passed", "declined")] == []
    # Smaller pictures have one position at the bottleneck, which cannot be normalised.
    assert [each.rule for each in results if each.status == "declined"] == ["tiny"]


@pytest.mark.slow
def test_the_method_keeps_every_rule_at_its_true_widths(here):
    results = check("pluralistic")
    assert [each for each in results if each.status not in ("passed", "declined")] == []


def test_without_weights_it_is_unavailable_and_says_what_to_do(folder):
    command = "inpaint-bench weights add pluralistic-celeba_center-E FILE"
    with pytest.raises(WeightsMissing, match=command):
        methods.get("pluralistic:celeba_center").load()


def test_each_choice_of_weights_has_two_files_of_its_own():
    card = methods.card("pluralistic")
    choices = [choice for choice in card.weights if choice != "small"]
    files = {each.file for choice in choices for each in card.files(choice)}
    assert len(files) == 2 * len(choices) == 16
    for choice in choices:
        parts = {each.part: each.file for each in card.files(choice)}
        assert parts == {
            "encoder": f"pluralistic-{choice}-E.pth",
            "generator": f"pluralistic-{choice}-G.pth",
        }
    assert not card.default


# -- weight files -------------------------------------------------------------------------------


def test_published_files_are_read_and_folded(here, networks):
    method = methods.get("pluralistic")
    method.load()
    expected = copy.deepcopy(
        torch.nn.ModuleDict(zip(("encoder", "generator"), networks, strict=True))
    )
    fold(expected)
    found = method.network.state_dict()
    assert found.keys() == expected.state_dict().keys()
    assert all(torch.equal(found[name], each) for name, each in expected.state_dict().items())


def test_files_that_changed_places_are_refused(here):
    first, second = (here / f"pluralistic-place2_random-{letter}.pth" for letter in "EG")
    state = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(state)
    with pytest.raises(BenchError, match=r"missing: block0\.conv1\.module\.bias"):
        methods.get("pluralistic").load()


def test_strange_missing_and_misshapen_tensors_are_named(here, networks):
    path = here / "pluralistic-place2_random-G.pth"
    state = published("latest_net_G.pth", networks[1], prefix="")
    state["stranger"] = state.pop("attn1.gamma")
    state["attn1.query_conv.bias"] = torch.zeros(5)
    torch.save(state, path)
    with pytest.raises(BenchError) as error:
        methods.get("pluralistic").load()
    for word in (
        "unexpected: generator.stranger",
        "missing: generator.attn1.gamma",
        "misshapen: generator.attn1.query_conv.bias (5,), expected (32,)",
    ):
        assert word in str(error.value)


def test_two_names_of_one_tensor_must_agree():
    with torch.device("meta"):
        network = Discriminator()
    state = published("latest_net_D.pth", filled(Discriminator()), prefix="")
    single = under_one_name(state, network, "file")
    assert list(single) == [name for name in state if not has_twin(name)]
    assert single.keys() == network.state_dict().keys()
    twin = "encoder1.bypass.module.weight_bar"
    changed = state | {twin: state[twin] + 1}
    message = rf"{twin} and encoder1\.shortcut\.0\.module\.weight_bar; the file is damaged"
    with pytest.raises(BenchError, match=message):
        under_one_name(changed, network, "file")
    del changed[twin]
    with pytest.raises(BenchError, match=f"found missing: {twin}"):
        under_one_name(changed, network, "file")


def test_our_own_files_hold_each_tensor_once_and_are_read_strictly(small):
    method = Small()
    method.load()
    stateful = filled(CompletionNetwork(**SMALL))
    fold(stateful)
    found, expected = method.network.state_dict(), stateful.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    state = CompletionNetwork(**SMALL).state_dict()
    del state["encoder.prior.model.1.module.weight_u"]
    save_file(state, small / "small.safetensors")
    (small / "small.safetensors.sha256").unlink()
    with pytest.raises(BenchError, match=r"missing: encoder\.prior\.model\.1\.module\.weight_u"):
        Small().load()
