"""The process that stands between ours and a child on Linux, and ends all that the child started.

A method may start programs, pools and servers, and its process may be killed at any moment, as may
ours. The keeper runs no code of methods. To it the system hands whatever descends from the child
and has lost its parent, in a session of its own or not; so nothing is left when the child ends,
when the keeper is asked to end it (SIGTERM), or when our process ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from multiprocessing.connection import wait

import psutil

_DEATH_SIGNAL, _SUBREAPER = 1, 36  # options of prctl(2)


def divide(parent: int) -> None:
    """Fork: who called goes on in the child, and this process keeps it and never returns.

    Args:
        parent: What can be read once our process has ended.
    """
    heard = {signal.SIGCHLD, signal.SIGIO, signal.SIGTERM}
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # it may be ignored, and no status be kept then
    before = signal.pthread_sigmask(signal.SIG_BLOCK, heard)
    os.setsid()  # out of reach of what is sent to the group of our process, such as Ctrl-C
    _control(_SUBREAPER, 1)
    keeper = os.getpid()
    child = os.fork()
    if child:
        status = _watch(child, parent, heard)
        _end_all()
        _end_as(status)
    _control(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != keeper:  # it ended before the system was told
        os._exit(1)
    os.setsid()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _watch(child: int, parent: int, heard: set[signal.Signals]) -> int:
    """Wait for an end; gives the child's exit status, 1 where it has not ended itself."""
    import fcntl

    fcntl.fcntl(parent, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(parent, fcntl.F_SETFL, os.O_ASYNC)  # SIGIO tells of the end of our process
    while not wait([parent], 0) and signal.sigwait(heard) != signal.SIGTERM:
        ended = -1
        while ended:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if ended == child:
                return os.waitstatus_to_exitcode(status)
    return 1


def _end_all() -> None:
    """Kill what descends from this process until nothing does; each death may hand it more."""
    ourselves = psutil.Process()
    with contextlib.suppress(ChildProcessError):
        while True:
            for each in ourselves.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    each.kill()
            os.waitpid(-1, 0)


def _end_as(status: int) -> None:
    """End as the child did, so that our process learns of what."""
    if status < 0:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the child has left one already
        if -status not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-status, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-status})
        os.kill(os.getpid(), -status)
    os._exit(status)


def _control(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)
