"""Metrics between two sets of pictures by the features that a network finds in them.

Each takes ``outputs``, features ``(n, d)`` of the fills, and ``photos``, those of their photos.

All compare the outputs with the photos of the same cases, so that known pixels are shared and
values are far below those of image generation. A fill resembles its own photo for these pixels
alone, which says nothing of two distributions: the unbiased KID leaves such pairs out. FID has no
terms of pairs to leave out: it knows each set by its mean and covariance only. Shared pixels make
the two samples err alike, so that its bias is smaller than between independent samples, and 0 for
the photos themselves; it differs by method, which is why FID is compared at the same n only. The
biased CMMD counts pairs in all its terms alike.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.metrics.networks import FID_NETWORK
from bench.metrics.pair import Picture
from bench.metrics.record import SetValue
from bench.statistics.kernel import CMMD, KID, Discrepancy, distance
from methods import weights
from methods.weights import Checkpoint

if TYPE_CHECKING:
    import torch

_ENOUGH = 2048
_NOISY = 50


class InceptionFeatures:
    """The 2048 features of the Inception v3 network that FID was defined with.

    The network, its resizing and its scaling are torch-fidelity's ``inception-v3-compat``.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        device: str = "cpu",
        checkpoint: Checkpoint = weights.CHECKPOINTS[FID_NETWORK],
    ) -> None:
        """Build the network.

        Args:
            path: Weight file; None for random weights with seed 0.
            device: Where it runs.
            checkpoint: What the file must be.

        Raises:
            BenchError: If it is not.
        """
        self._model = _inception()
        state = _random_state(self._model) if path is None else weights.load(path, checkpoint)
        weights.put(state, self._model, str(path))
        self._model.to(device)
        self._device = device

    def __call__(self, picture: Picture) -> NDArray[np.float32]:
        """Features ``(2048,)`` of one picture, uint8 RGB ``(H, W, 3)``."""
        return self.batch(picture[None])[0]

    def batch(self, pictures: Picture) -> NDArray[np.float32]:
        """Features ``(N, 2048)`` of pictures of one size, uint8 RGB ``(N, H, W, 3)``."""
        import torch

        planes = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
        with torch.inference_mode():
            features = self._model(torch.from_numpy(planes).to(self._device))[0]
        return features.cpu().numpy()


