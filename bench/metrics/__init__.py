"""Metrics: their table, and what measures them. Importing this package loads no library."""

from __future__ import annotations

from bench.metrics.table import DEFAULT, GROUPS, METRICS, WITHOUT_TRUTH

__all__ = ["DEFAULT", "GROUPS", "METRICS", "WITHOUT_TRUTH"]
