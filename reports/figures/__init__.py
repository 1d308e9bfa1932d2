"""Plots as SVG with the same bytes for the same numbers."""

from reports.figures.lines import LINES_SIZE, SCATTER_SIZE, Line, lines, scatter
from reports.figures.maps import DECADES, MAP_SIZE, energy_map
from reports.figures.panels import panels, panels_size
from reports.figures.pareto import PARETO_SIZE, Frame, Spot, pareto
from reports.figures.ranks import critical_difference
from reports.figures.rows import Point, paired_differences, point_range, size
from reports.figures.style import on_dark
from reports.figures.times import MOST_SAMPLES, TIMES_SIZE, Samples, against, samples, samples_size

__all__ = [
    "DECADES",
    "LINES_SIZE",
    "MAP_SIZE",
    "MOST_SAMPLES",
    "PARETO_SIZE",
    "SCATTER_SIZE",
    "TIMES_SIZE",
    "Frame",
    "Line",
    "Point",
    "Samples",
    "Spot",
    "against",
    "critical_difference",
    "energy_map",
    "lines",
    "on_dark",
    "paired_differences",
    "panels",
    "panels_size",
    "pareto",
    "point_range",
    "samples",
    "samples_size",
    "scatter",
    "size",
]
