"""LaMa: names and values of the published networks, the adapter, its weight files."""

import json
import warnings
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import methods
from bench.cli import main
from bench.errors import BenchError, WeightsMissing
from methods import harness, weights
from methods.conformance import check
from methods.layers.ffc_lean import Lean
from methods.networks.lama.method import LaMa
from methods.networks.lama.network import Generator
from methods.verification import Part
from methods.verification.case import read
from methods.verification.networks import lama
from methods.verification.verify import verify
from tests.support.golden_files import FOLDER, edited, outcome

KEYS = json.loads((FOLDER / "lama.keys.json").read_text("utf-8"))["lama-fourier"]
SMALL = {"blocks": 3, "ngf": 16}


class Reduced(LaMa):
    """With a network that is quick, in files of the published forms."""

    card = replace(
        LaMa.card,
        checkpoints=tuple(
            replace(each, config=SMALL, sha256="", bytes=0) for each in LaMa.card.checkpoints
        ),
    )


class Wrapper(nn.Module):
    """The form in which the network was made into a TorchScript file."""

    def __init__(self, generator):
        super().__init__()
        self.model = nn.Module()
        self.model.generator = generator

    def forward(self, image, mask):
        predicted = self.model.generator(torch.cat([image * (1 - mask), mask], 1))
        return mask * predicted + (1 - mask) * image


@pytest.fixture(scope="module")
def generator():
    network = Generator(**SMALL)
    gain = {"": 1.0} | {f"model.{block}.": 0.5 for block in (5, 6, 7)}
    Part("network", None, "keys.json", "", gain).fill(network)
    return network.eval()


@pytest.fixture(scope="module")
def filled(generator, tmp_path_factory):
    """A weights folder with files of the true structures, their values made by rule."""
    folder = tmp_path_factory.mktemp("weights")
    tensors = {f"generator.{name}": tensor for name, tensor in generator.state_dict().items()}
    content = {"epoch": 1, "state_dict": tensors | {"val_evaluator.lpips": torch.ones(3)}}
    torch.save(content, folder / "lama-fourier.ckpt")
    with zipfile.ZipFile(folder / "big-lama.zip", "w") as archive:
        archive.write(folder / "lama-fourier.ckpt", "big-lama/models/best.ckpt")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises against its own tracing
        inputs = torch.rand(1, 3, 24, 24), torch.ones(1, 1, 24, 24)
        torch.jit.trace(Wrapper(generator), inputs).save(str(folder / "big-lama.pt"))
    return folder


@pytest.fixture
def here(filled, monkeypatch):
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(filled))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_names_and_shapes_are_those_of_the_checkpoints():
    with torch.device("meta"):
        state = Generator().state_dict()
    assert {name: list(tensor.shape) for name, tensor in state.items()} == KEYS
    assert list(state) == list(KEYS)


@pytest.mark.parametrize(
    ("config", "parameters", "entries"),
    [
        ({"blocks": 18}, 50_975_875, 989),
        ({"blocks": 9}, 27_048_835, 521),
        (SMALL, 700_771, 209),
    ],
)
def test_the_published_sizes_are_met(config, parameters, entries):
    with torch.device("meta"):
        network = Generator(**config)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    assert len(network.state_dict()) == entries


@pytest.mark.parametrize(
    "case",
    [
        "small_64", "small_batch2_72x104", "pipeline",
        *(pytest.param(name, marks=pytest.mark.slow)
          for name in ("big_64", "big_96x64", "fourier_64")),
    ],
)  # fmt: skip
def test_every_stored_array_is_reproduced(case):
    result = outcome("lama", "lama.npz", case)
    assert result.reason == ""
    assert result.comparisons
    assert [each for each in result.comparisons if not each.passed] == []


@pytest.mark.parametrize(
    ("source", "case", "change", "reason"),
    [
        ("lama.npz", "small_64", {"gated": True}, "found gated"),
        ("lama.npz", "fu_even", {"coordinates": True}, "found coordinates"),
        ("lama.npz", "resblock", {"ratio_gout": 0.5}, "one ratio in and out, found 0.75 and 0.5"),
        ("lama.npz", "resblock", {"dim": None}, "expected the settings dim"),
    ],
)
def test_a_case_that_asks_for_something_else_is_not_rebuilt(tmp_path, source, case, change, reason):
    def edit(meta, arrays):
        meta["cases"][case]["config"].update(change)

    path = edited(source, tmp_path / "changed.npz", {case}, edit)
    (found,) = verify(lama, read(path))
    assert not found.passed
    assert reason in found.reason


