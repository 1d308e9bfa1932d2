"""DeepFill: three code bases, names of tensors, sizes, the flow."""

import json

import numpy as np
import pytest
import torch

import methods
from bench.errors import BenchError, Declined, InputError
from methods import harness
from methods.networks.deepfill.names import port_names
from methods.networks.deepfill.network import Generator
from tests.support.golden_files import FOLDER
from tests.support.network_kit import NETWORKS, scene
from tests.support.published_files import PORT, deepfill_mmagic

CASES = list(json.loads(str(np.load(FOLDER / "deepfill.npz")["meta"]))["cases"])
STATE = NETWORKS["deepfill"].state


@pytest.mark.parametrize("variant", ["tf", "mmagic"])
def test_all_variants_have_the_same_tensors(variant):
    own = Generator(variant=variant).state_dict()
    assert [(name, own[name].shape) for name in own] == [(n, t.shape) for n, t in STATE.items()]


def test_there_are_reference_outputs_of_all_code_bases():
    kinds = {case.partition("_")[0] for case in CASES}
    assert kinds == {"ca", "tfca", "mmca", "net", "tfnet", "mmnet"}


def test_the_flow_has_the_size_of_the_photo(loaded):
    photo, hole = scene(67, 93)
    result = harness.fill(loaded("deepfill", "port-imagenet"), photo, hole, 0)
    flow = result.pictures["flow"]
    assert flow.shape == (3, 67, 93)
    assert flow.unique().numel() > 10
    assert torch.equal(flow[:, :64:8, :88:8], flow[:, 7:64:8, 7:88:8])  # cells of 8 pixels


@pytest.mark.parametrize("choice", ["mmagic-places2", "mmagic-celebahq"])
def test_the_card_declines_small_pictures_where_padding_is_by_reflection(choice):
    method = methods.get(f"deepfill:{choice}")
    assert str(method.card.size).endswith("sides from 65 pixels")
    with pytest.raises(Declined, match="at least 65 pixels, found 200x64"):
        harness.check_card(method, scene(64, 200)[1])
    with pytest.raises(InputError, match="from 72 pixels for variant mmagic, found 200x64"):
        method.build(method.config)(torch.zeros(1, 3, 64, 200), torch.zeros(1, 1, 64, 200))


def test_the_smallest_pictures_are_padded_to_what_reflection_needs(loaded):
    assert harness.fill(loaded("deepfill", "mmagic-places2"), *scene(65, 66), 0).picture.any()


@pytest.mark.parametrize("shape", [(60, 64), (64, 4)])
def test_the_network_takes_multiples_of_8_only(shape):
    with pytest.raises(InputError, match="multiples of 8"):
        Generator(n=2)(torch.zeros(1, 3, *shape), torch.zeros(1, 1, *shape))


@pytest.mark.parametrize("settings", [{"variant": "jax"}, {"mask_down": "mean"}, {"n": 3}])
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(InputError, match="expected a variant"):
        Generator(**settings)


def test_thin_strokes_vanish_from_the_attention_mask_unless_asked_for():
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 5, :] = 1
    for variant in ("torch", "tf", "mmagic"):
        assert Generator(n=2, variant=variant)._small(mask).sum() == 0
        kept = Generator(n=2, variant=variant, mask_down="max")._small(mask)
        assert kept.shape == (1, 1, 16, 16)
        assert kept[..., 0, :].min() == 1
        assert kept[..., 4:, :].sum() == 0


@pytest.mark.parametrize("variant", ["torch", "tf", "mmagic"])
def test_every_tensor_can_be_trained(variant):
    torch.manual_seed(0)
    network = Generator(n=4, variant=variant).train()
    mask = torch.zeros(2, 1, 72, 72)
    mask[..., 20:50, 20:50] = 1
    coarse, fine, _ = network(torch.rand(2, 3, 72, 72) * (1 - mask), mask)
    (coarse.abs().sum() + fine.abs().sum()).backward()
    for name, parameter in network.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


def test_a_small_network_keeps_the_shape():
    network = Generator(**methods.card("deepfill").configs["small"])
    assert sum(each.numel() for each in network.parameters()) == 1_410_726
    assert list(network.state_dict()) == list(PORT)


def test_each_choice_of_weights_says_what_it_was_trained_as():
    card = methods.card("deepfill")
    published = [each for each in card.checkpoints if each.choice != "small"]
    for each in published:
        channels = "RGB" if each.choice.startswith("port") else "BGR"
        assert each.config["channels"] == channels
    variants = {each.choice.partition("-")[0]: each.config["variant"] for each in published}
    assert variants == {"mmagic": "mmagic", "port": "torch", "official": "tf"}


@pytest.mark.parametrize("prefix", ["generator.", ""])
def test_names_of_mmagic_are_translated(prefix):
    found = port_names(deepfill_mmagic(STATE, prefix))
    assert found.keys() == STATE.keys()
    assert all(torch.equal(tensor, found[name]) for name, tensor in STATE.items())
    assert all(list(tensor.shape) == PORT[name] for name, tensor in found.items())


def test_a_file_with_another_hash_is_refused(folder):
    method = methods.get("deepfill:mmagic-places2")
    (folder / method.checkpoints[0].file).write_bytes(b"another file")
    with pytest.raises(BenchError, match="expected SHA-256 c00a0e21"):
        method.load()
