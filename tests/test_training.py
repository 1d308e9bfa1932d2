"""The equal-budget track: the stream, the loop, what it leaves."""

import io
import json
import pickle
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import methods
from bench.cli import main
from bench.errors import BenchError, InputError
from bench.training import ledger, photos
from bench.training.loop import Job, _set_up, train
from bench.training.state import Average
from bench.training.stream import Stream, batches
from masks.tiers import TIERS, tier_of
from methods import harness

SIDE = 48


def picture(seed: int, height: int = 50, width: int = 70) -> bytes:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 20
    colour = rng.uniform(40, 200, 3)
    pixels = colour + 40 * np.sin(x[..., None] * rng.uniform(1, 3) + y[..., None])
    stream = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "some.tar"
    with tarfile.open(path, "w") as tar:
        for number in range(90):
            data = picture(number)
            member = tarfile.TarInfo(f"photo_{number:03}.png")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


@pytest.fixture(scope="module")
def job(archive, tmp_path_factory) -> Job:
    out = tmp_path_factory.mktemp("training") / "out"
    return Job("lama", (archive,), out, 16, batch=4, crop=SIDE, block=8, terms_of_use="made here")


@pytest.fixture(scope="module")
def trained(job) -> Path:
    return train(job)


def card_of_file(weights: Path) -> dict:
    return json.loads(weights.with_suffix(".json").read_text("utf-8"))


def test_photos_come_from_archives_and_folders_alike(archive, tmp_path):
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    one, other = photos.read([archive], SIDE), photos.read([tmp_path], SIDE)
    assert one.sha == other.sha
    assert len(one.train) + len(one.held_out) == 90
    assert not {p.name for p in one.train} & {p.name for p in one.held_out}


def test_what_cannot_be_trained_on_is_left_out_with_its_reason(archive, tmp_path):
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "small.png").write_bytes(picture(0, 20, 70))
    found = photos.read([tmp_path], SIDE)
    assert len(found.train) + len(found.held_out) == 90
    assert sorted(line.split(": ")[0].rpartition("/")[2] for line in found.left_out) == [
        "broken.png", "small.png",
    ]  # fmt: skip


@pytest.mark.parametrize("content", [None, b"", b"this is no archive"])
def test_photos_that_are_not_there_are_refused(tmp_path, content):
    path = tmp_path / "x.tar"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"training photos|tar archive"):
        photos.read([path], SIDE)


def test_the_stream_is_a_pure_function_of_seed_and_place(archive):
    found = photos.read([archive], SIDE).train
    one, other = Stream(found, SIDE, 5), Stream(found, SIDE, 5)
    backwards = [one[index] for index in reversed(range(200))][::-1]
    for index in (0, 7, 150, 199):
        for a, b in zip(backwards[index], other[index], strict=True):
            assert torch.equal(a, b)
    assert not torch.equal(Stream(found, SIDE, 6)[0][0], one[0][0])


def test_each_round_shows_each_photo_once_and_all_tiers_come(archive):
    found = photos.read([archive], SIDE).train
    stream = Stream(found, SIDE, 0)
    assert sorted(stream._order(0)) == sorted(stream._order(1)) == list(range(len(found)))
    assert list(stream._order(0)) != list(stream._order(1))
    tiers = [tier_of(float(stream[i][1].float().mean())) for i in range(120)]
    assert all(tiers.count(tier.name) > 20 for tier in TIERS)


def test_batches_continue_where_they_were(archive):
    stream = Stream(photos.read([archive], SIDE).train, SIDE, 0)
    cpu = torch.device("cpu")
    whole = list(batches(stream, 0, 22, 4, cpu))
    rest = list(batches(stream, 12, 22, 4, cpu))
    assert [batch.start for batch in whole] == [0, 4, 8, 12, 16, 20]
    for a, b in zip(whole[3:], rest, strict=True):
        assert torch.equal(a.images, b.images)
        assert torch.equal(a.masks, b.masks)
        assert a.start == b.start
        assert torch.equal(
            torch.rand(3, generator=a.generator), torch.rand(3, generator=b.generator)
        )
    assert ((whole[0].blanked * whole[0].masks) == 0).all()


