import hashlib
import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from bench.errors import BenchError
from bench.metrics import distribution, sliced
from bench.metrics.distribution import (
    cmmd,
    fid,
    kid,
    p_ids,
    p_ids_misato,
    p_ids_misato1024,
    u_ids,
    u_ids_misato,
    u_ids_misato1024,
)
from bench.metrics.inception import InceptionFeatures, _inception
from bench.metrics.sliced import MAX_CASES, MIN_CASES, Photos
from methods.weights import Checkpoint


def features(n, shift=0.0, seed=0, d=16):
    return (np.random.default_rng(seed).standard_normal((n, d)) + shift).astype(np.float32)


def closed_formula(first, second):
    first, second = first.astype(np.float64), second.astype(np.float64)
    covariances = [np.cov(side, rowvar=False) for side in (first, second)]
    apart = first.mean(axis=0) - second.mean(axis=0)
    root = sqrtm(covariances[0] @ covariances[1]).real
    return float(apart @ apart + np.trace(covariances[0] + covariances[1] - 2 * root))


@pytest.mark.parametrize("n", [17, 40, 300])
def test_fid_agrees_with_the_closed_formula(n):
    first, second = features(n), 1.5 * features(n, 0.3, seed=1)
    assert fid(first, second).value == pytest.approx(closed_formula(first, second), rel=1e-6)


@pytest.mark.parametrize("n", [3, 10, 40])
def test_fid_agrees_with_torch_fidelity(n):
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    first, second = features(n), 1.5 * features(n, 0.3, seed=1)
    statistics = [
        fid_features_to_statistics(torch.from_numpy(side.astype(np.float64)))
        for side in (first, second)
    ]
    expected = fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    # Below full rank the library takes roots of eigenvalues that are rounding errors.
    assert fid(first, second).value == pytest.approx(expected, rel=1e-5)


def test_equal_sets_are_perfect():
    both = features(30)
    assert 0 <= fid(both, both).value < 1e-9
    assert kid(both, both).value == pytest.approx(0, abs=1e-12)
    assert cmmd(both, both).value == pytest.approx(0, abs=1e-12)
    assert (u_ids(both, both).value, p_ids(both, both).value) == (0.5, 0)


def cubic(a, b):
    a, b = a.astype(float), b.astype(float)
    return (a @ b.T / a.shape[1] + 1) ** 3


@pytest.mark.parametrize("n", [12, 1500])  # in one block of rows, and in two
def test_kid_agrees_with_its_definition(n):
    first, second = features(n), features(n, 0.5, seed=1)
    pairs = [
        cubic(first, first), cubic(second, second), -cubic(first, second), -cubic(second, first)
    ]  # fmt: skip
    expected = sum(k.sum() - np.trace(k) for k in pairs) / (n * (n - 1))
    assert kid(first, second).value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n", [12, 300])
