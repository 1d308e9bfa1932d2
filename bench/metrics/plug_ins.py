"""Metrics of one's own and of installed packages, beside the built-in ones.

One's own is named ``LABEL=module:function`` or ``LABEL=path/file.py:function``. An installed
package adds metrics through the entry-point group ``inpaint_bench.metrics``: each names a record,
a plain function, a list of records, or a module with any of these as ``METRIC``. How a function
becomes a metric is told by `bench.metrics.record.case_metric`.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.errors import BenchError, describe, did_you_mean, nearest, spelt_like
from bench.metrics.networks import OF_PAIRS
from bench.metrics.record import CaseMetric, Metric, NetworkMetric, case_metric
from bench.metrics.table import METRICS
from methods import user_code
from methods.sources import code_of

GROUP = "inpaint_bench.metrics"
# Words that stand for something else in the tables and on the command line.
RESERVED = frozenset({
    "all", "attempt", "case", "case_key", "cluster", "counts", "cpu_seconds", "draw",
    "drift_version", "fill_key", "flags", "good", "hole_share", "hole_width", "measure_key",
    "measure_seconds", "measured", "method", "note", "output", "output_sha", "peak_bytes", "photo",
    "pictures", "rank", "reason", "sample", "seconds", "status", "thumbnail", "tier", "traceback",
    "worker", "written",
})  # fmt: skip
_OWN = CaseMetric | NetworkMetric
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TARGET = re.compile(r"(?:[A-Za-z_][\w.]*|.+\.py):[A-Za-z_]\w*")
_HOW = (
    'write @case_metric(direction="lower") of bench.metrics.record, or "higher", above the function'
)


def name_of(text: str) -> str:
    """The name of a metric as the user asked for it, in any case; imports nothing of one's own.

    Args:
        text: ``NAME``, ``LABEL=module:function`` or ``LABEL=path/file.py:function``.

    Raises:
        BenchError: If it is unknown or malformed, or its label is taken.
    """
    text = spelt_like(text, METRICS)
    if text in METRICS:
        return text
    label, equals, target = text.partition("=")
    if not equals:
        return _installed_one(text).name
    _check_label(label, f"metric {text!r}")
    if not _TARGET.fullmatch(target):
        raise BenchError(
            f"metric {text!r}: expected module:function or path/file.py:function after '=', found "
            f"{target!r}"
        )
    if label in installed()[0]:
        raise BenchError(
            f"metric {text!r}: {label!r} is a metric of an installed package; choose another label"
        )
    try:
        user_code.require(target)
    except BenchError as error:
        raise BenchError(f"metric {text!r}: {error}") from error
    return label


def resolve(text: str) -> Metric:
    """The record of a metric as the user asked for it.

    Raises:
        BenchError: As `name_of`; or if one's own cannot be imported or is no metric.
    """
    name = name_of(text)
    if name in METRICS:
        return METRICS[name]
    if "=" not in text:
        return _installed_one(text)
    target = text.partition("=")[2]
    try:
        place, _, attribute = target.rpartition(":")
        module = user_code.module_of(target)
        if not hasattr(module, attribute):
            raise BenchError(
                f"{place} has no attribute {attribute!r}.{did_you_mean(attribute, vars(module))}"
            )
        found = getattr(module, attribute)
        origin = f"{Path(place).name if place.endswith('.py') else place}:{attribute}"
        return _finished(_record(found, origin), name, origin, module)
    except BenchError as error:
        raise BenchError(f"metric {text!r}: {error}") from error


def installed() -> tuple[dict[str, Metric], dict[str, str]]:
    """Metrics of installed packages by name, and why others of them cannot be used."""
    found: list[tuple[str, Metric]] = []
    broken: dict[str, str] = {}
    for point in sorted(entry_points(group=GROUP)):
        try:
            offered = _offered(point)
            for name in offered:
                _check_label(name, f"metric {name!r} of {point.value}")
            found += offered.items()
        except Exception as error:  # an import runs any code
            broken[point.name] = describe(error)
    counts = Counter(name for name, _ in found)
    for name, count in counts.items():
        if count > 1:
            broken[name] = f"{count} installed packages have a metric of this name; keep one"
    return {name: metric for name, metric in found if name not in broken}, broken


def _offered(point: EntryPoint) -> dict[str, Metric]:
    """What an entry point names."""
    found: Any = point.load()
    if isinstance(found, ModuleType):
        found = found.METRIC
    listed = isinstance(found, list | tuple)
    records = [_record(each, point.value) for each in (found if listed else [found])]
    module = sys.modules[point.module]
    names = [record.name if listed else point.name for record in records]
    if len(set(names)) < len(names):
        raise BenchError(f"{point.value}: expected metrics of different names, found {names}")
    return {
        name: _finished(record, name, point.value, module)
        for name, record in zip(names, records, strict=True)
    }


def _installed_one(name: str) -> Metric:
    metrics, broken = installed()
    name = spelt_like(name, [*metrics, *broken])
    if name in broken:
        raise BenchError(f"metric {name!r} of an installed package cannot be used: {broken[name]}")
    if name not in metrics:
        raise BenchError(_unknown(name, METRICS | metrics))
    return metrics[name]


def _record(found: Any, origin: str) -> _OWN:
    """The record of what was imported.

    Raises:
        BenchError: If it is none and none can be made of it.
    """
    if isinstance(found, NetworkMetric) and found.network not in OF_PAIRS:
        raise BenchError(
            f"{origin}: expected one of the networks {', '.join(OF_PAIRS)}, found "
            f"{found.network!r}; a network of your own is called inside the function"
        )
    if isinstance(found, _OWN):
        return found
    if isinstance(found, Metric):
        raise BenchError(f"{origin}: metrics of sets cannot be added; expected one of single fills")
    if not callable(found):
        raise BenchError(f"{origin}: expected a function or a record of a metric, found {found!r}")
    try:
        inspect.signature(found).bind("output", "photo", "hole")
    except TypeError as error:
        raise BenchError(
            f"{origin}: expected a function of (output, photo, hole): {error}"
        ) from error
    known = inspect.signature(case_metric).parameters
    facts = {key: value for key, value in getattr(found, "__dict__", {}).items() if key in known}
    if "direction" not in facts:
        raise BenchError(f"{origin}: it does not say which values are better; {_HOW}")
    return case_metric(**facts)(found)


def _finished(record: _OWN, name: str, origin: str, module: ModuleType) -> _OWN:
    """A record under its name, with its code in the fingerprint."""
    code = f"code {code_of(module)[0]}"
    return replace(
        record,
        name=name,
        label=record.label if record.label != record.name else name,
        implementation=record.implementation or origin,
        version=f"{record.version} {code}" if record.version else code,
    )


def _check_label(label: str, what: str) -> None:
    if not _NAME.fullmatch(label):
        raise BenchError(f"{what}: expected a name of letters, digits and _, found {label!r}")
    built_in = label.casefold() in METRICS
    if built_in or label.casefold() in RESERVED:
        kind = "a built-in metric" if built_in else "something else in the tables"
        raise BenchError(f"{what}: {label!r} is the name of {kind}; choose another")


def _unknown(name: str, known: Mapping[str, Metric]) -> str:
    labels = {metric.label: metric.name for metric in known.values()}
    close = nearest(name, [*labels, *known])
    if close:
        return f"metric {name!r} is unknown; did you mean {labels.get(close[0], close[0])}?"
    return (
        f"metric {name!r} is unknown; known are {', '.join(known)}; one's own is written "
        "LABEL=module:function or LABEL=path/file.py:function"
    )
