"""Trainings that go on from weights: larger networks that start as the same function."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

import methods
from bench.cli import main
from bench.errors import BenchError
from bench.training.job import TrainingJob
from bench.training.loop import train
from tests.support.trainings import card_of_file, learner_of

GROWN = (("lama", "small"), ("relama", "small"), ("lama", "wide"))


def started(method="lama", config="small", start="lama:small", seed=0):
    return learner_of(TrainingJob(method, (), None, 8, config, seed, start=start))


def pictures():
    """Two of smooth colours with a hole, and its mask."""
    coarse = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    images = F.interpolate(coarse, (64, 64), mode="bilinear", align_corners=True)
    masks = torch.zeros(2, 1, 64, 64)
    masks[:, :, 20:40, 10:50] = 1
    return torch.cat([images * (1 - masks), masks], 1)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("method", "config"), GROWN)
def test_what_has_grown_computes_what_it_has_grown_from(method, config, training):
    trained = methods.with_weights("lama:small").plain().train(training)
    grown = started(method, config).recipe.network.module.train(training)
    with torch.no_grad():
        expected, found = trained(pictures()), grown(pictures())
    assert expected.std() > 0.05
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=0)


@pytest.mark.parametrize(("method", "config"), GROWN[1:])
def test_what_was_added_learns_from_the_first_step(method, config):
    grown = started(method, config).recipe.network.module
    small = methods.with_weights("lama:small").plain().state_dict()
    grown(pictures()).square().mean().backward()
    added = 0
    for name, weight in grown.named_parameters():
        wider = name in small and weight.ndim > 1 and weight.shape != small[name].shape
        if name not in small or wider:
            added += bool(weight.grad.any())
    assert added >= 8


def test_critics_and_attention_differ_by_seed_and_what_was_trained_does_not():
    one, same, other = (started("relama", seed=seed).recipe for seed in (0, 0, 1))
    critics = [next(each.critic.parameters()) for each in (one, same, other)]
    assert torch.equal(critics[0], critics[1])
    assert not torch.equal(critics[0], critics[2])
    weights = [each.network.module.state_dict() for each in (one, other)]
    unlike = {name for name in weights[0] if not torch.equal(weights[0][name], weights[1][name])}
    assert unlike
    assert all(".ca.conv1." in name for name in unlike)


@pytest.mark.parametrize(
    ("method", "start", "words"),
    [
        ("lama", "relama:small", "no place for model.5.ca"),
        ("lama", "pennet:small", "expected a network that"),
        ("pennet", "lama:small", "expected the tensors of"),
        ("lama", "telea", "expected a method with the weights of a network"),
    ],
)
def test_weights_that_do_not_fit_are_refused(method, start, words):
    with pytest.raises(BenchError, match=words):
        started(method, start=start)


def test_a_training_says_what_it_started_from_and_goes_on_only_with_that(job, tmp_path, capsys):
    begun = replace(job, out=tmp_path / "grown", config="wide", start="lama:small", budget=8)
    card = card_of_file(train(begun))
    assert card["training"]["start"] == {"lama-small": "4b5d723e4cbc071d"}
    command = ["train", "lama", "--images", str(job.images[0]), "--out", str(begun.out)]
    command += ["--config", "wide", "--budget", "16", "--batch", "4", "--crop", str(job.crop)]
    assert main([*command, "--networks", "none"]) == 2
    assert "start {'lama-small': '4b5d723e4cbc071d'}, now {}" in capsys.readouterr().err
