"""Measuring: which of the wanted metrics can be had here, and the meter a worker uses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, Declined, describe
from bench.metrics import METRICS, networks
from bench.metrics.pair import Pair
from bench.metrics.plug_ins import resolve
from bench.metrics.record import CaseMetric, Metric, NetworkMetric

_NO_TRUTH = "the truth is unknown"
# What is shown beside a metric whose weights are absent.
_STANDS_IN = {"lpips": "lpips_untrained", "lpips_hole": "lpips_untrained_hole"}


@dataclass(frozen=True)
class MetricStatus:
    """Whether a metric can be measured in this run.

    Attributes:
        text: What asked for it, here and in a worker.
        metric: Its record.
        status: ``ok`` or ``absent``.
        reason: Why it is absent, with the command that fixes it.
        weights: The weight files it needs, as far as they are here, by name of the network.
    """

    text: str
    metric: Metric
    status: Literal["ok", "absent"]
    reason: str = ""
    weights: Mapping[str, Path] = field(default_factory=dict)


def resolve_metrics(
    requested: Iterable[str],
    *,
    offline: bool = False,
    weights: Mapping[str, Path] = MappingProxyType({}),
    truth_known: bool = True,
) -> list[MetricStatus]:
    """Find out which metrics can be measured, fetching weights if need be.

    Args:
        requested: Names of metrics, and one's own as ``LABEL=module:function``.
        offline: Never fetch.
        weights: File or folder by name of the network, instead of a search.
        truth_known: Whether there is anything to hold fills against.

    Returns:
        One status a metric, in the order of the table, one's own last. A requested LPIPS that is
        absent is joined by its untrained stand-in.

    Raises:
        BenchError: If a name is unknown, two have one name, or a file given is not the right one.
    """
    networks.check_names(weights)
    asked: dict[str, tuple[str, Metric]] = {}
    for text in dict.fromkeys(requested):
        metric = resolve(text)
        if metric.name in asked:
            raise BenchError(
                f"metrics: {asked[metric.name][0]!r} and {text!r} have one name; give another label"
            )
        asked[metric.name] = text, metric
    without = {} if truth_known else {n: _NO_TRUTH for n, (_, m) in asked.items() if m.needs_truth}
    needed = {
        name: networks.parts(metric.network)
        for name, (_, metric) in asked.items()
        if name not in without
    }
    found = {
        network: networks.weight_file(network, weights.get(network), offline=offline)
        for network in sorted(set(chain(*needed.values())))
    }
    for name, stand_in in _STANDS_IN.items():
        if name in needed and not all(found[each][0] for each in needed[name]):
            asked[stand_in] = stand_in, METRICS[stand_in]
    statuses = []
    for name in sorted(asked, key=_place):
        text, metric = asked[name]
        files = {each: found[each] for each in needed.get(name, ())}
        reason = without.get(name, "; ".join(filter(None, (why for _, why in files.values()))))
        status: Literal["ok", "absent"] = "absent" if reason else "ok"
        here = {each: path for each, (path, _) in files.items() if path}
        statuses.append(MetricStatus(text, metric, status, reason, here))
    return statuses


def weight_files(statuses: Iterable[MetricStatus]) -> dict[str, Path]:
    """The weight file of each network that has one, by its name."""
    return {name: path for each in statuses for name, path in each.weights.items()}


def _place(name: str) -> int:
    """Where a metric stands in the table; those of others follow it."""
    return list(METRICS).index(name) if name in METRICS else len(METRICS)


def libraries(names: Iterable[str]) -> list[str]:
    """The modules that case metrics load with their networks, which takes long."""
    needed = {METRICS[name].network for name in names if name in METRICS}
    return ["lpips"] if needed & set(networks.OF_PAIRS) else []


def undefined(metric: Metric, pair: Pair) -> str:
    """Why a case metric has no value for this pair; empty if it has one."""
    height, width = pair.hole.shape
    if min(height, width) < metric.minimum_side:
        return f"needs sides of at least {metric.minimum_side} pixels, found {width}x{height}"
    if metric.region == "hole" and not pair.hole_pixels:
        return "the hole is empty"
    if metric.region == "ring" and pair.hole_pixels in (0, pair.hole.size):
        return "the hole has no edge"
    from_raw = pair.pasted or metric.name == "drift"
    if metric.region == "known" and pair.raw is None and from_raw:
        return "the method's raw output is not known"
    return ""


class Measured(NamedTuple):
    """What was measured of one fill.

    Attributes:
        values: Value by name; NaN where there is none.
        reasons: Why there is none, by name.
    """

    values: dict[str, float]
    reasons: dict[str, str]


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
        self._metrics = [_of_case(resolve(name)) for name in names]
        files = {name: Path(path) for name, path in (weight_files or {}).items()}
        needed = {each.network for each in self._metrics if isinstance(each, NetworkMetric)}
        self._networks = {
            name: networks.pair_network(name, files, device) for name in sorted(needed)
        }
        self._extractors = {name: networks.extractor(name, files, device) for name in features}

    def measure(self, pair: Pair) -> Measured:
        """Measure one fill.

        PSNR of equal pictures is infinite. A built-in metric is NaN only where `undefined` says
        why, or it declined; of one's own, what it raised is a reason, too, or that its value is
        not finite.

        Raises:
            BenchError: If a built-in metric gives any other value that is not finite.
        """
        values, reasons = {}, {}
        for metric in self._metrics:
            values[metric.name], reason = self._value(metric, pair)
            if reason:
                reasons[metric.name] = reason
        return Measured(values, reasons)

    def features(self, pair: Pair) -> dict[str, NDArray[np.float32]]:
        """Features of an output by name of the network; computed once for all equal to a photo.

        There are none of the fill as floats where only its bytes are known. A run folder has one
        set of them for all fills that are equal in bytes, which differ by less than a level.
        """
        kept = pair.original.features if pair.changed.empty else {}
        found = {}
        for name, extract in self._extractors.items():
            if name == networks.FID_FLOAT:
                with suppress(Declined):
                    found[name] = extract(pair.in_float)
                continue
            if name not in kept:
                kept[name] = extract(pair.output)
            found[name] = kept[name]
        return found

    def _value(self, metric: CaseMetric | NetworkMetric, pair: Pair) -> tuple[float, str]:
        """The value, or NaN and why there is none."""
        why = undefined(metric, pair)
        if why:
            return math.nan, why
        try:
            value = self._computed(metric, pair)
        except Declined as error:
            return math.nan, str(error)
        except Exception as error:
            if metric.name in METRICS:
                raise
            return math.nan, describe(error)
        if math.isfinite(value) or (metric.unit == "dB" and value == math.inf):
            return value, ""
        why = (
            f"expected a finite value, found {value} for a picture of "
            f"{pair.hole.shape[1]}x{pair.hole.shape[0]} with {pair.hole_pixels} hole pixels"
        )
        if metric.name in METRICS:
            raise BenchError(f"metric {metric.name}: {why}")
        return math.nan, why

    def _computed(self, metric: CaseMetric | NetworkMetric, pair: Pair) -> float:
        if isinstance(metric, NetworkMetric):
            return metric.function(pair, self._networks[metric.network])
        return metric.function(pair)


def _of_case(metric: Metric) -> CaseMetric | NetworkMetric:
    if isinstance(metric, CaseMetric | NetworkMetric):
        return metric
    raise BenchError(f"metric {metric.name}: measured on sets, not on single fills")
