"""What holds for every network; `tests.support.network_kit` says what they are."""

import json
import pickle
import re
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import methods
from bench.cli import main
from bench.errors import BenchError, WeightsMissing
from methods import harness, weights
from methods.conformance import check
from tests.support.golden_files import FOLDER, outcome
from tests.support.network_kit import NETWORKS, SLOW, own, scene, tensors
from tests.support.published_networks import PUBLISHED

METHODS = [*NETWORKS, "relama"]
SLOW_CASES = {
    "context_encoder": {"s0", "s1"},
    "lama": {"big_64", "big_96x64", "fourier_64"},
    "relama": {"fourier_64"},
    "hifill": {"net_s0", "cra_700x500_m6_s2"},
    "ict": {"ffhq12"},
}
FORMS = [(name, form) for name, network in NETWORKS.items() for form in network.forms]


def reference_cases():
    """All of them but those that need a palette that is not distributed (`test_ict`)."""
    for path in sorted(FOLDER.glob("*.npz")):
        name = path.stem
        for case in json.loads(str(np.load(path)["meta"]))["cases"]:
            marks = SLOW if case in SLOW_CASES.get(name, ()) else ()
            if not case.startswith("prep"):
                yield pytest.param(name, case, marks=marks, id=f"{name}-{case}")


# -- the networks --------------------------------------------------------------------------------


@pytest.mark.parametrize("published", PUBLISHED, ids=lambda each: f"{each.file}-{each.key[-9:]}")
def test_names_shapes_and_order_are_those_of_the_checkpoints(published):
    with torch.device("meta"):
        network = published.make()
    state = network.state_dict()
    assert {name: list(tensor.shape) for name, tensor in state.items()} == published.shapes
    assert list(state) == list(published.shapes)
    trained = [each.numel() for each in network.parameters() if each.requires_grad]
    assert sum(trained) == published.parameters


@pytest.mark.parametrize(("name", "case"), [*reference_cases()])
def test_every_stored_array_is_reproduced(name, case):
    result = outcome("lama" if name == "relama" else name, f"{name}.npz", case)
    assert result.reason == ""
    assert result.comparisons
    assert [each for each in result.comparisons if not each.passed] == []


# -- the methods ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("lama", "lama-fourier"),
        ("pennet", "places2"),
        ("deepfill", "port-imagenet"),
        ("deepfill", "mmagic-places2"),
        ("deepfill", "official-places2"),
        ("pluralistic", "place2_random"),
    ],
)
def test_the_adapter_fills_the_hole_and_keeps_the_rest(loaded, name, form):
    network, method = NETWORKS[name], loaded(name, form)
    photo, hole = scene(*network.shape)
    result = harness.fill(method, photo, hole, 7)
    with torch.inference_mode():
        expected = network.predict(method, *tensors(photo, hole))[0].permute(1, 2, 0).numpy()
    assert np.abs(result.raw - expected)[hole].max() < 1e-5
    assert np.abs(result.raw - photo / np.float32(255))[~hole].max() < 1e-6


@pytest.mark.parametrize(
    ("name", "asked", "declined"),
    [
        # Pictures smaller than the network are declined.
        ("context_encoder", "", {"tiny", "odd_sizes"}),
        ("context_encoder_any", "", set()),
        ("lama", "lama:lama-fourier", set()),
        ("pennet", "", set()),
        pytest.param("deepfill", "deepfill:port-imagenet", set(), marks=SLOW),
        pytest.param("deepfill", "deepfill:official-places2", set(), marks=SLOW),
        pytest.param("deepfill", "deepfill:mmagic-places2", {"tiny"}, marks=SLOW),
        pytest.param("hifill", "", set(), marks=SLOW),
        pytest.param("hifill", "hifill@native-aspect", set(), marks=SLOW),
        # Smaller pictures have one position at the bottleneck, which cannot be normalised.
        ("pluralistic", "", {"tiny"}),
        ("pluralistic", "pluralistic@mean", {"tiny"}),
        ("ict", "", set()),
    ],
)
def test_the_method_keeps_every_rule_with_weights_made_by_rule(here, name, asked, declined):
    form = asked.partition(":")[2]
    here(name, form)

    class Named(NETWORKS[name].kind):
        def __init__(self, given="", *, device="cpu"):
            super().__init__(asked or name, device=device)

    results = check(Named)
    assert len(results) > 10
    assert [each for each in results if each.status not in ("passed", "declined")] == []
    assert {each.rule for each in results if each.status == "declined"} == declined


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["pennet", "hifill", "hifill@native-aspect"])
def test_the_method_keeps_every_rule_at_its_own_size(here, name):
    here(name.partition("@")[0])
    assert [each for each in check(name) if each.status not in ("passed", "declined")] == []


