"""Programs of any environment: how they are called, started, heard and ended."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from bench.errors import BenchError

ENVIRONMENTS = ("python", "conda", "docker", "apptainer")
_GUARD = Path(__file__).with_name("guard.py")
_KEPT = 4096  # bytes of what a program printed last
_SHOWN, _LINE = 6, 300  # lines of them, and characters of a line
_ENDING = 5.0  # seconds that the guard needs at most to end a program


@dataclass(frozen=True)
class Program:
    """How a program is called.

    Attributes:
        words: Its words, with ``{name}`` for what differs from call to call.
        folder: Where it is started.
        kind: Out of `ENVIRONMENTS`, or empty for none.
        environment: Which: an interpreter, a name, an image or a file.
        variables: Of its environment, besides those of this process.
        gpu: Whether a container is given the GPUs.
    """

    words: tuple[str, ...]
    folder: Path
    kind: str = ""
    environment: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    gpu: bool = False

    def called(self, work: Path, values: Mapping[str, str]) -> list[str]:
        """All words of a call.

        Args:
            work: The folder that holds what is exchanged; containers are given it and `folder`.
            values: What stands for the names in braces.
        """
        words = []
        for word in self.words:
            for name, value in values.items():
                word = word.replace(f"{{{name}}}", value)
            words.append(word)
        return [*self._prefix(work), *words]

    def _prefix(self, work: Path) -> list[str]:
        variables = [f"{name}={value}" for name, value in self.variables.items()]
        if self.kind == "python":
            return [self.environment]
        if self.kind == "conda":
            by = "--prefix" if os.sep in self.environment else "--name"
            return ["conda", "run", "--no-capture-output", by, self.environment]
        if self.kind == "docker":
            return [
                "docker", "run", "--rm", "--init", "--interactive",
                f"--user={os.getuid()}:{os.getgid()}",
                *(f"--volume={each}:{each}" for each in (work, self.folder)),
                f"--workdir={self.folder}", *(f"--env={each}" for each in variables),
                *(["--gpus=all"] if self.gpu else []), self.environment,
            ]  # fmt: skip
        if self.kind == "apptainer":
            return [
                "apptainer", "exec", *(f"--bind={each}" for each in (work, self.folder)),
                f"--pwd={self.folder}", *(f"--env={each}" for each in variables),
                *(["--nv"] if self.gpu else []), self.environment,
            ]  # fmt: skip
        return []

    def require(self, work: Path) -> None:
        """See that what is called first is there.

        Raises:
            BenchError: If it is not, or this system cannot end what it would start.
        """
        if not hasattr(os, "killpg"):
            raise BenchError("programs are run on Linux and macOS only; use folder: here")
        first = self.called(work, {})[0]
        found = shutil.which(first, path=self.surroundings.get("PATH"))
        if found is None and Path(first).is_file():
            raise BenchError(
                f"{first} cannot be run: make it executable (chmod +x) or name what runs it, such "
                f'as python = "env/bin/python"'
            )
        if found is None:
            what = f"for {self.kind} = {self.environment!r}" if self.kind else "as command"
            raise BenchError(
                f"expected a program {first} {what}, found none that can be run; give its path, or "
                "add its folder to PATH"
            )

    @property
    def surroundings(self) -> dict[str, str]:
        """All variables that it is started with."""
        return {**os.environ, **self.variables}

    def start(self, work: Path, values: Mapping[str, str], *, served: bool = False) -> Running:
        """Start it.

        Args:
            work: As of `called`.
            values: Likewise.
            served: Whether it is to be talked to; else what it prints is kept for messages alone.
        """
        return Running(self.called(work, values), self.folder, self.surroundings, served=served)


def words(command: Any, what: str) -> tuple[str, ...]:
    """The words of a command that is stated as a text or as a list.

    Raises:
        BenchError: If it is neither, or empty.
    """
    try:
        found = shlex.split(command) if isinstance(command, str) else command
    except ValueError as error:
        raise BenchError(f"{what}: {error}: {command}") from error
    if not isinstance(found, list) or not found or not all(isinstance(w, str) for w in found):
        raise BenchError(f"{what}: expected a text or a list of texts, found {command!r}")
    return tuple(found)


class Running:
    """A program that was started; it ends with this object's `end`, or with this process."""

    def __init__(
        self, called: Sequence[str], folder: Path, variables: Mapping[str, str], *, served: bool
    ) -> None:
        """Start it, under the guard that ends its whole group."""
        life, self._life = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), str(life), *called],
            cwd=folder, env=dict(variables), pass_fds=(life,), start_new_session=True,
            stdin=subprocess.PIPE if served else subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if served else subprocess.STDOUT,
        )  # fmt: skip
        os.close(life)
        self._printed = b""
        heard = self.process.stderr if served else self.process.stdout
        self._hearing = threading.Thread(target=self._hear, args=(heard,), daemon=True)
        self._hearing.start()

    def wait(self) -> int:
        """Wait for its end; gives its exit status, and leaves nothing of it."""
        try:
            return self.process.wait()
        finally:
            self.end()

    @property
    def lines(self) -> tuple[IO[bytes], IO[bytes]]:
        """What one that is served reads and writes."""
        reads, writes = self.process.stdin, self.process.stdout
        assert reads is not None
        assert writes is not None
        return reads, writes

    def listen(self) -> str:
        """Tell one that is served that nothing comes, and give all that it prints."""
        reads, writes = self.lines
        reads.close()
        return writes.read().decode("utf-8", "replace")

    def end(self) -> None:
        """End it and all that it started, if it has not ended."""
        if self._life < 0:
            return
        os.close(self._life)
        self._life = -1
        try:
            self.process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._hearing.join(1)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):
                if stream is not None and not self._hearing.is_alive():
                    stream.close()

    @property
    def last_words(self) -> str:
        """What it printed last, for a message."""
        lines = self._printed.decode("utf-8", "replace").replace("\r", "\n").split("\n")
        shown = [line.rstrip()[:_LINE] for line in lines if line.strip()][-_SHOWN:]
        return f"; it said last: {' | '.join(shown)}" if shown else "; it printed nothing"

    def heard(self, text: bytes) -> None:
        """Keep something it printed, for `last_words`."""
        self._printed = (self._printed + text)[-_KEPT:]

    def _hear(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while text := os.read(stream.fileno(), 1 << 16):
                self.heard(text)


def ended(status: int) -> str:
    """How a program ended, in words."""
    if status <= 128:
        return f"exit status {status}"
    with contextlib.suppress(ValueError):
        return f"exit status {status} ({signal.Signals(status - 128).name})"
    return f"exit status {status}"
