"""The rules that every method keeps, one small function each.

A rule returns what it saw, or raises: `Broken` when the method breaks it, `Skipped` when it says
nothing about this method, `Declined` when the method refuses the case.

Rules look at fills made by `methods.harness`, except where that would hide the fault (it clips,
copies and fills one picture at a time); those call ``prepare``, ``infer``, ``finish`` directly.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import numpy as np
import torch

from bench.errors import BenchError, ContractError, Declined, describe
from methods import harness
from methods.base import Fill, to_float
from methods.card import VISIBLE
from methods.conformance.subject import Subject, case_of, run_steps, same
from methods.scene import scene
from methods.suspicions import ADVICE

_BLANK = 0.02  # a hole darker than this was left as it came: the picture is bright
_DRIFT = 0.2  # mean change of known pixels that no fill needs; an inverted mask gives 0.7
_OUTSIDE = 0.25  # overshoot beyond [0, 1] that clipping may hide; [-1, 1] and 0..255 exceed it
_BATCH = 1e-3  # a batch may sum in another order, but not change an 8-bit picture

_T = TypeVar("_T")


class Broken(Exception):
    """The method breaks the rule; the message says how."""


class Skipped(Exception):
    """The rule says nothing about this method; the message says why."""


def leak(subject: Subject) -> str:
    """Pixels under the hole must not influence the fill; the ceiling is exempt, by name."""
    if subject.name == harness.CEILING:
        raise Skipped("the ceiling is shown the photo, by its name alone")
    if subject.card.sees == VISIBLE:
        raise Skipped("its card says that it is shown what lies under the hole")
    _need_repeatable(subject)
    photo, hole = scene(subject.side, subject.side)
    other = np.where(hole[..., None], 255 - photo, photo)
    before, after = subject.fill(photo, hole), subject.fill(other, hole)
    if not same(before, after):
        moved = np.abs(before.raw - after.raw).max()
        raise Broken(f"other pixels under the hole change the fill by up to {moved:.3f}")
    return "other pixels under the hole: same fill"


def polarity(subject: Subject) -> str:
    """1 is hole: it must be filled, and what is known be kept, before anything is pasted back."""
    photo, hole = scene(subject.side, subject.side)
    filled = subject.fill(photo, hole)
    raw = filled.raw
    drift = float(np.abs(raw - photo / np.float32(255))[~hole].mean())
    if raw[hole].mean() < _BLANK:
        raise Broken("the hole was left black: is 1 taken for known?")
    if drift > _DRIFT and not filled.suspicions:  # which other rules are about
        raise Broken(f"known pixels moved by {drift:.2f} on average: is 1 taken for known?")
    return f"hole filled; known pixels moved by {drift:.4f} on average before pasting back"


def channel_order(subject: Subject) -> str:
    """Channels come back as red, green, blue."""
    return _nothing_odd(subject, "channel order")


def shift(subject: Subject) -> str:
    """Pixels come back where they were: not moved by a pixel, mirrored or turned."""
    return _nothing_odd(subject, "shift")


def odd_sizes(subject: Subject) -> str:
    """Sides that no network divides evenly are filled or declined."""
    return _fill_or_decline(subject, [scene(97, 131), scene(64, 200)])


def tiny(subject: Subject) -> str:
    """Tiny pictures are filled or declined."""
    return _fill_or_decline(subject, [scene(*size) for size in ((1, 3), (2, 3), (7, 1), (16, 16))])


def full_and_empty(subject: Subject) -> str:
    """The fullest and the emptiest hole are filled or declined.

    A mask without known or without hole pixels never reaches a method: the harness declines
    the one and returns the photo for the other. One pixel less is the method's own task.
    """
    photo, hole = scene(subject.side, subject.side)
    single = np.zeros_like(hole)
    single[subject.side // 2, subject.side // 2] = True
    return _fill_or_decline(subject, [(photo, ~single), (photo, single)])


def grey(subject: Subject) -> str:
    """Pictures without colour or without any contrast are filled or declined."""
    photo, hole = scene(subject.side, subject.side)
    grey_photo = np.repeat(photo[..., :1], 3, axis=-1)
    flat = [np.full_like(photo, level) for level in (0, 128, 255)]
    return _fill_or_decline(subject, [(picture, hole) for picture in (grey_photo, *flat)])


def batch(subject: Subject) -> str:
    """A picture's fill must not depend on what else is in the batch, if several are taken."""
    pairs = [scene(subject.side, subject.side, seed) for seed in range(3)]
    for shift, (_, hole) in enumerate(pairs):
        hole[:] = np.roll(hole, shift * subject.side // 8, axis=1)
    masks = torch.from_numpy(np.stack([hole for _, hole in pairs])[:, None]).float()
    images = to_float(np.stack([photo for photo, _ in pairs])) * (1 - masks)
    try:
        together = run_steps(subject.method, images, masks)
    except ContractError:
        raise
    except Exception as error:
        raise _one_at_a_time(f"{type(error).__name__}: {error}") from error
    if together.shape[:1] == (1,):
        raise _one_at_a_time("of three it fills one")
    if together.shape != images.shape or not bool(torch.isfinite(together).all()):
        raise Broken(f"a batch of 3 gives {tuple(together.shape)}, or values not finite")
    if subject.card.stochastic:
        return "a batch of 3 has the right shape (stochastic: values not compared)"
    _need_repeatable(subject)
    single = torch.cat(
        [run_steps(subject.method, images[i : i + 1], masks[i : i + 1]) for i in range(3)]
    )
    difference = float((together - single).abs().max())
    if difference > _BATCH:
        raise Broken(f"a picture in a batch of 3 differs by {difference:.4f} from alone")
    return f"in a batch of 3 as alone, to {difference:.1e}"


def determinism(subject: Subject) -> str:
    """Same input and seed, same fill, whatever came before; another seed as the card says."""
    photo, hole = scene(subject.side, subject.side)
    first = subject.fill(photo, hole, seed=1)
    other_seed = subject.fill(photo, hole, seed=2)
    subject.fill(photo, np.roll(hole, subject.side // 3, axis=1), seed=3)
    if not same(first, subject.fill(photo, hole, seed=1)):
        raise Broken("the same input and seed give another fill the second time")
    varies = not same(first, other_seed)
    if varies != subject.card.stochastic:
        claim = "stochastic" if subject.card.stochastic else "deterministic"
        found = "another" if varies else "the same"
        raise Broken(f"the card says {claim}, but another seed gives {found} fill")
    return "same seed, same fill" + ("; another seed, another fill" if varies else "")


def device(subject: Subject) -> str:
    """A device that is not there is refused; fills come back on the CPU as float32."""
    absent = f"cuda:{torch.cuda.device_count()}"
    try:
        subject.make(absent)
    except ContractError:
        raise
    except BenchError:
        pass
    else:
        raise Broken(f"accepts the device {absent}, which is not on this machine")
    images, masks = _tensors(*scene(subject.side, subject.side))
    present = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for name in present:
        method = subject.make(name)
        if method.probed:
            method.found = subject.method.found
        method.load()
        out = run_steps(method, images, masks)
        if out.device.type != "cpu" or out.dtype != torch.float32:
            raise Broken(
                f"on {name}, finish gives {out.dtype} on {out.device}, expected float32 on the CPU"
            )
    return f"refuses {absent}; from {' and '.join(present)} gives float32 on the CPU"


def value_range(subject: Subject) -> str:
    """Values lie in [0, 1], give or take an overshoot that clipping may take away."""
    images, masks = _tensors(*scene(subject.side, subject.side))
    out = run_steps(subject.method, images, masks)
    low, high = float(out.min()), float(out.max())
    _nothing_odd(subject, "range")
    if not (low >= -_OUTSIDE and high <= 1 + _OUTSIDE):  # also for NaN
        raise Broken(f"values from {low:.2f} to {high:.2f}, expected 0 to 1")
    return f"values from {low:.3f} to {high:.3f}"


def inputs_kept(subject: Subject) -> str:
    """No step may write into what it was given."""
    images, masks = _tensors(*scene(subject.side, subject.side))
    generator = torch.Generator().manual_seed(0)
    subject.method.begin(case_of(masks[0, 0]))
    with harness.running(subject.method):
        ready = _unchanged("prepare", subject.method.prepare, images, masks)
        # Given by place, as in a run: a method may call it otherwise.
        out = _unchanged(
            "infer", lambda *given: subject.method.infer(given[0], given[1], generator), *ready
        )
        fill = out if isinstance(out, Fill) else Fill(out)
        _unchanged("finish", partial(subject.method.finish, fill), images, masks)
    return "prepare, infer and finish leave their inputs as they are"


def global_random(subject: Subject) -> str:
    """Only the given generator may be used: global ones are neither moved nor listened to."""
    _need_repeatable(subject)
    photo, hole = scene(subject.side, subject.side)
    fills = []
    with _global_random_kept():
        for seed in (1, 2):
            _seed_all(seed)
            before = _global_state()
            fills.append(subject.fill(photo, hole))
            moved = [name for name, state in _global_state().items() if state != before[name]]
            if moved:
                raise Broken(f"moves the global random state of {', '.join(moved)}")
    if not same(*fills):
        raise Broken("the fill depends on global random state")
    return "global random state of random, NumPy and torch untouched and unused"


RULES: tuple[Callable[[Subject], str], ...] = (
    leak, polarity, channel_order, shift, odd_sizes, tiny, full_and_empty, grey, batch,
    determinism, device, value_range, inputs_kept, global_random,
)  # fmt: skip


def _fill_or_decline(subject: Subject, pairs: list[tuple[np.ndarray, np.ndarray]]) -> str:
    """Fill all; a refusal of some is a pass that says so, of all a refusal."""
    refusals: list[Declined] = []
    for photo, hole in pairs:
        try:
            subject.fill(photo, hole)
        except Declined as error:
            refusals.append(error)
        except Exception as error:
            height, width = hole.shape
            raise Broken(
                f"{width}x{height}, hole of {int(hole.sum())} pixels: {describe(error)}"
            ) from error
    if len(refusals) == len(pairs):
        raise refusals[-1]
    if refusals:
        return f"{len(pairs) - len(refusals)} of {len(pairs)} filled; declined: {refusals[-1]}"
    return f"all {len(pairs)} filled"


def _nothing_odd(subject: Subject, rule: str) -> str:
    """Break a rule that all fills of a few colours are suspected to break; one may be chance."""
    found = [
        [each.words for each in filled.suspicions if each.rule == rule]
        for filled in subject.in_colours
    ]
    if all(found):
        raise Broken(f"{found[0][0]}; {ADVICE[rule]}")
    return f"nothing odd about it in {len(found)} photos of different colours"


def _one_at_a_time(why: str) -> Declined:
    return Declined(
        f"takes one picture at a time ({why}): a run never gives more, but latency --batches would"
    )


def _need_repeatable(subject: Subject) -> None:
    if not subject.repeatable:
        raise Skipped("the same call twice gives two fills (see determinism): nothing to compare")


def _tensors(photo: np.ndarray, hole: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    masks = torch.from_numpy(hole[None, None]).float()
    return to_float(photo[None]) * (1 - masks), masks


def _unchanged(name: str, step: Callable[..., _T], images: torch.Tensor, masks: torch.Tensor) -> _T:
    before = images.clone(), masks.clone()
    result = step(images, masks)
    for kind, was, now in zip(("images", "masks"), before, (images, masks), strict=True):
        if not torch.equal(was, now):
            raise Broken(f"{name} writes into the {kind} it was given")
    return result


def _seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _global_state() -> dict[str, bytes]:
    numpy_state = np.random.get_state(legacy=False)["state"]
    return {
        "random": repr(random.getstate()).encode(),
        "NumPy": numpy_state["key"].tobytes() + bytes(str(numpy_state["pos"]), "ascii"),
        "torch": torch.get_rng_state().numpy().tobytes(),
    }


@contextmanager
def _global_random_kept() -> Iterator[None]:
    """Put back the caller's global random state."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
