"""``LABEL=NAME:PATH``: weights of the user's own for a network of the table."""

import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import methods
from bench.errors import BenchError, WeightsMissing
from methods import harness
from methods.card import read
from methods.weights import SMALL

PHOTO = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
HOLE = np.zeros((128, 128), bool)
HOLE[40:80, 40:90] = True


def filled(name: str) -> np.ndarray:
    method = methods.get(name)
    method.load()
    return harness.fill(method, PHOTO, HOLE, seed=0).picture


def small(network: str) -> dict[str, torch.Tensor]:
    return load_file(SMALL / f"{network}-small.safetensors")


@pytest.mark.parametrize("network", ["lama", "relama", "pennet", "context_encoder_any", "hifill"])
def test_a_file_of_the_networks_own_names_is_taken_in_any_form(network, tmp_path):
    tensors = small(network)
    save_file(tensors, tmp_path / "mine.safetensors")
    torch.save(tensors, tmp_path / "best.pth")
    expected = filled(f"{network}:small")
    for name in ("mine.safetensors", "best.pth"):
        assert np.array_equal(filled(f"mine={network}:{tmp_path / name}"), expected)


def test_a_checkpoint_in_the_form_of_published_ones_is_taken(tmp_path):
    tensors = {f"generator.{name}": tensor for name, tensor in small("lama").items()}
    torch.save({"state_dict": tensors, "epoch": 3}, tmp_path / "best.ckpt")
    method = methods.get(f"mine=lama:{tmp_path}/best.ckpt")
    assert method.config == read("lama").config("small")
    assert np.array_equal(filled(f"mine=lama:{tmp_path}/best.ckpt"), filled("lama:small"))


def test_the_table_says_that_the_weights_are_ones_own(tmp_path):
    shutil.copy(SMALL / "lama-small.safetensors", tmp_path / "best.safetensors")
    text = f"mine=lama:{tmp_path}/best.safetensors"
    method = methods.get(text)
    assert (method.name, method.card.name) == ("mine", "lama")
    assert method.card.title == "LaMa (own weights, best.safetensors)"
    assert methods.card(text).title == method.card.title
    assert method.card.published == () != read("lama").published
    assert "best.safetensors" in method.weights_note
    assert str(tmp_path) not in method.weights_note


def test_other_bytes_are_another_identity(tmp_path):
    tensors = small("lama")
    identities = set()
    for number in range(2):
        tensors["model.1.ffc.convl2l.weight"][0, 0, 0, 0] += number
        save_file(tensors, tmp_path / "mine.safetensors")
        identities.add(methods.get(f"mine=lama:{tmp_path}/mine.safetensors").identity)
    assert len(identities) == 2


def test_settings_bring_the_size_they_were_trained_for(tmp_path):
    shutil.copy(SMALL / "pennet-small.safetensors", tmp_path / "mine.safetensors")
    method = methods.get(f"mine=pennet:{tmp_path}/mine.safetensors")
    assert method.card.size.side == 128


def test_variants_and_ways_to_run_are_taken(tmp_path):
    shutil.copy(SMALL / "pluralistic-small.safetensors", tmp_path / "mine.safetensors")
    method = methods.get(f"mine=pluralistic@mean+bf16:{tmp_path}/mine.safetensors")
    assert (method.name, method.variant, method.ways) == ("mine@mean+bf16", "mean", ("bf16",))
    assert not method.card.stochastic
    assert method.card.title.endswith("(own weights, mine.safetensors), mean of the prior (not a "
                                      "published mode), bfloat16")  # fmt: skip


def test_the_file_of_another_network_is_refused_with_what_differs(tmp_path):
    torch.save(small("pennet"), tmp_path / "best.pth")
    with pytest.raises(BenchError) as error:
        methods.get(f"mine=lama:{tmp_path}/best.pth")
    said = str(error.value)
    assert "best.pth: fits no network of lama (big-lama, lama-fourier, small, wide)" in said
    assert "nearest is small" in said
    assert "unexpected: " in said
    assert "missing: model." in said
    assert len(said) < 1000


def test_a_misshapen_tensor_is_refused_by_name_before_anything_is_loaded(tmp_path):
    tensors = small("lama")
    tensors["model.1.ffc.convl2l.weight"] = torch.zeros(1, 2, 3)
    save_file(tensors, tmp_path / "best.safetensors")
    with pytest.raises(BenchError, match=r"misshapen: model.1.ffc.convl2l.weight \(1, 2, 3\)"):
        methods.get(f"mine=lama:{tmp_path}/best.safetensors")


