"""What a device can do at best, to compare methods with: bytes copied and products a second."""

from __future__ import annotations

from collections.abc import Callable

import torch

from methods import execution, harness

_ROUNDS = 5
_SIDES = {"cpu": 1024, "cuda": 8192}
_COPIED = {"cpu": 2**26, "cuda": 2**31}  # bytes: more than any cache holds


def measure(device: torch.device) -> dict[str, float]:
    """Measure the ceilings of a device, best of a few rounds, on random numbers.

    Returns:
        ``copy``, bytes read and written a second by a copy on the device; ``fp32``, and on CUDA
        ``tf32`` and ``bf16``, operations a second of a large matrix product.
    """
    found = {"copy": _copy(device), "fp32": _product(device, torch.float32, ())}
    if device.type == "cuda":
        found["tf32"] = _product(device, torch.float32, ("tf32",))
        found["bf16"] = _product(device, torch.bfloat16, ())
    return found


def _copy(device: torch.device) -> float:
    source = torch.rand(_size(_COPIED, device) // 4, device=device)
    target = torch.empty_like(source)
    return 2 * source.nbytes / _best(device, lambda: target.copy_(source))


def _product(device: torch.device, dtype: torch.dtype, ways: tuple[str, ...]) -> float:
    side = _size(_SIDES, device)
    a, b = (torch.rand(side, side, device=device).to(dtype) - 0.5 for _ in range(2))
    with execution.running(ways, device):
        return 2 * side**3 / _best(device, lambda: a @ b)


def _size(sizes: dict[str, int], device: torch.device) -> int:
    return sizes.get(device.type, sizes["cpu"])


def _best(device: torch.device, work: Callable[[], object]) -> float:
    """Least seconds of a piece of work: a ceiling is what is reached when nothing disturbs."""
    times = [harness.timed(device, work)[1] for _ in range(_ROUNDS)]
    return min(each.device if device.type == "cuda" else each.wall for each in times[1:])
