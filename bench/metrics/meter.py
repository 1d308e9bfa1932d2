"""Measuring: which of the wanted metrics can be had here, and the meter a worker uses."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.metrics import METRICS
from bench.metrics.distribution import FID_NETWORK, FID_UNTRAINED, InceptionFeatures
from bench.metrics.pair import Pair
from bench.metrics.perceptual import LPIPS_NETWORK, LPIPS_UNTRAINED, Lpips
from bench.metrics.record import Metric
from methods import weights

# What is shown beside a metric whose weights are absent.
_STANDS_IN = {"lpips": "lpips_untrained", "lpips_hole": "lpips_untrained_hole"}


@dataclass(frozen=True)
class MetricStatus:
    """Whether a metric can be measured in this run.

    Attributes:
        metric: Its record.
        status: ``ok`` or ``absent``.
        reason: Why it is absent, with the command that fixes it.
        weights: The weight file of its network, if it needs one and it is here.
    """

    metric: Metric
    status: Literal["ok", "absent"]
    reason: str = ""
    weights: Path | None = None


def resolve_metrics(
    requested: Iterable[str],
    *,
    offline: bool = False,
    lpips_weights: Path | None = None,
    fid_weights: Path | None = None,
) -> list[MetricStatus]:
    """Find out which metrics can be measured, fetching weights if need be.

    Args:
        requested: Names of metrics.
        offline: Never fetch.
        lpips_weights: File or folder of the LPIPS backbone, instead of a search.
        fid_weights: File or folder of the Inception network, likewise.

    Returns:
        One status a metric, in the order of the table. A requested LPIPS that is absent is
        joined by its untrained stand-in.

    Raises:
        BenchError: If a name is unknown or a file given is not the right one.
    """
    names = set(requested)
    for name in sorted(names):
        _known(name)
    given = {LPIPS_NETWORK: lpips_weights, FID_NETWORK: fid_weights}
    needed = {METRICS[name].network for name in names} & given.keys()
    found = {network: _weights(network, given[network], offline) for network in sorted(needed)}
    absent = {network for network, (path, _) in found.items() if path is None}
    names |= {
        stand_in
        for name, stand_in in _STANDS_IN.items()
        if name in names and METRICS[name].network in absent
    }
    statuses = []
    for name in (name for name in METRICS if name in names):
        path, reason = found.get(METRICS[name].network, (None, ""))
        status: Literal["ok", "absent"] = "absent" if reason else "ok"
        statuses.append(MetricStatus(METRICS[name], status, reason, path))
    return statuses


def libraries(names: Iterable[str]) -> list[str]:
    """The modules that case metrics load with their networks, which takes long."""
    networks = {METRICS[name].network for name in names if name in METRICS}
    return ["lpips"] if networks & {LPIPS_NETWORK, LPIPS_UNTRAINED} else []


def undefined(metric: Metric, pair: Pair) -> str:
    """Why a case metric has no value for this pair; empty if it has one."""
    height, width = pair.hole.shape
    if min(height, width) < metric.minimum_side:
        return f"needs sides of at least {metric.minimum_side} pixels, found {width}x{height}"
    if metric.region == "hole" and not pair.hole_pixels:
        return "the hole is empty"
    if metric.region == "ring" and pair.hole_pixels in (0, pair.hole.size):
        return "the hole has no edge"
    if metric.region == "known" and pair.raw is None:
        return "the method's raw output is not known"
    return ""


class Meter:
    """All that a worker measures, with the networks loaded once."""

    def __init__(
        self,
        names: Iterable[str],
        features: Iterable[str] = (),
        weight_files: Mapping[str, str | Path] | None = None,
        *,
        device: str = "cpu",
    ) -> None:
        """Load the networks.

        Args:
            names: Case metrics to measure; the absent ones of a run left out.
            features: Networks whose features set metrics need, such as ``fid-inception``.
            weight_files: Weight file by name of the network.
            device: Where networks run.

        Raises:
            BenchError: If a name is unknown, or a network's weights are missing or wrong.
        """
        self._metrics = [_known(name) for name in names]
        for metric in self._metrics:
            if metric.scope != "case":
                raise BenchError(f"metric {metric.name}: measured on sets, not on single fills")
        files = {name: Path(path) for name, path in (weight_files or {}).items()}
        needed = {metric.network for metric in self._metrics if metric.network}
        self._networks = {name: _network(name, files, device) for name in sorted(needed)}
        self._extractors = {name: _network(name, files, device) for name in features}

    def measure(self, pair: Pair) -> dict[str, float]:
        """Measure one fill.

        Returns:
            Value by name. PSNR of equal pictures is infinite; a metric is NaN only where
            `undefined` says why.

        Raises:
            BenchError: If any other value is not finite.
        """
        return {metric.name: self._value(metric, pair) for metric in self._metrics}

    def reasons(self, pair: Pair) -> dict[str, str]:
        """Why metrics have no value for this pair, by name of the metric."""
        found = {metric.name: undefined(metric, pair) for metric in self._metrics}
        return {name: reason for name, reason in found.items() if reason}

    def features(self, pair: Pair) -> dict[str, NDArray[np.float32]]:
        """Features of an output by name of the network; computed once for all equal to a photo."""
        kept = pair.original.features if pair.changed.empty else {}
        for name, extract in self._extractors.items():
            if name not in kept:
                kept[name] = extract(pair.output)
        return {name: kept[name] for name in self._extractors}

    def _value(self, metric: Metric, pair: Pair) -> float:
        if undefined(metric, pair):
            return math.nan
        extra = (self._networks[metric.network],) if metric.network else ()
        value = metric.function(pair, *extra)
        equal = metric.unit == "dB" and value == math.inf
        if not (math.isfinite(value) or equal):
            raise BenchError(
                f"metric {metric.name}: expected a finite value, found {value} for a picture of "
                f"{pair.hole.shape[1]}x{pair.hole.shape[0]} with {pair.hole_pixels} hole pixels"
            )
        return value


def _known(name: str) -> Metric:
    if name in METRICS:
        return METRICS[name]
    close = difflib.get_close_matches(name, METRICS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(METRICS)}"
    raise BenchError(f"metric {name!r} is unknown; {hint}")


def _weights(network: str, given: Path | None, offline: bool) -> tuple[Path | None, str]:
    """The weight file of a network, or why it is not here and what to do."""
    checkpoint = weights.CHECKPOINTS[network]
    if given is not None:
        return weights.find(checkpoint, given), ""
    try:
        path = weights.find(checkpoint)
        if path is None and not offline:
            path = weights.fetch(checkpoint)
    except BenchError as error:
        return None, str(error)
    if path is None:
        return None, (
            f"weights {network} ({checkpoint.file}) are not on this machine and --offline forbids "
            f"fetching them; run: inpaint-bench weights fetch {network}"
        )
    return path, ""


def _network(name: str, files: Mapping[str, Path], device: str) -> Any:
    if name in weights.CHECKPOINTS and name not in files:
        raise BenchError(
            f"network {name}: no weight file given; run: inpaint-bench weights fetch {name}"
        )
    if name in (LPIPS_NETWORK, LPIPS_UNTRAINED):
        return Lpips(files.get(name), device=device)
    if name in (FID_NETWORK, FID_UNTRAINED):
        return InceptionFeatures(files.get(name), device=device)
    raise BenchError(f"network {name!r} is unknown to the metrics")
