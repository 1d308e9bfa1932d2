"""``LABEL=NAME:PATH``: weights of the user's own for a network of the table."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import methods
from bench.errors import BenchError
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
    with pytest.raises(BenchError, match=r"found config=port-imagnet. Did you mean port-imagenet"):
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
