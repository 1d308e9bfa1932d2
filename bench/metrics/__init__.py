"""The table of all metrics. Reading it loads no network library."""

from __future__ import annotations

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
