"""One step of training: its guard, first weights, the average."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bench.training import photos
from bench.training.state import Average
from bench.training.stream import Stream, batches
from tests.support.trainings import SIDE, learner_of


def test_the_two_lamas_start_from_the_same_weights(job):
    one = learner_of(job).recipe.network.module.state_dict()
    other = learner_of(replace(job, method="relama")).recipe.network.module.state_dict()
    assert one.keys() < other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    different = learner_of(replace(job, seed=3)).recipe.network.module.state_dict()
    assert not torch.equal(
        one["model.1.ffc.convl2l.weight"], different["model.1.ffc.convl2l.weight"]
    )


def test_the_critics_of_the_two_lamas_start_alike(job):
    one, other = (
        learner_of(replace(job, method=name)).recipe.critic.module.state_dict()
        for name in ("lama", "relama")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_steps_that_are_not_finite_change_nothing_and_stop_the_training(job, archive):
    learner = learner_of(job)
    stream = Stream(photos.read([archive], SIDE).train, SIDE, 0)
    (batch,) = batches(stream, 0, 4, 4, torch.device("cpu"))
    before = {name: t.clone() for name, t in learner.recipe.network.state_dict().items()}
    terms, finite = learner.step(replace(batch, images=batch.images * float("nan")))
    assert not finite
    assert not np.isfinite(terms["l1_known"])
    after = learner.recipe.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert learner.average.steps == {}


def test_terms_that_are_infinite_with_finite_gradients_are_noticed(job, archive):
    learner = learner_of(job)
    stream = Stream(photos.read([archive], SIDE).train, SIDE, 0)
    (batch,) = batches(stream, 0, 4, 4, torch.device("cpu"))
    weights = [w for w in learner.recipe.network.parameters()]
    before = [w.detach().clone() for w in weights]
    usual = learner.recipe.terms
    learner.recipe.terms = lambda *given: usual(*given) | {"far": torch.tensor(float("inf"))}
    assert not learner.step(batch)[1]
    assert all(torch.equal(w, b) for w, b in zip(weights, before, strict=True))


def test_the_average_of_what_does_not_learn_stays_as_it_is():
    network = torch.nn.ModuleDict({"a": torch.nn.Linear(2, 2), "b": torch.nn.Linear(2, 2)})
    average = Average(network)
    first = {name: tensor.clone() for name, tensor in average.network.state_dict().items()}
    for part, other in (("a", "b"), ("b", "a")):
        before = {name: t.clone() for name, t in average.network.state_dict().items()}
        for weight in network.parameters():
            weight.grad = None
        network[part](torch.ones(1, 2)).sum().backward()
        with torch.no_grad():
            network[part].weight += 1
        average.update(network)
        now = average.network.state_dict()
        assert torch.equal(now[f"{other}.weight"], before[f"{other}.weight"])
        moved = now[f"{part}.weight"] - first[f"{part}.weight"]
        assert moved.numpy() == pytest.approx(9 / 11, rel=1e-5)
