"""What numbers of a run allow to say: intervals, tests, ranks, ties, and who may be compared.

Pure functions on arrays and data frames. What is resampled is the photo (the *cluster*), not
the case: several holes in one photo, or several tiles cut from one picture, say less than as
many photos would. Methods are compared case by case, on the cases that all of them completed.
"""

from bench.statistics.comparison import Comparison, Facts, compare_methods, joined
from bench.statistics.coverage import (
    CAP_DB,
    CASE,
    FULL_COVERAGE,
    HEADLINES,
    MARKS,
    Headline,
    cap_infinite,
    common_cases,
    completed,
    headline_metric,
    headline_without_truth,
)
from bench.statistics.crossed import crossed_interval
from bench.statistics.curves import Bin, Crossing, binned, crossings
from bench.statistics.equivalence import ALPHA, MARGINS, margin
from bench.statistics.intervals import Interval, column_intervals, known_intervals, mean_interval
from bench.statistics.kinds import KIND_LEAST, by_kind
from bench.statistics.pairs import compare_pairs, decide, families
from bench.statistics.ranks import RankTest, friedman, photo_means
from bench.statistics.significance import differences_tested
from bench.statistics.ties import rank_ranges, tie_groups, tied_sets

__all__ = [
    "ALPHA",
    "CAP_DB",
    "CASE",
    "FULL_COVERAGE",
    "HEADLINES",
    "KIND_LEAST",
    "MARGINS",
    "MARKS",
    "Bin",
    "Comparison",
    "Crossing",
    "Facts",
    "Headline",
    "Interval",
    "RankTest",
    "binned",
    "by_kind",
    "cap_infinite",
    "column_intervals",
    "common_cases",
    "compare_methods",
    "compare_pairs",
    "completed",
    "crossed_interval",
    "crossings",
    "decide",
    "differences_tested",
    "families",
    "friedman",
    "headline_metric",
    "headline_without_truth",
    "joined",
    "known_intervals",
    "margin",
    "mean_interval",
    "photo_means",
    "rank_ranges",
    "tie_groups",
    "tied_sets",
]
