"""DeepFill: three code bases, names of tensors, the adapter, weight files."""

import json
import re

import numpy as np
import pytest
import torch

import methods
from bench.cli import main
from bench.errors import BenchError, Declined, InputError, WeightsMissing
from methods import harness, weights
from methods.conformance import check
from methods.networks.deepfill.names import port_names
from methods.networks.deepfill.network import Generator
from methods.verification import Part
from tests.support.golden_files import FOLDER, outcome

PORT, MMAGIC, TENSORFLOW = json.loads((FOLDER / "deepfill.keys.json").read_text("utf-8")).values()
CASES = list(json.loads(str(np.load(FOLDER / "deepfill.npz")["meta"]))["cases"])
FILES = {each.choice: each.file for each in methods.card("deepfill").checkpoints}


@pytest.fixture(scope="module")
def state():
    network = Generator()
    Part("network", "gen_XXXXXXXX.pt", "keys.json", "", {"": 0.8}).fill(network)
    return network.state_dict()


@pytest.fixture(scope="module")
def filled(state, tmp_path_factory):
    """A weights folder with files of three code bases, their values made by rule."""
    folder = tmp_path_factory.mktemp("weights")
    torch.save({"state_dict": mmagic(state), "meta": {}}, folder / FILES["mmagic-places2"])
    torch.save(state, folder / FILES["port-imagenet"])
    torch.save(tensorflow(state), folder / FILES["official-places2"])
    return folder


@pytest.fixture
def here(filled, monkeypatch):
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(filled))
    monkeypatch.setattr("methods.weights.files.mismatch", lambda path, checkpoint: "")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    return tmp_path


def mmagic(state, prefix="generator."):
    """The tensors under MMagic's names, and what else its files hold."""
    coarse, fine = "coarse_generator.", "fine_generator."
    # Its parts stand in another order.
    parts = [
        (f"{coarse}conv", 1, 6), (f"{coarse}conv", 11, 17), (f"{coarse}conv", 7, 10),
        (f"{fine}pmconv", 1, 6), (f"{fine}conv", 1, 6), (f"{fine}pmconv", 9, 10),
        (f"{fine}conv", 7, 10), (f"{fine}allconv", 11, 17),
    ]  # fmt: skip
    layers = [f"{part}{i}" for part, first, last in parts for i in range(first, last + 1)]
    ordered = [name for layer in layers for name in state if re.match(rf"{layer}[._]", name)]
    names = [name for name in MMAGIC if not name.endswith("fuse_kernel")]
    found = {
        prefix + name.removeprefix("generator."): state[ours]
        for name, ours in zip(names, ordered, strict=True)
    }
    (kernel,) = MMAGIC.keys() - set(names)
    found[prefix + kernel.removeprefix("generator.")] = torch.eye(3)[None, None]
    return found | {"disc.global_disc.fc.weight": torch.zeros(1, 4)}


def tensorflow(state):
    """The variables of a TensorFlow checkpoint, and what else it holds."""
    found = {
        name: state[ours].permute(2, 3, 1, 0) if name.endswith("kernel") else state[ours]
        for name, ours in zip(TENSORFLOW, PORT, strict=True)
    }
    others = ("discriminator/conv1/kernel", "lr", "beta1_power")
    return found | {name: torch.zeros(1) for name in others}


def loaded(choice):
    method = methods.get(f"deepfill:{choice}")
    method.load()
    return method


