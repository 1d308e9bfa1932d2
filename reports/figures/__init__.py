"""Plots as SVG with the same bytes for the same numbers, for light and for dark pages."""

from reports.figures.lines import (
    CURVES_SIZE,
    LINES_SIZE,
    SCATTER_SIZE,
    Line,
    curves_with_bands,
    lines,
    scatter,
)
from reports.figures.maps import DECADES, MAP_SIZE, energy_map
from reports.figures.panels import Shares, distributions, panels_size
from reports.figures.pareto import PARETO_SIZE, Frame, Spot, pareto
from reports.figures.ranks import Rank, critical_difference, ranks_size
from reports.figures.rows import Point, paired_differences, point_range, size

__all__ = [
    "CURVES_SIZE",
    "DECADES",
    "LINES_SIZE",
    "MAP_SIZE",
    "PARETO_SIZE",
    "SCATTER_SIZE",
    "Frame",
    "Line",
    "Point",
    "Rank",
    "Shares",
    "Spot",
    "critical_difference",
    "curves_with_bands",
    "distributions",
    "energy_map",
    "lines",
    "paired_differences",
    "panels_size",
    "pareto",
    "point_range",
    "ranks_size",
    "scatter",
    "size",
]
