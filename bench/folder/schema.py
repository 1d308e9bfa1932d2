"""The tables of a run folder: every column with its type, unit and meaning.

This is the one place that decides the columns and their order; who writes a table writes it
through here, and `bench.folder.read` refuses a table that is not like this.
``python -m bench.folder.page`` prints what ``docs/run-folder.md`` says of it.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from bench.folder.columns import FLAG, REAL, TEXT, WHOLE, Column, Table

KEYS: Final = ["method", "photo", "tier", "draw", "sample"]
_CASE = tuple(KEYS[1:4])
_METHOD = Column("method", TEXT, "full name of the method")
_PHOTO = Column("photo", TEXT, "id of the photo: its path relative to the folder given")
_TIER = Column("tier", TEXT, "tier of the hole")
_DRAW = Column("draw", WHOLE, "number of the hole among those of the photo and tier, from 0")
_CLUSTER = Column(
    "cluster",
    TEXT,
    "what statistics resample: the photo, the picture it was cut from, its folder, or as asked",
)
_IDENTITY = Column("identity", TEXT, "what the method was made of")
_SHARE = Column("hole_share", REAL, "share of the picture that is hole", "0 to 1")


def _later(name: str, kind: pa.DataType, says: str, unit: str = "") -> Column:
    """A column that runs from before there was it lack."""
    return Column(name, kind, says, unit, required=False)


PLAN: Final = Table(
    "plan", "One row per case, written before any fill.",
    (
        Column("case", WHOLE, "number from 0"),
        Column("case_key", TEXT, "hash of photo id, tier, draw and content of photo and hole"),
        _PHOTO, _CLUSTER, _TIER, _DRAW,
        Column("height", WHOLE, "of the evaluated photo", "pixels"),
        Column("width", WHOLE, "of the evaluated photo", "pixels"),
        Column("photo_sha", TEXT, "16 hex digits of SHA-256 of the photo's decoded pixels"),
        Column("mask_sha", TEXT, "likewise of the hole"),
        Column("mask_source", TEXT, "`generated`, or the mask file"),
        Column("family", TEXT, "kind of the generated hole, or `file`"),
        Column("parameters", TEXT, "of the generated hole, JSON"),
        _SHARE,
        Column("hole_width", REAL, "diameter of the largest disc without a known pixel", "pixels"),
        Column("components", WHOLE, "parts of the hole that do not touch"),
        Column("border", FLAG, "whether the hole touches the border"),
        Column("keep", FLAG, "whether fills are kept as pictures"),
        _later("lost_share", REAL, "share of the hole that was cut off with the photo's edges; NaN "
               "if generated", "0 to 1"),
        _later("truth", TEXT, "what its fills are held against: empty for the photo itself, "
               "`unknown`, or 16 hex digits of SHA-256 of another picture's decoded pixels"),
        _later("prompt", TEXT, "what to fill in, for methods that can be told"),
        _later("group", TEXT, "kind of photo"),
        _later("credit", TEXT, "title, author, licence, source and changes of the photo"),
    ),
    _CASE,
)  # fmt: skip
INPUTS: Final = Table(
    "inputs", "One row per photo, mask or truth given.",
    (
        Column("path", TEXT, "of the file: a photo's relative to its folder"),
        Column("kind", TEXT, "photo, mask, truth, other"),
        Column("status", TEXT, "ok, refused"),
        Column("reason", TEXT, "why it was refused"),
        Column("note", TEXT, "what is odd about it"),
        Column("sha256", TEXT, "16 hex digits, of the decoded pixels; empty if refused"),
        Column("height", WHOLE, "of the file; 0 if refused", "pixels"),
        Column("width", WHOLE, "of the file; 0 if refused", "pixels"),
    ),
)  # fmt: skip
CASES: Final = Table(
    "cases", "One row per method, case and sample, in the order of the methods and the plan.",
    (
        _METHOD, _PHOTO, _TIER, _DRAW,
        Column("sample", WHOLE, "number of the fill of a stochastic method, from 0"),
        _CLUSTER, _SHARE,
        Column("hole_width", REAL, "diameter of the largest disc without a known pixel", "pixels"),
        Column("<metric>", REAL, "one column per case metric, in the order of metrics.parquet; "
               "PSNR of equal pictures is `inf`", "see metrics.parquet", pattern=".+"),
        Column("seconds", REAL, "wall time of the fill", "s"),
        _later("cpu_seconds", REAL, "CPU time of the fill, with that of programs it ran", "s"),
        _later("measure_seconds", REAL, "wall time of the metrics", "s"),
        Column("peak_bytes", REAL, "most memory of the process during the fill", "bytes"),
        Column("status", TEXT, "ok, declined, failed, timeout, killed, oom, unavailable"),
        Column("reason", TEXT, "why it is not ok"),
        _later("traceback", TEXT, "path of the error's traceback, as text; empty if none is kept"),
        _later("note", TEXT, "why a metric has no value here"),
        _later("flags", TEXT, "what is odd about what the method returned, joined by `; `"),
        _later("counts", TEXT, "numbers that the method gave, JSON"),
        _later("pictures", TEXT, "paths of what else it showed, by name, JSON"),
        _later("thumbnail", TEXT, "path of the WebP that the report takes over, if one was made"),
        Column("output", TEXT, "path of the PNG relative to the folder, of the ceiling that of the "
               "photo or truth it equals; empty if not kept"),
        Column("output_sha", TEXT, "16 hex digits of SHA-256 of its decoded pixels"),
        Column("case_key", TEXT, "as in plan.parquet"),
        Column("fill_key", TEXT, "hash of all that decides the fill, and of its prompt if the "
               "method reads it"),
        Column("measure_key", TEXT, "hash of all case metrics it was measured by"),
        _later("worker", TEXT, "who did it"),
        _later("attempt", WHOLE, "how often the scheduler saw it tried; 0 if never"),
    ),
    tuple(KEYS),
    about="A metric that could not be had at all is NaN and has its reason in `metrics.parquet`; "
    "one that has no value for a case is NaN and has its reason in `note`.",
)  # fmt: skip
SETS: Final = Table(
    "sets", "One row per method, tier and set metric, of a complete run.",
    (
        _METHOD, _TIER,
        Column("metric", TEXT, "name of the set metric"),
        Column("value", REAL, "of sample 0 of all cases", "see metrics.parquet"),
        Column("low", REAL, "end of its 95 % interval, NaN if none", "see metrics.parquet"),
        Column("high", REAL, "end of its 95 % interval, NaN if none", "see metrics.parquet"),
        Column("n", WHOLE, "pictures"),
        Column("note", TEXT, "what is to be known of the value, or why there is none"),
        _later("jackknife", TEXT, "what the interval is made of, JSON: `cases`, a hash of the keys "
               "of the cases; the `sizes` of up to 20 groups of photos, and the values `without` "
               "each; empty where there is no interval"),
        _later("seconds", REAL, "to compute it, reading pictures aside; what is computed once for "
               "several methods is among those of the first", "s"),
    ),
    ("method", "tier", "metric"),
)  # fmt: skip
SAMPLES: Final = Table(
    "samples", "One row per method and case with a completed sample; empty unless a method was "
    "asked for several (`--samples`).",
    (
        _METHOD, _PHOTO, _TIER, _DRAW, _CLUSTER,
        Column("samples", WHOLE, "completed samples"),
        Column("<metric>_mean, _best, _worst", REAL, "per measured case metric, over the samples; "
               "infinite PSNR counts as 100 dB", "see metrics.parquet",
               pattern=".+_(mean|best|worst)"),
        _later("diversity_l1", REAL, "mean over pairs of samples; 0 for deterministic methods, "
               "NaN for a single sample", "0 to 1"),
        _later("diversity_l1_hole", REAL, "likewise, of the hole", "0 to 1"),
        Column("diversity_<lpips>, _hole, _box", REAL, "likewise by `lpips` or `lpips_untrained`: "
               "of the picture, its map over the hole, the hole's bounding box",
               pattern="diversity_.+"),
        Column("note", TEXT, "why a number is missing"),
    ),
    ("method", *_CASE),
)  # fmt: skip
METRICS: Final = Table(
    "metrics", "One row per metric: what it is, and why it is absent.",
    (
        Column("metric", TEXT, "its name"),
        Column("label", TEXT, "its name for readers"),
        Column("unit", TEXT, "of its values"),
        Column("direction", TEXT, "higher, lower: which is better"),
        Column("scope", TEXT, "case, set"),
        Column("region", TEXT, "what of the picture it is of"),
        Column("implementation", TEXT, "what computes it"),
        Column("version", TEXT, "of that"),
        Column("weights", TEXT, "of its network, if it has one"),
        Column("note", TEXT, "what to keep in mind"),
        Column("status", TEXT, "ok, absent"),
        Column("reason", TEXT, "why it is absent"),
        _later("definition", TEXT, "what it computes, as a sentence"),
        _later("range", TEXT, "values it can have; empty if any"),
        _later("reference", TEXT, "where it was published"),
    ),
    ("metric",),
)  # fmt: skip
METHODS: Final = Table(
    "methods", "One row per method: its card, and why it is unavailable.",
    (
        _METHOD,
        Column("title", TEXT, "its name for readers"),
        Column("family", TEXT, "kind of method; `floor` and `ceiling` are marks"),
        Column("summary", TEXT, "how it fills"),
        Column("paper", TEXT, "citation"),
        Column("url", TEXT, "of the paper or code"),
        Column("implementation", TEXT, "whose code"),
        Column("licence", TEXT, "of the code"),
        Column("stochastic", FLAG, "whether fills depend on the seed"),
        Column("limits", TEXT, "what it cannot do"),
        Column("verified", TEXT, "how it was checked"),
        Column("timed", FLAG, "whether its seconds say anything"),
        Column("size", TEXT, "sizes it takes"),
        _later("certificate", TEXT, "parity with reference outputs"),
        _later("weights", TEXT, "origin and licence"),
        _later("files", TEXT, "name, hash, licence and origin of each weight file, JSON"),
        _later("parameters", REAL, "of the network; NaN without one"),
        _later("published", TEXT, "figures of others with their protocol, JSON"),
        _later("training", TEXT, "card of a training by this project, JSON"),
        _IDENTITY,
        Column("status", TEXT, "ok, unavailable"),
        Column("reason", TEXT, "why it is unavailable"),
    ),
    ("method",),
)  # fmt: skip
TRAINING: Final = Table(
    "training", "How the networks were trained that this project trained: one row per block of "
    "the training and figure.",
    (
        _METHOD,
        Column("pictures", WHOLE, "seen since the start of the training"),
        Column("stage", TEXT, "of the recipe"),
        _later("seconds", REAL, "since the start", "s"),
        _later("flops", REAL, "since the start", "operations"),
        Column("kind", TEXT, "`term` of the loss, weighted; `held out` figure"),
        Column("quantity", TEXT, "name of the figure"),
        Column("value", REAL, "mean over the block"),
    ),
    ("method", "pictures", "stage", "kind", "quantity"),
)  # fmt: skip
RECEPTIVE: Final = Table(
    "receptive", "One row per method whose receptive field was asked for; written by "
    "`inpaint-bench receptive METHODS --out RUN`, each time anew; not taken over by `merge`.",
    (
        _METHOD, _IDENTITY,
        Column("status", TEXT, "ok, declined, failed, oom, unavailable"),
        Column("reason", TEXT, "why it is not ok"),
        *(Column(f"hole_{side}", REAL, "of the hole in the network's input, ends excluded",
                 "pixels") for side in ("top", "bottom", "left", "right")),
        *(Column(f"r{share}", REAL, f"distance within which {share} % of the energy on known "
                 "pixels lies, mean over photos", "pixels") for share in (50, 90, 99)),
        *(_later(f"r{share}_{end}", REAL, says, "pixels") for share in (50, 90, 99)
          for end, says in (("low", "95 % interval of that mean over photos"), ("high", "likewise"),
                            ("even", "the same if all known pixels counted alike"))),
        _later("nearest", REAL, "distance of the nearest known pixel", "pixels"),
        Column("known_share", REAL, "of all energy, on known pixels", "0 to 1"),
        Column("network_side", REAL, "of the network's input", "pixels"),
        _later("photo_set", TEXT, "folder of the photos, or `bundled`"),
        Column("photos", WHOLE, "how many"),
        Column("side", WHOLE, "of the photos", "pixels"),
        _later("map", TEXT, "path of the energy"),
    ),
    ("method",),
    "write it anew with inpaint-bench receptive METHODS --out RUN, or delete it",
    about="Energy: squared gradient of the output's mean over 8x8 pixels in the middle of a "
    "centred square hole, a quarter of the side wide, with respect to the network's input, summed "
    "over colours, as shares of its sum over known pixels, mean over photos. Distances are from "
    "that middle, in pixels of the network's input. Numbers are NaN where `status` is not ok. "
    "Older runs have the energy of one output pixel, which photos were not given equal shares of, "
    "and radii of the mean energy.",
)  # fmt: skip
LATENCY: Final = Table(
    "latency", "One row per method, size, tier, region of the code and batch that was timed; "
    "written by `inpaint-bench latency --out RUN` or `run --latency`, each time anew "
    "([latency.md](latency.md)).",
    (
        _METHOD,
        _later("title", TEXT, "its name for readers; empty where it did not load"),
        _later("family", TEXT, "kind of method; empty where it did not load"),
        _later("weights", TEXT, "where from; or that they were made by rule"),
        _later("identity", TEXT, "what the method was made of"),
        Column("side", WHOLE, "of the square with as many pixels as the photos", "pixels"),
        _later("height", WHOLE, "of the photos; 0 in older runs, which timed squares", "pixels"),
        _later("width", WHOLE, "likewise", "pixels"),
        _TIER,
        Column("region", TEXT, "`e2e` (8-bit photo in, 8-bit result out), `infer` (prepared "
               "tensors to finished output), `load` (to the end of the first fill), `throughput`"),
        Column("batch", WHOLE, "pictures at once"),
        Column("device", TEXT, "cpu, cuda"),
        _later("threads", WHOLE, "of each process"),
        Column("n", WHOLE, "calls"),
        Column("rounds", REAL, "of all methods in turn; NaN where it was not timed in turn"),
        Column("p50_ms", REAL, "median", "ms"),
        _later("p50_low_ms", REAL, "end of its 95 % interval, blocks of rounds resampled", "ms"),
        _later("p50_high_ms", REAL, "end of its 95 % interval", "ms"),
        _later("p90_ms", REAL, "NaN where `n` supports none", "ms"),
        _later("p99_ms", REAL, "NaN where `n` supports none", "ms"),
        _later("min_ms", REAL, "least", "ms"),
        _later("mean_ms", REAL, "mean", "ms"),
        _later("iqr_share", REAL, "interquartile range, as a share of the median"),
        _later("cpu_p50_ms", REAL, "median of CPU time", "ms"),
        _later("device_p50_ms", REAL, "median between two events on a CUDA device", "ms"),
        _later("images_per_second", REAL, "throughput only", "1/s"),
        _later("basis", TEXT, "clock of the ratios: cpu, wall (also where a method waits, so that "
               "CPU time is blind, or works in several threads), device"),
        Column("ratio", REAL, "to the anchor"),
        Column("ratio_low", REAL, "end of its 95 % interval"),
        Column("ratio_high", REAL, "end of its 95 % interval"),
        Column("ratio_wall", REAL, "to the anchor, by wall time"),
        _later("ratio_wall_low", REAL, "end of its 95 % interval"),
        _later("ratio_wall_high", REAL, "end of its 95 % interval"),
        _later("ratio_fft", REAL, "to the second anchor"),
        _later("disturbed_share", REAL, "calls with less CPU time than 90 % of wall time and "
               "threads", "0 to 1"),
        _later("hole_share", REAL, "mean share of the picture that is hole", "0 to 1"),
        _later("audit", REAL, "time of an input that comes again, as a share of its first time"),
        Column("peak_bytes", REAL, "of the largest hole: of the process on a CPU, of tensors on a "
               "CUDA device, besides what was there before; NaN where other processes work",
               "bytes"),
        _later("reserved_bytes", REAL, "of the largest hole, on a CUDA device", "bytes"),
        _later("weight_bytes", REAL, "of the network's parameters", "bytes"),
        Column("parameters", REAL, "of the network"),
        Column("products", REAL, "multiplications of a fill (`bench/machine/flops.py`)"),
        Column("fourier", REAL, "operations of its Fourier transforms"),
        _later("traffic", REAL, "of its tensors", "bytes"),
        Column("status", TEXT, "converged, noisy, under 30 rounds, interrupted, or why it was not "
               "timed: declined, failed, oom, timeout, killed, unavailable, not timed"),
        _later("reason", TEXT, "why it was not timed, or no batch of so many"),
        _later("note", TEXT, "what a call is, where it is more than a fill"),
    ),
    ("method", "side", "tier", "region", "batch", "device"),
    "measure again with inpaint-bench latency --out RUN, or delete it",
)  # fmt: skip
LATENCY_SAMPLES: Final = Table(
    "latency-samples", "One row per call that was timed; `latency.json` has the request, the "
    "anchors and what they ran on, the settings, the ceilings of the device, the self-tests.",
    (
        Column("method", TEXT, "full name, anchors too; `-again` is the anchor's second sample"),
        Column("side", WHOLE, "of the square with as many pixels as the photos", "pixels"),
        _TIER,
        Column("block", WHOLE, "number of the block of rounds"),
        Column("round", WHOLE, "number of the round"),
        Column("place", WHOLE, "order in the round"),
        Column("slow", FLAG, "whether it was timed apart"),
        Column("clock_mhz", REAL, "of a CUDA device", "MHz"),
        Column("load", REAL, "average of the machine"),
        Column("hole_share", REAL, "share of the picture that is hole", "0 to 1"),
        *(Column(f"{region}_{clock}", REAL, f"{words} of `{region}`", "s")
          for region, clock, words in (
              ("e2e", "wall", "wall time"), ("e2e", "cpu", "CPU time"),
              ("infer", "wall", "wall time"), ("infer", "cpu", "CPU time"),
              ("infer", "device", "time between two events on a CUDA device"))),
    ),
    anew=LATENCY.anew,
)  # fmt: skip
TABLES: Final = {
    table.name: table
    for table in (PLAN, INPUTS, CASES, SETS, SAMPLES, METRICS, METHODS, TRAINING, RECEPTIVE,
                  LATENCY, LATENCY_SAMPLES)
}  # fmt: skip
