"""What several samples of the same case have in common: one row per method and case.

These numbers never enter a ranking, which sample 0 alone decides: the best of several is known
only to who has the photo.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bench import statistics
from bench.folder.schema import SAMPLES
from bench.folder.store import RunFolder, records
from bench.metrics import METRICS
from bench.metrics.diversity import diversity, identical, names
from bench.metrics.perceptual import Lpips
from bench.planning.pictures import hole_of
from methods import weights

_KEYS = ["method", "photo", "tier", "draw"]
_LPIPS = ("lpips", "lpips_untrained")  # whichever of them the run has, the published one first
_SMALL = "LPIPS of a box needs sides of at least 32 pixels"


def sample_rows(
    store: RunFolder,
    cases: pd.DataFrame,
    fills_per_case: Mapping[str, int],
    files: Mapping[str, Path],
    device: str,
) -> pd.DataFrame:
    """Summarise the samples of each case, and measure how far they are from each other.

    Args:
        store: The run folder.
        cases: The compacted cases, with their number in the column ``case``.
        fills_per_case: How many samples each method was asked for.
        files: Weight files by network, where they were given.
        device: Where LPIPS runs.

    Returns:
        A row per method and case with a completed sample; columns as in ``docs/run-folder.md``.
        No row if no method was asked for several samples.
    """
    asked = store.read_table("metrics.parquet").query("scope == 'case'")
    measured = asked[asked["status"] == "ok"]
    shown = list(measured["metric"])
    higher = set(measured.loc[measured["direction"] == "higher", "metric"])
    lpips = next((name for name in _LPIPS if name in shown), "")
    if "lpips" in set(asked["metric"]) and not lpips:  # samples have each other, if no truth
        lpips = "lpips" if _weights("lpips", files) else "lpips_untrained"
    summaries = [f"{name}_{over}" for name in shown for over in ("mean", "best", "worst")]
    rows = []
    if max(fills_per_case.values(), default=1) > 1:
        spread = _Spread(store, lpips, files, device)
        for _, own in cases[cases["status"] == "ok"].groupby(["method", "case"], sort=False):
            first = records(own[[*_KEYS, "cluster"]])[0] | {"samples": len(own)}
            rows.append(first | _summaries(own, shown, higher) | spread.of(own))
    return SAMPLES.frame(rows, [*summaries, *names(lpips)])


class _Spread:
    """Measures how far samples are from each other, with the network loaded once."""

    def __init__(
        self, store: RunFolder, lpips: str, files: Mapping[str, Path], device: str
    ) -> None:
        self._store = store
        self._lpips = lpips
        self._holes = store.read_table("plan.parquet")["mask_sha"]
        described = store.read_table("methods.parquet")
        self._stochastic = set(described.loc[described["stochastic"].astype(bool), "method"])
        self._network, self._absent = _network(lpips, files, device) if lpips else (None, "")

    def of(self, own: pd.DataFrame) -> dict[str, Any]:
        """Distances of the completed samples of one method and case, and what is to be noted."""
        if own["method"].iloc[0] not in self._stochastic:
            return identical(self._lpips) | {"note": ""}
        if len(own) < 2:
            return {"note": "one sample: nothing to compare it with"}
        try:
            pictures = [self._store.read_picture(name) for name in own["output"]]
        except OSError:
            return {"note": "not all pictures of the samples are kept"}
        hole = hole_of(self._holes[own["case"].iloc[0]], self._store)
        network = (self._lpips, self._network) if self._network else None
        found = diversity(pictures, hole, network)
        small = network and math.isnan(found[f"diversity_{self._lpips}_box"])
        return found | {"note": _SMALL if small else self._absent}


def _network(name: str, files: Mapping[str, Path], device: str) -> tuple[Lpips | None, str]:
    """Load the network of an LPIPS column, or say why it cannot be."""
    kind, path = METRICS[name].network, _weights(name, files)
    if kind in weights.CHECKPOINTS and path is None:
        command = weights.CHECKPOINTS[kind].command
        return None, f"the weights {kind} are no longer on this machine; run: {command}"
    return Lpips(path, device=device), ""


def _weights(name: str, files: Mapping[str, Path]) -> Path | None:
    """The weight file of an LPIPS column's network, if it has one and it is here."""
    kind = METRICS[name].network
    found = weights.CHECKPOINTS.get(kind)
    return files.get(kind) or (weights.find(found) if found else None)


def _summaries(
    own: pd.DataFrame, shown: Sequence[str], higher: Collection[str]
) -> dict[str, float]:
    """Mean, best and worst of each metric over the samples; equal pictures count as 100 dB."""
    found: dict[str, float] = {}
    for name in shown:
        values, _ = statistics.cap_infinite(own[name])
        low, high = values.min(), values.max()
        found |= {
            f"{name}_mean": values.mean(),
            f"{name}_best": high if name in higher else low,
            f"{name}_worst": low if name in higher else high,
        }
    return found
