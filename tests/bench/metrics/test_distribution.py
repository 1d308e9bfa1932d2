import hashlib
import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from bench.errors import BenchError
from bench.metrics import sliced
from bench.metrics.distribution import InceptionFeatures, _inception, fid, kid
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
    assert kid(both, both).value < 0.01


def test_kid_agrees_with_its_definition():
    first, second = features(12).astype(float), features(12, 0.5, seed=1).astype(float)

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    own = sum(k.sum() - np.trace(k) for k in (kernel(first, first), kernel(second, second)))
    expected = own / (12 * 11) - 2 * kernel(first, second).mean()
    assert kid(first, second).value == pytest.approx(expected, rel=1e-9)


def test_few_pictures_are_refused_or_noted():
    for metric in (fid, kid):
        refused = metric(features(1), features(1))
        assert math.isnan(refused.value)
        assert refused.note == "needs at least 2 pictures, found 1"
        small = metric(features(9), features(9, 1.0))
        assert small.n == 9
        assert small.note.startswith("n = 9 is below 2048: biased")
    assert fid(features(2048), features(2048)).note == ""


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
    assert kid(first, second).value == pytest.approx(
        expected["kernel_inception_distance_mean"], rel=1e-4
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
