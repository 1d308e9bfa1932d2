"""The loop: the same for all networks."""

from __future__ import annotations

import contextlib
import copy
import itertools
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import nn
from torch.multiprocessing.spawn import ProcessException

import methods
from bench.errors import BenchError, InputError, writing
from bench.folder.lock import held
from bench.machine import flops, memory
from bench.text.plain import one_line
from bench.training import features, held_out, ledger, photos, processes, result, state
from bench.training.job import TrainingJob
from bench.training.recipe import BETAS, CRITIC_RATE, RATE
from bench.training.recipes import recipe_for
from bench.training.state import Average
from bench.training.step import Learner
from bench.training.stream import Batch, Stream, batches
from methods.base import find_device
from methods.pretrained import Pretrained

_PRECISIONS = ("32-true", "bf16-mixed")
_PATIENCE = 10  # steps in a row that may lack finite values


def train(job: TrainingJob) -> Path:
    """Train a network, or go on with it.

    The state is saved after each block, with which a killed training goes on; on a CPU it ends
    with the very same weights.

    Returns:
        The weights file; its card lies beside it.

    Raises:
        BenchError: If the method cannot be trained, the photos cannot be used, the folder holds
            another training, the losses stay without finite values, or one of several processes
            ended.
    """
    fabric = _connect(job)
    # Once, and not in each process: fetching, and trusting a file without a documented hash.
    kind = recipe_for(job.method).features_of
    found = features.locate(kind, job.networks, job.network_weights)
    job = replace(job, network_weights=found)
    busy = f"another training is writing into {job.out}; wait for it, or give another --out"
    try:
        with contextlib.ExitStack() as stack:
            with writing(job.out):
                stack.enter_context(held(job.out / ".lock", busy))
            done: Path | BenchError = fabric.launch(partial(_trained, job=job))
    except ProcessException as error:
        raise BenchError(
            f"training: one of the {job.devices} processes ended: {error}; what was saved after "
            "the last block is kept, and the same command goes on from there"
        ) from error
    if isinstance(done, BenchError):
        raise done
    return done


def _connect(job: TrainingJob) -> Any:
    """Check what can be checked before anything is read, and make the Fabric."""
    try:
        from bench.training import devices
    except ImportError as error:
        raise BenchError(
            f"training needs Lightning Fabric ({error}); run: pip install 'inpaint-bench[train]'"
        ) from error
    if job.precision not in _PRECISIONS:
        # With 16 bits gradients are scaled, which the guard against infinite ones cannot see.
        raise BenchError(
            f"--precision: expected {' or '.join(_PRECISIONS)}, found {job.precision!r}"
        )
    side = recipe_for(job.method).side
    if side not in (0, job.crop):
        raise BenchError(f"--crop: the critic of {job.method} takes {side}, not {job.crop}")
    if job.batch % job.devices:
        raise BenchError(
            f"--batch: expected a multiple of the {job.devices} devices that share it, found "
            f"{job.batch}"
        )
    return devices.connect(find_device(job.device), job.devices, job.precision)


def _trained(fabric: Any, job: TrainingJob) -> Path | BenchError:
    """Train in one of the processes; what they give back is the first one's."""
    try:
        return _train(fabric, job)
    except BenchError as error:
        return error  # raised from another process, it would be told as a traceback
    finally:
        processes.leave()


