"""Perceptual metrics: MS-SSIM, GMSD, and LPIPS with the package of its authors.

LPIPS needs an ImageNet network. With its published weights the value is LPIPS; with seeded
random weights it is ``lpips_untrained``, under its own name, and never comparable with it.
"""

from __future__ import annotations

import hashlib
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np

from bench.errors import BenchError
from bench.metrics import structure
from bench.metrics.networks import LPIPS_HEADS
from bench.metrics.pair import Original, Pair, Picture, gradient_magnitude
from bench.metrics.perception_table import GMSD_SIDE, MS_SSIM_SIDE
from bench.metrics.record import PairNetwork
from methods import weights
from methods.weights import Checkpoint

if TYPE_CHECKING:
    import torch

_MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_GMSD_CONSTANT = 170 / 255**2


class Lpips:
    """LPIPS 0.1 of the ``lpips`` package: Zhang et al., CVPR 2018.

    One pass of the network gives the value of the picture, exactly the package's, and its
    spatial map. The photo's features are kept on `Original`.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        net: str = "alex",
        device: str = "cpu",
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """Build the network.

        Args:
            path: File of the backbone's weights; None for random ones with seed 0.
            net: The backbone: ``alex``, ``vgg`` or ``squeeze``.
            device: Where it runs.
            checkpoint: What the file must be; by default torchvision's for the backbone.

        Raises:
            BenchError: If the file or the package's linear heads are not the right ones.
        """
        import torch

        self._model = _lpips_model(net)
        if path is not None:
            checkpoint = checkpoint or weights.CHECKPOINTS[f"lpips-{net}"]
            _load_backbone(self._model.net, weights.load(path, checkpoint), path)
        self.name = f"lpips-{net}" if path else f"lpips-{net}-untrained"
        self._device = torch.device(device)
        self._model.to(self._device)
        if self._device.type == "cpu":
            _pool_quickly(self._model.net)

    def compare(self, pair: Pair) -> tuple[float, np.ndarray]:
        """Distance of output and photo, and its map ``(H, W)``; computed once for a pair."""
        if self.name not in pair.distances:
            pair.distances[self.name] = self._compare(pair)
        return pair.distances[self.name]

    def features(self, picture: Picture) -> list[torch.Tensor]:
        """Normalised features of a picture ``(H, W, 3)``, one map per layer.

        Args:
            picture: RGB, uint8, or float32 in [0, 1].
        """
        import lpips
        import torch

        with torch.inference_mode():
            planes = torch.from_numpy(picture).to(self._device).permute(2, 0, 1)[None]
            unit = planes.to(torch.float32) / 255 if picture.dtype == np.uint8 else planes
            scaled = self._model.scaling_layer(unit * 2 - 1)
            return [lpips.normalize_tensor(layer) for layer in self._model.net(scaled)]

    def distance(
        self, first: list[torch.Tensor], second: list[torch.Tensor], size: tuple[int, int]
    ) -> tuple[float, np.ndarray]:
        """Distance of two pictures of a size ``(H, W)``, by their features, and its map."""
        import lpips
        import torch

        with torch.inference_mode():
            apart = [
                head((mine - theirs) ** 2)
                for head, mine, theirs in zip(self._model.lins, first, second, strict=True)
            ]
            whole = sum(lpips.spatial_average(layer) for layer in apart)
            spatial = sum(lpips.upsample(layer, size) for layer in apart)
        return float(whole), spatial[0, 0].cpu().numpy()

    def of_photo(self, original: Original) -> list[torch.Tensor]:
        """`features` of a photo, kept with it."""
        if self.name not in original.features:
            original.features[self.name] = self.features(original.photo)
        found: list[torch.Tensor] = original.features[self.name]
        return found

    def _compare(self, pair: Pair) -> tuple[float, np.ndarray]:
        photo = self.of_photo(pair.original)
        output = photo if pair.changed.empty else self.features(pair.output)
        height, width = pair.hole.shape
        return self.distance(output, photo, (height, width))


def ms_ssim_of(pair: Pair) -> float:
    """Multi-scale structural similarity with 5 scales; higher is better.

    Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality assessment",
    Asilomar 2003. Per channel, negative terms count as 0, then the mean over channels, as in piq.

    Returns:
        At most 1; NaN for a side under 161 pixels.
    """
    if min(pair.hole.shape) < MS_SSIM_SIDE:
        return float("nan")
    result = np.ones(3)
    losses, scale = pair.structure, pair.original.scale
    difference, changed = pair.difference, pair.changed
    for level, exponent in enumerate(_MS_SSIM_WEIGHTS):
        if level:
            scale, changed = scale.half, changed.halved()
            difference = structure.halve(difference)
            losses = structure.losses(scale, difference, changed)
        last = level == len(_MS_SSIM_WEIGHTS) - 1
        loss = losses.similarity if last else losses.contrast
        result *= np.maximum(1 - losses.interior_mean(loss), 0) ** exponent
    return float(result.mean())


def gmsd_of(pair: Pair) -> float:
    """Gradient magnitude similarity deviation of the luma; lower is better, 0 for equal pictures.

    Xue, Zhang, Mou and Bovik, "Gradient magnitude similarity deviation", IEEE Transactions on
    Image Processing 23(2), 2014: Prewitt filter at half the size.
    """
    import cv2

    if min(pair.hole.shape) < GMSD_SIDE:
        return float("nan")
    mine = gradient_magnitude(pair.output.astype(np.float32) / 255)
    theirs = pair.original.gradient
    similarity = (2 * mine * theirs + np.float32(_GMSD_CONSTANT)) / (
        mine * mine + theirs * theirs + np.float32(_GMSD_CONSTANT)
    )
    return float(cv2.meanStdDev(similarity)[1][0, 0])


def lpips_of(pair: Pair, network: PairNetwork) -> float:
    """Distance of the two pictures of a pair."""
    return network.compare(pair)[0]


def lpips_hole_of(pair: Pair, network: PairNetwork) -> float:
    """Mean of the map of distances over the hole; NaN for an empty hole."""
    if not pair.hole_pixels:
        return float("nan")
    return float(network.compare(pair)[1][pair.hole].mean(dtype=np.float64))


def lpips_float_of(pair: Pair, network: Lpips) -> float:
    """Distance of photo and fill, where the fill was never rounded to 8 bits."""
    features = network.features(pair.in_float)
    return network.distance(features, network.of_photo(pair.original), pair.hole.shape)[0]


def lpips_kept_of(pair: Pair, network: Lpips) -> float:
    """Distance of what was to be kept, before it is pasted back, the hole black in both."""
    known = ~pair.hole[..., None]
    mine, own = (network.features(each * known) for each in (pair.kept, pair.shown.photo))
    return network.distance(mine, own, pair.hole.shape)[0]


def _lpips_model(net: str) -> Any:
    """The package's network with its linear heads and a random backbone of seed 0."""
    import lpips
    import torch

    heads = Path(lpips.__file__).parent / "weights" / "v0.1" / f"{net}.pth"
    found = hashlib.sha256(heads.read_bytes()).hexdigest()
    if not found.startswith(LPIPS_HEADS[net]):
        raise BenchError(
            f"{heads}: expected SHA-256 {LPIPS_HEADS[net]} for the LPIPS heads, found {found}; "
            "reinstall lpips 0.1.4"
        )
    # AlexNet's classifier, of no use here, is 58 million numbers, drawn after all that is.
    undrawn = patch.object(torch.nn.Linear, "reset_parameters", lambda layer: None)
    shorter = undrawn if net == "alex" else nullcontext()
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings(), shorter:
        # The package builds torchvision's network in the way of before torchvision 0.13.
        for message in ("The parameter 'pretrained' is", "Arguments other than a weight enum"):
            warnings.filterwarnings("ignore", message, UserWarning)
        torch.default_generator.manual_seed(0)  # CUDA's generators stay as they are
        model = lpips.LPIPS(net=net, version="0.1", pnet_rand=True, verbose=False)
    return model.requires_grad_(False)


def _pool_quickly(backbone: torch.nn.Module) -> None:
    """Pool with the channels of a pixel side by side, as torch does ten times faster on a CPU.

    A maximum is the same in any order; convolutions keep the order of their published values.
    """
    import torch

    for layer in backbone.modules():
        if isinstance(layer, torch.nn.MaxPool2d):
            layer.register_forward_pre_hook(
                lambda _, planes: planes[0].contiguous(memory_format=torch.channels_last)
            )
            layer.register_forward_hook(lambda _, planes, pooled: pooled.contiguous())


def _load_backbone(backbone: torch.nn.Module, state: dict[str, torch.Tensor], path: Path) -> None:
    """Load ``features.<i>.*`` into ``slice<k>.<i>.*``; the classifier's entries are not needed."""
    wanted = backbone.state_dict()
    renamed = {
        key: state[source]
        for key in wanted
        if (source := f"features.{key.partition('.')[2]}") in state
    }
    wrong = [k for k in wanted if k not in renamed or renamed[k].shape != wanted[k].shape]
    if wrong:
        raise BenchError(
            f"{path}: missing or misshapen tensors for the LPIPS backbone: {', '.join(wrong)}"
        )
    backbone.load_state_dict(renamed)
