"""``inpaint-bench verify``: does a network reproduce reference outputs?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.arguments import Commands
from bench.text.plain import one_line, visible

if TYPE_CHECKING:
    from methods.verification.verify import Outcome


def add(commands: Commands) -> None:
    """Describe the command."""
    verify = commands.add_parser(
        "verify", help="compare a network, layer by layer, with reference outputs"
    )
    verify.set_defaults(command=_verify)
    verify.add_argument("name", help="NAME, or LABEL=module:Class with verify_case in the module")
    verify.add_argument(
        "--certify", action="store_true", help="keep the result beside the method's card"
    )
    verify.add_argument("file", type=Path, metavar="FILE.npz", help="reference outputs")


def _verify(options: argparse.Namespace) -> int:
    import methods

    options.name = methods.look_up(options.name).text  # before what takes seconds to load

    from methods.verification import certificate
    from methods.verification.case import read
    from methods.verification.verify import implementation_of, verify

    file = read(options.file)
    method = methods.get(options.name)
    print(one_line(f"{options.name} against {file.path}: {file.reference}"))
    outcomes = []
    for outcome in verify(implementation_of(type(method)), file):
        _show(outcome)
        outcomes.append(outcome)
    arrays = [each for outcome in outcomes for each in outcome.comparisons]
    exceeding = sum(not each.passed for each in arrays)
    lost = sum(bool(outcome.reason) for outcome in outcomes)
    print(
        f"{options.name}: {len(arrays) - exceeding} of {len(arrays)} arrays within tolerance, "
        f"{lost} of {len(outcomes)} cases not rebuilt"
    )
    if options.certify:
        print(certificate.write(method, file, outcomes))
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def _show(outcome: Outcome) -> None:
    if outcome.reason:
        print(visible(f"not rebuilt  {outcome.case}: {outcome.reason}"), flush=True)
    for each in outcome.comparisons:
        state = "ok" if each.passed else "exceeds"
        reason = f"  {each.reason}" if each.reason else ""
        within = f"(tolerance {each.tolerance}){reason}"
        said = f"{state:11}  {each.array:32}  {each.deviation:.1e}  {within}"
        print(visible(said), flush=True)
