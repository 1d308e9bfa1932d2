"""Rebuild ICT's reference outputs (see `methods.verification`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image

from methods.networks.ict import sampling, tokens
from methods.networks.ict.transformer import Transformer
from methods.networks.ict.upsampler import Upsampler
from methods.verification import CannotRebuild, Case, Part, traced

# Settings of the transformer that published weights of FFHQ are for.
_FFHQ = {
    "grid": [48, 48],
    "block_size": 48 * 48,
    "layers": 30,
    "width": 512,
    "heads": 8,
    "vocabulary": 512,
    "activation": "sigmoid GELU",
}
_SAMPLER = {
    "schedule": "sequential",
    "draw": "uniform",
    "copies": 1,
    "temperature": 1.0,
    "top_k": sampling.TOP_K,
}
_UPSAMPLER = {"input_channels": 6, "width": 64, "blocks": 8}
_Tensors = dict[str, Any]


def derive(words: str, inputs: Mapping[str, Any]) -> torch.Tensor:
    """Make an input of reference outputs that is described in words."""
    if words == "rint(127.5*(c+1)), see section 1 of the method page":
        return tokens.colours(inputs[""])
    if words == "M":
        grid = _grid(inputs["config"])
        return torch.tensor(tokens.nearest_mask(_hole(inputs), grid).sum())
    raise CannotRebuild(f"ICT derives no input as {words!r}")


def verify_case(case: Case, parts: Mapping[str, Part], inputs: Mapping[str, Any]) -> _Tensors:
    """Rebuild a case of reference outputs."""
    if case.target == "transformer":
        return _verify_transformer(case, parts["transformer"], inputs)
    if case.target == "sampler":
        return _verify_sampler(case, parts["transformer"], inputs)
    if case.target == "guided upsampler":
        settings = case.settings(_UPSAMPLER)
        return _upsampled(settings, parts["upsampler"], inputs, case.tensors())
    if case.target == "preparation and tokens":
        return _verify_preparation(case, inputs)
    if case.target == "whole pipeline":
        return _verify_pipeline(case, parts, inputs)
    raise CannotRebuild(f"ICT has no {case.target!r} here")


def _verify_transformer(case: Case, part: Part, inputs: Mapping[str, Any]) -> _Tensors:
    length = inputs["tokens"].shape[1]
    settings = case.settings(_FFHQ | {"positions_used": length})
    if settings["positions_used"] != length:
        raise CannotRebuild(f"expected positions_used {length} as the inputs, found {settings}")
    network = _transformer(settings, part)
    given, masked = inputs["tokens"], inputs["mask"] > 0.5
    modules = {f"block{index}": f"blocks.{index}" for index in range(settings["layers"])}
    modules |= {"attn0": "blocks.0.attn", "last": f"blocks.{settings['layers'] - 1}"}
    logits, seen = traced(network, modules.values(), given, masked)
    best = logits.topk(2).values
    return {name: seen[module] for name, module in modules.items()} | {
        "emb": network.embed(given, masked),
        "logits": logits,
        "argmax": logits.argmax(-1),
        "argmax_margin": best[..., 0] - best[..., 1],
    }


def _verify_sampler(case: Case, part: Part, inputs: Mapping[str, Any]) -> _Tensors:
    settings = case.settings(_FFHQ | _SAMPLER)
    given, masked = inputs["tokens"], inputs["mask"] > 0.5
    drawn, info = _sampled(settings, part, given, masked, inputs.get("uniforms"))
    return {"tokens": drawn, "info": info}


def _verify_preparation(case: Case, inputs: Mapping[str, Any]) -> _Tensors:
    settings = case.settings({"grid": [32, 32], "output_size": 256})
    grid, side = _grid(settings), settings["output_size"]
    picture, hole = inputs["image"].numpy(), _hole(inputs)
    small = tokens.squeezed(picture, grid)
    palettes = {name: inputs[name].numpy() for name in ("palette", "official_palette")}
    found = {name: tokens.nearest_colours(small, table) for name, table in palettes.items()}
    bicubic = Image.Resampling.BICUBIC
    grey = np.asarray(Image.fromarray(hole * np.uint8(255)).resize((side, side), bicubic)) > 0
    square = _centre_square(Image.fromarray(picture)).resize((side, side), bicubic)
    return {
        "image_small": small,
        "tokens_rule_palette": found["palette"].ravel(),
        "tokens_official_palette": found["official_palette"].ravel(),
        "token_mask": tokens.nearest_mask(hole, grid).ravel(),
        "prior256": tokens.prior(found["palette"], palettes["palette"], side, side),
        "hole256": np.packbits(grey),
        "hole256.sum": grey.sum(),
        "image256": np.asarray(square),
    }


def _verify_pipeline(case: Case, parts: Mapping[str, Part], inputs: Mapping[str, Any]) -> _Tensors:
    settings = case.settings(_FFHQ | _SAMPLER | {"size": 256})
    grid, side, palette = _grid(settings), settings["size"], inputs["palette"].numpy()
    picture, hole = inputs["image"].numpy(), _hole(inputs)
    seen = tokens.nearest_colours(tokens.squeezed(picture, grid), palette).ravel()
    masked = tokens.nearest_mask(hole, grid).ravel()
    drawn, info = _sampled(
        settings,
        parts["transformer"],
        torch.from_numpy(seen),
        torch.from_numpy(masked),
        inputs["uniforms"],
    )
    cells = drawn.unflatten(1, (grid, grid)).numpy()
    prior = torch.from_numpy(np.stack([tokens.prior(e, palette, side, side) for e in cells]))
    copies = {
        "image": (inputs["image"].permute(2, 0, 1) / 255).expand(len(cells), -1, -1, -1),
        "hole": inputs["hole"].expand(len(cells), -1, -1, -1),
        "prior": prior.permute(0, 3, 1, 2) / 255,
    }
    pictures = _upsampled(_UPSAMPLER, parts["upsampler"], copies, ())
    chosen = {"tokens_in": seen, "token_mask": masked, "tokens_out": drawn, "info": info}
    return pictures | chosen | {"prior": prior}


def _transformer(settings: Mapping[str, Any], part: Part) -> Transformer:
    if settings["block_size"] != _grid(settings) ** 2:
        raise CannotRebuild(f"expected a block_size of all tokens of the grid, found {settings}")
    names = ("layers", "width", "heads", "vocabulary", "activation")
    network = Transformer(settings["block_size"], *(settings[name] for name in names))
    part.fill(network)
    return network.eval()


def _sampled(
    settings: Mapping[str, Any],
    part: Part,
    given: torch.Tensor,
    masked: torch.Tensor,
    uniforms: torch.Tensor | None,
) -> tuple[torch.Tensor, list[float]]:
    """Draw copies of one sequence; also forward calls, colours kept first, smallest margin."""
    schedules = {"sequential": 1, "onepass": len(given)}
    if settings["temperature"] != 1 or settings["schedule"] not in schedules:
        raise CannotRebuild(f"expected temperature 1 and a known schedule, found {settings}")
    if (uniforms is None) != (settings["draw"] == "greedy"):
        raise CannotRebuild("expected uniforms for the draw uniform, and none for greedy")
    draw = _Recorder(uniforms)
    copies = settings["copies"]
    drawn, calls = sampling.fill(
        _transformer(settings, part),
        given.expand(copies, -1),
        masked.expand(copies, -1),
        draw,
        schedules[settings["schedule"]],
        settings["top_k"],
    )
    return drawn, [calls, draw.kept, draw.margin]


class _Recorder:
    """A draw that notes how far it was from another outcome; the likeliest without uniforms."""

    def __init__(self, uniforms: torch.Tensor | None) -> None:
        self.uniforms = None if uniforms is None else uniforms.T.double()
        self.kept = 0
        self.margin = float("inf")

    def __call__(
        self, chances: torch.Tensor, rows: torch.Tensor, visits: torch.Tensor
    ) -> torch.Tensor:
        self.kept = self.kept or int((chances[0] > 0).sum())
        if self.uniforms is None:
            best = chances.topk(2).values.log()
            gaps, drawn = best[:, 0] - best[:, 1], chances.argmax(-1)
        else:
            gaps = sampling.cumulative(chances) - self.uniforms[rows, visits, None]
            drawn = sampling.by_uniforms(self.uniforms)(chances, rows, visits)
        self.margin = min(self.margin, float(gaps.abs().min()))
        return drawn


def _upsampled(
    settings: Mapping[str, Any], part: Part, inputs: Mapping[str, Any], names: Any
) -> _Tensors:
    if settings["input_channels"] != _UPSAMPLER["input_channels"]:
        raise CannotRebuild(f"expected 6 input channels, found {settings['input_channels']}")
    network = Upsampler(settings["width"], settings["blocks"])
    part.fill(network)
    image, hole = inputs["image"], inputs["hole"]
    modules = {"middle0": "middle.0"}
    output, seen = traced(
        network, {modules.get(name, name) for name in names}, image, hole, inputs["prior"]
    )
    seen |= {name: seen[module] for name, module in modules.items() if module in seen}
    return seen | {"output": output, "composite": output * hole + image * (1 - hole)}


def _grid(settings: Mapping[str, Any]) -> int:
    height, width = settings["grid"]
    if height != width:
        raise CannotRebuild(f"expected a square grid, found {settings['grid']}")
    return height


def _hole(inputs: Mapping[str, Any]) -> np.ndarray:
    return inputs["hole"].squeeze(0).numpy() > 0


def _centre_square(picture: Image.Image) -> Image.Image:
    side = min(picture.size)
    left, top = ((length - side) // 2 for length in picture.size)
    return picture.crop((left, top, left + side, top + side))
