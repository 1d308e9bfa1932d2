"""HiFill: names and values of the network, the adapter in both modes, weight files."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import methods
from bench.errors import BenchError, ContractError, WeightsMissing
from methods import harness, weights
from methods.base import Fill
from methods.card import SizeRule
from methods.conformance import check
from methods.networks.hifill.attention import AttentionScores, AttentionTransfer, covered_cells
from methods.networks.hifill.method import HiFill
from methods.networks.hifill.network import HiFillNetwork, doubled
from methods.networks.hifill.published import variable
from methods.verification import Part
from tests.support.frozen_graphs import frozen
from tests.support.golden_files import FOLDER, outcome

STORED = json.loads((FOLDER / "hifill.keys.json").read_text("utf-8"))
KEYS = STORED["generator"]


class Small(HiFill):
    """With four patches a side instead of 32, so that the network is quick."""

    card = replace(HiFill.card, size=SizeRule("fixed", side=64))


class SmallNative(Small):
    card = replace(Small.card, name="hifill@native-aspect")


@pytest.fixture(scope="module")
def state():
    network = HiFillNetwork()
    Part("network", "generator", "keys.json", "", {"": 1.1, "c_": 1.8}).fill(network)
    return network.state_dict()


def variables(state):
    """As TensorFlow has them."""
    return {
        name: (state[key].permute(2, 3, 1, 0) if state[key].ndim == 4 else state[key]).numpy()
        for name, key in STORED["tensorflow_to_key"].items()
    }


@pytest.fixture(scope="module")
def filled(state, tmp_path_factory):
    """A weights folder with a graph of the true structure, its values made by rule."""
    folder = tmp_path_factory.mktemp("weights")
    (folder / "hifill-places2.pb").write_bytes(frozen(variables(state)))
    return folder


@pytest.fixture
def here(filled, monkeypatch):
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(filled))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_names_and_shapes_are_those_of_the_description(state):
    assert {name: list(tensor.shape) for name, tensor in state.items()} == KEYS
    assert list(state) == list(KEYS)
    assert sum(tensor.numel() for tensor in state.values()) == 2_722_791
    coarse = sum(tensor.numel() for name, tensor in state.items() if name.startswith("c_"))
    assert coarse == 811_489


def test_variables_have_the_names_of_the_training_code():
    named = {f"generator/{variable(key)}": key for key in KEYS}
    assert named == STORED["tensorflow_to_key"]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param("net_s0", marks=pytest.mark.slow),
        "cra_1024x1024_m2_s0",
        "cra_1536x1152_m3_s1",
        pytest.param("cra_700x500_m6_s2", marks=pytest.mark.slow),
        "tiny_graphdef",
    ],
)
def test_every_stored_array_is_reproduced(case):
    result = outcome("hifill", "hifill.npz", case)
    assert result.reason == ""
    assert result.comparisons
    assert [each for each in result.comparisons if not each.passed] == []


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


def scene(height, width):
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    hole = np.zeros((height, width), bool)
    hole[height // 3 : height // 2, width // 4 : width // 2] = True
    return photo, hole


@pytest.mark.parametrize("name", ["hifill", "hifill@native-aspect"])
@pytest.mark.parametrize("size", [(64, 64), (150, 90), (37, 200)])
def test_the_adapter_fills_the_hole_at_any_size_and_keeps_the_rest(here, name, size):
    method = Small(name)
    method.load()
    photo, hole = scene(*size)
    result = harness.fill(method, photo, hole, 0)
    other = harness.fill(method, np.where(hole[..., None], 255 - photo, photo), hole, 0)
    assert np.array_equal(result.raw, other.raw)
    away = np.abs(result.raw - photo / np.float32(255)).max(-1) < 1e-6
    assert away[~hole].mean() > 0.5  # what is near the hole is blended with the fill
    assert not away[hole].all()
    assert np.array_equal(result.picture[~hole], photo[~hole])


def test_blue_comes_first_for_the_network(here):
    method = Small("hifill")
    method.load()
    images, masks = torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
    masks[..., 20:40, 16:48] = 1
    with torch.inference_mode():
        small = method.infer(images * (1 - masks), masks, torch.Generator())
        blanked = (images[:, [2, 1, 0]] * 2 - 1) * (1 - masks)
        expected = method.network(blanked, masks).refined[:, [2, 1, 0]]
    assert small.images.sub((expected + 1) / 2).abs().max() < 1e-6


def test_native_aspect_gives_the_network_the_shape_of_the_photo(here):
    photo, hole = scene(150, 300)
    images = torch.from_numpy(photo / np.float32(255)).permute(2, 0, 1)[None]
    masks = torch.from_numpy(hole)[None, None].float()
    square, _ = Small("hifill").prepare(images * (1 - masks), masks)
    native, _ = Small("hifill@native-aspect").prepare(images * (1 - masks), masks)
    assert square.shape[-2:] == (64, 64)
    assert native.shape[-2:] == (48, 96)


def test_finishing_something_else_is_refused():
    images, masks = torch.zeros(1, 3, 64, 64), torch.ones(1, 1, 64, 64)
    with pytest.raises(ContractError, match="expected what infer gives"):
        Small("hifill").finish(Fill(images), images, masks)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Small, SmallNative])
def test_the_method_keeps_every_rule_with_weights_made_by_rule(here, kind):
    results = check(kind)
    assert len(results) > 10
    assert [each for each in results if each.status not in ("passed", "declined")] == []


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["hifill", "hifill@native-aspect"])
def test_the_method_keeps_every_rule_at_its_own_size(here, name):
    assert [each for each in check(name) if each.status not in ("passed", "declined")] == []


def test_without_weights_it_is_unavailable_and_says_what_to_do(folder):
    with pytest.raises(WeightsMissing, match="inpaint-bench weights fetch hifill-places2"):
        methods.get("hifill").load()


def test_it_is_no_part_of_the_default_job_and_offers_one_variant():
    card = methods.card("hifill")
    assert not card.default
    assert card.variants == ("native-aspect",)
    with pytest.raises(BenchError, match="native-aspect"):
        methods.get("hifill@other")
    titles = [methods.get(name).card.title for name in ("hifill", "hifill@native-aspect")]
    assert titles == ["HiFill", "HiFill, in the photo's own shape (not a published mode)"]


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name,
        lambda name: f"tower_0/{name}",
        lambda name: name.removeprefix("generator/"),
        lambda name: f"export/{sum(map(ord, name))}_{len(name)}_{name[-30:].replace('/', '.')}",
    ],
    ids=["as in training", "below a scope", "without a scope", "other names, same order"],
)
def test_graphs_of_the_true_structure_are_read(folder, state, rename):
    (folder / "hifill-places2.pb").write_bytes(frozen(variables(state), rename))
    method = methods.get("hifill")
    method.load()
    loaded = method.network.state_dict()
    assert all(torch.equal(tensor, loaded[name]) for name, tensor in state.items())


def test_half_precision_graphs_are_read(folder, state):
    halves = {name: value.astype(np.float16) for name, value in variables(state).items()}
    (folder / "hifill-places2.pb").write_bytes(frozen(halves))
    method = methods.get("hifill")
    method.load()
    loaded = method.network.state_dict()
    assert all(torch.equal(tensor.half().float(), loaded[name]) for name, tensor in state.items())


def test_weights_of_this_project_are_read(folder):
    network = HiFillNetwork(**HiFill.card.configs["small"])
    checkpoint = replace(
        HiFill.card.checkpoints[0], file="own.safetensors", config=HiFill.card.configs["small"]
    )
    save_file(network.state_dict(), folder / "own.safetensors")

    class Own(Small):
        card = replace(Small.card, checkpoints=(checkpoint,))

    method = Own("hifill")
    method.load()
    assert torch.equal(
        method.network.state_dict()["re_dil_d8.gate.weight"],
        network.state_dict()["re_dil_d8.gate.weight"],
    )


def test_the_graph_of_another_network_is_refused_with_both_lists(folder, state):
    other = variables(state)
    for name in [name for name in other if "c_dil_d14" in name]:
        del other[name]
    (folder / "hifill-places2.pb").write_bytes(frozen(other))
    with pytest.raises(BenchError, match="by name or in the order") as error:
        methods.get("hifill").load()
    message = str(error.value)
    assert message.count("(64, 64, 3, 3)") == 24 + 23  # expected, found
    assert "another network" in message


def test_a_graph_cut_off_is_refused(folder, filled):
    data = (filled / "hifill-places2.pb").read_bytes()
    (folder / "hifill-places2.pb").write_bytes(data[: len(data) // 2])
    with pytest.raises(BenchError, match="may be cut off"):
        methods.get("hifill").load()


def test_other_weights_are_another_identity(folder):
    missing = methods.get("hifill").identity
    assert f"opencv {cv2.__version__}" in missing
    (folder / "hifill-places2.pb").write_bytes(b"some")
    assert methods.get("hifill").identity != missing