def test_a_target_of_no_known_name_is_not_rebuilt(tmp_path):
    def edit(meta, arrays):
        meta["cases"]["fu_even"]["target"] = "wavelet unit"

    path = edited("lama.npz", tmp_path / "changed.npz", {"fu_even"}, edit)
    (found,) = verify(lama, read(path))
    assert "LaMa has no 'wavelet unit' here" in found.reason


def test_the_whole_network_is_trained():
    network = Generator(blocks=2, ngf=8)
    network(torch.rand(2, 4, 32, 40)).mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())
    with torch.autocast("cpu", torch.bfloat16):
        assert network(torch.rand(1, 4, 16, 24)).isfinite().all()


def test_the_adapter_fills_the_hole_and_keeps_the_rest(here, generator):
    method = Reduced("lama")
    method.load()
    photo = np.random.default_rng(0).integers(0, 256, (37, 50, 3), np.uint8)
    hole = np.zeros((37, 50), bool)
    hole[10:37, 16:48] = True
    result = harness.fill(method, photo, hole, 0)
    blanked = np.where(hole[..., None], 0, photo / np.float32(255))
    planes = np.concatenate([blanked, hole[..., None]], 2, dtype=np.float32)
    padded = np.pad(planes, ((0, 3), (0, 6), (0, 0)), mode="symmetric")
    with torch.inference_mode():
        predicted = generator(torch.from_numpy(padded).permute(2, 0, 1)[None])
    expected = predicted[0, :, :37, :50].permute(1, 2, 0).numpy()
    assert np.abs(result.raw - expected)[hole].max() < 1e-5
    assert np.abs(result.raw - photo / np.float32(255))[~hole].max() < 1e-6


def test_on_a_cpu_the_lean_form_runs(here):
    method = Reduced("lama")
    method.load()
    assert isinstance(method.network, Lean)


def test_the_method_keeps_every_rule_with_weights_made_by_rule(here):
    results = check(Reduced)
    assert len(results) > 10
    assert [each for each in results if each.status not in ("passed", "declined")] == []


@pytest.mark.parametrize("choice", ["big-lama", "big-lama-torchscript", "lama-fourier"])
def test_the_published_forms_of_the_file_are_read(here, filled, generator, choice):
    method = Reduced(f"lama:{choice}")
    (checkpoint,) = method.checkpoints
    found = method.tensors(filled / checkpoint.file, checkpoint)
    assert found.keys() == generator.state_dict().keys()
    assert all(torch.equal(tensor, found[name]) for name, tensor in generator.state_dict().items())
    method.load()


def test_a_file_of_another_network_is_refused_with_its_keys(folder, generator):
    wrong = {f"generator.{name}": tensor for name, tensor in generator.state_dict().items()}
    wrong["generator.stranger.weight"] = wrong.pop("generator.model.19.bias")
    wrong["generator.model.1.bn_l.bias"] = torch.zeros(4)
    torch.save({"state_dict": wrong}, folder / "lama-fourier.ckpt")
    with pytest.raises(BenchError) as error:
        Reduced("lama:lama-fourier").load()
    for word in (
        "unexpected: stranger.weight",
        "missing: model.19.bias",
        "misshapen: model.1.bn_l.bias (4,), expected (16,)",
    ):
        assert word in str(error.value)


def test_a_network_of_another_depth_is_refused(folder, filled):
    (folder / "big-lama.zip").write_bytes((filled / "big-lama.zip").read_bytes())
    deeper = replace(Reduced.card.checkpoints[0], config={**SMALL, "blocks": 4})

    class Deeper(LaMa):
        card = replace(LaMa.card, checkpoints=(deeper,), weights=("big-lama",))

    with pytest.raises(BenchError, match=r"unexpected: .*missing: .*Is it the file of another"):
        Deeper("lama").load()


def test_without_weights_it_is_unavailable_and_says_what_to_do(folder, capsys):
    with pytest.raises(WeightsMissing, match=r"inpaint-bench weights fetch lama-big$"):
        methods.get("lama").load()
    with pytest.raises(WeightsMissing, match="inpaint-bench weights add lama-fourier FILE"):
        methods.get("lama:lama-fourier").load()
    assert main(["check", "lama"]) == 2
    assert "lama cannot be checked without weights" in capsys.readouterr().err


def test_the_smallest_picture_of_the_card_is_taken(here):
    method = Reduced("lama")
    method.load()
    hole = np.zeros((16, 16), bool)
    hole[4:8, 4:8] = True
    assert harness.fill(method, np.full((16, 16, 3), 90, np.uint8), hole, 0).picture.shape[0] == 16
    assert LaMa.card.size.minimum == 16
    assert not LaMa.card.default
