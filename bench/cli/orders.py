"""``inpaint-bench orders``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from bench.cli.arguments import Commands, completed, metrics_known, named, positive, tiers
from bench.errors import BenchError
from bench.text import markdown, numbers, plain

if TYPE_CHECKING:
    import pandas as pd

_FORMATS = ("table", "markdown", "json")
_FEW = 6  # metrics whose pairs are shown too, a column each


def add(commands: Commands) -> None:
    """Describe the command."""
    orders = commands.add_parser(
        "orders",
        help="measure how often metrics put the better of two fills first",
        description="Sixteen pairs of fills of which people would hardly disagree which is better, "
        "per photo and tier. A metric that is right in fewer than 0.8 of them, on average in any "
        "tier, is no headline. Of up to six metrics all pairs are shown.",
    )
    orders.set_defaults(command=_orders)
    orders.add_argument("--images", default="bundled", help="folder of photos, or a bundled set")
    metrics = orders.add_argument(
        "--metrics",
        type=named,
        default="all",
        help="of single fills, comma-separated: names, LABEL=module:function, or 'all'",
    )
    completed(metrics, metrics_known)
    orders.add_argument("--tiers", type=tiers, default="region,large", help="also: small, object, "
                        "outside")  # fmt: skip
    orders.add_argument("--limit", type=positive, help="only the first so many photos")
    orders.add_argument("--offline", action="store_true", help="never fetch weights")
    orders.add_argument("--format", choices=_FORMATS, default="table", help="what to print")


def _orders(options: argparse.Namespace) -> int:
    from bench.orders import table

    asked = table.chosen(options.metrics, offline=options.offline)
    metrics = table.measurable(asked)
    photos, refused = table.read(options.images, options.limit)
    rows = table.measure(photos, metrics, options.tiers, _tell)
    if rows["right"].isna().all():
        raise BenchError("; ".join(table.without_value(rows)))
    found = table.shares(rows)
    if options.format == "json":
        print(json.dumps(json.loads(found.to_json(orient="records")), indent=1))
        return 0
    parts = [_summary(found, options.format)]
    if found["metric"].nunique() <= _FEW:
        parts.append(_pairs(found, options.format))
    notes = [
        f"{numbers.counted(len(photos), 'photo')} of {options.images}",
        *(f"left out {each}" for each in refused),
        *(f"{s.metric.name} is absent: {s.reason}" for s in asked if s.status != "ok"),
        *table.without_value(rows),
    ]
    if options.format == "markdown":
        parts += ["\n".join(f"- {markdown.escaped(note)}" for note in notes)]
    else:
        parts += ["\n".join(f"note: {plain.one_line(note)}" for note in notes)]
    print("\n\n".join(parts))
    return 0


def _tell(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        print(f"\r{done} of {total} photos", end=end, file=sys.stderr, flush=True)


def _summary(found: pd.DataFrame, form: str) -> str:
    """A row per metric, the one first that is right most often."""
    from bench.orders.table import may_lead, summary

    summed = summary(found)
    leads = may_lead(summed)
    means = summed.groupby("metric", sort=False)["mean"].mean()
    names = [str(tier) for tier in summed["tier"].unique()]
    rows = []
    for metric in means.sort_values(ascending=False, kind="stable").index:
        own = summed[summed["metric"] == metric].set_index("tier").reindex(names)
        cells = [
            cell
            for row in own.to_dict("records")
            for cell in (numbers.number(row["mean"], 2), f"{row['share']:.2f} {row['worst']}")
        ]
        lead = "may lead" if leads[metric] else "may not lead"
        rows.append([str(metric), *cells, f"{own['n'].min():.0f}", lead])
    ends = [end for name in names for end in (name, f"{name}: worst pair")]
    header = ["metric", *ends, "photos", "headline"]
    return _table(form)(header, rows, f"l{'rl' * len(names)}rl")


def _pairs(found: pd.DataFrame, form: str) -> str:
    """A row per pair, a column per metric and tier."""
    header = ["left should win"]
    columns = []
    for (metric, tier), own in found.groupby(["metric", "tier"], sort=False):
        header.append(f"{metric}, {tier}")
        columns.append([numbers.number(value, 2) for value in own["share"]])
    pairs = [str(pair) for pair in found["pair"].unique()]
    rows = [list(row) for row in zip(pairs, *columns, strict=True)]
    return _table(form)(header, rows, "l".ljust(len(header), "r"))


def _table(form: str) -> Callable[[list[str], list[list[str]], str], str]:
    return markdown.table if form == "markdown" else plain.table
