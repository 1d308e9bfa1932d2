"""Several devices: two processes on the CPU, each with half of every batch."""

import itertools
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest
import torch
from torch import distributed
from torch.nn.modules.batchnorm import _BatchNorm

from bench.errors import BenchError, InputError
from bench.training import ledger
from bench.training.job import TrainingJob
from bench.training.loop import _connect, _set_up, _trained, train
from bench.training.photos import TrainingPhoto
from bench.training.recipes import _TABLE
from bench.training.stream import Stream, batches
from tests.support.trainings import card_of_file, learner_of, picture

CPU = torch.device("cpu")
BATCH, BUDGET = 4, 16  # the last of four steps is the second stage of ICT


def steps(fabric, out: Path, name: str) -> None:
    """Take some steps in each process, then two without finite values in the last one's share."""
    job = TrainingJob(name, (), out, BUDGET, batch=BATCH)
    learner, _ = _set_up(job, fabric)
    photos = [TrainingPhoto(f"{n}.png", picture(n, 130, 140)) for n in range(10)]
    share = fabric.global_rank, fabric.world_size
    taken = list(batches(Stream(photos, 128, 0), 0, BUDGET, BATCH, CPU, share=share))
    terms = [learner.step(batch) for batch in taken]
    before = {key: each.clone() for key, each in learner.state()["network"].items()}
    broken, far = taken[-1], {"far": torch.tensor(0.0)}
    if fabric.global_rank == fabric.world_size - 1:
        broken = replace(broken, images=broken.images * float("nan"))
        far = {"far": torch.tensor(float("inf"))}  # with finite gradients
    terms.append(learner.step(broken))
    usual = learner.recipe.terms
    learner.recipe.terms = lambda *given: usual(*given) | far
    terms.append(learner.step(taken[-1]))
    after = learner.state()["network"]
    assert all(torch.equal(before[key], after[key]) for key in before)
    weights = {key: weight.detach() for key, weight in learner.recipe.network.named_parameters()}
    result = {"weights": weights, "terms": terms}
    torch.save(result, out / f"{name}-{fabric.world_size}-{fabric.global_rank}.pt")


def each(fabric, out: Path, names: tuple[str, ...]) -> None:
    for name in names:
        steps(fabric, out, name)
    before = threads()
    refused = _trained(fabric, TrainingJob("pennet", (), out, BUDGET, devices=fabric.world_size))
    assert isinstance(refused, BenchError)
    left = {"before": before, "after": threads(), "initialised": distributed.is_initialized()}
    torch.save(left, out / f"threads-{fabric.world_size}-{fabric.global_rank}.pt")


def threads() -> list[str]:
    """Names of this process's threads of gloo, where Linux tells them."""
    names = [each.read_text() for each in Path("/proc/self/task").glob("*/comm")]
    return [name for name in names if "gloo" in name]


@pytest.fixture(scope="module")
def stepped(tmp_path_factory):
    """Results of some steps by recipe, of one process and of each of two."""
    out = tmp_path_factory.mktemp("steps")
    names = ("pennet", "ict")
    for count in (1, 2):
        job = TrainingJob("pennet", (), out, BUDGET, batch=BATCH, devices=count)
        _connect(job).launch(partial(each, out=out, names=names))
    return {
        name: [torch.load(out / f"{name}-{place}.pt") for place in ("1-0", "2-0", "2-1")]
        for name in names
    } | {"threads": [torch.load(out / f"threads-2-{rank}.pt") for rank in (0, 1)]}


