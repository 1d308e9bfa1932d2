"""``inpaint-bench figure`` and ``table``: what goes into a paper."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.cli.arguments import (
    Commands,
    completed,
    methods_known,
    metrics_known,
    named,
    positive,
)
from bench.text.plain import lines, wrapped


def add(commands: Commands) -> None:
    """Describe the commands."""
    figure = commands.add_parser(
        "figure",
        help="draw a grid of pictures for a paper: cases by methods",
        description="Writes FIGURE.pdf, with the pictures as they are and fonts embedded, and "
        "FIGURE.png; prints a caption that says how the cases were chosen.",
    )
    figure.set_defaults(command=_figure)
    figure.add_argument("run", type=Path, help="run folder")
    figure.add_argument(
        "--out", type=Path, help="files to write, without suffix (default: RUN/figure)"
    )
    _add_cases(figure.add_argument_group("rows: cases by name, or by a rule"))
    _add_columns(figure.add_argument_group("columns"))
    _add_looks(figure.add_argument_group("looks"))
    _add_table(commands)


def _add_table(commands: Commands) -> None:
    table = commands.add_parser(
        "table",
        help="print the table of a paper: methods by metrics, each tier and all of them",
        description="Best values are bold, those not significantly different from them marked; "
        "floors and the ceiling stand below, outside of the ranking.",
    )
    table.set_defaults(command=_table)
    table.add_argument("run", type=Path, help="run folder")
    metrics = table.add_argument(
        "--metrics", type=named, help="columns, comma-separated (default: those of the overview)"
    )
    completed(metrics, metrics_known)
    table.add_argument("--tiers", type=named, help="names, comma-separated (default: all)")
    names = table.add_argument(
        "--methods", action="append", help="names, comma-separated: as if there were no others"
    )
    completed(names, methods_known)
    table.add_argument(
        "--tiers-as", choices=("rows", "columns"), default="rows", help="groups of these"
    )
    table.add_argument("--intervals", action="store_true", help="with 95 %% intervals")
    table.add_argument(
        "--format", choices=("latex", "markdown", "csv"), help="default: by --out, else markdown"
    )
    table.add_argument("--out", type=Path, metavar="FILE", help="to write: .tex, .md or .csv")


def _add_cases(cases: argparse._ArgumentGroup) -> None:
    cases.add_argument(
        "--case",
        action="append",
        metavar="PAGE",
        help="the digits of its page in the report, or photo:tier:draw; how it begins will do",
    )
    cases.add_argument("--photo", action="append", help="a photo: all its cases, of --tier")
    cases.add_argument(
        "--rule",
        choices=("random", "worst", "best", "disagreement", "all"),
        help="those first in this order of the report (default: random), or all, tier by tier",
    )
    of = cases.add_argument(
        "--of", metavar="METHOD", help="whose worst or best (default: the best-ranked)"
    )
    completed(of, methods_known)
    cases.add_argument("--tier", type=named, help="of this tier (default: the last; of all, all)")
    cases.add_argument("--count", type=positive, default=4, help="how many by a rule, at most")


def _add_columns(columns: argparse._ArgumentGroup) -> None:
    names = columns.add_argument(
        "--methods",
        action="append",
        help="names, comma-separated, in this order (default: the ranked ones, as many as fit)",
    )
    completed(names, methods_known)
    columns.add_argument("--mask", action="store_true", help="the hole alone, too, white on black")
    columns.add_argument("--truth", action="store_true", help="the truth last, where it is given")


def _add_looks(looks: argparse._ArgumentGroup) -> None:
    looks.add_argument(
        "--width", default="page", help="column (3.25 in), page (6.875 in), or such as 85mm, 8.5cm"
    )
    looks.add_argument("--font", choices=("sans", "serif"), default="sans", help="of all text")
    looks.add_argument("--crop", choices=("hole",), help="show the surroundings of the hole only")
    looks.add_argument(
        "--zoom",
        nargs="?",
        const="corner",
        choices=("corner", "beneath"),
        help="enlarge a window, in a corner of the picture or beneath it",
    )
    looks.add_argument(
        "--window",
        choices=("disagreement", "hole"),
        default="disagreement",
        help="what is enlarged: where methods differ most, or the middle of the hole",
    )
    values = looks.add_argument(
        "--values", metavar="METRIC", help="print its value under each fill"
    )
    completed(values, metrics_known)
    looks.add_argument(
        "--caption", type=Path, metavar="FILE.tex", help="write the caption there too"
    )


def _figure(options: argparse.Namespace) -> int:
    from reports.build import read_run
    from reports.paper import figure

    wish = figure.Wish(
        cases=tuple(options.case or ()),
        photos=tuple(options.photo or ()),
        rule=options.rule or "",
        of=options.of or "",
        tiers=options.tier or (),
        count=options.count,
        methods=_names(options.methods),
        mask=options.mask,
        truth=options.truth,
        crop=options.crop is not None,
        zoom=options.zoom or "",
        window=options.window,
        values=options.values or "",
        width=figure.width(options.width),
        font=options.font,
    )
    out = options.out or options.run / "figure"
    if out.suffix in (".pdf", ".png"):
        out = out.with_suffix("")
    found, caption = figure.make(read_run(options.run), wish)
    figure.write(found, caption, out, options.caption)
    for line in figure.summary(out, caption, wish).split("\n"):
        print(wrapped(lines(line)))
    return 0


def _names(texts: list[str] | None) -> tuple[str, ...]:
    """The names in comma-separated lists; those of a run may be anybody's."""
    return tuple(name for text in texts or () for name in named(text))


def _table(options: argparse.Namespace) -> int:
    from bench.compare import asked
    from reports.build import read_run
    from reports.paper import table, table_formats
    from reports.site.staging import placed

    form = options.format or table_formats.form_of(options.out)
    run = read_run(options.run)
    metrics = [facts.name for facts in asked.facts(run, options.metrics)] if options.metrics else ()
    tiers = asked.tiers_of([run], options.tiers)
    if options.methods:
        run = table.only(run, _names(options.methods))
    layout = table_formats.Layout(
        tuple(metrics), as_columns=options.tiers_as == "columns", intervals=options.intervals
    )
    parts = table.parts(run, tiers, metrics)
    text = table_formats.FORMATS[form](run, parts, layout)
    if options.out is None:
        print(text, end="")
        return 0
    with placed(options.out) as temporary:
        temporary.write_text(text, "utf-8", errors="replace", newline="\n")
    print(f"{options.out}: a table as {form}")
    across = table_formats.across(parts, layout)
    if form == "latex" and across > table_formats.PAGE_ROOM:
        print(f"{across} columns of numbers may be wider than the page: --tiers-as rows, fewer "
              "--metrics or --tiers make it narrower")  # fmt: skip
    return 0
