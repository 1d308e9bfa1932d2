"""The processes of stopwatches as their parent sees them: ask, wait, and take their death."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any

import psutil

from bench.errors import BenchError
from bench.latency.answers import Refused, Subject
from bench.latency.stopwatch import serve
from bench.machine import children

_SHARE = 0.8  # of the free memory that a process may take


class NoAnswer(BenchError):
    """A question that came to nothing.

    Attributes:
        refused: The status and why.
    """

    def __init__(self, name: str, refused: Refused) -> None:
        """Keep why."""
        super().__init__(f"{name}: {refused.status}: {refused.reason}")
        self.refused = refused


class Process:
    """One stopwatch; it starts with the first question, and again with the first after its end.

    Args:
        subject: What it times.
        timeout: Seconds to wait for an answer.
    """

    def __init__(self, subject: Subject, timeout: float) -> None:
        """Start nothing yet."""
        self.subject = subject
        self._timeout = timeout
        self._process: Any = None

    @property
    def alive(self) -> bool:
        """Whether it holds what it loaded."""
        return self._process is not None

    def ask(self, question: str, *arguments: object) -> Any:
        """Call a method of the stopwatch and wait for what it gives.

        Raises:
            NoAnswer: If it raised an error, died or took too long.
        """
        self.tell(question, *arguments)
        return self.answer()

    def tell(self, question: str, *arguments: object) -> None:
        """Call a method of the stopwatch; `answer` must follow."""
        if self._process is None:
            self._start()
        with contextlib.suppress(OSError):  # it is dead, as the answer will be
            self._pipe.send((question, arguments))

    def answer(self) -> Any:
        """Wait for what it gives.

        Raises:
            NoAnswer: As `ask`.
        """
        ready = wait([self._pipe, self._process.sentinel], self._timeout)
        try:
            answer = self._pipe.recv() if self._pipe in ready else self._end(died=bool(ready))
        except Exception:  # it ended, or its method disturbed what it says
            answer = self._end(died=True)
        if isinstance(answer, Refused):
            raise NoAnswer(self.subject.name, answer)
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._pipe.close()
            self._process.join(5)
            self._kill()

    def _start(self) -> None:
        threads = self.subject.threads
        context = children.context(threads, ["bench.latency.stopwatch"])
        self._pipe, theirs = context.Pipe()
        self._process = children.start(context, threads, serve, self.subject, theirs)
        theirs.close()

    def _end(self, *, died: bool) -> Refused:
        """Bury the process; gives why."""
        if died:
            self._process.join(5)
        code = self._kill()
        if died:
            return Refused("killed", children.cause(code))
        return Refused("timeout", f"took more than {self._timeout:g} s")

    def _kill(self) -> int | None:
        code = children.end(self._process)
        self._pipe.close()
        self._process = None
        return code


@contextlib.contextmanager
def started(subjects: Iterable[Subject], timeout: float) -> Iterator[dict[str, Process]]:
    """One process for each subject, by its name; they end with the context."""
    processes = {subject.name: Process(subject, timeout) for subject in subjects}
    try:
        yield processes
    finally:
        for process in processes.values():
            process.close()


def data_limit(device: str) -> int:
    """Bytes that a process on this device may take of its own; 0 for no limit."""
    limited = device == "cpu" and hasattr(psutil, "RLIMIT_DATA")  # Linux
    return int(_SHARE * psutil.virtual_memory().available) if limited else 0
