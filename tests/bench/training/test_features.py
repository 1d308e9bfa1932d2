"""Terms that need a downloaded network, with files of true names and shapes, filled by rule."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bench.cli import main
from bench.errors import BenchError, InputError
from bench.training import ledger
from bench.training.features import ObjectFeatures, SceneFeatures, locate
from bench.training.job import TrainingJob
from bench.training.loop import train
from bench.training.recipe import Shown
from bench.training.recipes.ict import ICT
from bench.training.recipes.lama import LaMa
from methods import weights
from methods.weights import CHECKPOINTS, pickled
from tests.bench.training.test_recipe_ict import STAGES, batch_at
from tests.bench.training.test_recipes import batch_of, middle_of
from tests.support import feature_files
from tests.support.trainings import card_of_file, learner_of

SCENE, OBJECT = CHECKPOINTS["ade20k-resnet50dilated"], CHECKPOINTS["vgg19"]
MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
DEVIATION = torch.tensor([0.229, 0.224, 0.225])[:, None, None]


@pytest.fixture(scope="module")
def scene_tensors():
    return feature_files.scene_tensors()


@pytest.fixture(scope="module")
def object_tensors():
    return feature_files.object_tensors()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, scene_tensors, object_tensors) -> Path:
    out = tmp_path_factory.mktemp("weights")
    feature_files.write(out / SCENE.file, scene_tensors)
    feature_files.write(out / OBJECT.file, object_tensors)
    return out


@pytest.fixture(autouse=True)
def nothing_else(tmp_path, monkeypatch):
    """No weights of this machine; the rule's VGG-19 has another hash than the published.

    And what no feature needs of it is one number a tensor, as in no file that comes from elsewhere.
    """
    monkeypatch.setattr(pickled, "_EXPANDED", 1 << 30)
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setitem(CHECKPOINTS, OBJECT.name, replace(OBJECT, sha256="", bytes=0))


@pytest.fixture
def scene(folder):
    return SceneFeatures.read(folder / SCENE.file)


@pytest.fixture
def objects(folder):
    return ObjectFeatures.read(folder / OBJECT.file)


def pictures(seed: int = 0, side: int = 64) -> torch.Tensor:
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(seed))


def plain_scene(tensors, maps):
    """The encoder once more, from its description: strides 1, 2, 1, 1, dilations 2 and 4."""

    def convolved(maps, name, norm, stride=1, dilation=1):
        weight = tensors[f"{name}.weight"]
        padding = dilation * (weight.shape[-1] // 2)
        maps = F.conv2d(maps, weight, None, stride, padding, dilation)
        mean, variance, scale, shift = (
            tensors[f"{norm}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (maps - mean) / (variance + 1e-5).sqrt() * scale + shift

    maps = (maps - MEAN) / DEVIATION
    for number in (1, 2, 3):
        maps = F.relu(convolved(maps, f"conv{number}", f"bn{number}", 2 if number == 1 else 1))
    maps = F.max_pool2d(maps, 3, 2, 1)
    # The first block of a stage that keeps its size still has the dilation before it.
    layout = ((3, 1, 1, 1), (4, 2, 1, 1), (6, 1, 1, 2), (3, 1, 2, 4))
    found = []
    for stage, (blocks, stride, first, rest) in enumerate(layout, 1):
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            step, dilation = (stride, first) if block == 0 else (1, rest)
            inner = F.relu(convolved(maps, f"{name}.conv1", f"{name}.bn1"))
            inner = F.relu(convolved(inner, f"{name}.conv2", f"{name}.bn2", step, dilation))
            inner = convolved(inner, f"{name}.conv3", f"{name}.bn3")
            if block == 0:
                maps = convolved(maps, f"{name}.downsample.0", f"{name}.downsample.1", step)
            maps = F.relu(inner + maps)
        found.append(maps)
    return found


def plain_objects(tensors, maps):
    """VGG-19 once more, by its blocks."""
    maps = (maps - MEAN) / DEVIATION
    found, place = {}, 0
    for block, channels in enumerate(feature_files.VGG19, 1):
        for number in range(1, len(channels) + 1):
            if place >= 32:
                return found
            weight, bias = (tensors[f"features.{place}.{part}"] for part in ("weight", "bias"))
            maps = found[f"relu{block}_{number}"] = F.relu(F.conv2d(maps, weight, bias, padding=1))
            place += 2
        maps, place = F.max_pool2d(maps, 2), place + 1
    return found


def test_scene_features_are_those_of_the_description(scene, scene_tensors):
    found = scene(pictures())
    assert [each.shape[1:] for each in found.values()] == [
        (256, 16, 16), (512, 8, 8), (1024, 8, 8), (2048, 8, 8)
    ]  # fmt: skip
    for own, plain in zip(found.values(), plain_scene(scene_tensors, pictures()), strict=True):
        assert own.std() > 0.1
        torch.testing.assert_close(own, plain, rtol=1e-3, atol=1e-3 * plain.std().item())


def test_object_features_are_those_of_the_description(objects, object_tensors):
    found, plain = objects(pictures()), plain_objects(object_tensors, pictures())
    assert found.keys() == plain.keys()
    assert list(found)[-1] == "relu5_2"
    for name, expected in plain.items():
        assert expected.std() > 0.1
        torch.testing.assert_close(found[name], expected, rtol=1e-3, atol=1e-3)


def test_features_do_not_learn_and_take_no_random_numbers(folder):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    networks = [
        SceneFeatures.read(folder / SCENE.file), ObjectFeatures.read(folder / OBJECT.file)
    ]  # fmt: skip
    assert torch.equal(torch.rand(3), expected)
    for network in networks:
        assert not any(each.requires_grad for each in network.parameters())
        assert not any(module.training for module in network.modules())


def test_what_training_left_in_the_file_is_left_aside(scene, scene_tensors, tmp_path):
    state = {f"module.{name}": each for name, each in scene_tensors.items()}
    state["module.bn1._running_iter"] = torch.ones(1)
    path = feature_files.write(tmp_path / "more.pth", state)
    found = SceneFeatures.read(path)(pictures())
    assert all(torch.equal(found[name], each) for name, each in scene(pictures()).items())


def test_the_file_of_another_network_is_refused(folder, tmp_path, scene_tensors):
    with pytest.raises(BenchError, match=r"SceneFeatures, found keys missing: bn1\.bias"):
        SceneFeatures.read(folder / OBJECT.file)
    damaged = scene_tensors | {"conv1.weight": torch.zeros(64, 3, 7, 7)}
    path = feature_files.write(tmp_path / "shape.pth", damaged)
    with pytest.raises(BenchError, match=r"misshapen: conv1\.weight \(64, 3, 7, 7\), expected"):
        SceneFeatures.read(path)


def test_lama_s_perceptual_term_is_thirty_times_the_squared_distances(scene, scene_tensors):
    recipe = LaMa(None, lambda pictures: (pictures.mean((2, 3)), [pictures]))
    batch = batch_of()
    picture = pictures(1, 128).requires_grad_()
    assert "perceptual" not in recipe.terms(batch, Shown(picture))
    assert recipe.without == {
        "perceptual": "needs the downloaded segmentation network of ADE20K"
    }  # fmt: skip
    recipe.features = scene
    assert recipe.without == {}
    term = recipe.terms(batch, Shown(picture))["perceptual"]
    made, real = (plain_scene(scene_tensors, each) for each in (picture.detach(), batch.images))
    expected = sum(((a - b) ** 2).mean() for a, b in zip(made, real, strict=True))
    assert term.item() == pytest.approx(30 * expected.item(), rel=1e-3)
    term.backward()
    assert (picture.grad != 0).any(1).all()  # each pixel is seen


def test_ict_s_content_and_style_weigh_what_they_do_in_the_paper(objects, object_tensors):
    recipe = ICT(None, lambda pictures: pictures.mean((1, 2, 3)))
    batch = batch_at(STAGES["upsampler"])
    picture = pictures(1)
    assert recipe.without == dict.fromkeys(("content", "style"), "needs the downloaded VGG-19")
    assert recipe.terms(batch, Shown(picture)).keys() == {"adversarial"}
    recipe.features = objects
    terms = recipe.terms(batch, Shown(picture))
    seen = [
        plain_objects(object_tensors, each)
        for each in (picture, batch.images, picture * batch.masks, batch.images * batch.masks)
    ]
    # The paper: 0.1 and 250 beside an L1 that weighs 1 / share, which is 10 here.
    unit = 10 * batch.masks.mean().item()
    content = sum(
        (seen[0][f"relu{n}_1"] - seen[1][f"relu{n}_1"]).abs().mean().item() for n in range(1, 6)
    )
    style = 0.0
    for layer in ("relu2_2", "relu3_4", "relu4_4", "relu5_2"):
        one, other = (each[layer].double().numpy() for each in seen[2:])
        products = [np.einsum("nchw,ndhw->ncd", each, each) / each[0].size for each in (one, other)]
        style += np.abs(products[0] - products[1]).mean()
    assert terms["content"].item() == pytest.approx(0.1 * unit * content, rel=1e-3)
    assert terms["style"].item() == pytest.approx(250 * unit * style, rel=1e-3)


def test_style_is_a_matter_of_the_hole(objects):
    recipe = ICT(None, lambda pictures: pictures.mean((1, 2, 3)))
    recipe.features = objects
    batch = batch_at(STAGES["upsampler"])
    picture = pictures(1).requires_grad_()
    recipe.terms(batch, Shown(picture))["style"].backward()
    assert torch.equal((picture.grad != 0).any(1, keepdim=True), batch.masks > 0)


@pytest.mark.parametrize(("name", "stage"), [("relama", "all"), ("ict", "upsampler")])
def test_a_step_takes_the_terms_in_at_half_precision(name, stage, folder):
    job = TrainingJob(name, (), Path(), 8, precision="bf16-mixed")
    learner = learner_of(job)
    recipe = learner.recipe
    recipe.features = recipe.features_of.read(
        folder / CHECKPOINTS[recipe.features_of.checkpoint].file
    )
    kept = {key: each.clone() for key, each in recipe.features.state_dict().items()}
    terms, finite = learner.step(batch_of(middle_of(name, stage)))
    assert finite
    assert set(recipe.feature_terms) <= terms.keys()
    assert all(terms[term] > 0 for term in recipe.feature_terms)
    assert all(torch.equal(kept[key], each) for key, each in recipe.features.state_dict().items())


def test_weights_are_looked_for_like_all_and_fetched_only_when_asked(folder, monkeypatch, capsys):
    fetched = []
    monkeypatch.setattr(
        weights, "fetch", lambda known, check: fetched.append((known.name, check)) or Path("x")
    )
    assert locate(SceneFeatures, "found", None) is None
    assert locate(None, "fetch", None) is None
    assert not fetched
    assert locate(SceneFeatures, "fetch", None) == Path("x")
    assert fetched == [(SCENE.name, SceneFeatures.read)]
    file = folder / SCENE.file
    assert locate(SceneFeatures, "found", folder) == file
    assert locate(SceneFeatures, "found", file) == file
    with pytest.raises(BenchError, match="expected the weights ade20k"):
        locate(SceneFeatures, "found", folder / "nothing.pth")
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(folder))
    assert locate(SceneFeatures, "found", None) == file
    assert "no SHA-256 is documented" in capsys.readouterr().err
    assert locate(SceneFeatures, "fetch", None) == file
    assert locate(SceneFeatures, "none", None) is None
    assert fetched == [(SCENE.name, SceneFeatures.read)]


@pytest.mark.slow
def test_a_training_tells_which_network_took_part(job, folder, tmp_path):
    with_it = replace(job, out=tmp_path, budget=4, networks="found", network_weights=folder)
    card = card_of_file(train(with_it))["training"]
    assert card["networks"] == {SCENE.name: weights.digest(folder / SCENE.file)}
    assert card["without"] == {}
    assert "perceptual" in card["terms"]
    assert ledger.read(with_it.ledger)[0].terms["perceptual"] > 0
    with pytest.raises(InputError, match=r"another training \(networks \{'ade20k-resnet50dilated"):
        train(replace(with_it, networks="none"))


def test_a_training_without_the_network_says_so(job, trained):
    card = card_of_file(trained)["training"]
    assert card["networks"] == {}
    assert card["without"]["perceptual"].startswith("needs the downloaded segmentation network")
    assert "perceptual" not in card["terms"]


def test_a_file_that_is_not_wanted_is_a_contradiction(tmp_path, capsys):
    options = ["--images", "x", "--budget", "8", "--out", str(tmp_path), "--networks", "none"]
    assert main(["train", "lama", *options, "--network-weights", "x"]) == 2
    assert "give one of the two" in capsys.readouterr().err