def _train(fabric: Any, job: TrainingJob) -> Path:
    photo_set = photos.read(job.images, job.crop)
    job = replace(job, budget=job.budget or job.rounds * len(photo_set.train))
    found = _features(job)
    asked = _asked(job) | {"photos": photo_set.sha, "networks": result.networks(found)}
    asked["start"] = result.start(job)
    job.out.mkdir(parents=True, exist_ok=True)
    saved = state.read(job.out, asked, job.ledger)
    learner, adapter = _set_up(job, fabric)
    learner.recipe.features = found.to(fabric.device) if found is not None else None
    blocks: list[ledger.Block] = []
    if saved is not None:
        learner.restore(saved["learner"])
        blocks = _blocks_of(job, saved["pictures"])
    seen = blocks[-1].pictures if blocks else 0
    stream = Stream(photo_set.train, job.crop, job.seed)
    share = fabric.global_rank, fabric.world_size
    todo = batches(stream, seen, job.budget, job.batch, fabric.device, job.workers, share)
    # All processes learn, and come to the same weights; the first one measures and writes.
    first = fabric.is_global_zero
    for line in photo_set.left_out if first else ():
        print(f"left out: {one_line(line)}", file=sys.stderr)
    while taken := list(itertools.islice(todo, max(job.block // job.batch, 1))):
        block = _learn(learner, taken, blocks[-1] if blocks else None)
        if first:
            if block.stage == list(learner.recipe.stages)[-1]:  # before, what fills has not learned
                # On a copy: a spectral norm changes by being used.
                adapter.network = copy.deepcopy(learner.average.network)
                figures = held_out.measure(adapter, photo_set.held_out, job.crop)
                block = replace(block, held_out=figures)
            ledger.write(job.ledger, [*blocks, block])
            now = {"job": asked, "pictures": block.pictures, "learner": learner.state()}
            state.save(job.out, now)
            print(f"{job.method}: {block.pictures}/{job.budget} pictures, {_brief(block)}")
        blocks.append(block)
    if not blocks:
        raise BenchError(f"--budget: expected at least one picture, found {job.budget}")
    return result.write(job, photo_set, adapter, learner, blocks) if first else job.weights


def _asked(job: TrainingJob) -> dict[str, Any]:
    """What a continued training must share with the one before; its budget may grow."""
    kept = ["method", "config", "seed", "batch", "crop", "precision", "devices"]
    if len(recipe_for(job.method).stages) > 1:
        kept.append("budget")  # the stages are shares of it
    return {name: getattr(job, name) for name in kept}


def _features(job: TrainingJob) -> features.Features | None:
    """The network made elsewhere that terms need, if it was found."""
    kind = recipe_for(job.method).features_of
    path = job.network_weights
    return kind.read(path) if kind is not None and path is not None else None


def _blocks_of(job: TrainingJob, pictures: int) -> list[ledger.Block]:
    """The ledger up to the state that was saved."""
    blocks = [each for each in ledger.read(job.ledger) if each.pictures <= pictures]
    if not blocks or blocks[-1].pictures != pictures:
        raise InputError(
            f"{job.ledger}: expected the ledger of {pictures} pictures, as in the state beside it; "
            "put it back, or train in another folder"
        )
    return blocks


def _set_up(job: TrainingJob, fabric: Any) -> tuple[Learner, Pretrained]:
    kind = recipe_for(job.method)
    name = f"{job.method}@{kind.variant}" if kind.variant else job.method
    adapter = methods.learnable(job.method).untrained(job.config, name, device=job.device)
    torch.manual_seed(job.seed)
    torch.backends.cudnn.benchmark = True  # all squares have one size
    recipe = kind.make(adapter.build(adapter.config), job.seed)
    if job.start:
        recipe.start(methods.with_weights(job.start).plain(), job.start)
    average = Average(recipe.network.to(fabric.device))
    recipe.network, optimiser = _watched(fabric, recipe.network, RATE)
    for name in recipe.forward_methods:
        recipe.network.mark_forward_method(name)
    critic_optimiser = None
    if recipe.critic is not None:
        recipe.critic, critic_optimiser = _watched(fabric, recipe.critic, CRITIC_RATE)
    return Learner(recipe, optimiser, critic_optimiser, average, fabric), adapter


def _watched(fabric: Any, network: nn.Module, rate: float) -> Any:
    if fabric.device.type == "cuda" or not _dilated(network):
        # A quarter faster on CPUs, more on GPUs. On some CPUs (AVX-512 without AMX) oneDNN gives
        # dilated convolutions in bfloat16 gradients that are no numbers in this layout.
        network.to(memory_format=torch.channels_last)
    fused = fabric.device.type == "cuda"  # one kernel for all weights; CPUs keep the plain form
    adam = torch.optim.Adam(network.parameters(), rate, BETAS, fused=fused)
    return fabric.setup(network, adam)


def _dilated(network: nn.Module) -> bool:
    convolutions = (each for each in network.modules() if isinstance(each, nn.Conv2d))
    return any(each.dilation != (1, 1) for each in convolutions)


def _learn(learner: Learner, taken: Sequence[Batch], before: ledger.Block | None) -> ledger.Block:
    """Learn from some batches; what is held out is not measured yet."""
    memory.reset_peak()
    if learner.fabric.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    values: dict[str, list[float]] = {}
    counted: dict[str, int] = {}
    spent = 0
    skipped = in_a_row = 0
    for batch in taken:
        torch.manual_seed(batch.seed)  # for dropout: with it, steps depend on nothing before
        stage = learner.recipe.stage(batch.progress)
        if stage in counted:
            terms, finite = learner.step(batch)
        else:
            (terms, finite), counted[stage] = flops.count(partial(learner.step, batch))
        spent += counted[stage]
        in_a_row = 0 if finite else in_a_row + 1
        skipped += not finite
        if in_a_row == _PATIENCE:
            raise BenchError(
                f"training: {_PATIENCE} steps in a row lacked finite values, the last with "
                f"{terms}; the state of {before.pictures if before else 0} pictures is kept"
            )
        if finite:
            for name, value in terms.items():
                values.setdefault(name, []).append(value)
    shares = learner.fabric.world_size
    return ledger.Block(
        pictures=taken[-1].start + len(taken[-1].images) * shares,
        stage=stage,
        seconds=(before.seconds if before else 0) + time.perf_counter() - start,
        flops=(before.flops if before else 0) + spent * shares,
        peak_bytes=_peak_bytes(learner.fabric.device),
        skipped=skipped,
        terms={name: fmean(each) for name, each in values.items()},
        held_out={},
    )


def _peak_bytes(device: torch.device) -> float:
    """Of the accelerator where there is one, else of this process."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated())
    return memory.peak_bytes()


def _brief(block: ledger.Block) -> str:
    figures = {**block.terms, **block.held_out}
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
