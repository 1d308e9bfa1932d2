"""The weights that come with the project: small, alike in budget, what their cards say."""

import json

import numpy as np
import pytest

import methods
from bench.run.request import default_methods
from bench.training import ledger
from methods import harness, weights
from methods.weights import SMALL, digest

CARDS = {path.name: json.loads(path.read_text("utf-8")) for path in SMALL.glob("*.json")}
NAMES = sorted(card["method"] for card in CARDS.values())
LEARNABLE = {
    "lama", "relama", "context_encoder_any", "pennet", "deepfill", "hifill", "pluralistic", "ict",
}  # fmt: skip


def test_every_architecture_has_small_weights_and_is_in_the_default_job():
    assert set(NAMES) == LEARNABLE
    assert {f"{name}:small" for name in LEARNABLE} <= set(default_methods())


def test_they_are_small():
    sizes = [path.stat().st_size for path in SMALL.glob("*.safetensors")]
    assert len(sizes) == len(CARDS)
    assert max(sizes) <= 4e6
    assert sum(sizes) <= 30e6
    assert all(1e6 <= card["parameters"] <= 1.8e6 for card in CARDS.values())


def test_their_budget_and_photos_are_the_same():
    for key in ("pictures", "batch", "crop", "precision", "optimiser", "reconstruction"):
        assert len({json.dumps(card["training"][key]) for card in CARDS.values()}) == 1, key
    assert len({card["data"]["sha"] for card in CARDS.values()}) == 1


def test_the_two_lamas_differ_in_the_attention_alone():
    one, other = CARDS["lama-small.json"], CARDS["relama-small.json"]
    assert other["config"] == {**one["config"], "attention": True}
    assert one["training"]["seed"] == other["training"]["seed"]


@pytest.mark.parametrize("name", NAMES)
def test_card_ledger_and_file_agree(name):
    card = CARDS[f"{name}-small.json"]
    assert digest(SMALL / f"{name}-small.safetensors") == card["sha256"]
    blocks = ledger.read(SMALL / f"{name}-small.jsonl")
    assert blocks[-1].pictures == card["training"]["pictures"]
    assert blocks[-1].held_out == pytest.approx(card["held_out"], rel=0.02)  # half precision
    assert methods.card(name).config("small") == card["config"]


@pytest.mark.parametrize("name", NAMES)
def test_they_fill_and_are_named_for_what_they_are(name, monkeypatch, tmp_path):
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    method = methods.get(f"{name}:small")
    assert method.card.title.endswith("(small)")
    assert "equal-budget track" in method.weights_note
    method.load()
    photo = np.full((128, 128, 3), (200, 120, 60), np.uint8)
    hole = np.zeros((128, 128), bool)
    hole[50:80, 40:90] = True
    filled = harness.fill(method, photo, hole, 0)
    # A plain photo: any network that learned at all comes nearer to it than mid grey does.
    error = np.abs(filled.picture[hole].astype(float) - photo[hole]).mean()
    assert error < np.abs(128.0 - photo[hole]).mean()
