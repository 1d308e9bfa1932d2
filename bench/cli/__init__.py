"""The command line: arguments in, exit status out; nothing is computed here.

``--help`` and ``list`` must answer at once, so heavy parts are imported by the commands.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from types import FrameType

from bench.cli import (
    board,
    bundle,
    compare,
    completion,
    doctor,
    export,
    gate,
    holes,
    latency,
    methods,
    orders,
    paper,
    plan,
    protocols,
    receptive,
    results,
    run,
    seeds,
    train,
    verify,
    votes,
    weights,
)
from bench.cli.parser import Parser, Version
from bench.errors import BenchError, of_the_system, out_of_memory
from bench.text import plain

_EXAMPLES = """examples:
  inpaint-bench run --out runs/demo
  inpaint-bench run --images photos --masks masks --methods telea,mine=mypkg:Mine --out runs/mine
  inpaint-bench run --methods theirs=folder:./outputs --out runs/theirs
  inpaint-bench report runs/demo
"""


# From a batch system whose time is over, and from a terminal that was closed.
_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class _Terminated(KeyboardInterrupt):
    """One of these signals came, by its number: what Ctrl-C does is done."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives its exit status: 0 done, 1 found fault, 2 error, from 129 stopped."""
    _open_closed()
    parser = _parser()
    completion.answer(parser)
    try:
        with _heard_termination(), _written_out():
            options = parser.parse_args(arguments)
            options.given = sys.argv[1:] if arguments is None else [*arguments]
            status: int = options.command(options)
        return status
    except BenchError as error:
        return _ended(2, str(error))
    except KeyboardInterrupt as error:
        status = 128 + error.args[0] if isinstance(error, _Terminated) else 130
        return _ended(status, "interrupted; the same command continues")
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        return 141
    except (OSError, MemoryError) as error:  # of a disk, of rights, of limits: none of our faults
        return _ended(2, of_the_system(error))
    except Exception as error:
        if out_of_memory(error):  # as libraries say it
            return _ended(2, of_the_system(MemoryError()))
        # A fault of ours; its status must not be taken for a regression's, which is 1.
        traceback.print_exc()
        print(
            "inpaint-bench: this is a bug; please report it with the lines above", file=sys.stderr
        )
        return 2


def _ended(status: int, why: str) -> int:
    """Say why a command ended, where that can be said."""
    with contextlib.suppress(OSError):
        print(f"inpaint-bench: {plain.lines(why)}", file=sys.stderr)
    return status


@contextlib.contextmanager
def _written_out() -> Iterator[None]:
    """Learn here, and not as Python ends, that standard output takes no more."""
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            _give_up_output()
            raise
        except OSError as error:
            _give_up_output()
            raise OSError(error.errno, error.strerror, "standard output") from error


def _give_up_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_closed() -> None:
    """Give what a caller closed (``>&-``) a place: else files that we open get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


@contextlib.contextmanager
def _heard_termination() -> Iterator[None]:
    """Take what ends us for Ctrl-C, unless whoever calls does else with it, as ``nohup`` does."""
    here = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() == here:
            raise _Terminated(number)
        signal.signal(number, signal.SIG_DFL)  # a method forked this process, and ends it
        os.kill(os.getpid(), number)

    ours = threading.current_thread() is threading.main_thread()
    taken = [each for each in _ENDING if ours and signal.getsignal(each) == signal.SIG_DFL]
    for each in taken:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each in taken:
            signal.signal(each, signal.SIG_DFL)


def _parser() -> Parser:
    parser = Parser(
        prog="inpaint-bench",
        description="Compare image-inpainting methods on the same photos and the same holes.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("--version", action=Version, help="print versions and exit")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in (
        run,
        plan,
        protocols,
        results,
        latency,
        compare,
        paper,
        seeds,
        gate,
        votes,
        bundle,
        board,
        methods,
        verify,
        receptive,
        orders,
        holes,
        export,
        weights,
        train,
        doctor,
        completion,
    ):
        module.add(commands)
    return parser
