"""Plots as SVG with the same bytes for the same numbers."""

from reports.figures.bars import Bar, bars
from reports.figures.lines import LINES_SIZE, SCATTER_SIZE, Line, lines, scatter
from reports.figures.maps import DECADES, MAP_SIZE, energy_map
from reports.figures.names import short
from reports.figures.panels import panels, panels_size
from reports.figures.pareto import Frame, Spot, pareto
from reports.figures.ranks import critical_difference
from reports.figures.rows import Point, paired_differences, point_range, size
from reports.figures.shapes import Chart
from reports.figures.times import MOST_SAMPLES, TIMES_SIZE, Samples, against, samples, samples_size

__all__ = [
    "DECADES",
    "LINES_SIZE",
    "MAP_SIZE",
    "MOST_SAMPLES",
    "SCATTER_SIZE",
    "TIMES_SIZE",
    "Bar",
    "Chart",
    "Frame",
    "Line",
    "Point",
    "Samples",
    "Spot",
    "against",
    "bars",
    "critical_difference",
    "energy_map",
    "lines",
    "paired_differences",
    "panels",
    "panels_size",
    "pareto",
    "point_range",
    "samples",
    "samples_size",
    "scatter",
    "short",
    "size",
]
