"""Metrics between two sets of pictures by their Inception features: FID and KID.

Both compare the outputs with the photos of the same cases, so that known pixels are shared and
values are far below those of image generation.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.metrics.networks import FID_NETWORK
from bench.metrics.pair import Picture
from bench.metrics.record import SetValue
from methods import weights
from methods.weights import Checkpoint

if TYPE_CHECKING:
    import torch

_ENOUGH = 2048
_KID_SUBSET = 1000
_KID_SUBSETS = 100


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
        self._model.load_state_dict(state)
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
    """Fréchet Inception distance; lower is better.

    Heusel et al., "GANs trained by a two time-scale update rule", NeurIPS 2017. With features
    centred and divided by ``sqrt(n - 1)``, the trace of the root of the product of both
    covariances is the sum of the singular values of ``A B^T``, which takes milliseconds for few
    pictures, where the eigenvalues of the 2048 x 2048 product take seconds.

    Args:
        outputs: Features of the fills, ``(n, d)``.
        photos: Features of the photos of the same cases, ``(n, d)``.

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
    """Kernel Inception distance, torch-fidelity's; lower is better, slightly negative if equal.

    Bińkowski et al., "Demystifying MMD GANs", ICLR 2018: unbiased, cubic kernel, subsets of
    ``min(n, 1000)``.

    Args:
        outputs: Features of the fills, ``(n, d)``.
        photos: Features of the photos of the same cases, ``(n, d)``.

    Returns:
        NaN below 2 pictures.
    """
    n = min(len(outputs), len(photos))
    if n < 2:
        return _too_few(n, 2)
    import torch
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

    found = kid_features_to_metric(
        torch.from_numpy(outputs.astype(np.float64)),
        torch.from_numpy(photos.astype(np.float64)),
        kid_subset_size=min(n, _KID_SUBSET),
        # One subset of all pictures is every subset of all pictures.
        kid_subsets=1 if max(len(outputs), len(photos)) <= _KID_SUBSET else _KID_SUBSETS,
        verbose=False,
    )
    return SetValue(float(found[KEY_METRIC_KID_MEAN]), n, _small_sample(n))


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
