"""Rebuild HiFill's reference outputs (see `methods.verification`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import torch

from methods.networks.hifill import aggregation
from methods.networks.hifill.aggregation import Grid
from methods.networks.hifill.attention import covered_cells
from methods.networks.hifill.network import HiFillNetwork
from methods.verification import CannotRebuild, Case, Part, traced
from methods.weights import frozen_graph

_NETWORK = {
    "stage1_gate": "single channel",
    "stage2_gate": "pixelwise",
    "attention": "soft",
    "channel_order": "as stored: plane 0 of rule_image is plane 0 of the input",
}
_SMALL = 512


def verify_case(case: Case, parts: Mapping[str, Part], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Rebuild a case of reference outputs."""
    if case.target == "generator":
        return _verify_network(case, parts["network"], inputs)
    if case.target == "CRA post-processing":
        return _verify_aggregation(case, inputs)
    if case.target == "frozen graph reader":
        nodes = frozen_graph.parse(inputs["graph"].numpy().tobytes(), case.name)
        return frozen_graph.constants(nodes)
    raise CannotRebuild(f"HiFill has no {case.target!r} here")


def derive(words: str, inputs: Mapping[str, Any]) -> torch.Tensor:
    """Make an input that is described in words."""
    if words == "small_hole of the method page, from mask_file":
        keep = inputs["mask_file"][..., 0].numpy()
        small = cv2.resize(keep, (_SMALL, _SMALL), interpolation=cv2.INTER_NEAREST)
        return torch.from_numpy(1 - np.float32(small) / 255)
    if words == "the 512 hole mask itself":
        return inputs["hole_mask_512"]
    if words.startswith("gaussian 7x7 sigma 1 of the 512 hole mask, zero padding"):
        hole = inputs["hole_mask_512"].numpy()
        return torch.from_numpy(cv2.GaussianBlur(hole, (7, 7), 1, borderType=cv2.BORDER_CONSTANT))
    if words.startswith("times key_valid (flattened row-major, along the last axis); softmax"):
        valid = _valid(inputs).flatten()
        shares = torch.softmax(inputs[""] * valid, -1) * valid
        return shares.to(torch.float32)
    raise CannotRebuild(f"HiFill derives no input as {words!r}")


def _valid(inputs: Mapping[str, Any]) -> torch.Tensor:
    return 1 - covered_cells(inputs["hole_mask_512"][None, None])[0, 0]


def _verify_network(case: Case, part: Part, inputs: Mapping[str, Any]) -> dict[str, Any]:
    settings = case.settings(_NETWORK)
    if settings != _NETWORK:
        raise CannotRebuild(f"expected {_NETWORK}, found {settings}")
    network = HiFillNetwork()
    part.fill(network)
    image, mask = inputs["image"], inputs["mask"]
    layers = {name.removesuffix("_feat"): name for name in case.tensors()}
    filling, seen = traced(network, layers, image * (1 - mask), mask)
    covered = covered_cells(mask)
    best, which = filling.attention[0].topk(2)
    return {layers[name]: tensor for name, tensor in seen.items()} | {
        "coarse512": filling.coarse,
        "refine": filling.refined,
        "mask_key": covered,
        "attention": filling.attention.transpose(1, 2).unflatten(2, covered.shape[-2:]),
        "attention_argmax": which[:, 0].view(covered.shape[-2:]),
        "attention_margin": (best[:, 0] - best[:, 1]).view(covered.shape[-2:]),
    }


def _verify_aggregation(case: Case, inputs: Mapping[str, Any]) -> dict[str, Any]:
    fixed = {"network_size": _SMALL, "attention_side": _SMALL // aggregation.CELL}
    settings = case.settings({"multiple": 6} | fixed)
    if not settings.items() >= fixed.items():
        raise CannotRebuild(f"expected {fixed}, found {settings}")
    grid = aggregation.square_grid(settings["multiple"])
    given = {name: tensor.numpy() for name, tensor in inputs.items()}
    hole = given["mask_file"][..., 0] == 0
    large = aggregation.enlarged(given["raw"], grid)
    small = aggregation.reduced(given["raw"], grid)
    shares = given["attention"].reshape(grid.rows * grid.columns, -1)
    rows = list(aggregation.residual_rows(large, hole, small, grid))
    output = aggregation.aggregate(
        given["raw"], hole, given["inpainted_512"], given["attention"],
        given["mask_processed"], grid.patch,
    )  # fmt: skip
    return {
        "large_img": large,
        "small_img": small,
        "residual": _assembled(rows, grid),
        "aggregated": _assembled([shares @ row for row in rows], grid),
        "output": output.astype(np.uint8),
        "key_valid": _valid(inputs),
    }


def _assembled(rows: list[np.ndarray], grid: Grid) -> np.ndarray:
    """Put rows of all patches together to a canvas."""
    lines = [row.reshape(grid.rows, -1) for row in rows]
    return np.stack(lines, 1).reshape(*grid.canvas, 3)
