"""ReLaMa: its attention, missing parts, LaMa's weights with fresh attention."""

from dataclasses import replace

import pytest
import torch

import methods
from bench.errors import WeightsMissing
from methods.layers.ffc_attention import FFCChannelAttention, FFCSpatialAttention
from methods.networks.lama.method import ReLaMa
from methods.networks.lama.network import Generator
from methods.verification import Part
from tests.support.published_files import LAMA, lama_training, saved

CHOICE = "lama-fourier-untrained-attention"


class Reduced(ReLaMa):
    """With a network that is quick."""

    card = replace(
        ReLaMa.card,
        checkpoints=tuple(
            replace(each, config={**LAMA, "attention": True})
            for each in ReLaMa.card.checkpoints
            if each.choice == CHOICE
        ),
        weights=(CHOICE,),
    )


def test_all_that_is_not_lamas_is_the_attention():
    state, lamas = (Generator(**LAMA, attention=each).state_dict() for each in (True, False))
    assert lamas.keys() < state.keys()
    added = state.keys() - lamas.keys()
    assert all(".ca." in name or ".sa." in name for name in added)


@pytest.mark.parametrize(("blocks", "parameters"), [(9, 28_233_973), (18, 53_346_151)])
def test_the_published_size_is_met(blocks, parameters):
    with torch.device("meta"):
        network = Generator(blocks=blocks, attention=True)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def parts(near=8, far=24, seed=0):
    shape = (2, near + far, 5, 7)
    both = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return both[:, :near], both[:, near:]


@pytest.mark.parametrize("double", [True, False])
def test_the_weight_of_a_channel_stays_within_its_bounds(double):
    near, far = parts()
    module = FFCChannelAttention(32, 0.75, double_sigmoid=double)
    Part("module", None, "module", "", {"": 30.0}).fill(module)
    with torch.inference_mode():
        gate = module((near, far))[1] / far
    low, high = (0.5, torch.sigmoid(torch.tensor(2.0))) if double else (0, 1)
    assert gate.min() >= low - 1e-5
    assert gate.max() <= high + 1e-5
    assert gate.std(dim=(2, 3)).max() < 1e-4  # one weight for all places
    assert gate.max() - gate.min() > 0.3


@pytest.mark.parametrize(("double", "gate"), [(True, 0.731059), (False, 0.5)])
def test_without_weights_every_channel_is_kept_to_the_same_share(double, gate):
    near, far = parts()
    module = FFCChannelAttention(32, 0.75, double_sigmoid=double)
    for parameter in module.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.inference_mode():
        out = module((near, far))
    assert torch.allclose(out[0], near * gate, atol=1e-5)
    assert torch.allclose(out[1], far * gate, atol=1e-5)


@pytest.mark.parametrize("missing", [0, None])
def test_a_missing_part_comes_back_as_it_came(missing):
    near, far = parts(16, 16)
    local, far_only = FFCChannelAttention(16, 0), FFCChannelAttention(16, 1)
    places = FFCSpatialAttention(3)
    with torch.inference_mode():
        assert local((near, missing))[1] is missing
        assert far_only((missing, far))[0] is missing
        assert places((near, missing))[1] is missing
        assert torch.equal(places((missing, far))[1], places(far))
        assert torch.equal(local((near, missing))[0], local(near))
    assert local.conv_a2g is None
    assert far_only.conv_a2l is None


def test_the_places_of_one_part_do_not_depend_on_the_other():
    near, far = parts()
    module = FFCSpatialAttention()
    with torch.inference_mode():
        assert torch.equal(module((near, far))[0], module((near, far * 3))[0])
        assert torch.equal(module((near, far))[1], module(far))


@pytest.mark.parametrize(
    ("ratio", "found"),
    [
        (0.75, lambda near, far: (far, near)),
        (0.75, lambda near, far: (near, 0)),
        (0.0, lambda near, far: (near, far)),
        (1.0, lambda near, far: (near, far)),
    ],
)
def test_parts_with_other_channels_are_refused_with_both_counts(ratio, found):
    module = FFCChannelAttention(32, ratio)
    with pytest.raises(ValueError, match=r"expected \d+ local and \d+ global channels, found \d+"):
        module(found(*parts()))


def test_a_layer_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="expected a reduction from 1 to the 3 channels, found 4"):
        FFCChannelAttention(3, 0.5)
    with pytest.raises(ValueError, match="expected a kernel of 3 or 7, found 5"):
        FFCSpatialAttention(5)


def lama_file(folder):
    lama = Generator(**LAMA)
    Part("network", None, "keys.json", "", {"": 1.0}).fill(lama)
    saved("lama-fourier.ckpt", lama_training)(folder, lama.state_dict())
    return lama


def test_lamas_weights_get_the_same_fresh_attention_each_time(folder):
    lama_file(folder)
    methods_made = [Reduced(f"relama:{CHOICE}") for _ in range(2)]
    x = torch.rand(1, 4, 32, 32)
    for seed, method in enumerate(methods_made):
        torch.manual_seed(seed)
        method.load()
    with torch.inference_mode():
        first, second = (method.network(x) for method in methods_made)
    assert torch.equal(first, second)


def test_all_but_the_attention_is_lamas(folder):
    lama = lama_file(folder).state_dict()
    method = Reduced(f"relama:{CHOICE}")
    found = method.tensors(folder / "lama-fourier.ckpt", method.checkpoints[0])
    assert found.keys() == Generator(**LAMA, attention=True).state_dict().keys()
    assert all(torch.equal(tensor, found[name]) for name, tensor in lama.items())
    assert all(found[name].isfinite().all() for name in found)


def test_drawing_attention_leaves_the_random_numbers_of_others_alone(folder):
    lama_file(folder)
    method = Reduced(f"relama:{CHOICE}")
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    method.tensors(folder / "lama-fourier.ckpt", method.checkpoints[0])
    assert torch.equal(torch.rand(3), expected)


def test_untrained_weights_are_never_given_to_a_name_that_does_not_say_so(folder):
    lama_file(folder)
    with pytest.raises(WeightsMissing, match=f"relama:small, .* never trained relama:{CHOICE}"):
        Reduced("relama").load()


def test_by_itself_it_is_the_small_one_that_comes_with_the_project(folder):
    bare, small = methods.get("relama"), methods.get("relama:small")
    assert bare.checkpoints == small.checkpoints
    assert bare.card.title == "ReLaMa (small)"
    bare.load()
    small.load()
    x = torch.rand(1, 4, 32, 32)
    with torch.inference_mode():
        assert torch.equal(bare.network(x), small.network(x))


def test_the_card_says_that_it_is_untrained():
    card = methods.card("relama")
    untrained = [each for each in card.checkpoints if "untrained" in each.choice]
    assert [each.choice for each in untrained] == [CHOICE]
    assert "not trained" in untrained[0].origin
    assert "never trained" in card.limits
