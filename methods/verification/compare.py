"""Compare a tensor with a stored array, within the tolerance that its row states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from methods.verification.case import CannotRebuild, Row
from methods.verification.inputs import indices

_STATISTICS: dict[str, Callable[[np.ndarray], Any]] = {
    "mean": lambda values: values.mean(),
    "std": lambda values: values.std(),
    "std1": lambda values: values.std(ddof=1),
    "min": lambda values: values.min(),
    "max": lambda values: values.max(),
}


@dataclass(frozen=True)
class Comparison:
    """What became of one row.

    Attributes:
        array: Key of the stored array.
        passed: Whether all of it is within its tolerance.
        tolerance: The tolerance in words.
        deviation: Largest absolute difference of an element; NaN if nothing could be compared.
        share: Largest share of its tolerance that an element takes, permitted outliers aside.
        reason: What exceeds the tolerance or could not be compared; empty if it passed.
    """

    array: str
    passed: bool
    tolerance: str
    deviation: float
    share: float = 0.0
    reason: str = ""


def compare(key: str, row: Row, found: Any, arrays: Mapping[str, np.ndarray]) -> Comparison:
    """Compare one row, in float64.

    Args:
        key: Key of the stored array.
        row: What it is.
        found: The whole tensor of the implementation.
        arrays: The stored arrays.
    """
    whole = np.asarray(found.cpu() if isinstance(found, torch.Tensor) else found)
    stored = np.asarray(arrays[key], np.float64)
    sample = np.asarray(_sample(row, whole), np.float64)
    if row.shape is not None and list(whole.shape) != row.shape:
        return _failed(key, row, f"expected shape {row.shape}, found {list(whole.shape)}")
    if sample.shape != stored.shape:
        return _failed(key, row, f"expected sample {stored.shape}, found {sample.shape}")
    if row.where is not None:
        chosen = arrays[row.where["array"]] > row.where["above"]
        sample, stored = sample[chosen], stored[chosen]
    if sample.size == 0:
        return _failed(key, row, "nothing is left to compare")
    # Equal infinities differ by NaN; equal is equal.
    same = sample == stored
    with np.errstate(invalid="ignore"):
        deviation = np.where(same, 0.0, np.abs(sample - stored))
        allowed = row.atol + row.rtol * np.abs(stored)
    exceeds = ~same & ~(deviation <= allowed)
    reason = _excess(row, deviation, exceeds) or _statistics(row, whole)
    shares = np.divide(deviation, allowed, out=np.zeros_like(deviation), where=allowed > 0)
    within = shares[~exceeds] if row.outliers is not None else shares
    share = float(within.max(initial=0))
    return Comparison(key, not reason, _words(row), float(deviation.max()), share, reason)


def _sample(row: Row, whole: np.ndarray) -> Any:
    if row.reduce == "shape":
        return whole.shape
    if row.reduce:
        unknown = set(row.reduce) - _STATISTICS.keys()
        if unknown:
            raise CannotRebuild(f"the statistics {', '.join(sorted(unknown))} are not known")
        values = whole.astype(np.float64)
        return [_STATISTICS[name](values) for name in row.reduce]
    return whole[indices(row.slice)]


def _excess(row: Row, deviation: np.ndarray, exceeds: np.ndarray) -> str:
    """Say which elements exceed the tolerance, if more do than may."""
    count, total = int(exceeds.sum()), exceeds.size
    if not count:
        return ""
    if row.outliers is None:
        return f"{count} of {total} elements exceed it"
    share, limit = row.outliers["share"], row.outliers["atol"]
    if count > (share or 0) * total:
        return f"{count} of {total} elements exceed it, more than a share of {share}"
    if limit is not None and not bool((deviation[exceeds] <= limit).all()):
        return f"outliers exceed {limit}"
    return ""


def _statistics(row: Row, whole: np.ndarray) -> str:
    """Compare mean and deviation of the whole tensor, which a sample may miss."""
    if row.outliers is not None or row.mean is None or row.std is None:
        return ""
    allowed = row.atol + row.rtol * (abs(row.mean) + row.std) + 1e-7
    values = whole.astype(np.float64)
    for name, stated in (("mean", row.mean), ("std", row.std)):
        found = float(_STATISTICS[name](values))
        if not abs(found - stated) <= allowed:
            return f"{name} of the whole tensor is {found:.6g}, expected {stated:.6g}"
    return ""


def _failed(key: str, row: Row, reason: str) -> Comparison:
    return Comparison(key, False, _words(row), float("nan"), reason=reason)


def _words(row: Row) -> str:
    if row.atol == row.rtol == 0:
        words = "equal"
    else:
        words = f"{row.atol:.1e}" + (f" + {row.rtol:.0e} x |value|" if row.rtol else "")
    if row.outliers:
        words += f", but for a share of {row.outliers['share']}"
    return words
