"""HiFill: names of variables, the attention, the adapter in both modes, graphs that are no use."""

import cv2
import numpy as np
import pytest
import torch

import methods
from bench.errors import BenchError, ContractError
from methods import harness
from methods.base import Fill
from methods.networks.hifill.attention import AttentionScores, AttentionTransfer, covered_cells
from methods.networks.hifill.method import HiFill
from methods.networks.hifill.network import HiFillNetwork, doubled
from methods.networks.hifill.published import variable
from tests.support.frozen_graphs import frozen
from tests.support.network_kit import NETWORKS, scene, tensors
from tests.support.published_files import HIFILL, hifill_variables

Small, STATE = NETWORKS["hifill"].kind, NETWORKS["hifill"].state


def test_variables_have_the_names_of_the_training_code():
    named = {f"generator/{variable(key)}": key for key in HIFILL["generator"]}
    assert named == HIFILL["tensorflow_to_key"]
    coarse = [tensor.numel() for name, tensor in STATE.items() if name.startswith("c_")]
    assert sum(coarse) == 811_489


def test_doubling_keeps_samples_and_repeats_the_last():
    line = doubled(torch.tensor([[[[0.0, 4.0, 2.0]]]]))
    assert line.tolist() == [[[[0, 2, 4, 3, 2, 2]] * 2]]


def test_covered_cells_are_those_of_the_hole_and_around_it():
    mask = torch.zeros(1, 1, 96, 96)
    mask[..., 33, 40] = 1
    expected = torch.zeros(6, 6)
    expected[1:4, 1:4] = 1
    assert torch.equal(covered_cells(mask)[0, 0], expected)


def test_shares_avoid_covered_keys_and_prefer_the_same_place():
    torch.manual_seed(0)
    covered = torch.zeros(2, 1, 4, 6)
    covered[:, :, 1:3, 2:4] = 1
    shares = AttentionScores()(torch.randn(2, 16, 8, 12), covered)
    assert shares.shape == (2, 24, 24)
    assert shares[..., covered[0].flatten() == 1].abs().max() == 0
    known = torch.nonzero(covered[0].flatten() == 0).flatten()
    assert torch.equal(shares[0].argmax(1)[known], known)


def transferred_plainly(features, attention, rate):
    """Patch by patch, as the description says."""
    side, pad = 2 * rate, rate // 2
    batch, _, height, width = features.shape
    columns = width // rate
    wide = torch.nn.functional.pad(features, (pad,) * 4)
    out = torch.zeros_like(wide)
    for query in range(attention.shape[1]):
        top, left = query // columns * rate, query % columns * rate
        for key in range(attention.shape[2]):
            y, x = key // columns * rate, key % columns * rate
            patch = wide[..., y : y + side, x : x + side]
            share = attention[:, query, key].view(batch, 1, 1, 1)
            out[..., top : top + side, left : left + side] += share * patch
    return out[..., pad : pad + height, pad : pad + width]


@pytest.mark.parametrize("rate", [4, 8])
def test_pasting_whole_cells_equals_pasting_overlapping_patches(rate):
    torch.manual_seed(0)
    features, attention = torch.randn(2, 3, 3 * rate, 2 * rate), torch.rand(2, 6, 6)
    found = AttentionTransfer(rate)(features, attention)
    expected = transferred_plainly(features, attention, rate)
    assert found.sub(expected).abs().max() < 1e-5


def test_the_network_takes_any_multiple_of_16_and_learns():
    torch.manual_seed(0)
    network = HiFillNetwork(**HiFill.card.configs["small"])
    count = sum(each.numel() for each in network.parameters())
    assert 1_000_000 < count < 1_800_000
    mask = torch.zeros(2, 1, 48, 80)
    mask[0, :, 8:16, 8:24] = 1
    filling = network(torch.rand(2, 3, 48, 80) * 2 - 1, mask)
    assert filling.refined.shape == filling.coarse.shape == (2, 3, 48, 80)
    assert filling.attention.shape == (2, 15, 15)
    (filling.refined.square().mean() + filling.coarse.square().mean()).backward()
    gradients = [each.grad for each in network.parameters()]
    assert all(bool(torch.isfinite(each).all()) for each in gradients)
    assert all(float(each.abs().max()) > 0 for each in gradients)


