"""Make the inputs of a case from their description."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from methods.verification.case import CannotRebuild, Case, GoldenFile, bounded
from methods.weights import rule

Inputs = Mapping[str, Any]  # tensors, or None where an argument or a part does not exist
Derive = Callable[[str, Inputs], torch.Tensor]

_STATED = 1e-6  # stated means and stored copies are rounded, to 7 decimals or to float32


def make(case: Case, file: GoldenFile, derive: Derive | None) -> dict[str, Any]:
    """Make all inputs of a case.

    Args:
        case: What is asked for.
        file: Where stored inputs are taken from.
        derive: The method's own, for steps in words: takes the words and the inputs so far, among
            them under ``""`` the value that the step continues, if there is one, and under
            ``"config"`` the settings of the case. It refuses words that it does not know with
            `CannotRebuild`.

    Raises:
        CannotRebuild: If a description is not understood or does not fit what it states.
    """
    entries = {entry["name"]: entry for entry in case.inputs}
    if "config" in entries:
        raise CannotRebuild("an input is named config, which stands for the settings of the case")
    made: dict[str, Any] = {"config": case.config}
    for name in [*_needed_first(case), *entries]:
        if name not in entries:
            raise CannotRebuild(f"there is no input {name!r}, which another one refers to")
        if name not in made:
            made[name] = _finished(entries[name], made, file, derive)
    return {name: made[name] for name in entries}


def _needed_first(case: Case) -> list[str]:
    """Inputs that others refer to, as ``zero_where`` does, wherever they stand."""
    operations = [op for entry in case.inputs for op in entry.get("ops", ())]
    named = [op[1] for op in operations if op[0] == "zero_where"]
    counted = "mask" in {entry["name"] for entry in case.inputs} and any(
        "M" in entry.get("shape", ()) for entry in case.inputs
    )
    return [*named, *(["mask"] if counted else [])]


def _finished(
    entry: Mapping[str, Any], made: Inputs, file: GoldenFile, derive: Derive | None
) -> Any:
    name = entry["name"]
    try:
        value = _value(entry, made, file, derive)
        for operation in entry.get("ops", ()):
            value = apply(value, operation, made)
    except CannotRebuild:
        raise
    except Exception as error:  # whatever a description that does not fit makes NumPy raise
        raise CannotRebuild(f"input {name}: {type(error).__name__}: {error}") from error
    tensor = None if value is None else torch.from_numpy(np.ascontiguousarray(value))
    if "then" in entry:
        if derive is None:
            raise CannotRebuild(f"input {name}: the method derives no input as {entry['then']!r}")
        tensor = derive(entry["then"], dict(made) | ({} if tensor is None else {"": tensor}))
    elif entry["make"] == "derived":
        raise CannotRebuild(f"input {name}: it is derived, but does not say how")
    _check_stated(entry, tensor, file)
    return tensor


def _value(
    entry: Mapping[str, Any], made: Inputs, file: GoldenFile, derive: Derive | None
) -> np.ndarray | None:
    kind = entry["make"]
    count = len(entry.get("seeds", entry.get("streams", entry.get("boxes", ""))))
    shape = [side for side in entry.get("shape", ()) if side != "M"]
    bounded(max(count, 1), entry.get("height", 1), entry.get("width", 1), *shape)
    if kind in ("rule_image", "rule_mask"):
        return _stacked(entry, "seed", lambda seed: _picture(kind, entry, seed))
    if kind in ("normal", "uniform", "integers"):
        shape = [_masked(made, derive) if n == "M" else n for n in entry["shape"]]
        return _stacked(entry, "stream", lambda stream: _random(kind, entry, stream, shape))
    if kind == "boxes":
        planes = np.zeros((len(entry["boxes"]), 1, entry["height"], entry["width"]), np.float32)
        for plane, boxes in zip(planes, entry["boxes"], strict=True):
            for top, left, height, width in boxes:
                plane[0, top : top + height, left : left + width] = 1
        return planes
    if kind == "constant":
        return np.full(entry["shape"], entry["value"], entry.get("dtype", "float32"))
    if kind == "array":
        return file.arrays[entry["array"]]
    if kind == "file":
        return _from_shared(entry["file"], file)
    if kind in ("none", "missing", "derived"):
        return None
    raise CannotRebuild(f"input {entry['name']}: it is not known how to make {kind!r}")


def _stacked(entry: Mapping[str, Any], kind: str, one: Callable[[int], np.ndarray]) -> np.ndarray:
    """One array for ``seed``, a batch for ``seeds``; likewise for streams."""
    if kind in entry:
        return one(entry[kind])
    return np.stack([one(number) for number in entry[f"{kind}s"]])


def _picture(kind: str, entry: Mapping[str, Any], seed: int) -> np.ndarray:
    if kind == "rule_mask":
        made = rule.mask(entry["height"], entry["width"], seed)
    else:
        made = rule.image(entry["height"], entry["width"], seed, entry.get("channels", 3))
    return made.astype(entry.get("dtype", "float32"))


def _masked(made: Inputs, derive: Derive | None) -> int:
    """Count the masked tokens, ``M``; where the case gives no token mask, the method derives it."""
    if "mask" in made:
        return int(made["mask"].sum())
    if derive is None:
        raise CannotRebuild("the method derives no input as 'M', the number of masked tokens")
    return int(derive("M", made))


def _random(kind: str, entry: Mapping[str, Any], stream: int, shape: list[int]) -> np.ndarray:
    generator = np.random.Generator(np.random.PCG64(stream))
    if kind == "integers":
        numbers = generator.integers(entry["low"], entry["high"], shape)
        return numbers.astype(entry["dtype"]) if "dtype" in entry else numbers
    draw = generator.standard_normal if kind == "normal" else generator.random
    return draw(shape).astype(entry.get("dtype", "float32"))


def _from_shared(name: str, file: GoldenFile) -> np.ndarray:
    data = os.environ.get("INPAINT_BENCH_DATA")
    folder = os.path.dirname(data.rstrip("/")) if data else file.path.resolve().parents[1]
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise CannotRebuild(
            f"expected {path}; point INPAINT_BENCH_DATA to the folder data that goes with the file"
        )
    loaded: np.ndarray = np.load(path, allow_pickle=False)
    return loaded


def apply(value: Any, operation: list[Any], made: Inputs) -> np.ndarray:
    """Do one step; numbers are taken in the type of the array."""
    match operation:
        case ["multiply", x]:
            return value * value.dtype.type(x)
        case ["add", x]:
            return value + value.dtype.type(x)
        case ["subtract", x]:
            return value - value.dtype.type(x)
        case ["round"]:
            return np.round(value)
        case ["floor"]:
            return np.floor(value)
        case ["uint8"]:
            return value.astype(np.uint8)
        case ["reshape", shape]:
            return value.reshape(shape)
        case ["transpose", axes]:
            return value.transpose(axes)
        case ["repeat", axis, count]:
            bounded(value.size, count)
            return np.repeat(value, count, axis)
        case ["slice", text]:
            return value[indices(text)]
        case ["zero_where", other]:
            return np.where(made[other].numpy() == 1, value.dtype.type(0), value)
    raise CannotRebuild(f"the step {operation} is not known")


def indices(text: str) -> tuple[Any, ...]:
    """Read NumPy indexing such as ``[:, 1::5, ..., 0]``, without evaluating it."""
    body = re.fullmatch(r"\[(.*)\]", text.strip())
    words = [word.strip() for word in body[1].split(",")] if body else [""]
    found: list[Any] = []
    for word in words:
        if word == "...":
            found.append(Ellipsis)
        elif re.fullmatch(r"-?\d+", word):
            found.append(int(word))
        elif re.fullmatch(r"(-?\d+)?:(-?\d+)?(:(-?\d+)?)?", word):
            found.append(slice(*(int(part) if part else None for part in word.split(":"))))
        else:
            raise CannotRebuild(f"expected indexing such as [:, 0:4, ::2] or [...], found {text!r}")
    return tuple(found)


def _check_stated(entry: Mapping[str, Any], tensor: torch.Tensor | None, file: GoldenFile) -> None:
    """Compare a finished input with what the file says about it."""
    name = entry["name"]
    for statistic in ("mean", "std"):
        if statistic in entry and tensor is not None:
            found = float(getattr(np, statistic)(tensor.numpy(), dtype=np.float64))
            if not abs(found - entry[statistic]) <= _STATED:
                raise CannotRebuild(
                    f"input {name}: the file states {statistic} {entry[statistic]}, made {found}"
                )
    if "array" in entry and entry["make"] != "array" and tensor is not None:
        stored = file.arrays[entry["array"]]
        if stored.shape != tensor.shape or np.abs(stored - tensor.numpy()).max() > _STATED:
            raise CannotRebuild(f"input {name}: differs from its stored copy {entry['array']}")