def test_a_training_leaves_weights_a_card_and_a_ledger(job, trained):
    card = card_of_file(trained)
    state = load_file(trained)
    assert all(t.dtype in (torch.float16, torch.int64) for t in state.values())
    assert card["parameters"] == 1_635_087
    assert card["training"]["pictures"] == 16
    assert card["data"]["terms_of_use"] == "made here"
    assert card["data"]["sources"] == {"some.tar": 90}
    blocks = ledger.read(job.ledger)
    assert [block.pictures for block in blocks] == [8, 16]
    assert blocks[1].flops == 2 * blocks[0].flops > 0
    assert blocks[1].seconds > blocks[0].seconds > 0
    assert {"l1_hole", "l1_known", "adversarial"} <= blocks[0].terms.keys()
    assert {f"l1_hole_{tier.name}" for tier in TIERS} <= blocks[0].held_out.keys()


def test_a_finished_training_is_left_as_it_is(job, trained):
    before = trained.read_bytes()
    assert train(job) == trained
    assert trained.read_bytes() == before


def test_another_training_is_not_continued(job, trained):
    with pytest.raises(InputError, match=r"another training \(seed 0, now 1\)"):
        train(replace(job, seed=1))


def test_a_killed_training_ends_with_the_same_weights(job, trained, tmp_path):
    out = tmp_path / "killed"
    command = [
        sys.executable, "-m", "bench", "train", "lama", "--images", str(job.images[0]), "--out",
        str(out), "--budget", "16", "--batch", "4", "--crop", str(SIDE), "--block", "8",
        "--terms", "made here",
    ]  # fmt: skip
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None and not (out / "state.pt").exists():
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    first = ledger.read(replace(job, out=out).ledger)
    assert [block.pictures for block in first] == [8]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (out / trained.name).read_bytes() == trained.read_bytes()
    assert [b.held_out for b in ledger.read(replace(job, out=out).ledger)] == [
        b.held_out for b in ledger.read(job.ledger)
    ]


def test_the_source_reports_recipe_sees_all_photos_six_times_in_batches_of_six(
    archive, monkeypatch
):
    seen = []
    monkeypatch.setattr("bench.training.loop.train", lambda job: seen.append(job) or job.weights)
    command = ["train", "relama", "--images", str(archive), "--out", "x", "--recipe"]
    assert main([*command, "source-report"]) == 0
    assert (seen[0].rounds, seen[0].batch, seen[0].budget) == (6, 6, 0)
    with pytest.raises(SystemExit):
        main([*command, "source-report", "--budget", "8"])


def test_rounds_are_a_budget_by_the_number_of_photos(job, archive, tmp_path):
    found = photos.read([archive], SIDE)
    short = replace(job, out=tmp_path / "rounds", budget=0, rounds=1, batch=len(found.train))
    assert card_of_file(train(short))["training"]["pictures"] == len(found.train)


def test_a_longer_budget_goes_on_and_equals_one_long_training(job, trained, tmp_path):
    short = replace(job, out=tmp_path / "short", budget=8)
    train(short)
    assert train(replace(short, budget=16)).read_bytes() == trained.read_bytes()


def test_the_two_lamas_start_from_the_same_weights(job):
    one = _set_up(job)[0].recipe.network.module.state_dict()
    other = _set_up(replace(job, method="relama"))[0].recipe.network.module.state_dict()
    assert one.keys() < other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    different = _set_up(replace(job, seed=3))[0].recipe.network.module.state_dict()
    assert not torch.equal(
        one["model.1.ffc.convl2l.weight"], different["model.1.ffc.convl2l.weight"]
    )


def test_steps_that_are_not_finite_change_nothing_and_stop_the_training(job, archive):
    learner, _ = _set_up(job)
    stream = Stream(photos.read([archive], SIDE).train, SIDE, 0)
    (batch,) = batches(stream, 0, 4, 4, torch.device("cpu"))
    before = {name: t.clone() for name, t in learner.recipe.network.state_dict().items()}
    terms, finite = learner.step(replace(batch, images=batch.images * float("nan")))
    assert not finite
    assert not np.isfinite(terms["l1_known"])
    after = learner.recipe.network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert learner.average.steps == {}


