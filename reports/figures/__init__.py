"""Plots as SVG with the same bytes for the same numbers."""

from reports.figures.lines import LINES_SIZE, SCATTER_SIZE, Line, lines, scatter
from reports.figures.maps import DECADES, MAP_SIZE, energy_map
from reports.figures.panels import panels, panels_size
from reports.figures.pareto import PARETO_SIZE, Frame, Spot, pareto
from reports.figures.ranks import critical_difference
from reports.figures.rows import Point, paired_differences, point_range, size
from reports.figures.style import on_dark

__all__ = [
    "DECADES",
    "LINES_SIZE",
    "MAP_SIZE",
    "PARETO_SIZE",
    "SCATTER_SIZE",
    "Frame",
    "Line",
    "Point",
    "Spot",
    "critical_difference",
    "energy_map",
    "lines",
    "on_dark",
    "paired_differences",
    "panels",
    "panels_size",
    "pareto",
    "point_range",
    "scatter",
    "size",
]
