"""Files of the networks whose features are compared: true names and shapes, values made by rule."""

from pathlib import Path

import torch

from methods.weights import rule

STAGES = ((3, 64), (4, 128), (6, 256), (3, 512))  # blocks and inner channels of ResNet-50
VGG19 = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4)  # channels of its blocks


def scene_shapes() -> dict[str, tuple[int, ...]]:
    """Of the encoder of ADE20K's segmentation network, as in its checkpoint."""
    shapes: dict[str, tuple[int, ...]] = {}

    def convolution(name: str, norm: str, before: int, after: int, side: int) -> None:
        shapes[f"{name}.weight"] = (after, before, side, side)
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{norm}.{part}"] = (after,)

    for number, (before, after) in enumerate(((3, 64), (64, 64), (64, 128)), 1):
        convolution(f"conv{number}", f"bn{number}", before, after, 3)
    before = 128
    for stage, (blocks, inner) in enumerate(STAGES, 1):
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            convolution(f"{name}.conv1", f"{name}.bn1", before, inner, 1)
            convolution(f"{name}.conv2", f"{name}.bn2", inner, inner, 3)
            convolution(f"{name}.conv3", f"{name}.bn3", inner, 4 * inner, 1)
            if block == 0:
                convolution(f"{name}.downsample.0", f"{name}.downsample.1", before, 4 * inner, 1)
            before = 4 * inner
    return shapes


def scene_tensors() -> dict[str, torch.Tensor]:
    return {name: made(name, shape, 0.7) for name, shape in scene_shapes().items()}


def object_tensors() -> dict[str, torch.Tensor]:
    """Of torchvision's VGG-19; layers that nothing looks at are zeros, stored once."""
    tensors, place, before = {}, 0, 3
    for block in VGG19:
        for after in block:
            weight, bias = f"features.{place}.weight", f"features.{place}.bias"
            shape = (after, before, 3, 3)
            used = place < 32
            tensors[weight] = made(weight, shape) if used else torch.zeros(1).expand(shape)
            tensors[bias] = made(bias, (after,))
            place, before = place + 2, after
        place += 1
    for place, shape in ((0, (4096, 25088)), (3, (4096, 4096)), (6, (1000, 4096))):
        tensors[f"classifier.{place}.weight"] = torch.zeros(1).expand(shape)
        tensors[f"classifier.{place}.bias"] = torch.zeros(shape[0])
    return tensors


def write(path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    torch.save(tensors, path)
    return path


def made(name: str, shape: tuple[int, ...], gain: float = 1.0) -> torch.Tensor:
    return torch.from_numpy(rule.tensor(name, shape, gain))