def fid(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """Fréchet distance of features, such as Inception's (FID) or DINOv2's; lower is better.

    Heusel et al., "GANs trained by a two time-scale update rule", NeurIPS 2017. With features
    centred and divided by ``sqrt(n - 1)``, the trace of the root of the product of both
    covariances is the sum of the singular values of ``A B^T``, which takes milliseconds for few
    pictures, where the eigenvalues of the 2048 x 2048 product take seconds.

    Returns:
        At least 0; NaN below 2 pictures.
    """
    n = min(len(outputs), len(photos))
    if n < 2:
        return _too_few(n, 2)
    means, factors = zip(*(_moments(features) for features in (outputs, photos)), strict=True)
    shared = np.linalg.svd(factors[0] @ factors[1].T, compute_uv=False).sum()
    spread = sum(float(np.sum(factor**2)) for factor in factors)
    value = float(np.sum((means[0] - means[1]) ** 2)) + spread - 2 * float(shared)
    return SetValue(max(value, 0.0), n, _small_sample(n))


def kid(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """Kernel Inception distance; lower is better, slightly negative where both are alike.

    Bińkowski et al., "Demystifying MMD GANs", ICLR 2018: kernel ``(x y / d + 1)^3``, unbiased, on
    all pictures instead of random subsets. Neither a picture's kernel with itself counts nor, as
    fill and photo are no independent draws, a fill's with its own photo (Gretton et al., "A kernel
    two-sample test", JMLR 2012, equation 4). What is published counts the latter, and is lower by
    twice its excess over the mean kernel, divided by n.

    Returns:
        0 if all fills are their photos; NaN below 2 pictures.
    """
    n = len(photos)
    if n < 2:
        return _too_few(n, 2)
    return _by_kernel(outputs, photos, KID)


def cmmd(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """Maximum mean discrepancy of CLIP's features, times 1000; lower is better.

    Jayasumana et al., "Rethinking FID: Towards a better evaluation metric for image generation",
    CVPR 2024: features of length 1, Gaussian kernel with sigma 10, the biased estimate.

    Returns:
        At least 0 but for rounding; 0 if all fills are their photos.
    """
    return _by_kernel(outputs, photos, CMMD)


def u_ids(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """Unpaired inception discriminative score: the share that a linear SVM gets wrong.

    Zhao et al., "Large scale image completion via co-modulated generative adversarial networks",
    ICLR 2021: the SVM is trained to tell these very photos from these fills by their features, and
    the score is the mean of the shares of photos taken for fills and of fills taken for photos. The
    SVM is scikit-learn's ``LinearSVC(dual=False)`` with its settings.

    Returns:
        0 where the SVM tells all apart, 0.5 if all fills are their photos; higher is better.
    """
    machine, why = _told_apart(outputs, photos)
    taken_for_photos = float(np.mean(machine.decision_function(outputs) > 0))
    missed = float(np.mean(machine.decision_function(photos) <= 0))
    return _ids((taken_for_photos + missed) / 2, photos, why)


def p_ids(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """Paired inception discriminative score: how often a fill passes for more real than its photo.

    The share of cases where the SVM of `u_ids` gives the fill a higher value than its photo.

    Returns:
        0 to 1, higher is better. A fill that is its photo is not higher, so photos score 0.
    """
    machine, why = _told_apart(outputs, photos)
    # The difference of both values, so that rounding cannot tell equal pictures apart.
    gaps = (outputs.astype(np.float64) - photos) @ machine.coef_[0]
    return _ids(float(np.mean(gaps > 0)), photos, why)


def _told_apart(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> tuple[Any, str]:
    """The SVM that tells photos (True) from fills, and whether it settled."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    machine = LinearSVC(dual=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        machine.fit(np.concatenate([photos, outputs]), np.arange(2 * len(photos)) < len(photos))
    return machine, "the SVM did not converge" if caught else ""


def _ids(value: float, photos: NDArray[np.floating], why: str) -> SetValue:
    n = len(photos)
    few = f"n = {n} is below {_ENOUGH}: the SVM tells nearly any fills apart" if n < _ENOUGH else ""
    return SetValue(value, n, "; ".join(filter(None, (few, why))))


def _by_kernel(
    outputs: NDArray[np.floating], photos: NDArray[np.floating], rule: Discrepancy
) -> SetValue:
    n = len(photos)
    value = distance(outputs, photos, rule)
    return SetValue(value, n, "" if n >= _NOISY else f"n = {n} is below {_NOISY}: noisy")


def _too_few(n: int, least: int) -> SetValue:
    return SetValue(float("nan"), n, f"needs at least {least} pictures, found {n}")


def _small_sample(n: int) -> str:
    if n >= _ENOUGH:
        return ""
    return f"n = {n} is below {_ENOUGH}: biased, for comparison on the same cases only"


def _moments(features: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean ``(d,)``, and a factor ``A`` of at most d rows with ``A^T A`` the covariance."""
    exact = features.astype(np.float64)
    mean = exact.mean(axis=0)
    factor = (exact - mean) / np.sqrt(len(exact) - 1)
    if len(factor) > factor.shape[1]:
        factor = np.linalg.qr(factor, mode="r")
    return mean, factor


def _inception() -> Any:
    """torch-fidelity's extractor before any weights are loaded."""
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Blank(FeatureExtractorInceptionV3):  # type: ignore[misc]
        # The constructor unpickles whatever file it is given; ours are read as tensors only.
        def load_state_dict(self, state: dict[str, Any]) -> Any:
            return super().load_state_dict(state) if state else None

    nothing = io.BytesIO()
    torch.save({}, nothing)
    nothing.seek(0)
    with torch.random.fork_rng(devices=[]):
        return Blank("inception-v3-compat", ["2048"], feature_extractor_weights_path=nothing)


def _random_state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Normal weights of seed 0, scaled so that signals keep their size through ReLU layers."""
    import torch

    generator = torch.Generator().manual_seed(0)
    state = dict(model.state_dict())
    for name, tensor in state.items():
        if tensor.ndim >= 2:
            scale = (2 / tensor[0].numel()) ** 0.5
            state[name] = torch.randn(tensor.shape, generator=generator) * scale
    return state
