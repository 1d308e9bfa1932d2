"""RC-S: against a plain form with scikit-learn, and what is known of it."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage import data
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel

from bench.errors import BenchError, Declined
from bench.metrics import METRICS, coherence, networks, vit
from bench.metrics.coherence import crops, discrepancies, rc_s_of
from bench.metrics.meter import Meter, resolve_metrics
from bench.metrics.pair import Original, Pair
from methods import weights
from tests.bench.metrics.test_vit import SMALL, filled, saved

GRASS, BRICK = (np.stack([each()[:128, :128]] * 3, 2) for each in (data.grass, data.brick))


class Colours:
    """Mean and deviation of the colours of 37 x 37 patches: features that need no weights."""

    def patches(self, picture):
        big = cv2.resize(picture, (37 * 14, 37 * 14)).astype(np.float32)
        cells = big.reshape(37, 14, 37, 14, 3).swapaxes(1, 2).reshape(37 * 37, -1, 3)
        return np.concatenate([cells.mean(1), cells.std(1)], axis=1) + 1


def disc(side=128, radius=28):
    rows, columns = np.mgrid[:side, :side] - side // 2
    return rows**2 + columns**2 < radius**2


def filled_with(content, photo=GRASS, hole=None):
    hole = disc() if hole is None else hole
    output = np.where(hole[..., None], content, photo).astype(np.uint8)
    return Pair(output, Original(photo), hole)


def plainly(features, hole):
    """The mean over windows by loops and scikit-learn's kernel."""
    unit = features / np.sqrt((features.astype(float) ** 2).sum(1))[:, None]
    apart = euclidean_distances(unit)
    width = np.median([apart[i, j] for i in range(len(unit)) for j in range(i)])
    share = cv2.resize(hole.astype(np.float32), (37, 37), interpolation=cv2.INTER_AREA).ravel()
    found = []
    for top in range(0, 29, 4):
        for left in range(0, 29, 4):
            window = [37 * r + c for r in range(top, top + 9) for c in range(left, left + 9)]
            x, y = (unit[[i for i in window if rule(share[i])]]
                    for rule in (lambda s: s > 0.5, lambda s: s == 0))  # fmt: skip
            if len(x) >= 8 and len(y) >= 8:
                same = 0.0
                for z in (x, y):
                    k = rbf_kernel(z, z, gamma=1 / (2 * width**2)).tolist()
                    pairs = [(i, j) for i in range(len(z)) for j in range(len(z)) if i != j]
                    same += sum(k[i][j] for i, j in pairs) / len(pairs)
                found.append(same - 2 * rbf_kernel(x, y, gamma=1 / (2 * width**2)).mean())
    return found


def test_it_agrees_with_a_plain_form():
    rng = np.random.default_rng(0)
    features, hole = rng.normal(1, 1, (37 * 37, 6)).astype(np.float32), disc(96, 30)
    found = discrepancies(features, hole)
    assert len(found) > 10
    assert found == pytest.approx(plainly(features, hole), abs=1e-5)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """ViT-g's file and code, two blocks of it, filled by rule, at 37 x 37 patches."""
    with pytest.MonkeyPatch.context() as patch:
        return loaded(tmp_path_factory.mktemp("weights"), patch)


def loaded(folder, patch):
    known, shapes = SMALL["dinov2-vitg14"]
    path = saved(folder / "dinov2_vitg14_pretrain.pth", filled(shapes))
    checkpoint = replace(weights.CHECKPOINTS["dinov2-vitg14"], bytes=path.stat().st_size)
    patch.setitem(weights.CHECKPOINTS, "dinov2-vitg14", checkpoint)
    patch.setitem(vit.NETWORKS, "dinov2-vitg14", known)
    return networks.pair_network("dinov2-vitg14", {"dinov2-vitg14": path}, "cpu")


def test_the_network_is_looked_at_as_in_its_training(network):
    assert network.side == coherence.SIDE == vit.NETWORKS["dinov2-vitg14"].empty().default_cfg[
        "input_size"
    ][1]  # fmt: skip
    assert network.patches(GRASS).shape == (37 * 37, 32)


