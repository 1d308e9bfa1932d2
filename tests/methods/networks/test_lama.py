"""LaMa: sizes of the published networks, reference outputs of other kinds, the lean form."""

from dataclasses import replace

import pytest
import torch

from bench.errors import BenchError
from methods import harness
from methods.layers.ffc_lean import Lean
from methods.networks.lama.method import LaMa
from methods.networks.lama.network import Generator
from methods.verification.case import read
from methods.verification.networks import lama
from methods.verification.verify import verify
from tests.support.golden_files import edited
from tests.support.network_kit import scene
from tests.support.published_files import LAMA


@pytest.mark.parametrize(
    ("config", "parameters", "entries"),
    [
        ({"blocks": 18}, 50_975_875, 989),
        ({"blocks": 9}, 27_048_835, 521),
        (LAMA, 700_771, 209),
    ],
)
def test_the_published_sizes_are_met(config, parameters, entries):
    with torch.device("meta"):
        network = Generator(**config)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    assert len(network.state_dict()) == entries


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


def test_on_a_cpu_the_lean_form_runs(loaded):
    assert isinstance(loaded("lama").network, Lean)


def test_a_network_of_another_depth_is_refused(here):
    here("lama", "big-lama")
    deeper = replace(LaMa.card.checkpoints[0], config={**LAMA, "blocks": 4}, sha256="", bytes=0)

    class Deeper(LaMa):
        card = replace(LaMa.card, checkpoints=(deeper,), weights=("big-lama",))

    with pytest.raises(BenchError, match=r"unexpected: .*missing: .*Is it the file of another"):
        Deeper("lama").load()


def test_the_smallest_picture_of_the_card_is_taken(loaded):
    assert harness.fill(loaded("lama"), *scene(16, 16), 0).picture.shape[0] == 16
    assert LaMa.card.size.minimum == 16