def photo_and_hole(height=64, width=64):
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    hole = np.zeros((height, width), bool)
    hole[height // 3 : height // 2, width // 4 : width * 3 // 4] = True
    return photo, hole


def test_names_and_shapes_are_those_of_the_checkpoints(state):
    assert {name: list(tensor.shape) for name, tensor in state.items()} == PORT
    assert list(state) == list(PORT)
    assert sum(tensor.numel() for tensor in state.values()) == 3_601_542


@pytest.mark.parametrize("variant", ["tf", "mmagic"])
def test_all_variants_have_the_same_tensors(state, variant):
    own = Generator(variant=variant).state_dict()
    assert [(name, own[name].shape) for name in own] == [(n, t.shape) for n, t in state.items()]


@pytest.mark.parametrize("case", CASES)
def test_every_stored_array_is_reproduced(case):
    result = outcome("deepfill", "deepfill.npz", case)
    assert result.reason == ""
    assert result.comparisons
    assert [each for each in result.comparisons if not each.passed] == []


def test_there_are_reference_outputs_of_all_code_bases():
    kinds = {case.partition("_")[0] for case in CASES}
    assert kinds == {"ca", "tfca", "mmca", "net", "tfnet", "mmnet"}


@pytest.mark.parametrize("choice", ["mmagic-places2", "port-imagenet", "official-places2"])
def test_the_adapter_fills_the_hole_and_keeps_the_rest(here, choice):
    method = loaded(choice)
    photo, hole = photo_and_hole(72, 80)
    result = harness.fill(method, photo, hole, 0)
    order = slice(None) if choice == "port-imagenet" else slice(None, None, -1)
    mask = torch.from_numpy(hole).float()[None, None]
    signed = torch.from_numpy(photo[..., order] / np.float32(127.5) - 1).permute(2, 0, 1)[None]
    with torch.inference_mode():
        _, fine, _ = method.network(signed * (1 - mask), mask)
    expected = ((fine[0].permute(1, 2, 0).numpy() + 1) / 2)[..., order]
    assert np.abs(result.raw - expected)[hole].max() < 1e-5
    assert np.abs(result.raw - photo / np.float32(255))[~hole].max() < 1e-6


def test_the_flow_has_the_size_of_the_photo(here):
    photo, hole = photo_and_hole(67, 93)
    result = harness.fill(loaded("port-imagenet"), photo, hole, 0)
    flow = result.pictures["flow"]
    assert flow.shape == (3, 67, 93)
    assert flow.unique().numel() > 10
    assert torch.equal(flow[:, :64:8, :88:8], flow[:, 7:64:8, 7:88:8])  # cells of 8 pixels


@pytest.mark.parametrize("name", ["deepfill:port-imagenet", "deepfill:official-places2"])
@pytest.mark.slow
def test_the_method_keeps_every_rule_with_weights_made_by_rule(here, name):
    results = check(name)
    assert len(results) > 10
    assert [each for each in results if each.status not in ("passed", "declined")] == []
    assert sum(each.status == "declined" for each in results) == 0


@pytest.mark.slow
def test_the_method_keeps_every_rule_with_reflecting_padding(here):
    results = check("deepfill:mmagic-places2")
    assert [each for each in results if each.status not in ("passed", "declined")] == []
    assert [each.rule for each in results if each.status == "declined"] == ["tiny"]


@pytest.mark.parametrize("choice", ["mmagic-places2", "mmagic-celebahq"])
def test_the_card_declines_small_pictures_where_padding_is_by_reflection(choice):
    method = methods.get(f"deepfill:{choice}")
    assert str(method.card.size).endswith("sides from 65 pixels")
    with pytest.raises(Declined, match="at least 65 pixels, found 200x64"):
        harness.check_card(method, photo_and_hole(64, 200)[1])
    with pytest.raises(InputError, match="from 72 pixels for variant mmagic, found 200x64"):
        method.build(method.config)(torch.zeros(1, 3, 64, 200), torch.zeros(1, 1, 64, 200))


def test_the_smallest_pictures_are_padded_to_what_reflection_needs(here):
    assert harness.fill(loaded("mmagic-places2"), *photo_and_hole(65, 66), 0).picture.any()


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


def test_without_weights_it_is_unavailable_and_says_what_to_do(folder, capsys):
    with pytest.raises(WeightsMissing, match="weights fetch deepfill-mmagic-places2"):
        methods.get("deepfill").load()
    with pytest.raises(WeightsMissing, match="weights add deepfill-official-places2 FILE"):
        methods.get("deepfill:official-places2").load()
    assert main(["check", "deepfill"]) == 2
    assert "deepfill cannot be checked without weights" in capsys.readouterr().err


def test_each_choice_of_weights_says_what_it_was_trained_as():
    card = methods.card("deepfill")
    assert not card.default
    assert [each.name for each in card.checkpoints] == [f"deepfill-{name}" for name in card.weights]
    published = [each for each in card.checkpoints if each.choice != "small"]
    for each in published:
        channels = "RGB" if each.choice.startswith("port") else "BGR"
        assert each.config["channels"] == channels
    variants = {each.choice.partition("-")[0]: each.config["variant"] for each in published}
    assert variants == {"mmagic": "mmagic", "port": "torch", "official": "tf"}


@pytest.mark.parametrize(
    "wrap",
    [
        dict,
        lambda state: {"state_dict": dict(state)},
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
        lambda state: (
            {f"netG.{name}": tensor for name, tensor in state.items()}
            | {"localD.linear.bias": torch.zeros(1)}
        ),
        tensorflow,
    ],
    ids=["bare", "wrapped", "parallel", "trainer", "TensorFlow"],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_the_published_forms_of_the_file_are_read(folder, state, wrap, zipped):
    file = folder / FILES["official-imagenet"]
    torch.save(wrap(state), file, _use_new_zipfile_serialization=zipped)
    found = loaded("official-imagenet").network.state_dict()
    assert all(torch.equal(tensor, found[name]) for name, tensor in state.items())


@pytest.mark.parametrize("prefix", ["generator.", ""])
def test_names_of_mmagic_are_translated(state, prefix):
    found = port_names(mmagic(state, prefix))
    assert found.keys() == state.keys()
    assert all(torch.equal(tensor, found[name]) for name, tensor in state.items())
    assert all(list(tensor.shape) == PORT[name] for name, tensor in found.items())


def test_a_file_of_mmagic_is_read(here, state):
    found = loaded("mmagic-places2").network.state_dict()
    assert all(torch.equal(tensor, found[name]) for name, tensor in state.items())


@pytest.mark.parametrize(
    ("form", "stranger"),
    [(dict, "discriminator.weight"), (mmagic, "generator.stage2.decoder.dec9.conv.weight")],
)
def test_a_file_of_another_network_is_refused_with_its_keys(folder, state, form, stranger):
    wrong = {name: state[name] for name in state if "allconv17.conv.bias" not in name}
    tensors = form(state) | {stranger: torch.zeros(4)} if form is mmagic else wrong
    tensors = {
        name: tensor for name, tensor in tensors.items() if not name.endswith("dec7.conv.bias")
    }
    tensors[stranger] = torch.zeros(4)
    torch.save(tensors, folder / FILES["port-imagenet"])
    with pytest.raises(BenchError) as error:
        loaded("port-imagenet")
    assert f"unexpected: {stranger.removeprefix('generator.')}" in str(error.value)
    assert "fine_generator.allconv17.conv.bias" in str(error.value)


def test_a_file_with_another_hash_is_refused(folder):
    (folder / FILES["mmagic-places2"]).write_bytes(b"another file")
    with pytest.raises(BenchError, match="expected SHA-256 c00a0e21"):
        loaded("mmagic-places2")
