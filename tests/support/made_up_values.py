"""Runs of made-up values, to be ranked."""

from __future__ import annotations

import dataclasses

import pandas as pd

from bench.statistics import headline_metric
from reports.results.ranking import rank
from tests.support import run_builder

PHOTOS = 12


def spread(mean: float, width: float = 0.0) -> list[float]:
    """Values of so many photos around a mean, which moves by the same for all of them."""
    return [mean + width * (i % 3 - 1) + 0.0001 * i for i in range(PHOTOS)]


def with_values(run, values: dict[str, list[float]]):
    """A run of these values of the headline, photo by photo, in one tier."""
    photos = len(next(iter(values.values())))
    plan = run_builder.plan(f"{i:03}" for i in range(photos))
    rows = (run_builder.fills(plan, name, seconds=1.0, peak_bytes=1.0, texture_structure=own)
            for name, own in values.items())  # fmt: skip
    cases = run_builder.table("cases", pd.concat(rows, ignore_index=True))
    metrics = run_builder.metrics(["texture_structure", "lpips_hole"], {"lpips_hole": "no weights"})
    sets = run.sets.head(0)
    return dataclasses.replace(run, plan=plan, cases=cases, metrics=metrics, sets=sets)


def ranking_of(run):
    return rank(run, "small", headline_metric(run.metrics))
