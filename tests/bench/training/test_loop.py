"""The equal-budget track: the loop, what it leaves."""

import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import methods
from bench.cli import main
from bench.errors import BenchError, InputError
from bench.folder.lock import held
from bench.training import ledger, photos
from bench.training.loop import train
from masks.tiers import TIERS
from methods import harness
from tests.support.trainings import SIDE, card_of_file


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
        "--terms", "made here", "--networks", "none",
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


def test_a_training_that_ended_before_its_first_state_begins_anew(job, trained, tmp_path):
    again = replace(job, out=tmp_path / "again")
    again.out.mkdir()
    ledger.write(again.ledger, ledger.read(job.ledger)[:1])
    assert train(again).read_bytes() == trained.read_bytes()


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


def test_what_has_no_network_or_no_recipe_cannot_be_trained(job, tmp_path):
    with pytest.raises(BenchError, match="no training recipe"):
        train(replace(job, method="telea", out=tmp_path))
    with pytest.raises(BenchError, match="configuration: expected one of small"):
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


def test_a_damaged_state_is_left_for_the_one_before(job, trained, tmp_path, capsys):
    for file in job.out.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    state = tmp_path / "state.pt"
    whole = state.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2]):
        (tmp_path / "state.pt.before").write_bytes((job.out / "state.pt.before").read_bytes())
        state.write_bytes(damaged)
        again = train(replace(job, out=tmp_path))
        assert "going on from the one before" in capsys.readouterr().err
        assert again.read_bytes() == trained.read_bytes()
    state.write_bytes(b"")
    (tmp_path / "state.pt.before").write_bytes(b"")
    with pytest.raises(InputError, match="expected the state of a training"):
        train(replace(job, out=tmp_path))


def test_a_second_training_into_a_folder_is_refused_in_words(job, tmp_path):
    with (
        held(tmp_path / ".lock", "busy"),
        pytest.raises(BenchError, match="another training is writing into"),
    ):
        train(replace(job, out=tmp_path))
