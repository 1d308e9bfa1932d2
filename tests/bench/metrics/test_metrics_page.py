"""docs/metrics.md says of each built-in metric what its record says."""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from bench.metrics import DEFAULT, GROUPS, METRICS, sliced
from bench.metrics.patches import PATCH
from bench.metrics.record import case_metric

PAGE = Path(__file__).parents[3] / "docs/metrics.md"
NETWORKS = {  # but LPIPS, which compares the two pictures of a pair
    "rc_s": "PatchNetwork",
    "rc_s_vitl": "PatchNetwork",
    "self_consistency": "SecondFills",
    "self_consistency_untrained": "SecondFills",
    "clip_similarity": "VitFeatures",
    "lpips_float": "Lpips",
    "lpips_kept_squeeze": "Lpips",
}
REGIONS = {
    "picture": "the whole picture",
    "hole": "the hole",
    "ring": "the hole's edge",
    "known": "the known pixels",
}


def section(metric) -> str:
    """What the page must hold about a metric."""
    low, high = metric.limits
    facts = [
        f"{metric.direction} is better",
        f"in {metric.unit}" if metric.unit else "no unit",
        f"range {low:g} to {high:g}",
        f"of {REGIONS[metric.region]}",
        *([f"sides of at least {metric.minimum_side} pixels"] if metric.minimum_side > 1 else []),
        *([f"network `{metric.network}`"] if metric.network else []),
        *([] if metric.needs_truth else ["needs no truth"]),
    ]
    lines = [
        f"### `{metric.name}`: {metric.label}{' *' if metric.name in DEFAULT else ''}",
        "",
        metric.definition,
        "",
        f"- {'; '.join(facts)}.",
        f"- Code: {metric.implementation}.",
    ]
    lines += [f"- Published: {metric.reference}."] if metric.reference else []
    lines += [f"- Keep in mind: {metric.note}."] if metric.note else []
    return "\n".join(lines)


def test_the_page_says_of_each_metric_what_its_record_says():
    text = PAGE.read_text("utf-8")
    assert re.findall(r"^### `(.+?)`", text, re.M) == list(METRICS)
    assert re.findall(r"^## (.+)", text, re.M) == [*GROUPS, "Your own"]
    for metric in METRICS.values():
        assert metric.definition.endswith(".")
        assert section(metric) in text


def test_the_example_of_the_page_is_a_metric():
    (code,) = re.findall(r"```python\n(.+?)```", PAGE.read_text("utf-8"), re.S)
    names = {}
    exec(code, names)
    metric = names["worst"]
    assert type(metric) is type(case_metric(direction="lower")(max))
    assert metric.direction == "lower"


def test_the_limits_of_the_table_are_those_of_the_code():
    assert METRICS["swd"].implementation == (
        f"Laplacian pyramid, {sliced._PATCHES} patches of {PATCH}x{PATCH} touching "
        f"the hole, {sliced._REPEATS * sliced._DIRECTIONS} directions, x1000, first "
        f"{sliced.MAX_CASES} cases"
    )


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_the_function_that_a_record_names_is_there_and_takes_what_its_kind_gives(metric):
    module, _, name = metric.function.place.partition(":")
    hints = dict(getattr(import_module(module), name).__annotations__)
    given = {
        "CaseMetric": ["Pair"],
        "NetworkMetric": ["Pair", NETWORKS.get(metric.name, "PairNetwork")],
        "FeatureMetric": ["NDArray[np.floating]"] * 2,
        "PatchMetric": ["Photos", "Patches", "Each"],
    }[type(metric).__name__]
    assert hints.pop("return") == ("float" if metric.scope == "case" else "SetValue")
    assert list(hints.values()) == given + ["Region"] * len(metric.function.further)


def test_values_lie_within_the_limits():
    from bench.metrics.meter import Meter
    from bench.metrics.pair import Original, Pair

    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (176, 176, 3), dtype=np.uint8)
    hole = np.zeros((176, 176), np.bool_)
    hole[40:120, 30:140] = True
    names = [m.name for m in METRICS.values() if m.scope == "case" and not m.network]
    for output in (photo, 255 - photo, np.zeros_like(photo), np.full_like(photo, 255)):
        pair = Pair(output, Original(photo), hole, output.astype(np.float32) / 255)
        for name, value in Meter(names).measure(pair).values.items():
            low, high = METRICS[name].limits
            assert low <= value <= high, name