@pytest.mark.slow
def test_no_thread_of_the_group_outlives_a_training(stepped):
    """A thread of gloo that frees a tensor while Python ends aborts the process."""
    for left in stepped["threads"]:
        if sys.platform == "linux":
            assert left["before"]
        assert left["after"] == []
        assert not left["initialised"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pennet", "ict"])
def test_without_batch_statistics_two_devices_learn_what_one_does(stepped, name):
    one, two, _ = stepped[name]
    apart = [(one["weights"][key] - two["weights"][key]).abs().max() for key in one["weights"]]
    assert max(apart) < 1e-5
    for (ones, finite), (twos, agreed) in zip(one["terms"][:4], two["terms"][:4], strict=True):
        assert finite
        assert agreed
        assert ones == pytest.approx(twos, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pennet", "ict"])
def test_both_processes_come_to_the_same_weights_and_terms(stepped, name):
    _, first, second = stepped[name]
    for key, weight in first["weights"].items():
        assert torch.equal(weight, second["weights"][key])
    assert first["terms"][:4] == second["terms"][:4]


@pytest.mark.slow
def test_what_is_not_finite_in_one_share_is_skipped_by_all(stepped):
    for name in ("pennet", "ict"):
        for result in stepped[name]:
            assert [finite for _, finite in result["terms"]] == [True] * 4 + [False] * 2


def test_shares_are_the_whole_batch_with_noise_of_their_own():
    photos = [TrainingPhoto(f"{n}.png", picture(n)) for n in range(10)]
    stream = Stream(photos, 48, 0)
    whole = list(batches(stream, 0, 12, 4, CPU))
    parts = [list(batches(stream, 0, 12, 4, CPU, share=(rank, 2))) for rank in range(2)]
    for batch, *shares in zip(whole, *parts, strict=True):
        assert torch.equal(batch.images, torch.cat([share.images for share in shares]))
        assert torch.equal(batch.masks, torch.cat([share.masks for share in shares]))
        assert {share.start for share in shares} == {batch.start}
        assert {share.progress for share in shares} == {batch.progress}
        assert batch.seed == shares[0].seed
    seeds = [share.seed for share in itertools.chain(*parts)]
    assert len(set(seeds)) == len(seeds)


def test_batch_statistics_are_where_the_documentation_says():
    found = set()
    for name in _TABLE:
        recipe = learner_of(TrainingJob(name, (), Path(), 8)).recipe
        networks = [each for each in (recipe.network, recipe.critic) if each is not None]
        if any(isinstance(part, _BatchNorm) for each in networks for part in each.modules()):
            found.add(name)
    assert found == {"lama", "relama", "context_encoder_any"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"devices": 3}, "expected a multiple of the 3 devices that share it, found 4"),
        ({"devices": 2, "device": "cuda:0"}, "cuda"),
    ],
)
def test_what_cannot_be_shared_is_refused_at_once(job, tmp_path, changes, words):
    with pytest.raises(BenchError, match=words):
        train(replace(job, out=tmp_path, **changes))


def test_a_training_is_not_continued_on_another_number_of_devices(job, trained):
    with pytest.raises(InputError, match=r"another training \(devices 1, now 2\)"):
        train(replace(job, devices=2))


@pytest.mark.nightly
def test_a_killed_training_of_two_processes_ends_with_the_same_weights(job, tmp_path):
    whole, out = tmp_path / "whole", tmp_path / "killed"
    options = [
        "lama", "--images", str(job.images[0]), "--budget", "24", "--batch", "4", "--crop",
        str(job.crop), "--block", "8", "--devices", "2", "--networks", "none",
    ]  # fmt: skip
    command = [sys.executable, "-m", "bench", "train", *options, "--out"]
    done = subprocess.run([*command, str(whole)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("/24 pictures") == 3  # one process tells
    # First one of the two is killed, then their parent.
    killed = replace(job, out=out)
    child = started(command, killed, 1)
    children = psutil.Process(child.pid).children()
    [one for one in children if "spawn_main" in " ".join(one.cmdline())][-1].kill()
    _, said = child.communicate()
    assert child.returncode == 2
    assert "one of the 2 processes ended" in said
    assert [block.pictures for block in ledger.read(killed.ledger)] == [8]
    child = started(command, killed, 2)
    children = psutil.Process(child.pid).children(recursive=True)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert not psutil.wait_procs(children, timeout=60)[1]
    assert [block.pictures for block in ledger.read(killed.ledger)] == [8, 16]
    done = subprocess.run([*command, str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    weights = [folder / "lama-small.safetensors" for folder in (whole, out)]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert card_of_file(weights[1])["training"]["devices"] == 2


def started(command: list[str], job: TrainingJob, blocks: int) -> subprocess.Popen:
    """Start a training and wait for the state after some blocks."""
    child = subprocess.Popen(
        [*command, str(job.out)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    state = job.out / "state.pt"
    while child.poll() is None:
        if state.exists() and len(ledger.read(job.ledger)) >= blocks:
            break
        time.sleep(0.02)
    return child