def test_kid_is_that_of_other_packages_without_each_fills_kernel_with_its_own_photo(n):
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric
    from torchmetrics.image.kid import poly_mmd

    first, second = features(n), features(n, 0.5, seed=1)
    first[: n // 2] = 0.9 * second[: n // 2] + 0.1 * first[: n // 2]  # fills like their photos
    sides = [torch.from_numpy(side.astype(np.float64)) for side in (first, second)]
    across = cubic(first, second)
    correction = 2 * across.mean() - 2 * (across.sum() - np.trace(across)) / (n * (n - 1))
    assert correction > 1e-3
    theirs = [
        kid_features_to_metric(*sides, kid_subset_size=n, kid_subsets=1, verbose=False)[
            KEY_METRIC_KID_MEAN
        ],
        float(poly_mmd(*sides)),
    ]
    for other in theirs:
        assert kid(first, second).value == pytest.approx(other + correction, rel=1e-9)


def test_kid_ranks_the_photos_before_fills_that_overdo_them():
    """Counting a fill with its own photo, what is more like the photo than itself was better."""
    photos = features(40, 1.0)
    overdone = np.float32(1.005) * photos
    across, own = cubic(overdone, photos), cubic(photos, photos)
    counted = [
        (cubic(fills, fills).sum() - np.trace(cubic(fills, fills)) + own.sum() - np.trace(own))
        / (40 * 39) - 2 * cross.mean()
        for fills, cross in ((photos, own), (overdone, across))
    ]  # fmt: skip
    assert counted[1] < counted[0] < -0.05
    found = [kid(fills, photos).value for fills in (photos, overdone)]
    assert found[0] == pytest.approx(0, abs=1e-12)
    assert found[1] > 1e-5


def test_kid_of_one_distribution_is_0_in_the_mean_whether_fills_are_like_their_photos_or_not():
    found = []
    for seed in range(300):
        photos, noise = features(40, seed=seed), features(40, seed=1000 + seed)
        alike = np.float32(0.8) * photos + np.float32(0.6) * noise  # of the same distribution
        found.append([kid(alike, photos).value, kid(noise, photos).value])
    means, errors = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(300)
    assert (np.abs(means) < 4 * errors).all()
    assert errors[0] < 0.01


@pytest.mark.parametrize("n", [12, 1500])
def test_cmmd_agrees_with_kernels_of_scikit_learn(n):
    from sklearn.metrics.pairwise import rbf_kernel
    from sklearn.preprocessing import normalize

    sides = [normalize(features(n, 0.2 * i, seed=i).astype(float)) for i in (0, 1)]
    gram = [[rbf_kernel(a, b, gamma=1 / (2 * 10**2)).mean() for b in sides] for a in sides]
    expected = 1000 * (gram[0][0] + gram[1][1] - 2 * gram[0][1])
    found = cmmd(features(n), 3 * features(n, 0.2, seed=1))
    assert found.value == pytest.approx(expected, rel=1e-6)
    assert expected > 0.1


def test_ids_are_what_an_svm_gets_wrong():
    from sklearn.svm import LinearSVC

    photos, fills = features(200), features(200, 0.15, seed=1)
    machine = LinearSVC(dual=False)
    labels = np.repeat([1, 0], 200)
    machine.fit(np.concatenate([photos, fills]), labels)
    wrong = 1 - machine.score(np.concatenate([photos, fills]), labels)
    assert u_ids(fills, photos).value == pytest.approx(wrong)
    better = machine.decision_function(fills) > machine.decision_function(photos)
    assert p_ids(fills, photos).value == pytest.approx(better.mean())
    assert 0.2 < better.mean() < wrong < 0.5
    assert u_ids(features(200, 9.0), photos).value == p_ids(features(200, 9.0), photos).value == 0


def test_the_svm_that_did_not_settle_is_said(monkeypatch):
    from sklearn import svm

    class Hasty(svm.LinearSVC):
        def __init__(self, dual=False):
            super().__init__(dual=dual, max_iter=1)

    monkeypatch.setattr(svm, "LinearSVC", Hasty)
    found = u_ids(100 * features(60, 0.15, seed=1), 100 * features(60))
    assert found.note.endswith("; the SVM did not converge")


def test_few_pictures_are_refused_or_noted():
    for metric in (fid, kid):
        refused = metric(features(1), features(1))
        assert math.isnan(refused.value)
        assert refused.note == "needs at least 2 pictures, found 1"
    small = {metric: metric(features(9), features(9, 1.0)) for metric in (fid, kid, cmmd, u_ids)}
    assert {found.n for found in small.values()} == {9}
    assert small[fid].note.startswith("n = 9 is below 2048: biased")
    assert small[kid].note == small[cmmd].note == "n = 9 is below 50: noisy"
    assert small[u_ids].note == "n = 9 is below 2048: the SVM tells nearly any fills apart"
    for metric in (fid, kid, cmmd, p_ids):
        assert metric(features(2048), features(2048)).note == ""


@pytest.mark.slow
def test_agrees_with_torch_fidelity_on_the_same_pictures_and_weights(tmp_path):
    from torch_fidelity import calculate_metrics

    path = tmp_path / "inception.pth"
    torch.save(_random_inception(), path)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    known = Checkpoint("inception", path.name, (), digest, len(content), "none")
    extract = InceptionFeatures(path, checkpoint=known)
    rng = np.random.default_rng(0)
    sets = [rng.integers(0, 255, (4, 64, 80, 3), dtype=np.uint8) for _ in range(2)]
    sets[1][:, 20:] //= 3
    first, second = (np.stack([extract(picture) for picture in side]) for side in sets)
    assert first.shape == (4, 2048)
    assert first.dtype == np.float32
    expected = calculate_metrics(
        **{f"input{i + 1}": _Pictures(side) for i, side in enumerate(sets)},
        cuda=False, fid=True, kid=True, kid_subset_size=4, batch_size=4, cache=False,
        save_cpu_ram=True, verbose=False, feature_extractor_weights_path=str(path),
    )  # fmt: skip
    across = cubic(first, second)
    correction = 2 * across.mean() - 2 * (across.sum() - np.trace(across)) / 12
    assert kid(first, second).value == pytest.approx(
        expected["kernel_inception_distance_mean"] + correction, rel=1e-4
    )
    assert fid(first, second).value == pytest.approx(
        expected["frechet_inception_distance"], rel=1e-3
    )


class _Pictures(torch.utils.data.Dataset):
    def __init__(self, pictures):
        self.pictures = torch.from_numpy(pictures).permute(0, 3, 1, 2)

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        return self.pictures[index]


def _random_inception():
    generator = torch.Generator().manual_seed(5)
    state = dict(_inception().state_dict())
    for name, value in state.items():
        if value.ndim >= 2:
            scale = (2 / value[0].numel()) ** 0.5
            state[name] = torch.randn(value.shape, generator=generator) * scale
    return state


@pytest.mark.slow
def test_untrained_inception_is_the_same_every_time_and_tells_pictures_apart():
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    extract, again = InceptionFeatures(None), InceptionFeatures(None)
    assert torch.equal(torch.rand(1), expected)
    pictures = np.random.default_rng(0).integers(0, 255, (2, 48, 48, 3), dtype=np.uint8)
    pictures[1] //= 2
    both = extract.batch(pictures)
    assert np.isfinite(both).all()
    assert np.array_equal(both, again.batch(pictures))
    assert np.abs(both[0] - both[1]).max() > 1e-3 * np.abs(both).max()


def test_an_inception_file_with_another_hash_is_refused(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"not the network")
    known = Checkpoint("inception", path.name, (), "0" * 64, 15, "none")
    with pytest.raises(BenchError, match="expected SHA-256 0000"):
        InceptionFeatures(path, checkpoint=known)


def cases(n, sigma, side=48):
    for number in range(n):
        rng = np.random.default_rng(number)
        photo = rng.integers(60, 180, (side, side + 8, 3), dtype=np.uint8)
        hole = np.zeros((side, side + 8), np.bool_)
        hole[10:30, 12:30] = True
        noise = rng.normal(0, sigma, photo.shape) if sigma else np.zeros(photo.shape)
        output = np.clip(photo + noise, 0, 255).astype(np.uint8)
        yield f"photo-{number}", np.where(hole[..., None], output, photo), photo, hole


def swd(cases):
    """Of one method's fills: (name, output, photo, hole)."""
    first, second = itertools.tee(cases)
    photos = Photos((name, photo, hole) for name, _, photo, hole in first)
    patches = [] if photos.refusal else photos.cut(output for _, output, *_ in second)
    return sliced.swd(photos, patches)


def test_swd_is_zero_for_equal_sets_and_grows_with_distortion():
    values = [swd(cases(12, sigma)).value for sigma in (0, 20, 60, 200)]
    assert values[0] == 0
    assert values == sorted(values)
    assert values[1] > 0


def test_swd_is_the_same_twice_and_in_any_order():
    forward, backward = swd(cases(12, 50)), swd(reversed(list(cases(12, 50))))
    assert swd(cases(12, 50)) == forward
    assert backward.value == pytest.approx(forward.value, rel=1e-4)


def test_swd_of_several_methods_that_share_their_photos_is_that_of_each_alone():
    photos = Photos((name, photo, hole) for name, _, photo, hole in cases(12, 0))
    with ThreadPoolExecutor(2) as pool:
        for sigma, each in ((50, map), (20, pool.map), (50, pool.map)):
            patches = photos.cut(output for _, output, *_ in cases(12, sigma))
            assert sliced.swd(photos, patches, each) == swd(cases(12, sigma))


@pytest.mark.parametrize(("directions", "near"), [(None, 2.5), (128, 1.2)])
def test_swd_changes_without_a_group_as_that_of_the_other_cases_does(directions, near, monkeypatch):
    """But for the directions, which are fewer, and a scale that is one for all channels."""
    if directions:
        monkeypatch.setattr(sliced, "_FEW", directions)
    everyone = []
    for number, (name, _, photo, hole) in enumerate(cases(24, 0)):
        waves = cv2.GaussianBlur(np.random.default_rng(number).normal(size=photo.shape), (0, 0), 4)
        waves *= (10 + 3 * number) / waves.std()
        photo = np.clip(120 + waves, 0, 255).astype(np.uint8)
        blurred = cv2.GaussianBlur(photo, (0, 0), 1 + number / 8)
        everyone.append((name, np.where(hole[..., None], blurred, photo), photo, hole))
    groups = np.arange(24) // 6
    photos = Photos(((n, p, h) for n, _, p, h in everyone), grouped=lambda names: groups)
    assert photos.names == [name for name, *_ in everyone]
    found = sliced.swd(photos, photos.cut(output for _, output, *_ in everyone))
    assert found.value == swd(everyone).value
    left = [
        swd([case for case, own in zip(everyone, groups, strict=True) if own != group]).value
        for group in range(4)
    ]
    assert min(left) < found.value - 15 < found.value + 5 < max(left)
    assert found.value + np.array(found.changes) == pytest.approx(left, abs=near)
    assert sliced.swd(photos, photos.patches).changes == (0, 0, 0, 0)


def test_swd_refuses_fewer_fills_than_photos():
    photos = Photos((name, photo, hole) for name, _, photo, hole in cases(12, 0))
    with pytest.raises(ValueError, match="zip"):
        photos.cut(output for _, output, *_ in cases(11, 0))


def test_swd_looks_only_where_the_hole_is():
    here, elsewhere = [], []
    for name, _, photo, hole in cases(12, 0, side=96):
        far = photo.copy()
        far[80:, 80:] = 0
        elsewhere.append((name, far, photo, hole))
        near = photo.copy()
        near[12:28, 14:28] = 0
        here.append((name, near, photo, hole))
    assert swd(here).value > 5 * swd(elsewhere).value


def test_swd_leaves_out_a_picture_that_is_too_small_and_names_it():
    small = next(cases(1, 50, side=31))
    with_it = swd([("tiny.png", *small[1:]), *cases(12, 50)])
    assert with_it.value == swd(cases(12, 50)).value
    assert with_it.n == 12
    assert with_it.note.endswith("1 left out, with a side under 32 pixels, of tiny.png")


def test_patches_are_normalised_per_channel_over_the_set():
    from bench.metrics.sliced import _normalised

    patches = np.random.default_rng(0).normal(3, 2, (50, 3, 49)).astype(np.float32)
    flat = _normalised(patches).reshape(50, 3, 49)
    assert flat.mean(axis=(0, 2)) == pytest.approx(0, abs=1e-5)
    assert flat.std(axis=(0, 2)) == pytest.approx(1, abs=1e-5)


def test_swd_refuses_few_cases_and_small_pictures_with_the_reason():
    few = swd(cases(MIN_CASES - 1, 10))
    assert math.isnan(few.value)
    assert few.note == f"needs at least {MIN_CASES} cases with a hole, found {MIN_CASES - 1}"
    small = swd((name, o[:31], p[:31], h[:31]) for name, o, p, h in cases(12, 10))
    assert math.isnan(small.value)
    assert small.note == (
        "needs at least 10 cases with a hole, found 0; "
        "12 left out, with a side under 32 pixels, of photo-0, photo-1, photo-2"
    )


def test_swd_leaves_out_cases_without_a_hole():
    def mixed():
        for name, output, photo, hole in cases(24, 30):
            yield name, output, photo, hole if int(name[6:]) % 2 else np.zeros_like(hole)

    assert swd(mixed()).n == 12


def test_swd_reads_no_more_cases_than_it_keeps():
    picture = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    hole = np.ones((32, 32), np.bool_)
    endless = ((f"{i}", picture, picture, hole) for i in iter(int, 1))
    found = swd(endless)
    assert (found.value, found.n) == (0, MAX_CASES)
    assert found.note == f"of the first {MAX_CASES} cases"


@pytest.mark.parametrize(("n", "d"), [(60, 40), (30, 700)])  # more pictures than features, fewer
def test_ids_of_misato_are_those_of_principal_components(n, d, monkeypatch):
    from sklearn.svm import LinearSVC

    monkeypatch.setattr(distribution, "_MISATO", 25)
    photos, fills = features(n, d=d), features(n, 0.1, seed=1, d=d)
    both = np.concatenate([photos, fills]).astype(np.float64)
    both -= both.mean(axis=0)
    left, sizes, _ = np.linalg.svd(both, full_matrices=False)
    components = (left * sizes)[:, :25]
    machine = LinearSVC(dual=False)
    labels = np.repeat([1, 0], n)
    machine.fit(components, labels)
    assert u_ids_misato(fills, photos).value == pytest.approx(
        1 - machine.score(components, labels), abs=1e-12
    )
    real, made = np.split(machine.decision_function(components), 2)
    assert p_ids_misato(fills, photos).value == pytest.approx(np.mean(made > real), abs=1e-12)
    assert u_ids_misato(fills, photos).value != u_ids(fills, photos).value
    assert (u_ids_misato(photos, photos).value, p_ids_misato(photos, photos).value) == (0.5, 0)
    both_ways = [u_ids_misato(fills, photos) for _ in range(2)]
    assert both_ways[0] == both_ways[1]
    assert both_ways[0].note.startswith(f"n = {n} is below 2048")


def test_there_are_no_more_principal_components_than_pictures():
    """Then as many as both sets have, so that nothing is lost but what is the same everywhere."""
    photos, fills = features(20), features(20, 0.3, seed=1)
    assert u_ids_misato(fills, photos).value == pytest.approx(u_ids(fills, photos).value, abs=0.05)
    assert u_ids_misato1024(fills, photos) == u_ids_misato(fills, photos)
    assert p_ids_misato1024(fills, photos) == p_ids_misato(fills, photos)