def test_weights_of_lama_are_not_taken_for_those_of_relama(tmp_path):
    torch.save(small("lama"), tmp_path / "best.pth")
    with pytest.raises(BenchError, match=r"missing: model\.\d+\.ca"):
        methods.get(f"mine=relama:{tmp_path}/best.pth")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bset.pth", r"found none\. Did you mean best.pth"),
        ("page.pth", "page.pth: expected"),
        ("", "expected one file, as lama has one, found a folder"),
    ],
)
def test_what_is_no_weight_file_is_refused(tmp_path, name, said):
    (tmp_path / "best.pth").touch()
    (tmp_path / "page.pth").write_text("<!DOCTYPE html>")
    with pytest.raises(BenchError, match=said):
        methods.get(f"mine=lama:{tmp_path}/{name}")


def test_where_several_settings_have_the_same_tensors_the_user_must_choose(tmp_path):
    kind = methods.learnable("deepfill")
    by_choice = {each.choice: each.config for each in kind.card.checkpoints}
    network = kind().build(by_choice["port-imagenet"])
    torch.save(network.state_dict(), tmp_path / "best.pth")
    text = f"mine=deepfill:{tmp_path}/best.pth"
    with pytest.raises(BenchError, match=r"alike; say which: LABEL=deepfill:PATH\(config=mmagic"):
        methods.get(text)
    for choice in ("port-imagenet", "official-celeba"):
        assert methods.get(f"{text}(config={choice})").config == by_choice[choice]
    with pytest.raises(BenchError, match=r"found 'port-imagnet'. Did you mean port-imagenet"):
        methods.get(f"{text}(config=port-imagnet)")


def test_a_network_of_several_files_takes_a_folder(tmp_path, monkeypatch):
    kind = methods.learnable("ict")
    tiny = {"grid": 4, "layers": 1, "width": 8, "heads": 2, "upsampler_width": 4,
            "upsampler_blocks": 1}  # fmt: skip
    files = [replace(each, config=tiny) if each.choice == "places2" else each
             for each in kind.card.checkpoints]  # fmt: skip
    monkeypatch.setattr(kind, "card", replace(kind.card, checkpoints=tuple(files)))
    network = kind("ict:places2").build(tiny)
    rng = np.random.default_rng(0)
    np.save(tmp_path / "palette.npy", rng.uniform(-1, 1, (512, 3)).astype(np.float32))
    torch.save({"model": network.transformer.state_dict()}, tmp_path / "my-transformer.pth")
    with pytest.raises(BenchError, match="found 0 for upsampler"):
        methods.get(f"mine=ict:{tmp_path}")
    torch.save({"generator": network.upsampler.state_dict()}, tmp_path / "upsampler_last.pth")
    method = methods.get(f"mine=ict:{tmp_path}")
    assert method.config == tiny
    method.load()
    loaded = method.network.state_dict()
    assert torch.equal(loaded["transformer.pos_emb"], network.transformer.pos_emb)


def test_a_file_of_the_whole_network_will_do_for_one_of_several_files(tmp_path):
    torch.save(small("ict"), tmp_path / "best.pth")
    assert np.array_equal(
        filled(f"mine=ict@onepass:{tmp_path}/best.pth"), filled("ict:small@onepass")
    )


class Wrapper(torch.nn.Module):
    """The form in which LaMa's network was made into a TorchScript file."""

    def __init__(self, generator):
        super().__init__()
        self.model = torch.nn.Module()
        self.model.generator = generator

    def forward(self, x):
        return self.model.generator(x)


def parallel(tensors):
    return {f"module.{name}": tensor for name, tensor in tensors.items()}


def beside(tensors):
    """As training leaves a network: among others, and what the optimiser keeps."""
    generator = {f"generator.{name}": tensor for name, tensor in tensors.items()}
    other = {"discriminator.weight": torch.ones(3), "step": 7}
    return {"state_dict": generator | other, "optimizer": {"state": {0: {"m": torch.ones(2)}}}}


KEYS = ("state_dict", "model", "params", "params_ema", "netG", "gen", "ema")
FORMS = {
    "parallel": parallel,
    "beside others": beside,
    "parallel beside others": lambda tensors: beside(parallel(tensors)),
    "parallel within": lambda tensors: {"model": {"netG": parallel(tensors)}, "epoch": 3},
    "parameters": lambda tensors: {n: torch.nn.Parameter(t) if t.is_floating_point() else t
                                   for n, t in tensors.items()},
    **{key: (lambda tensors, key=key: {key: tensors, "epoch": 3}) for key in KEYS},
}  # fmt: skip
SINGLE = ["lama", "relama", "pennet", "deepfill", "hifill", "context_encoder_any", "pluralistic"]


