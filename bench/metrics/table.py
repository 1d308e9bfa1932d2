"""The table of built-in metrics; it loads none of the code that computes them.

To add one, write its function beside its kin (``pixel.py``, ``perceptual.py``,
``distribution.py``) and its record in the table of its group (``pixel_table.py`` and so on).
``docs/metrics.md`` shows what is said there to readers.
"""

from __future__ import annotations

from bench.metrics.perception_table import PERCEPTION, TEXTURES
from bench.metrics.pixel_table import PIXELS
from bench.metrics.protocol_table import PROTOCOLS
from bench.metrics.record import Metric
from bench.metrics.set_table import SETS
from bench.metrics.truthless_table import TRUTHLESS

# As `list` and docs/metrics.md head them.
GROUPS: dict[str, tuple[Metric, ...]] = {
    "Pixels": PIXELS,
    "Perception": PERCEPTION,
    "Texture and structure": TEXTURES,
    "As protocols define them": PROTOCOLS,
    "Without a truth": TRUTHLESS,
    "Sets of fills": SETS,
}
METRICS = {metric.name: metric for metrics in GROUPS.values() for metric in metrics}

DEFAULT = (
    "psnr_db", "psnr_hole_db", "ssim", "ssim_hole", "l1", "l1_hole", "lpips", "lpips_hole",
    "ms_ssim", "texture_structure", "seam", "drift", "swd", "fid", "kid",
)  # fmt: skip
WITHOUT_TRUTH = ("seam_visible",)
"""What is measured besides where the truth is unknown, unless asked otherwise."""
