"""What a Ray actor does on its node: it holds one worker process as an executor of that machine.

A crash, a hang and whatever a method started are dealt with there as on the driver's own machine.
Where the run folder cannot be seen, the worker writes into a folder of the node's, and what it
wrote is handed over with the events. Nothing of Ray is imported here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import methods
from bench.errors import BenchError, Unhashable, describe, faults
from bench.machine import provenance
from bench.machine.spread import Hands, spread
from bench.run.executors.local import LocalExecutor, prepare
from bench.run.messages import ENDS, Event, Job, Setup
from methods import user_code
from methods.adapters.workplace import Workplace
from methods.sources import files_behind
from methods.weights.files import digest

_PACKAGES = ("bench", "masks", "methods")
_BEFORE_ROWS = ("pictures", "outputs", "thumbs", "tracebacks", "features")


def facts() -> dict[str, str]:
    """What a node must have as the driver has it, whatever is run."""
    code = hashlib.sha256()
    root = Path(__file__).parents[3]
    for path in sorted(each for top in _PACKAGES for each in (root / top).rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            code.update(f"{path.relative_to(root).as_posix()} {digest(path)}\n".encode())
    versions = provenance.collect()["packages"]
    return {"Python": platform.python_version(), **versions, "its code": code.hexdigest()[:12]}


def needs(setup: Setup) -> dict[str, str]:
    """The files that a user's methods and metrics are made of, and weights, with their hashes."""
    named = list(setup.weights.values())
    written: list[Any] = []
    for name in setup.identities:
        spec = methods.parse(setup.methods[name])
        method = methods.get(spec)
        files = method.files
        named += map(Path, [files] if isinstance(files, str | os.PathLike) else files)
        named.append(Path(spec.target))  # weights, if it is a file
        if spec.kind == "class":
            written += type(method).__mro__[:-1]
    for text in setup.metrics:
        if "=" in text:
            written.append(user_code.module_of(text.partition("=")[2]))
    with contextlib.suppress(Unhashable):  # it may be there; whether it is, is checked
        named += files_behind(*written)
    return {str(path): digest(path) for path in sorted(map(Path.absolute, named)) if path.is_file()}


def below(path: str) -> str:
    """The name under which an actor keeps a file that is given by its whole path."""
    return f"given{path}"


