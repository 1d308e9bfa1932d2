"""``inpaint-bench check METHOD --protocol NAME``: whether published figures come out here, too."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.arguments import completed, device, positive, protocols_known
from bench.errors import BenchError, did_you_mean
from bench.text.plain import one_line, visible, wrapped

if TYPE_CHECKING:
    from bench.protocols.record import Published, Row
    from reports.results.published import Claim

STATUSES = """exit status:
  0  the method keeps all rules; with --protocol: all its published figures were reproduced
  1  it breaks one; with --protocol: a figure differs
  2  an error
  3  with --protocol: no figure differs, but of some it cannot be told
"""
OF_A_RUN = ("images", "masks", "as", "out", "device", "workers", "offline")
"""Options that are for ``--protocol`` only."""


def add_options(check: argparse.ArgumentParser) -> None:
    """Describe the options."""
    group = check.add_argument_group("published figures, in place of the kit")
    protocol = group.add_argument(
        "--protocol", metavar="NAME", help="run the method by this protocol, and compare figures"
    )
    completed(protocol, protocols_known)
    group.add_argument("--images", help="folder of its data; see protocols show NAME")
    group.add_argument("--masks", help="folder of masks, where it is another")
    group.add_argument(
        "--as",
        metavar="TITLE",
        help="whose figures, as they were published (default: those of the method's name)",
    )
    group.add_argument("--out", type=Path, help="run folder (default: in runs); is continued")
    group.add_argument("--device", type=device, help="as for run")
    group.add_argument("--workers", type=positive, help="as for run")
    group.add_argument("--offline", action="store_true", help="fetch no weights")


def check(options: argparse.Namespace) -> int:
    """Run the method by the protocol, and say of each figure what came of it.

    Raises:
        BenchError: If nothing was published of it, or an option is wrong.
    """
    import methods
    from bench.protocols.read import get
    from reports.results import published

    spec = methods.look_up(options.name)
    of = get(options.protocol)
    rows = _rows(of, spec.name, getattr(options, "as"))
    if why := published.hopeless(of):
        print(wrapped(f"{visible(spec.name)}: {published.OPEN}: {why}"))
        return 3
    out = options.out or Path("runs") / f"check-{of.name}-{spec.file_name}"
    if (status := _run(options, of, spec.text, out)) > 1:
        return status
    claims = [each for row in rows for each in _claims(out, of, row, spec.name)]
    for claim in claims:
        print(wrapped(one_line(published.line(claim))))
    found = Counter(claim.verdict[0] for claim in claims)
    print(wrapped(f"{of.name} is {of.reproduces}. {published.TOLERANCE}"))
    good, bad, open_ = (
        found[each] for each in (published.REPRODUCED, published.DIFFERS, published.OPEN)
    )
    print(f"{visible(spec.name)} by {of.name}: {good} of {len(claims)} figures reproduced, {bad} "
          f"differ, of {open_} it cannot be told")  # fmt: skip
    return 1 if bad else 3 if open_ else 0


def _rows(of: Published, name: str, title: str | None) -> list[Row]:
    """The rows of a method by its name here, or of a title."""
    rows = [row for row in of.rows if (row.method == name if title is None else row.title == title)]
    if not rows:
        titles = dict.fromkeys(row.title for row in of.rows)
        known = ", ".join(titles) or "nothing"
        raise BenchError(
            f"--protocol {of.name}: nothing is known to be published of {title or name!r} by it."
            f"{did_you_mean(title or '', titles)} Published: {known}; to compare with one of "
            "these: --as TITLE"
        )
    return rows


def _run(options: argparse.Namespace, of: Published, method: str, out: Path) -> int:
    from bench import cli

    words = ["run", "--protocol", of.name, "--methods", method, "--out", str(out), "--no-report"]
    for name in ("images", "masks", "device", "workers"):
        if (value := getattr(options, name)) is not None:
            words += [f"--{name}", str(value)]
    return cli.main(words + ["--offline"] * options.offline)


def _claims(out: Path, of: Published, row: Row, method: str) -> list[Claim]:
    from reports.build import read_run
    from reports.results.published import claims
    from reports.results.ranking import rank

    run = read_run(out)
    return claims(run, rank(run, run.tiers[0], run.headline), of, row, method)