def test_a_fill_of_the_texture_around_it_is_better_than_of_another(network):
    for eye in (Colours(), network):
        for photo, other in ((GRASS, BRICK), (BRICK, GRASS)):
            own = rc_s_of(filled_with(np.roll(photo, (40, 30), (0, 1)), photo), eye)
            foreign = rc_s_of(filled_with(other, photo), eye)
            flat = rc_s_of(filled_with(photo.mean((0, 1)), photo), eye)
            assert own > foreign
            assert own > flat
            assert -1 <= flat < own <= 3


def test_noise_around_and_in_the_hole_cannot_be_told_apart():
    rng = np.random.default_rng(0)
    eye = type("", (), {"patches": lambda self, _: rng.normal(size=(37 * 37, 8))})()
    values = [rc_s_of(filled_with(GRASS), eye) for _ in range(8)]
    # Unbiased: about 1 on average, and not below it always.
    assert np.mean(values) == pytest.approx(1, abs=0.02)
    assert min(values) < 1 < max(values)


def test_it_depends_on_the_fill_alone_and_not_on_a_truth_or_the_length_of_features(network):
    fill = filled_with(BRICK)
    other = Pair(fill.output, Original(255 - GRASS), fill.hole, shown=Original(GRASS))
    assert rc_s_of(fill, network) == rc_s_of(other, network)
    features = Colours().patches(fill.output)
    assert discrepancies(5 * features, disc()) == pytest.approx(
        discrepancies(features, disc()), abs=1e-4
    )


def test_features_that_are_all_alike_tell_nothing_apart():
    assert set(discrepancies(np.ones((37 * 37, 4), np.float32), disc())) == {0.0}


def test_parts_of_a_hole_that_are_far_apart_have_crops_of_their_own():
    hole = np.zeros((160, 240), bool)
    hole[20:40, 20:50] = hole[20:40, 60:70] = True  # 10 apart: together
    hole[100:110, 200:210] = True
    assert list(crops(hole)) == [
        (slice(0, 100), slice(0, 100)), (slice(80, 130), slice(180, 230))
    ]  # fmt: skip
    for rows, columns in crops(np.ones((50, 90), bool)):
        assert (rows, columns) == (slice(0, 50), slice(0, 90))
    assert list(crops(np.zeros((50, 90), bool))) == []


@pytest.mark.parametrize("name", ["rc_s", "rc_s_vitl"])
def test_offline_it_is_absent_with_the_command(name, tmp_path, monkeypatch):
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (status,) = resolve_metrics([name], offline=True, truth_known=False)
    assert status.status == "absent"
    assert f"inpaint-bench weights fetch {METRICS[name].network}" in status.reason
    with pytest.raises(BenchError, match=f"network {METRICS[name].network}: no weight file"):
        Meter([name])


def test_where_it_has_no_value_it_says_why(network, monkeypatch):
    monkeypatch.setattr(networks, "pair_network", lambda *_: network)
    meter = Meter(["rc_s"])
    line = np.zeros((128, 128), bool)
    line[:, 60] = True
    small = np.zeros((20, 128, 3), np.uint8)
    for pair, reason in (
        (filled_with(BRICK, hole=np.zeros((128, 128), bool)), "the hole is empty"),
        (filled_with(BRICK, hole=np.ones((128, 128), bool)), "no 9 x 9 patches hold 8 of fill"),
        (filled_with(BRICK, hole=line), "no 9 x 9 patches hold 8 of fill"),
        (Pair(small, Original(small), disc(128)[:20]), "needs sides of at least 37 pixels"),
    ):
        measured = meter.measure(pair)
        assert math.isnan(measured.values["rc_s"])
        assert measured.reasons["rc_s"].startswith(reason)
    with pytest.raises(Declined):
        rc_s_of(filled_with(BRICK, hole=line), network)
