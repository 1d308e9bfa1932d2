"""What a training leaves: the averaged weights as a small file, and a card that says all of it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

import methods
from bench.errors import BenchError, writing
from bench.machine import provenance
from bench.training import held_out
from bench.training import recipe as common
from bench.training.features import Features
from bench.training.job import TrainingJob
from bench.training.ledger import Block
from bench.training.photos import PhotoSet
from bench.training.recipe import Recipe
from bench.training.state import DECAY
from bench.training.step import LARGEST_NORM, Learner
from methods.pretrained import Pretrained
from methods.weights import digest


def write(
    job: TrainingJob,
    photo_set: PhotoSet,
    adapter: Pretrained,
    learner: Learner,
    blocks: list[Block],
) -> Path:
    """Write the averaged weights in half precision and their card.

    Returns:
        The weights file, ``<method>-<config>.safetensors`` in the folder of the training.

    Raises:
        BenchError: If a weight is too large for half precision, or a file cannot be written.
    """
    path = job.weights
    halved = _halved(learner.average.network)
    with writing(path):
        path.write_bytes(save(halved))
    # What is shipped is measured, not what it was rounded from.
    adapter.network = copy.deepcopy(learner.average.network)
    adapter.network.load_state_dict(halved)
    source = provenance.collect()
    card = {
        "method": job.method,
        "config": methods.card(job.method).config(job.config),
        "parameters": sum(each.numel() for each in adapter.network.parameters()),
        "sha256": digest(path),
        "bytes": path.stat().st_size,
        "training": _training(job, learner.recipe, blocks),
        "data": _data(job, photo_set),
        "held_out": held_out.measure(adapter, photo_set.held_out, job.crop),
        "made_with": {key: source[key] for key in ("code", "processor", "accelerator")}
        | {"torch": torch.__version__},
    }
    with writing(path.with_suffix(".json")):
        path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    return path


def _training(job: TrainingJob, recipe: Recipe, blocks: list[Block]) -> dict[str, Any]:
    """What was done, and what it took."""
    last = blocks[-1]
    return {
        "pictures": last.pictures,
        "stages": dict(recipe.stages),
        "batch": job.batch,
        "crop": job.crop,
        "seed": job.seed,
        "precision": job.precision,
        "devices": job.devices,
        "largest_gradient_norm": LARGEST_NORM,
        "average": f"exponential, {DECAY} a step",
        "optimiser": f"Adam, rate {common.RATE}, critic {common.CRITIC_RATE}, betas {common.BETAS}",
        "reconstruction": {"hole": common.HOLE, "known": common.KNOWN},
        "terms": sorted({term for block in blocks for term in block.terms}),
        "without": _without(job, recipe),
        "networks": networks(recipe.features),
        "start": start(job),
        "notes": dict(recipe.notes),
        "seconds": round(last.seconds),
        "flops": last.flops,
        "peak_bytes": max(block.peak_bytes for block in blocks),
        "skipped_steps": sum(block.skipped for block in blocks),
    }


def networks(features: Features | None) -> dict[str, str]:
    """The network made elsewhere that takes part, with the SHA-256 of its file."""
    return {features.checkpoint: features.sha256} if features is not None else {}


def start(job: TrainingJob) -> dict[str, str]:
    """The weights that were gone on from, with the start of their SHA-256; empty if drawn."""
    return methods.with_weights(job.start).digests if job.start else {}


def _without(job: TrainingJob, recipe: Recipe) -> dict[str, str]:
    asked = ", and was not wanted (--networks none)" if job.networks == "none" else ""
    return {term: why + asked for term, why in recipe.without.items()}


def _data(job: TrainingJob, photo_set: PhotoSet) -> dict[str, Any]:
    """Which photos, and on what terms."""
    return {
        "photos": len(photo_set.train),
        "held_out": len(photo_set.held_out),
        "left_out": len(photo_set.left_out),
        "sources": photo_set.sources,
        "sha": photo_set.sha,
        "terms_of_use": job.terms_of_use,
    }


def _halved(network: nn.Module) -> dict[str, torch.Tensor]:
    """All tensors, floats in half precision."""
    halved = {
        name: tensor.cpu().half() if tensor.is_floating_point() else tensor.cpu()
        for name, tensor in network.state_dict().items()
    }
    lost = [name for name, tensor in halved.items() if not torch.isfinite(tensor).all()]
    if lost:
        raise BenchError(f"too large for half precision: {', '.join(lost)}")
    return halved
