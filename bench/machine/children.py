"""How child processes of ours start and end: quickly, with their threads, never after their parent.

Loading the libraries takes seconds. On Linux one process, which does nothing else, loads them, and
children are forked from it. Elsewhere a process that has loaded them must not be forked, and each
child loads them itself.

Each child leads a session of its own, and what it started ends with it: on Linux all of it, by a
process that keeps it (`bench.machine.keeper`); elsewhere what is of its group, or descends from it
when it is ended.
"""

from __future__ import annotations

import contextlib
import multiprocessing as mp
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from multiprocessing import resource_tracker, spawn
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any

import psutil

from bench.errors import BenchError
from bench.machine import keeper
from bench.machine.threads import held_to
from methods.adapters.workplace import remove_abandoned

Context = SpawnContext | ForkServerContext
_STARTING = threading.RLock()  # what is set for a child while it starts is of the whole process
_PATIENCE = 5.0  # seconds; what sits in a call of the system's own ends only after it
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def context(threads: int, modules: Iterable[str]) -> Context:
    """Begin to load what children need, in a process of its own; give what starts them.

    Args:
        threads: Threads of each child. What OpenBLAS reads only when it is loaded stays as the
            first call in this process set it, as does what is loaded.
        modules: Names of the modules to load.
    """
    if sys.platform != "linux":
        return mp.get_context("spawn")
    found = mp.get_context("forkserver")
    found.set_forkserver_preload(list(modules))
    try:
        _have_server(threads)
    except OSError:  # as where the path of its socket would be too long
        return mp.get_context("spawn")
    return found


def _have_server(threads: int) -> None:
    """See that the process is there which children are forked from; another, if it was ended."""
    from multiprocessing import forkserver

    settings = {
        # Python does not tell that process where to look for modules.
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONSAFEPATH": "1",  # else the current directory would come before all these
        # It must have one thread only to be forked, and Arrow's allocator would start another.
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
    }
    with _interrupts_held(), environment({**_limits(threads), **settings}):
        forkserver.ensure_running()


def start(
    context: Context,
    threads: int,
    target: Callable[..., None],
    *arguments: object,
) -> BaseProcess:
    """Start a child that calls a function, leaves Ctrl-C to this process and ends with it.

    Raises:
        BenchError: If the process that it is forked from was killed, and so was each that took its
            place.
    """
    for seconds in (0.1, 1.0, 0.0):
        with contextlib.suppress(EOFError, ConnectionError):  # of that process
            return _started(context, threads, target, arguments)
        time.sleep(seconds)
    raise BenchError(
        "the process that starts others was killed three times: see who kills it (`dmesg` tells of "
        "a lack of memory), and give the same command again"
    )


def _started(
    context: Context, threads: int, target: Callable[..., None], arguments: tuple[object, ...]
) -> BaseProcess:
    with _STARTING:
        if context.get_start_method() == "forkserver":
            _have_server(threads)
        with _interrupts_held(), environment(_limits(threads)):
            child = context.Process(
                target=_run, args=(dict(os.environ), threads, target, arguments), daemon=True
            )
            with _main_left_alone(child.name):
                child.start()
    return child


def end(child: BaseProcess) -> int | None:
    """End a child with all that it started, unless they have ended; gives its exit status."""
    group = child.pid or 0
    if child.is_alive():
        if sys.platform == "linux":
            child.terminate()  # its keeper does the rest
            child.join(_PATIENCE)
        else:
            for each in psutil.Process(group).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    each.kill()
        child.kill()
        child.join()
    if sys.platform not in ("linux", "win32"):
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)
    status = child.exitcode
    child.close()
    remove_abandoned()
    return status


def cause(exitcode: int | None) -> str:
    """Why a child ended, in words."""
    if exitcode is None or exitcode >= 0:
        return f"ended by itself with exit status {exitcode}"
    try:
        name = signal.Signals(-exitcode).name
    except ValueError:
        name = f"signal {-exitcode}"
    hint = " (out of memory, or stopped from outside)" if name == "SIGKILL" else ""
    return f"killed by {name}{hint}"


def _run(
    environment: Mapping[str, str],
    threads: int,
    target: Callable[..., None],
    arguments: Iterable[object],
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    mp.current_process().daemon = False  # else it might have no children: they end with it
    os.environ.clear()  # that of the process it was forked from may be older
    os.environ.update(environment)
    with held_to(threads):
        target(*arguments)


def _limits(threads: int) -> dict[str, str]:
    return dict.fromkeys(_THREAD_VARIABLES, str(threads))


@contextlib.contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Add to what children inherit, and take it back: the environment here is the user's."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextlib.contextmanager
def _main_left_alone(child: str) -> Iterator[None]:
    """Keep the child of that name from running the main module, as every other child does.

    Nothing of ours is defined there, and it is the user's: a script without a main guard would
    start its run once more, and a notebook or standard input is no file to be run.
    """
    with _STARTING:
        given = spawn.get_preparation_data

        def without_main(name: str) -> dict[str, Any]:
            facts = given(name)
            if name != child:  # one that another thread of the user's starts meanwhile
                return facts
            return {key: fact for key, fact in facts.items() if not key.startswith("init_main")}

        spawn.get_preparation_data = without_main
        try:
            yield
        finally:
            spawn.get_preparation_data = given


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back, so that a child inherits the block and never sees one, even starting."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # as it starts it lets go of what is held
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """Lead a session, and end with all of it when the parent does, even in a long call."""
    parent = mp.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel
    if sys.platform == "linux":
        keeper.divide(sentinel)
        return
    if sys.platform != "win32":
        os.setsid()

    def watch() -> None:
        wait([sentinel])
        if sys.platform != "win32":
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
