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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bench.errors import BenchError, describe, faults
from bench.machine import children, provenance
from bench.run.executors.local import LocalExecutor, prepare
from bench.run.messages import Event, Job, Setup
from methods.adapters.workplace import Workplace

PIECE = 1 << 24  # bytes that travel at once
_PATIENCE = 600.0  # seconds for loading what is checked
_PACKAGES = ("bench", "masks", "methods")
_BEFORE_ROWS = ("pictures", "outputs", "thumbs", "tracebacks", "features")


def facts() -> dict[str, str]:
    """What a node must have as the driver has it, whatever is run."""
    found = hashlib.sha256()
    root = Path(__file__).parents[3]
    for path in sorted(each for top in _PACKAGES for each in (root / top).rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            found.update(f"{path.relative_to(root).as_posix()} {digest(path)}\n".encode())
    return {
        "Python": platform.python_version(),
        "inpaint-bench": provenance.version_of("inpaint-bench"),
        "its code": found.hexdigest()[:12],
    }


def digest(path: str | Path) -> str:
    """Hash of a file; empty if it cannot be read."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return ""


class Host:
    """An actor; one call at a time. Whatever it raises is why its node cannot be used."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._place: Workplace | None = None
        self._executor: LocalExecutor | None = None
        self._said: list[Event] = []
        self._lent: dict[str, int] = {}

    def arrive(
        self, known: Mapping[str, str], packages: Mapping[str, str], device: str, threads: int
    ) -> str:
        """See that this node is as the driver's machine is; gives which machine it is.

        Args:
            known: The driver's `facts`.
            packages: Versions of the driver's libraries.
            device: Where methods will run.
            threads: Of each worker.
        """
        _same(known, facts())
        found = _in_child(prepare(threads, ()), threads, _machine, device)
        _same(packages, found["packages"])
        return "; ".join(found[name] for name in ("system", "processor", "accelerator"))

    def begin(self, setup: Setup, token: str, cwd: str, needs: Mapping[str, str]) -> list[str]:
        """Look what of the driver's machine can be seen here.

        Args:
            setup: As the driver has it.
            token: A file in the run folder.
            cwd: The driver's directory.
            needs: Files that methods and metrics are made of, with their hashes.

        Returns:
            The folder of this actor, empty if it shares the run folder; then the files to be
            given, which have their whole path below ``given``.
        """
        self._setup, self._cwd = setup, cwd
        self._shared = (setup.folder / token).is_file()
        self._apart = any(digest(path) != known for path, known in needs.items())
        if not self._shared or self._apart:
            self._place = Workplace()
        place = "" if self._place is None or self._shared else str(self._place.path)
        return [place, *(f"given{path}" for path in needs if self._apart)]

    def lacks(self, names: Iterable[str], beside: Iterable[str]) -> list[str]:
        """Of some files those that are not here, nor in the folders of actors beside this one."""
        for name in (missing := [name for name in names if not self._file(name).exists()]):
            self._file(name).parent.mkdir(parents=True, exist_ok=True)
            for folder in beside:
                with contextlib.suppress(OSError):
                    os.link(Path(folder, name), self._file(name))
                    break
        return [name for name in missing if not self._file(name).exists()]

    def give(self, name: str, piece: bytes, last: bool, lent: bool) -> None:
        """Take a piece of a file, which is in place once the last has come."""
        target = self._file(name)
        coming = target.with_name(f".{target.name}.coming")
        with coming.open("ab") as file:
            file.write(piece)
        if last:
            coming.replace(target)
            if lent:
                self._lent[name] = target.stat().st_ino

    def open(self) -> None:
        """Make ready for jobs, and see that methods are what they are on the driver's machine."""
        setup, cwd = self._setup, self._cwd
        if self._place is not None and self._apart:
            below = str(self._file("given"))
            setup, cwd = _moved(setup, below), below + cwd
            os.makedirs(cwd, exist_ok=True)
        if self._place is not None and not self._shared:
            setup = replace(setup, folder=self._place.path)
        with contextlib.suppress(OSError):  # nobody needs it where all is installed
            os.chdir(cwd)
        context = prepare(setup.threads, setup.metrics)
        for name in setup.identities:
            try:
                _in_child(context, setup.threads, _check, setup, name)
            except BenchError as error:
                raise BenchError(f"{name}: {error}") from None
        self._executor = LocalExecutor(setup, 1)

    def submit(self, job: Job) -> None:
        """Start a job."""
        for name in self._lent.keys() - {kept.output for kept in job.earlier.values()}:
            self._file(name).unlink(missing_ok=True)
            del self._lent[name]
        assert self._executor is not None
        self._executor.submit(job)

    def next(self, timeout: float) -> tuple[list[Event], dict[str, bytes]]:
        """Give what happened, and before it all that rows of it speak of, in the order to write."""
        assert self._executor is not None
        event = self._executor.next(0 if self._said else timeout)
        while event is not None:
            self._said.append(event)
            event = self._executor.next(0)
        files, is_all = self._written() if self._said and not self._shared else ({}, True)
        said: list[Event] = []
        if is_all:
            said, self._said = self._said, said
        return said, files

    def stop(self, job: int) -> None:
        """End the worker of a job."""
        if self._executor is not None:
            self._executor.stop(job)

    def wind_down(self) -> None:
        """Let the worker end its job after the fill it is at."""
        if self._executor is not None:
            self._executor.wind_down()

    def close(self) -> None:
        """End all, and leave nothing."""
        if self._executor is not None:
            self._executor.close()
        if self._place is not None:
            shutil.rmtree(self._place.path, ignore_errors=True)

    def _file(self, name: str) -> Path:
        assert self._place is not None
        return self._place.path / name

    def _written(self) -> tuple[dict[str, bytes], bool]:
        """Take what the worker wrote, up to a size, rows last; and whether that is all."""
        rows = sorted(self._file("fragments").glob("[!.]*"))  # what they speak of was written first
        parts = (sorted(self._file(part).rglob("[!.]*")) for part in _BEFORE_ROWS)
        taken: dict[str, bytes] = {}
        for path in [*(each for part in parts for each in part if each.is_file()), *rows]:
            name = path.relative_to(self._file("")).as_posix()
            if self._lent.get(name) == path.stat().st_ino:
                continue
            if sum(map(len, taken.values())) > PIECE:
                return taken, False
            taken[name] = path.read_bytes()
            path.unlink()
        return taken, True


def _same(known: Mapping[str, str], here: Mapping[str, str]) -> None:
    other = [f"{n} {here.get(n)}, expected {known[n]}" for n in known if here.get(n) != known[n]]
    if other:
        raise BenchError(f"found {'; '.join(other)}; install there what the driver's machine has")


def _moved(setup: Setup, below: str) -> Setup:
    """The same, with files where they were given; what is relative follows the directory."""
    import methods

    specs = {name: methods.parse(text) for name, text in setup.methods.items()}
    moved = {
        n: replace(s, target=below + s.target) for n, s in specs.items() if s.target[:1] == "/"
    }
    metrics = (text.replace("=/", f"={below}/", 1) for text in setup.metrics)
    return replace(
        setup,
        methods={**setup.methods, **{name: spec.stored for name, spec in moved.items()}},
        metrics=tuple(metrics),
        weights={name: Path(f"{below}{path}") for name, path in setup.weights.items()},
    )


def _machine(device: str) -> dict[str, Any]:
    from methods.base import find_device

    find_device(device)
    return provenance.collect()


def _check(setup: Setup, name: str) -> None:
    """See that a method is here what it is on the driver's machine."""
    import methods
    from methods import identity

    known = setup.identities[name]
    method = methods.get(setup.methods[name], device=setup.device)
    if known == identity.unhashable(method) or known.endswith(" not loaded"):
        return
    if identity.must_load(method):
        method.found = setup.found.get(name, "")
        method.load()
    if not known.startswith(method.identity):
        words = known.split()
        other = [word for word in method.identity.split() if word not in words]
        raise BenchError(
            f"found {' '.join(other)}, expected what the driver's machine has: {known}; install "
            "or fetch the same code, libraries and weights there"
        )


def _in_child(
    context: children.Context, threads: int, ask: Callable[..., Any], *arguments: object
) -> Any:
    """Call a function in a process of its own, as it may load a user's code.

    Raises:
        BenchError: If it raises an error, dies or takes too long.
    """
    ours, theirs = context.Pipe()
    child = children.start(context, threads, _answer, theirs, ask, arguments)
    theirs.close()
    problem, answer = "it took too long to load", None
    try:
        if ours.poll(_PATIENCE):
            problem, answer = ours.recv()
    except (EOFError, OSError):
        problem = "its process died as it was loaded"
    finally:
        ours.close()
        children.end(child)
    if problem:
        raise BenchError(problem)
    return answer


def _answer(pipe: Connection, ask: Callable[..., Any], arguments: Iterable[object]) -> None:
    try:
        told = "", ask(*arguments)
    except faults() as error:
        told = describe(error), None
    pipe.send(told)
