"""A program that is kept alive: a line of JSON for each case, a line of JSON back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from methods.adapters.program import Program, Running, ended

_LONGEST = 1 << 16  # bytes of a line that is read at once


class Served:
    """Talks to a program; it starts with the first case, and again with the first after its end.

    Lines on its standard output that are no JSON object with ``ok`` or ``error`` are what programs
    print, and are passed over.
    """

    def __init__(self, program: Program, work: Path, values: Mapping[str, str]) -> None:
        """Start nothing yet.

        Args:
            program: Which.
            work: The folder that holds what is exchanged.
            values: What stands for the names in braces of its command.
        """
        self._program, self._work, self._values = program, work, values
        self._running: Running | None = None

    def ask(self, question: Mapping[str, Any]) -> None:
        """Let it work on a case.

        Raises:
            BenchError: If it answers with an error, or ends.
        """
        if self._running is None:
            self._running = self._program.start(self._work, self._values, served=True)
        running = self._running
        try:
            answer = self._answer(running, question)
        except BaseException:  # what it would answer then is no more of this case
            self.end()
            raise
        if answer is None:
            status = running.wait()
            self._running = None
            raise BenchError(f"the program ended ({ended(status)}){running.last_words}")
        if not answer.get("ok"):
            raise BenchError(f"the program says: {answer.get('error')}")

    def end(self) -> None:
        """End it, if it runs."""
        if self._running is not None:
            self._running.end()
            self._running = None

    def _answer(self, running: Running, question: Mapping[str, Any]) -> dict[str, Any] | None:
        """Its answer; None if it ended instead."""
        talk, listen = running.lines
        try:
            talk.write(json.dumps(question).encode() + b"\n")
            talk.flush()
        except OSError:  # it has ended, as what it says will
            pass
        while line := listen.readline(_LONGEST):
            try:
                answer = json.loads(line)
            except ValueError:
                answer = None
            if isinstance(answer, dict) and answer.keys() & {"ok", "error"}:
                return answer
            running.heard(line)
        return None