@pytest.mark.parametrize("name", ["hifill", "hifill@native-aspect"])
@pytest.mark.parametrize("size", [(64, 64), (150, 90), (37, 200)])
def test_the_adapter_fills_the_hole_at_any_size_and_keeps_the_rest(loaded, name, size):
    method = loaded("hifill", asked=name)
    photo, hole = scene(*size)
    result = harness.fill(method, photo, hole, 0)
    other = harness.fill(method, np.where(hole[..., None], 255 - photo, photo), hole, 0)
    assert np.array_equal(result.raw, other.raw)
    away = np.abs(result.raw - photo / np.float32(255)).max(-1) < 1e-6
    assert away[~hole].mean() > 0.5  # what is near the hole is blended with the fill
    assert not away[hole].all()
    assert np.array_equal(result.picture[~hole], photo[~hole])


def test_blue_comes_first_for_the_network(loaded):
    method = loaded("hifill")
    images, masks = torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
    masks[..., 20:40, 16:48] = 1
    with torch.inference_mode():
        small = method.infer(images * (1 - masks), masks, torch.Generator())
        blanked = (images[:, [2, 1, 0]] * 2 - 1) * (1 - masks)
        expected = method.network(blanked, masks).refined[:, [2, 1, 0]]
    assert small.images.sub((expected + 1) / 2).abs().max() < 1e-6


def test_native_aspect_gives_the_network_the_shape_of_the_photo():
    images, masks = tensors(*scene(150, 300))
    square, _ = Small("hifill").prepare(images * (1 - masks), masks)
    native, _ = Small("hifill@native-aspect").prepare(images * (1 - masks), masks)
    assert square.shape[-2:] == (64, 64)
    assert native.shape[-2:] == (48, 96)


def test_finishing_something_else_is_refused():
    images, masks = torch.zeros(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
    with pytest.raises(ContractError, match="expected what infer gives"):
        Small("hifill").finish(Fill(images), images, masks)


def test_it_offers_one_variant():
    card = methods.card("hifill")
    assert card.variants == ("native-aspect",)
    with pytest.raises(BenchError, match="native-aspect"):
        methods.get("hifill@other")
    titles = [methods.get(name).card.title for name in ("hifill", "hifill@native-aspect")]
    assert titles == ["HiFill", "HiFill, in the photo's own shape (not a published mode)"]


def test_half_precision_graphs_are_read(folder):
    halves = {name: value.astype(np.float16) for name, value in hifill_variables(STATE).items()}
    (folder / "hifill-places2.pb").write_bytes(frozen(halves))
    method = methods.get("hifill")
    method.load()
    loaded = method.network.state_dict()
    assert all(torch.equal(tensor.half().float(), loaded[name]) for name, tensor in STATE.items())


def test_the_graph_of_another_network_is_refused_with_both_lists(folder):
    other = hifill_variables(STATE)
    for name in [name for name in other if "c_dil_d14" in name]:
        del other[name]
    (folder / "hifill-places2.pb").write_bytes(frozen(other))
    with pytest.raises(BenchError, match="by name or in the order") as error:
        methods.get("hifill").load()
    message = str(error.value)
    assert message.count("(64, 64, 3, 3)") == 24 + 23  # expected, found
    assert "another network" in message


def test_a_graph_cut_off_is_refused(folder):
    data = frozen(hifill_variables(STATE))
    (folder / "hifill-places2.pb").write_bytes(data[: len(data) // 2])
    with pytest.raises(BenchError, match="may be cut off"):
        methods.get("hifill").load()


def test_other_weights_are_another_identity(folder):
    missing = methods.get("hifill").identity
    assert f"cv2 {cv2.__version__}" in missing
    (folder / "hifill-places2.pb").write_bytes(b"some")
    assert methods.get("hifill").identity != missing
