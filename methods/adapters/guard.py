"""Run as a script between us and a program: whatever ends us, the program ends with all it started.

``guard.py LIFE WORD...``: LIFE is the number of a descriptor whose other end we alone hold, so that
it closes when we end, by whatever. The exit status is the program's, 128 + N after signal N.
Nothing but the standard library is imported: it stands between every call of a program.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

_GRACE = 2.0  # seconds from SIGTERM, which a container's client passes on, to SIGKILL


def main() -> None:
    """Run the program, and end its group with it or with us."""
    life = int(sys.argv[1])
    try:
        program = subprocess.Popen(sys.argv[2:], start_new_session=True)
    except OSError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(127)
    for ours in (0, 1):  # so that the program's end is the end of what it reads and writes
        os.close(ours)
    threading.Thread(target=_watch, args=(life, program.pid), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: _end(program.pid))
    status = program.wait()
    _signal(program.pid, signal.SIGKILL)  # what it left behind
    os._exit(status if status >= 0 else 128 - status)


def _watch(life: int, group: int) -> None:
    os.read(life, 1)
    _end(group)


def _end(group: int) -> None:
    _signal(group, signal.SIGTERM)
    time.sleep(_GRACE)
    _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    main()
