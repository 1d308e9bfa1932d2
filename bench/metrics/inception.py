"""The Inception v3 networks whose features FID compares, and how each evaluation shows a picture.

The same weights give other features of a picture that was resized or scaled in another way: how
much this moves FID is shown by Parmar, Zhang and Zhu, "On aliased resizing and surprising
subtleties in GAN evaluation", CVPR 2022.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.metrics.networks import FID_NETWORK, TORCHVISION
from bench.metrics.pair import Picture
from methods import weights
from methods.weights import Checkpoint

if TYPE_CHECKING:
    import torch

_SIDE = 299


class InceptionFeatures:
    """The 2048 features of an Inception v3 network, after its last pooling."""

    def __init__(
        self,
        path: Path | None,
        *,
        network: str = FID_NETWORK,
        device: str = "cpu",
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """Build the network.

        Args:
            path: Weight file; None for random weights with seed 0.
            network: Which it is and how it sees a picture, one of `networks.INCEPTIONS`.
            device: Where it runs.
            checkpoint: What the file must be; by default that of the network.

        Raises:
            BenchError: If it is not.
        """
        import torch

        name, _, seen = network.partition("@")
        self._seen = _SEEN["pytorch" if name == TORCHVISION else seen]
        model = _of_torchvision() if name == TORCHVISION else _inception()
        wanted = checkpoint or weights.CHECKPOINTS[name if path else FID_NETWORK]
        state = _random_state(model) if path is None else weights.load(path, wanted)
        weights.put(state, model, str(path))
        if name == TORCHVISION:
            model.fc = torch.nn.Identity()
            self._model: Any = model
        else:  # its parts follow one another; its own way to call them takes bytes alone
            self._model = torch.nn.Sequential(*list(model.children())[:-1], torch.nn.Flatten())
        self._model.to(device).eval()
        self._device = device

    def __call__(self, picture: Picture | NDArray[np.float32]) -> NDArray[np.float32]:
        """Features ``(2048,)`` of one picture ``(H, W, 3)``, uint8 RGB or float32 in [0, 1]."""
        return self.batch(picture[None])[0]

    def batch(self, pictures: Picture | NDArray[np.float32]) -> NDArray[np.float32]:
        """Features ``(N, 2048)`` of pictures of one size, ``(N, H, W, 3)``."""
        import torch

        planes = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        with torch.inference_mode():
            features = self._model(self._seen(planes.to(self._device)))
        return np.asarray(features.cpu().numpy(), np.float32)


def _by_tensorflow(levels: torch.Tensor) -> torch.Tensor:
    """As torch-fidelity has it: TensorFlow 1's bilinear samples, none smoothed."""
    import torch
    from torch_fidelity.interpolate_compat_tensorflow import (
        interpolate_bilinear_2d_like_tensorflow1x,
    )

    size = (_SIDE, _SIDE)
    resized: torch.Tensor = interpolate_bilinear_2d_like_tensorflow1x(
        levels.to(torch.float32), size=size, align_corners=False
    )
    return (resized - 128) / 128


def _by_pytorch(levels: torch.Tensor) -> torch.Tensor:
    """As pytorch-fid has it: torch's bilinear samples of [0, 1], none smoothed."""
    import torch

    unit = levels / 255 if levels.dtype == torch.uint8 else levels
    resized = torch.nn.functional.interpolate(
        unit, size=(_SIDE, _SIDE), mode="bilinear", align_corners=False
    )
    return 2 * resized - 1


def _by_pillow(levels: torch.Tensor) -> torch.Tensor:
    """As clean-fid has it: each channel by Pillow's bicubic, smoothed, not rounded but clipped."""
    import torch

    planes = levels.cpu().numpy().astype(np.float32)
    resized = [
        np.asarray(Image.fromarray(plane).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))
        for plane in planes.reshape(-1, *planes.shape[2:])
    ]
    clipped = np.clip(np.stack(resized), 0, 255).reshape(*planes.shape[:2], _SIDE, _SIDE)
    return (torch.from_numpy(clipped).to(levels.device) - 128) / 128


# What the network is given, by what follows the @ of its name.
_SEEN: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "": _by_tensorflow,
    "pytorch": _by_pytorch,
    "float": _by_pytorch,
    "clean": _by_pillow,
}


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


def _of_torchvision() -> Any:
    """The network of torchvision before any weights are loaded, which takes [-1, 1]."""
    from torchvision.models import inception_v3

    model = inception_v3(weights=None, init_weights=False, transform_input=False)
    return model.eval().requires_grad_(False)


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
