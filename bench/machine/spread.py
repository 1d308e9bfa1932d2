"""Work on many things in several processes, with results in their order."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, TypeVar

from bench.errors import BenchError
from bench.machine import children

_T = TypeVar("_T")
_R = TypeVar("_R")


class Hands(NamedTuple):
    """Processes to spread work over.

    Attributes:
        workers: How many.
        context: Gives what starts them; asked for once there is enough to do.
    """

    workers: int
    context: Callable[[], children.Context]


def spread(work: Callable[[_T], _R], parts: Sequence[_T], hands: Hands) -> Iterator[_R]:
    """Do the same with each part; each process has one thread, and ends with this one.

    Args:
        work: What to do; it and the parts are sent to the processes.
        parts: What to do it with.
        hands: Who does it.

    Yields:
        The results, in the order of the parts.

    Raises:
        Exception: What ``work`` raised: a `BenchError`, OSError or MemoryError as it is.
        BenchError: If a process was ended from outside.
    """
    left = iter(enumerate(parts))
    at: dict[Any, tuple[BaseProcess, int]] = {}  # by our end of the pipe
    done: dict[int, _R] = {}
    try:
        context = hands.context()
        for number, part in (next(left) for _ in range(min(hands.workers, len(parts)))):
            ours, theirs = context.Pipe()
            at[ours] = children.start(context, 1, _serve, work, theirs), number
            theirs.close()
            ours.send(part)
        for wanted in range(len(parts)):
            while wanted not in done:
                ready: list[Any] = wait(list(at))
                for pipe in ready:
                    child, number = at[pipe]
                    done[number] = _answer(pipe, child)
                    if following := next(left, None):
                        at[pipe] = child, following[0]
                        pipe.send(following[1])
                    else:
                        del at[pipe]
                        pipe.close()
                        children.end(child)
            yield done.pop(wanted)
    finally:
        for pipe, (child, _) in at.items():
            pipe.close()
            children.end(child)


def _answer(pipe: Connection, child: BaseProcess) -> Any:
    try:
        result, error = pipe.recv()
    except (EOFError, OSError):
        child.join(5)
        raise BenchError(
            f"a process of this run {children.cause(child.exitcode)}; what was done so far is "
            "kept: give the same command again, with fewer --workers if memory was short"
        ) from None
    if error is not None:
        raise error
    return result


def _serve(work: Callable[[Any], Any], pipe: Connection) -> None:
    """Work until the pipe closes."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            part = pipe.recv()
            try:
                pipe.send((work(part), None))
            except (BenchError, OSError, MemoryError) as error:
                pipe.send((None, error))
            except Exception:
                pipe.send((None, RuntimeError(traceback.format_exc())))
