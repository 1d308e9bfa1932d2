"""What the fills of each method depend on; where only a loaded method tells, it is asked for that.

A method that comes with this project says it before it is loaded. Any other is loaded once more, in
a process of its own, since its code may crash, hang or hold a device: so a file that it opens under
an unchanged name, or a value from elsewhere, is seen before any kept fill is taken for its.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import methods
from bench.errors import BenchError, Unhashable, describe, faults
from bench.machine import children
from bench.run.choice import guarded
from bench.run.executors.local import prepare
from bench.run.request import Request
from methods.base import Card, Inpainter
from methods.identity import after_load, changed, is_ours, must_load, unhashable


class Identity(NamedTuple):
    """What a method's fills depend on.

    Attributes:
        text: In one line, for readers and for comparing.
        passing: Why fills hold only for the start that made them; empty if they hold for longer.
        loaded: Whether all of it is known: False if the method could not be loaded.
        card: The card of a method that finds facts out as it is loaded.
        said: What it found out, in words.
        found: The same for other processes that load it (see `methods.base.Inpainter`).
    """

    text: str
    passing: str = ""
    loaded: bool = True
    card: Card | None = None
    said: str = ""
    found: str = ""

    @property
    def lasting(self) -> bool:
        """Whether fills made under it may be kept for later starts."""
        return self.loaded and not self.passing


_UNLOADED = Identity("", loaded=False)


def identities(
    chosen: Mapping[str, Inpainter], request: Request, metrics: Iterable[str]
) -> dict[str, Identity]:
    """Ask each method for its identity.

    Args:
        chosen: Methods by the text that asks for them.
        request: How the run is done.
        metrics: Names of the metrics that workers will measure.

    Returns:
        Identities by full name. That of a method which cannot be loaded is what is known without.

    Raises:
        BenchError: If a method's own code fails while it is asked.
    """
    found = {method.name: _unloaded(method) for method in chosen.values()}
    asked = {
        text: method
        for text, method in chosen.items()
        if must_load(method) and not found[method.name].passing
    }
    if request.executor == "inline":
        told = [_told(text, request.here) for text in asked]
    elif asked:
        context = prepare(request.threads, metrics)
        stopped = threading.Event()
        with ThreadPoolExecutor(request.processes) as pool, contextlib.ExitStack() as stack:
            stack.callback(stopped.set)  # by Ctrl-C, too, which the pool's threads do not hear
            told = list(pool.map(lambda text: _ask(context, text, request, stopped), asked))
    else:
        told = []
    for method, answer in zip(asked.values(), told, strict=True):
        unloaded = f"{found[method.name].text} not loaded"
        found[method.name] = answer._replace(text=answer.text or unloaded)
        method.card = answer.card or method.card
    for method in chosen.values() if request.executor == "inline" else ():
        if not found[method.name].passing and (names := changed(method)):
            why = f"{', '.join(names)} changed after this process had imported it; start another"
            found[method.name] = Identity(unhashable(method), why)
    return found


def fill_key(digest: str, identity: Identity) -> str:
    """The key that fills are kept by: another one each time where they must not be kept."""
    return f"once-{uuid.uuid4().hex[:11]}" if identity.passing else digest


def hears_all(method: Inpainter) -> bool:
    """Whether each process that fills with a method must show it all cases of the run before."""
    kind = type(method)
    return kind.expect is not Inpainter.expect and kind.tell is Inpainter.tell


def check_unchanged(method: Inpainter, expected: str) -> None:
    """Refuse to fill under an identity that a loaded method has no more.

    Args:
        method: A method as a worker has loaded it.
        expected: Its identity when the run began.

    Raises:
        BenchError: If its code or its files changed since, or it could not be loaded then.
    """
    known = is_ours(type(method)) and not method.probed
    if known or expected == unhashable(method):
        return
    if expected.endswith(" not loaded"):
        raise BenchError("it could not be loaded when the run began; give the same command again")
    if not expected.startswith(method.identity):
        raise BenchError(
            "its code or a file it names changed since the run began; give the same command again"
        )


def _unloaded(method: Inpainter) -> Identity:
    try:
        if must_load(method):
            return Identity(guarded(method.name, lambda: method.identity))
        return Identity(guarded(method.name, after_load, method))
    except Unhashable as error:
        return Identity(unhashable(method), str(error))


def _ask(
    context: children.Context, text: str, request: Request, stopped: threading.Event
) -> Identity:
    """Ask a process of its own; what ends or hangs there is found out again by the worker."""
    ours, theirs = context.Pipe()
    child = children.start(context, request.threads, _answer, text, request.here, theirs)
    theirs.close()
    until = time.monotonic() + request.limits.load_timeout
    try:
        while time.monotonic() < until and not stopped.is_set():
            if ours.poll(0.5):
                told: Identity = ours.recv()
                return told
    except Exception:  # it died, or its code disturbed what it says
        pass
    finally:
        ours.close()
        children.end(child)
    return _UNLOADED


def _answer(text: str, device: str, pipe: Connection) -> None:
    pipe.send(_told(text, device))


def _told(text: str, device: str) -> Identity:
    """Load a method and say its identity, or nothing if it cannot be loaded."""
    method = None
    try:
        with contextlib.chdir(Path.cwd()):  # of an executor in this process
            method = methods.get(text, device=device)
            method.load()
    except faults() as error:  # its rows will say why, as the worker loads it again
        # What a probe cannot tell is told before the run, too, with what to state.
        return _UNLOADED._replace(said=describe(error)) if method and method.probed else _UNLOADED
    card, found = (method.card, method.found) if method.probed else (None, "")
    told = Identity("", card=card, said=method.said, found=found)
    try:
        return told._replace(text=after_load(method))
    except Unhashable as error:
        return told._replace(text=unhashable(method), passing=str(error))
