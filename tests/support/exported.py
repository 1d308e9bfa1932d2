"""Our small networks as files of others: TorchScript, ONNX, and ONNX with steps around it."""

import warnings
from pathlib import Path

import onnx
import torch
from onnx import parser
from torch import nn

import methods
from methods.networks.context_encoder.method import painted
from methods.networks.pennet.method import network_input


class LaMa(nn.Module):
    """Pictures in [0, 1], what it predicts pasted into the hole."""

    def __init__(self):
        super().__init__()
        self.net = methods.get("lama:small").plain().eval()

    def forward(self, image, mask):
        return mask * self.net(torch.cat([image * (1 - mask), mask], 1)) + (1 - mask) * image


class PENNet(nn.Module):
    """Pictures in [-1, 1]; the whole picture is made anew."""

    def __init__(self):
        super().__init__()
        self.net = methods.get("pennet:small").plain().eval()

    def forward(self, image, mask):
        return self.net(network_input(image, mask), mask)[1]


class ContextEncoder(nn.Module):
    """Pictures in [0, 1] in, [-1, 1] out."""

    def __init__(self):
        super().__init__()
        self.net = methods.get("context_encoder_any:small").plain().eval()

    def forward(self, image, mask):
        return self.net(painted(image, mask))


def example(side: int = 128) -> tuple[torch.Tensor, torch.Tensor]:
    """What a network is traced with."""
    mask = torch.zeros(1, 1, side, side)
    mask[..., side // 4 : side // 2, side // 3 : side // 2] = 1
    return torch.rand(1, 3, side, side), mask


def traced(network: nn.Module, path: Path, *inputs: torch.Tensor) -> Path:
    """Write TorchScript as its documentation tells."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.no_grad():
            found = torch.jit.trace(
                network.eval(), inputs or example(), check_trace=False, strict=False
            )
        found.save(path)
    return path


def as_onnx(network: nn.Module, path: Path, free: bool = False, old: bool = False) -> Path:
    """Write ONNX; with free sizes, which are multiples of 8; by the old writer, which is fast."""
    sizes = {2: torch.export.Dim("h", min=2) * 8, 3: torch.export.Dim("w", min=2) * 8}
    names = {2: "h", 3: "w"}
    by = {"dynamic_axes": dict.fromkeys(("image", "mask", "fill"), names) if free else None}
    if not old:
        by = {"dynamic_shapes": (sizes, sizes) if free else None, "verbose": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(), example(), path, input_names=["image", "mask"], output_names=["fill"],
            dynamo=not old, external_data=False, **by,
        )  # fmt: skip
    return path


def wrapped(source: Path, path: Path, header: str, before: str, after: str) -> Path:
    """Put steps around a network with inputs ``image`` and ``mask`` and output ``fill``.

    Args:
        source: The network.
        path: Of the new file.
        header: Inputs and outputs of the new one, in ONNX's text form.
        before: Steps that make ``image`` and ``mask``.
        after: Steps that use ``fill``.
    """
    model = onnx.load(source)
    given, made = header.split(" => ")
    text = parser.parse_graph(f"g ({given}) => ({made}) {{ {before} {after} }}")
    split = len(parser.parse_graph(f"g ({given}) => ({made}) {{ {before} }}").node)
    nodes = list(text.node)
    inner = list(model.graph.node)
    del model.graph.node[:], model.graph.input[:], model.graph.output[:], model.graph.value_info[:]
    model.graph.node.extend([*nodes[:split], *inner, *nodes[split:]])
    model.graph.input.extend(text.input)
    model.graph.output.extend(text.output)
    onnx.save(model, path)
    return path


class Smooth(nn.Module):
    """Fills smoothly from all sides, at once in all sizes; pictures in [0, 1], clipped to that."""

    def forward(self, image, mask):
        known = 1 - mask
        image = image.clamp(0, 1) * known
        fill = torch.zeros_like(image)
        for side in (64, 32, 16, 8):
            weight, near = (
                nn.functional.avg_pool2d(each, side, side // 4, side // 2, ceil_mode=True)
                for each in (known, image)
            )
            size = (image.shape[-2], image.shape[-1])
            near = nn.functional.interpolate(near / weight.clamp_min(1e-6), size, mode="bilinear")
            sure = nn.functional.interpolate(weight, size, mode="bilinear") > 0.1
            fill = torch.where(sure, near, fill)
        return fill * mask + image


class Around(nn.Module):
    """Steps around a network, which take what it is called with and give back a fill."""

    def __init__(self, steps, network=None):
        super().__init__()
        self.net = network or Smooth()
        self.steps = steps

    def forward(self, *inputs):
        return self.steps(self.net, *inputs)