@pytest.mark.parametrize(
    ("network", "form"),
    [*(("pennet", form) for form in FORMS), *((each, "parallel beside others") for each in SINGLE)],
)
def test_a_generator_is_found_below_whatever_names_it_has(network, form, tmp_path):
    tensors = small(network)
    torch.save(FORMS[form](tensors), tmp_path / "best.pth")
    found = methods.get(f"mine={network}:{tmp_path}/best.pth").plain().state_dict()
    assert all(torch.equal(found[name], each) for name, each in tensors.items())


def test_names_within_safetensors_are_found_too(tmp_path):
    tensors = {f"netG.{name}": tensor for name, tensor in small("pennet").items()}
    save_file(tensors, tmp_path / "best.safetensors")
    assert methods.get(f"mine=pennet:{tmp_path}/best.safetensors")


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_torchscript_file_gives_its_tensors(tmp_path, wrapped):
    kind = methods.learnable("lama")
    network = kind().build(kind.card.config("small")).eval()
    network.load_state_dict(small("lama"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises against its own tracing
        module = Wrapper(network) if wrapped else network
        torch.jit.trace(module, torch.rand(1, 4, 16, 16)).save(str(tmp_path / "best.pt"))
    assert np.array_equal(filled(f"mine=lama:{tmp_path}/best.pt"), filled("lama:small"))


def test_tensors_in_two_places_are_not_chosen_from(tmp_path):
    tensors = small("pennet")
    averaged = {name: tensor * 2 for name, tensor in tensors.items()}
    torch.save({"netG": tensors, "netG_ema": averaged}, tmp_path / "best.pth")
    with pytest.raises(BenchError, match="in 2 places: below netG and below netG_ema; which"):
        methods.get(f"mine=pennet:{tmp_path}/best.pth")
    torch.save({"netG": tensors, "again": tensors}, tmp_path / "best.pth")
    assert methods.get(f"mine=pennet:{tmp_path}/best.pth")  # one place of two names


def test_what_comes_nearest_is_compared_below_its_names(tmp_path):
    tensors = small("lama")
    lost = "model.1.ffc.convl2l.weight"
    torch.save(beside({n: t for n, t in tensors.items() if n != lost}), tmp_path / "best.pth")
    with pytest.raises(BenchError, match=f"nearest is small, from .* tensors missing: {lost}"):
        methods.get(f"mine=lama:{tmp_path}/best.pth")
    tensors[lost] = torch.eye(4).to_sparse()
    torch.save(tensors, tmp_path / "best.pth")
    with pytest.raises(
        BenchError, match=rf"not read: {lost}, made by torch._utils._rebuild_sparse"
    ):
        methods.get(f"mine=lama:{tmp_path}/best.pth")


def test_parts_are_found_below_names_too(tmp_path):
    tensors = small("pluralistic")
    for part, names in (("encoder", "encoder."), ("generator", "generator.")):
        mine = {f"module.{n.removeprefix(names)}": t
                for n, t in tensors.items() if n.startswith(names)}  # fmt: skip
        torch.save({"ema": mine}, tmp_path / f"my-{part}.pth")
    method = methods.get(f"mine=pluralistic:{tmp_path}")
    assert method.config == read("pluralistic").config("small")


MINE = """
from methods.card import Card
from methods.networks.pennet.method import PENNet
from methods.weights import Checkpoint

class Mine(PENNet):
    card = Card("mine", "Mine", "CNN", weights=("best",), checkpoints=(
        Checkpoint("my-best", "my-best.pth", origin="a friend", choice="best"),))
"""


def test_files_of_a_class_of_ones_own_are_not_told_to_be_added(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "my_net.py").write_text(MINE)
    method = methods.get(f"own={tmp_path}/my_net.py:Mine")
    with pytest.raises(WeightsMissing, match=r"get my-best.pth from a friend; put it there$"):
        method.load()


@pytest.mark.parametrize("word", ["hundred", "<html>"])
def test_a_file_of_ones_own_is_not_told_to_be_added(tmp_path, word):
    (tmp_path / "best.pth").write_text(word)
    with pytest.raises(BenchError) as error:
        methods.get(f"mine=lama:{tmp_path}/best.pth")
    assert "weights add" not in str(error.value)