@pytest.mark.parametrize(
    ("asked", "command"),
    [
        ("context_encoder", "add context_encoder-streetview FILE"),
        ("pennet:celebahq", "add pennet-celebahq FILE"),
        ("deepfill", "fetch deepfill-mmagic-places2"),
        ("deepfill:official-places2", "add deepfill-official-places2 FILE"),
        ("hifill", "fetch hifill-places2"),
        ("pluralistic:celeba_center", "add pluralistic-celeba_center-E FILE"),
        ("lama", "fetch lama-big$"),
        ("lama:lama-fourier", "add lama-fourier FILE"),
        ("relama:lama-fourier-untrained-attention", "add relama-untrained FILE"),
        (
            "ict:ffhq",
            "add ict-ffhq-transformer FILE && inpaint-bench weights add ict-ffhq-upsampler FILE && "
            "inpaint-bench weights fetch ict-palette$",
        ),
    ],
)
def test_without_weights_it_is_unavailable_and_says_what_to_do(folder, capsys, asked, command):
    with pytest.raises(WeightsMissing, match=f"inpaint-bench weights {command}"):
        methods.get(asked).load()
    assert "missing" in methods.get(asked).identity
    assert main(["check", asked]) == 2
    assert f"{asked} cannot be checked without weights" in capsys.readouterr().err


def test_the_list_says_that_there_are_no_weights(folder, capsys, monkeypatch):
    # By way of sys.modules: the attribute `methods.card` is the function of that name.
    monkeypatch.setattr(sys.modules["methods.card"], "SMALL", folder)  # none come with it
    assert main(["list"]) == 0
    assert capsys.readouterr().out.count("unavailable:     no weights here") >= len(METHODS) - 2


@pytest.mark.parametrize("name", METHODS)
def test_published_weights_are_no_part_of_the_default_job(name):
    assert not methods.card(name).default


@pytest.mark.parametrize("name", ["pennet", "deepfill"])
def test_each_choice_of_weights_has_its_file(name):
    card = methods.card(name)
    assert [each.name for each in card.checkpoints] == [f"{name}-{each}" for each in card.weights]
    for choice in card.weights:
        assert methods.get(f"{name}:{choice}").checkpoints[0].name == f"{name}-{choice}"


# -- weight files --------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_the_published_forms_of_the_file_are_read(loaded, name, form):
    method, state = loaded(name, form), NETWORKS[name].state
    found = {}
    for checkpoint in method.checkpoints:
        found |= method.tensors(weights.find(checkpoint), checkpoint)
    assert all(torch.equal(tensor, state[key]) for key, tensor in found.items())
    # Counters of batches are of no account.
    assert {key for key in state.keys() - found.keys() if "num_batches" not in key} == set()
    assert_same(method, state)


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_what_is_added_must_be_a_published_form_of_the_very_part(here, name, form):
    here(name, form)
    files = NETWORKS[name].make(form).checkpoints
    for checkpoint in files:
        NETWORKS[name].kind.check_file(weights.find(checkpoint), checkpoint)
    for mine, other in zip(files, (*files[1:], *files[:1]), strict=True):
        if mine is not other:
            with pytest.raises(BenchError, match="expected"):
                NETWORKS[name].kind.check_file(weights.find(other), mine)


def assert_same(method, state):
    """The loaded network is that of these tensors, in the form that fills."""
    module = method.build(method.config)
    module.load_state_dict(state)
    expected = method.streamlined(module.eval().requires_grad_(False)).state_dict()
    found = method.network.state_dict()
    assert found.keys() == expected.keys()
    for key, tensor in found.items():
        assert tensor.dtype == expected[key].dtype
        assert torch.equal(tensor, expected[key]), key


# Where names are looked up before the file is written, others cannot get into it.
@pytest.mark.parametrize(
    ("name", "form"),
    [
        (name, form)
        for name, form in FORMS
        if " " not in form and form not in ("big-lama-torchscript", "official-places2")
    ],
)
def test_a_file_of_another_network_is_refused_with_its_keys(folder, name, form):
    network = NETWORKS[name]
    wrong = dict(network.state)
    shape = tuple(wrong[network.misshapen].shape)
    wrong[network.misshapen] = torch.zeros(7)
    stranger = "stranger"
    if len(network.method.checkpoints) > 1:  # in the file of the same part
        stranger = f"{network.missing.partition('.')[0]}.{stranger}"
    wrong[stranger] = wrong.pop(network.missing)
    network.forms[form](folder, wrong)
    with pytest.raises(BenchError) as error:
        network.make(form).load()
    assert re.search(rf"unexpected: \S*{stranger}", str(error.value))
    assert f"missing: {network.missing}" in str(error.value)
    assert f"misshapen: {network.misshapen} (7,), expected {shape}" in str(error.value)


class Malicious:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_file_that_would_run_code_is_refused_and_runs_nothing(folder, capsys, name):
    method = NETWORKS[name].method
    for checkpoint in method.checkpoints:
        (folder / checkpoint.file).write_bytes(pickle.dumps({"netG": Malicious()}))
    with pytest.raises(BenchError):
        method.load()
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize("name", NETWORKS)
def test_files_of_this_project_are_read_strictly(folder, name):
    network = NETWORKS[name]
    halved = {
        key: tensor.half().contiguous() if tensor.is_floating_point() else tensor.contiguous()
        for key, tensor in network.state.items()
    }
    save_file(halved, folder / "own.safetensors")
    method = own(name)
    method.load()
    assert_same(method, halved)
    missing = next(iter(halved))
    del halved[missing]
    save_file(halved, folder / "own.safetensors")
    (folder / "own.safetensors.sha256").unlink()
    with pytest.raises(BenchError, match=f"missing: {missing}"):
        own(name).load()
