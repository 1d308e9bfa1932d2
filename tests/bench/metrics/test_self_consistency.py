"""Self-consistency: against a plain form with the lpips package, and what is known of it."""

import hashlib
import math
from dataclasses import replace
from itertools import pairwise

import lpips
import numpy as np
import pytest
import torch
from skimage import data

import methods
from bench.errors import BenchError, Declined
from bench.metrics import METRICS, networks
from bench.metrics.meter import Meter, resolve_metrics
from bench.metrics.pair import Original, Pair
from bench.metrics.perceptual import Lpips
from bench.metrics.self_consistency import SecondFills, second_holes, self_consistency_of
from methods import harness, weights
from methods.networks.lama.network import Generator
from methods.weights import rule
from tests.support.feature_files import made
from tests.support.published_files import LAMA as SMALL
from tests.support.published_files import lama_zip

PHOTO = np.ascontiguousarray(data.astronaut()[:128, 128:256])
ALEXNET = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}


def hole(side=128):
    rows, columns = np.mgrid[:side, :side]
    return (abs(rows - side // 2) < 24) & (abs(columns - side // 2) < 20)


def filled_with(content):
    return Pair(
        np.where(hole()[..., None], content, PHOTO).astype(np.uint8), Original(PHOTO), hole()
    )


def second(name="telea"):
    method = methods.get(name)
    method.load()
    return SecondFills(method, Lpips(None))


def test_what_is_filled_again_is_known_and_two_fifths_of_the_squares():
    drawn = list(second_holes(PHOTO, hole()))
    assert len(drawn) == 10
    for again in drawn:
        assert not (again & hole()).any()
        squares = again.reshape(16, 8, 16, 8).swapaxes(1, 2).reshape(256, 64)
        known = ~hole().reshape(16, 8, 16, 8).swapaxes(1, 2).reshape(256, 64)
        assert (squares.any(1) == (squares == known).all(1) & squares.any(1)).all()
        assert squares.any(1).sum() == math.ceil(0.4 * known.any(1).sum())
    assert all((one != other).any() for one, other in pairwise(drawn))


def test_draws_are_of_the_case_and_not_of_the_fill():
    again = np.stack([*second_holes(PHOTO, hole())])
    assert (again == np.stack([*second_holes(filled_with(90).output, hole())])).all()
    assert (again != np.stack([*second_holes(255 - PHOTO, hole())])).any()
    shifted = np.roll(hole(), 1, 0)
    assert (again != np.stack([*second_holes(PHOTO, shifted)])).any()
    network, fill = second(), filled_with(128)
    other = Pair(fill.output, Original(255 - PHOTO), fill.hole, shown=Original(PHOTO))
    assert self_consistency_of(fill, network) == self_consistency_of(other, network)


@pytest.mark.filterwarnings("ignore::UserWarning:torchvision")
def test_it_agrees_with_a_plain_form():
    method = methods.get("telea")
    method.load()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        judge = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)

    def planes(picture):
        return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1

    first, apart = filled_with(90).output, []
    for again in second_holes(PHOTO, hole()):
        filled = harness.fill(method, first, again, 0).picture
        assert (filled[~again] == first[~again]).all()
        with torch.inference_mode():
            apart.append(float(judge(planes(first), planes(filled))))
    found = self_consistency_of(filled_with(90), SecondFills(method, Lpips(None)))
    assert found == pytest.approx(np.mean(apart), abs=1e-6)


def test_a_fill_that_explains_its_surroundings_is_better():
    network = second("lama:small")
    value = {
        name: self_consistency_of(filled_with(content), network)
        for name, content in {
            "truth": PHOTO,
            "elsewhere": np.roll(PHOTO, 64, (0, 1)),
            "another photo": data.chelsea()[:128, :128],
            "one colour": PHOTO[~hole()].mean(0),
        }.items()
    }
    assert min(value, key=value.get) == "truth"
    assert max(value.values()) > 1.05 * value["truth"]


def files(folder, patch):
    """The two weight files as they were published, LaMa's of three blocks; by name."""
    generator = Generator(**SMALL)
    rule.fill(generator, lambda name, shape: torch.from_numpy(rule.tensor(name, shape, 0.7)))
    lama_zip(folder, generator.state_dict())
    state = {}
    for place, shape in ALEXNET.items():
        name = f"features.{place}"
        state[f"{name}.weight"] = made(f"{name}.weight", (*shape, shape[2]))
        state[f"{name}.bias"] = made(f"{name}.bias", shape[:1])
    torch.save(state, folder / "alexnet.pth")
    found = {"lama-big": folder / "big-lama.zip", "lpips-alex": folder / "alexnet.pth"}
    known = {
        name: replace(
            networks.checkpoint(name),
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            bytes=path.stat().st_size,
            config=SMALL,
        )
        for name, path in found.items()
    }
    patch.setattr(networks, "checkpoint", known.__getitem__)
    patch.setitem(weights.CHECKPOINTS, "lpips-alex", known["lpips-alex"])
    lama = methods.learnable("lama")
    own = tuple(each for each in lama.card.checkpoints if each.name != "lama-big")
    patch.setattr(lama, "card", replace(lama.card, checkpoints=(known["lama-big"], *own)))
    return found


def test_published_files_are_loaded_under_their_names(tmp_path, monkeypatch):
    given = files(tmp_path, monkeypatch)
    (status,) = resolve_metrics(
        ["self_consistency"], offline=True, weights=given, truth_known=False
    )
    assert (status.status, status.reason, status.weights) == ("ok", "", given)
    meter = Meter(["self_consistency"], weight_files=status.weights)
    values = [meter.measure(filled_with(c)).values["self_consistency"] for c in (PHOTO, 0, 0)]
    assert 0 < values[0] != values[1] == values[2]
    whole = Pair(PHOTO, Original(PHOTO), np.ones((128, 128), bool))
    measured = meter.measure(whole)
    assert math.isnan(measured.values["self_consistency"])
    assert measured.reasons["self_consistency"].startswith("the whole picture is hole")
    empty = Pair(PHOTO, Original(PHOTO), np.zeros((128, 128), bool))
    assert meter.measure(empty).reasons == {"self_consistency": "the hole is empty"}
    tiny = np.zeros((20, 40, 3), np.uint8)
    pair = Pair(tiny, Original(tiny), hole()[54:74, 44:84])
    assert "sides of at least 32" in meter.measure(pair).reasons["self_consistency"]


def test_the_untrained_form_has_a_name_of_its_own_and_needs_no_file():
    assert networks.missing(METRICS["self_consistency_untrained"].network) == ""
    fill = filled_with(90)
    found = Meter(["self_consistency_untrained"]).measure(fill).values
    assert found == {"self_consistency_untrained": second().far(fill)}


def test_without_one_of_both_files_it_is_absent_with_every_command(tmp_path, monkeypatch):
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (status,) = resolve_metrics(["self_consistency"], offline=True)
    assert status.status == "absent"
    for name in ("lama-big", "lpips-alex"):
        assert f"inpaint-bench weights fetch {name}" in status.reason
    both = "inpaint-bench weights fetch lama-big && inpaint-bench weights fetch lpips-alex"
    assert networks.missing(METRICS["self_consistency"].network) == both
    given = files(tmp_path, monkeypatch)
    (half,) = resolve_metrics(
        ["self_consistency"], offline=True, weights={"lama-big": given["lama-big"]}
    )
    assert half.status == "absent"
    assert "lama-big" not in half.reason
    with pytest.raises(BenchError, match="network lpips-alex: no weight file given"):
        Meter(["self_consistency"], weight_files={"lama-big": given["lama-big"]})


def test_what_the_second_method_declines_is_said():
    with pytest.raises(Declined, match="whole picture"):
        self_consistency_of(Pair(PHOTO, Original(PHOTO), np.ones((128, 128), bool)), second())
