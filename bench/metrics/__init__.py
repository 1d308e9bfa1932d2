"""The table of all metrics. Reading it loads no network library."""

from __future__ import annotations

from collections.abc import Iterable

from bench.metrics import distribution, perceptual, pixel, sliced
from bench.metrics.record import Metric

METRICS: dict[str, Metric] = {
    metric.name: metric
    for family in (pixel, perceptual, sliced, distribution)
    for metric in family.METRICS
}

DEFAULT = (
    "psnr_db", "psnr_hole_db", "ssim", "ssim_hole", "l1", "l1_hole", "lpips", "lpips_hole",
    "ms_ssim", "gmsd", "seam", "drift", "swd", "fid", "kid",
)  # fmt: skip


def case_metrics(names: Iterable[str]) -> list[Metric]:
    """The records of those of the names that are measured on single fills, in table order."""
    wanted = set(names)
    return [m for m in METRICS.values() if m.name in wanted and m.scope == "case"]