class Host:
    """An actor; one call at a time. Whatever it raises is why its node cannot be used."""

    def __init__(self, device: str, threads: int) -> None:
        """Know nothing yet of the run."""
        self._device, self._threads = device, threads
        self._place: Any = None
        self._executor: Any = None
        self._given: list[Path] = []

    def arrive(self, known: Mapping[str, str]) -> str:
        """See that this node has what the driver's machine has; gives which machine it is."""
        here, machine = _alone(self._threads, _machine, self._device)
        if other := [name for name in known if here.get(name) != known[name]]:
            told = "; ".join(f"{name} {here.get(name)}, expected {known[name]}" for name in other)
            raise BenchError(f"found {told}; install there what the driver's machine has")
        return "; ".join(machine)

    def look(self, token: Path, needs: Mapping[str, str]) -> tuple[bool, bool]:
        """Say whether a file of the run folder is seen, and whether those needed are the same."""
        self._shares = token.is_file()
        self._same = all(
            os.path.isfile(each) and digest(Path(each)) == needs[each] for each in needs
        )
        if not (self._same and self._shares):
            self._place = Workplace().path
        return self._shares, self._same

    def open(self, setup: Setup, cwd: str, files: Mapping[str, bytes]) -> None:
        """Make ready for jobs, and see that methods are what they are on the driver's machine."""
        self._put(files)
        if not self._same:
            setup, cwd = _moved(setup, str(self._place / below(""))), f"{self._place / below(cwd)}"
            os.makedirs(cwd, exist_ok=True)
        if not self._shares:
            setup = replace(setup, folder=self._place)
        with contextlib.suppress(OSError):  # nobody needs it where all is installed
            os.chdir(cwd)
        for name in setup.identities:
            _alone(self._threads, partial(_check, setup), name, setup.metrics)
        self._executor = LocalExecutor(setup, 1)

    def submit(self, job: Job, files: Mapping[str, bytes]) -> tuple[list[Event], dict[str, bytes]]:
        """Start a job, with the pictures it is about; nothing has happened yet."""
        self._given = self._put(files)
        for path in self._given:
            os.utime(path, (0, 0))  # which nothing has that is written here
        self._executor.submit(job)
        return [], {}

    def next(self, timeout: float) -> tuple[list[Event], dict[str, bytes]]:
        """Give what happened, and all that rows of it speak of, in the order to write."""
        events = []
        event = self._executor.next(timeout)
        while event is not None:
            events.append(event)
            event = self._executor.next(0)
        files = {} if self._shares or not events else self._written()
        if any(event.kind in ENDS for event in events):
            for path in self._given:
                path.unlink(missing_ok=True)
        return events, files

    def stop(self, job: int) -> None:
        """End the worker of a job."""
        self._executor.stop(job)

    def wind_down(self) -> None:
        """Let the worker end its job after the fill it is at."""
        self._executor.wind_down()

    def close(self) -> None:
        """End all, and leave nothing."""
        if self._executor is not None:
            self._executor.close()
        if self._place is not None:
            shutil.rmtree(self._place, ignore_errors=True)

    def _put(self, files: Mapping[str, bytes]) -> list[Path]:
        for name, content in files.items():
            (self._place / name).parent.mkdir(parents=True, exist_ok=True)
            (self._place / name).write_bytes(content)
        return [self._place / name for name in files]

    def _written(self) -> dict[str, bytes]:
        """Take what the worker wrote, rows last."""
        rows = sorted((self._place / "fragments").glob("[!.]*"))  # what they speak of is there
        parts = ((self._place / part).rglob("[!.]*") for part in _BEFORE_ROWS)
        found = {}
        for path in [*(path for part in parts for path in part if path.is_file()), *rows]:
            if path.stat().st_mtime:
                found[str(path.relative_to(self._place))] = path.read_bytes()
                path.unlink()
        return found


def _moved(setup: Setup, there: str) -> Setup:
    """The same, with files where they were given; what is relative follows the directory."""
    moved = dict(setup.methods)
    for name, text in moved.items():
        spec = methods.parse(text)
        if os.path.isabs(spec.target):
            moved[name] = replace(spec, target=there + spec.target).stored
    return replace(
        setup,
        methods=moved,
        metrics=tuple(text.replace("=/", f"={there}/", 1) for text in setup.metrics),
        weights={name: Path(f"{there}{path}") for name, path in setup.weights.items()},
    )


def _machine(device: str) -> tuple[dict[str, str], list[str]]:
    from methods.base import find_device

    find_device(device)
    about = provenance.collect()
    return facts(), [about[name] for name in ("system", "processor", "accelerator")]


def _check(setup: Setup, name: str) -> None:
    """See that a method is here what it is on the driver's machine."""
    from methods import identity

    known = setup.identities[name]
    try:
        method = methods.get(setup.methods[name], device=setup.device)
        if known == identity.unhashable(method) or known.endswith(" not loaded"):
            return
        if identity.must_load(method):
            method.found = setup.found.get(name, "")
            method.load()
        found = method.identity
    except faults() as error:
        raise BenchError(f"{name}: {describe(error)}") from None
    if not known.startswith(found):
        other = " ".join(word for word in found.split() if word not in known.split())
        raise BenchError(
            f"{name}: found {other}, expected what the driver's machine has: {known}; install or "
            "fetch the same code, libraries and weights there"
        )


def _alone(
    threads: int, ask: Callable[[str], Any], what: str, metrics: tuple[str, ...] = ()
) -> Any:
    """Ask in a process of its own, as it may load a user's code.

    Raises:
        BenchError: As it does; or that its process died.
    """
    return next(spread(ask, [what], Hands(1, lambda: prepare(threads, metrics))))
