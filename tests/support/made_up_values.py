"""Runs of made-up values, to be ranked."""

from __future__ import annotations

import dataclasses

import pandas as pd

from bench.statistics import headline_metric
from reports.results.ranking import rank

PHOTOS = 12


def spread(mean: float, width: float = 0.0) -> list[float]:
    """Values of so many photos around a mean, which moves by the same for all of them."""
    return [mean + width * (i % 3 - 1) + 0.0001 * i for i in range(PHOTOS)]


def with_values(run, values: dict[str, list[float]]):
    """A run of these SSIM values in the hole, photo by photo, in one tier."""
    photos = len(next(iter(values.values())))
    plan = pd.DataFrame({"photo": [f"{i:03}" for i in range(photos)], "tier": "small", "draw": 0})
    cases = pd.concat(
        plan.assign(method=name, sample=0, status="ok", cluster=plan["photo"], seconds=1.0,
                    peak_bytes=1.0, reason="", output="", ssim_hole=numbers_of)
        for name, numbers_of in values.items()
    ).reset_index(drop=True)  # fmt: skip
    metrics = run.metrics[run.metrics["metric"].isin(["lpips", "ssim_hole"])]
    sets = run.sets.head(0)
    return dataclasses.replace(run, plan=plan, cases=cases, metrics=metrics, sets=sets)


def ranking_of(run):
    return rank(run, "small", headline_metric(run.metrics))