def test_what_has_no_network_or_no_recipe_cannot_be_trained(job, tmp_path):
    with pytest.raises(BenchError, match="no training recipe"):
        train(replace(job, method="telea", out=tmp_path))
    with pytest.raises(BenchError, match="expected a configuration out of small"):
        train(replace(job, config="huge", out=tmp_path))


def test_a_trained_network_is_a_method_by_its_folder(job, trained):
    method = methods.get(f"mine=trained:{job.out}")
    assert method.name == "mine"
    assert "seed 0" in method.weights_note
    assert card_of_file(trained)["sha256"][:8] in method.identity
    method.load()
    hole = np.zeros((64, 72), bool)
    hole[20:40, 30:50] = True
    photo = np.full((64, 72, 3), 90, np.uint8)
    result = harness.fill(method, photo, hole, 0)
    assert (result.picture[~hole] == 90).all()
    assert (result.picture[hole] != 90).any()


def test_a_damaged_training_is_no_method(job, trained, tmp_path):
    for name in ("lama-small.json", "lama-small.safetensors"):
        (tmp_path / name).write_bytes((job.out / name).read_bytes())
    weights = tmp_path / "lama-small.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8] + b"damaged!")
    with pytest.raises(BenchError, match="expected SHA-256"):
        methods.get(f"mine=trained:{tmp_path}").load()
    (tmp_path / "lama-small.json").write_text('{"method": "lama"}')
    with pytest.raises(BenchError, match="expected the card of a training"):
        methods.get(f"mine=trained:{tmp_path}")
    (tmp_path / "lama-small.json").unlink()
    with pytest.raises(BenchError, match="expected the folder of a finished training"):
        methods.get(f"mine=trained:{tmp_path}")


def test_the_critics_of_the_two_lamas_start_alike(job):
    one, other = (
        _set_up(replace(job, method=name))[0].recipe.critic.module.state_dict()
        for name in ("lama", "relama")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


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


def test_terms_that_are_infinite_with_finite_gradients_are_noticed(job, archive):
    learner, _ = _set_up(job)
    stream = Stream(photos.read([archive], SIDE).train, SIDE, 0)
    (batch,) = batches(stream, 0, 4, 4, torch.device("cpu"))
    weights = [w for w in learner.recipe.network.parameters()]
    before = [w.detach().clone() for w in weights]
    usual = learner.recipe.terms
    learner.recipe.terms = lambda *given: usual(*given) | {"far": torch.tensor(float("inf"))}
    assert not learner.step(batch)[1]
    assert all(torch.equal(w, b) for w, b in zip(weights, before, strict=True))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"precision": "16-mixed"}, "--precision"),
        ({"method": "deepfill"}, "the critic of deepfill takes 128"),
        ({"device": "cuda:7"}, "cuda"),
    ],
)
def test_what_would_go_wrong_later_is_refused_at_once(job, tmp_path, changes, words):
    with pytest.raises(BenchError, match=words):
        train(replace(job, out=tmp_path, **changes))


def test_a_state_without_its_ledger_is_not_continued(job, trained, tmp_path):
    (tmp_path / "state.pt").write_bytes((job.out / "state.pt").read_bytes())
    with pytest.raises(InputError, match="expected the ledger of 16 pictures"):
        train(replace(job, out=tmp_path))


def test_pictures_can_be_read_ahead_by_processes(archive):
    stream = Stream(photos.read([archive], SIDE).train, SIDE, 0)
    cpu = torch.device("cpu")
    for a, b in zip(batches(stream, 0, 8, 4, cpu), batches(stream, 0, 8, 4, cpu, 1), strict=True):
        assert torch.equal(a.images, b.images)
    assert pickle.loads(pickle.dumps(stream))[3][0].shape == (3, SIDE, SIDE)
