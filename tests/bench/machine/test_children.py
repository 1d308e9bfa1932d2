"""Children never run the user's main module, and leave this process as it was."""

import multiprocessing as mp
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bench.machine import children

ROOT = Path(__file__).parents[3]
# What a user writes who has not heard of main guards.
UNGUARDED = """
import os
print("main", os.getpid(), flush=True)
from bench.machine import children
started = children.context(1, ["time"])
child = children.start(started, 1, os.write, 1, b"child\\n")
child.join()
print("ended", child.exitcode)
"""


def python(*arguments, cwd, **options):
    # Looks for modules in the tree, and runs in another folder.
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, **options,
    )  # fmt: skip


@pytest.mark.parametrize("way", ["script", "standard input", "argument", "module"])
def test_the_main_module_runs_once(way, tmp_path):
    (tmp_path / "plain.py").write_text(UNGUARDED)
    arguments, options = {
        "script": (["plain.py"], {}),
        "standard input": (["-"], {"input": UNGUARDED}),
        "argument": (["-c", UNGUARDED], {}),
        "module": (["-m", "plain"], {}),
    }[way]
    done = python(*arguments, cwd=tmp_path, **options)
    said = done.stdout.splitlines()
    assert [line.split()[0] for line in said] == ["main", "child", "ended"], done.stderr
    assert said[-1] == "ended 0"
    assert done.stderr == ""


def test_the_main_module_runs_once_where_children_are_not_forked(tmp_path):
    spawning = UNGUARDED.replace('children.context(1, ["time"])', "mp.get_context('spawn')")
    (tmp_path / "plain.py").write_text("import multiprocessing as mp" + spawning)
    done = python("plain.py", cwd=tmp_path)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["main", "child", "ended"]
    assert done.stderr == ""


def test_the_environment_is_left_as_it_was(monkeypatch, tmp_path):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    kept = "import os\nbefore = dict(os.environ)\n" + UNGUARDED + "print(os.environ == before)"
    done = python("-c", kept, cwd=tmp_path)
    assert done.stdout.splitlines()[-2:] == ["ended 0", "True"], done.stderr


def test_processes_of_the_user_get_their_main_module(monkeypatch):
    main = ModuleType("__main__")
    main.__file__ = str(Path("plain.py").absolute())
    monkeypatch.setitem(sys.modules, "__main__", main)
    given = mp.spawn.get_preparation_data
    with children._main_left_alone("ours"):
        theirs, ours = (mp.spawn.get_preparation_data(name) for name in ("theirs", "ours"))
    assert theirs["init_main_from_path"] == main.__file__
    assert {key for key in theirs if key not in ours} == {"init_main_from_path"}
    assert mp.spawn.get_preparation_data is given


@pytest.mark.skipif(sys.platform != "linux", reason="children are spawned from afresh elsewhere")
def test_what_loads_for_children_never_sees_an_interrupt(tmp_path):
    script = (
        "import signal\n"
        "from multiprocessing import forkserver\n"
        "from pathlib import Path\n"
        "from bench.machine import children\n"
        "children.context(1, [])\n"
        "status = Path(f'/proc/{forkserver._forkserver._forkserver_pid}/status').read_text()\n"
        "blocked = int(status.split('SigBlk:')[1].split()[0], 16)\n"
        "print(blocked >> (signal.SIGINT - 1) & 1)\n"
    )
    assert python("-c", script, cwd=tmp_path).stdout == "1\n"


@pytest.mark.skipif(sys.platform != "linux", reason="children are spawned from afresh elsewhere")
def test_what_children_are_forked_from_may_be_killed_even_as_one_starts(tmp_path):
    script = (
        "import os, signal, threading, time\n"
        "from multiprocessing import forkserver\n"
        "from bench.machine import children\n"
        "context = children.context(1, ['time'])\n"
        "def server(): return forkserver._forkserver._forkserver_pid\n"
        "def begin(word): children.start(context, 1, os.write, 1, word).join()\n"
        "begin(b'one ')\n"
        "os.kill(server(), signal.SIGKILL)\n"
        "begin(b'two ')\n"
        "os.kill(server(), signal.SIGSTOP)\n"  # so that what begins waits for it
        "threading.Timer(0.5, os.kill, (server(), signal.SIGKILL)).start()\n"
        "begin(b'three ')\n"
        "settings = open(f'/proc/{server()}/environ').read()\n"
        "print(settings.count('JE_ARROW_MALLOC_CONF'), 'JE_ARROW_MALLOC_CONF' in os.environ)\n"
    )
    done = python("-c", script, cwd=tmp_path)
    assert done.stdout == "one two three 1 False\n", done.stderr
