"""What a training leaves: the averaged weights as a small file, and a card that says all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file
from torch import nn

import methods
from bench import provenance
from bench.training import recipe as common
from bench.training.ledger import Block
from bench.training.photos import PhotoSet
from bench.training.recipe import Recipe
from bench.training.step import LARGEST_NORM
from methods.weights import digest

if TYPE_CHECKING:
    from bench.training.loop import Job


def write(
    job: Job, photo_set: PhotoSet, network: nn.Module, recipe: Recipe, blocks: list[Block]
) -> Path:
    """Write the weights in half precision and their card.

    Returns:
        The weights file, ``<method>-<config>.safetensors`` in the folder of the training.
    """
    path = job.weights
    save_file(_halved(network), path)
    last = blocks[-1]
    source = provenance.collect()
    card: dict[str, Any] = {
        "method": job.method,
        "config": methods.card(job.method).config(job.config),
        "parameters": sum(each.numel() for each in network.parameters()),
        "sha256": digest(path),
        "bytes": path.stat().st_size,
        "training": {
            "pictures": last.pictures,
            "stages": dict(recipe.stages),
            "batch": job.batch,
            "crop": job.crop,
            "seed": job.seed,
            "precision": job.precision,
            "largest_gradient_norm": LARGEST_NORM,
            "optimiser": f"Adam, rate {common.RATE}, critic {common.CRITIC_RATE}, "
            f"betas {common.BETAS}",
            "reconstruction": {"hole": common.HOLE, "known": common.KNOWN},
            "terms": sorted({term for block in blocks for term in block.terms}),
            "without": dict(recipe.without),
            "notes": dict(recipe.notes),
            "seconds": round(last.seconds),
            "flops": last.flops,
            "peak_bytes": max(block.peak_bytes for block in blocks),
            "skipped_steps": sum(block.skipped for block in blocks),
        },
        "data": {
            "photos": len(photo_set.train),
            "held_out": len(photo_set.held_out),
            "left_out": len(photo_set.left_out),
            "sources": photo_set.sources,
            "sha": photo_set.sha,
            "terms_of_use": job.terms_of_use,
        },
        "held_out": dict(last.held_out),
        "made_with": {key: source[key] for key in ("code", "processor", "accelerator")}
        | {"torch": torch.__version__},
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    return path


def _halved(network: nn.Module) -> dict[str, torch.Tensor]:
    """All tensors, floats in half precision."""
    return {
        name: tensor.cpu().half() if tensor.is_floating_point() else tensor.cpu()
        for name, tensor in network.state_dict().items()
    }
