"""Importing the public face is light, and what it names is there and in order."""

import subprocess
import sys
from pathlib import Path

import pytest

import inpaint_bench

ROOT = Path(__file__).parents[2]


def test_importing_loads_no_other_library():
    code = (
        "import sys, inpaint_bench\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names))"
    )
    # Without the installed packages there is none that could be loaded.
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd=ROOT
    )
    loaded = set(done.stdout.split())
    assert loaded == {"__main__", "bench", "inpaint_bench"}, done.stderr


def test_everything_public_is_there():
    assert dir(inpaint_bench) == sorted(inpaint_bench.__all__)
    assert all(getattr(inpaint_bench, name) is not None for name in inpaint_bench.__all__)


def test_what_is_not_there_is_said_as_of_any_module():
    with pytest.raises(AttributeError, match="'inpaint_bench' has no attribute 'fil'"):
        getattr(inpaint_bench, "fil")  # noqa: B009
