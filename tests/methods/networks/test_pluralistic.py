"""Pluralistic: its attention, its normalisation, its two files, the mean of the prior."""

import numpy as np
import pytest
import torch

import methods
from bench.errors import BenchError, InputError
from methods import harness
from methods.conformance import check
from methods.networks.pluralistic.blocks import Attention, under_one_name
from methods.networks.pluralistic.network import (
    CompletionNetwork,
    Discriminator,
    Generator,
    target_scale,
)
from methods.networks.pluralistic.spectral import SpectralConvolution, fold
from methods.verification import Part
from tests.support.network_kit import NETWORKS, PLURALISTIC_SMALL, scene
from tests.support.published_files import has_twin, pluralistic, pluralistic_part


def filled(network):
    Part("network", None, "module", "", {"": 1.0}).fill(network)
    return network.eval()


# -- the networks -------------------------------------------------------------------------------


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
    stateful, folded = (filled(CompletionNetwork(**PLURALISTIC_SMALL)) for _ in range(2))
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
    network = CompletionNetwork(**PLURALISTIC_SMALL)
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


def test_the_mean_is_the_same_for_every_seed_and_says_that_nobody_published_it(loaded):
    method = loaded("pluralistic", asked="pluralistic@mean")
    drawing = loaded("pluralistic")
    assert not method.card.stochastic
    assert drawing.card.stochastic
    assert "not a published mode" in method.card.title
    fills = []
    for each in (method, drawing):
        fills.append([harness.fill(each, *scene(), seed).picture for seed in (0, 1)])
    (mean, again), (drawn, other) = fills
    assert np.array_equal(mean, again)
    assert not np.array_equal(drawn, other)
    assert not np.array_equal(mean, drawn)


@pytest.mark.slow
def test_the_method_keeps_every_rule_at_its_true_widths(folder):
    pluralistic(folder, filled(CompletionNetwork()).state_dict())
    results = check("pluralistic")
    assert [each for each in results if each.status not in ("passed", "declined")] == []


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


# -- weight files -------------------------------------------------------------------------------


def test_files_that_changed_places_are_refused(folder):
    pluralistic(folder, NETWORKS["pluralistic"].state)
    first, second = (folder / f"pluralistic-place2_random-{letter}.pth" for letter in "EG")
    state = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(state)
    with pytest.raises(BenchError, match=r"missing: block0\.conv1\.module\.bias"):
        NETWORKS["pluralistic"].method.load()


def test_two_names_of_one_tensor_must_agree():
    with torch.device("meta"):
        network = Discriminator()
    tensors = filled(Discriminator()).state_dict()
    state = pluralistic_part("latest_net_D.pth", network, tensors, prefix="")
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
