"""Tasks: ``nox -s bench``, ``tests``, ``lint``, ``report``, ``speed``, ``nightly``.

All tasks share one environment, ``.nox/shared``: PyTorch alone is gigabytes.
"""

import hashlib
import sys
import venv
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "none"
ENVIRONMENT = Path(".nox/shared").absolute()
BIN = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin")


def prepare(session: nox.Session) -> None:
    """Make the shared environment, or bring it up to date with pyproject.toml."""
    asked = hashlib.sha256(Path("pyproject.toml").read_bytes()).hexdigest()
    stamp = ENVIRONMENT / "installed"
    if stamp.exists() and stamp.read_text() == asked:
        return
    if not BIN.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    session.run(BIN / "python", "-m", "pip", "install", "-e", ".[test,lint]", external=True)
    stamp.write_text(asked)


def run(session: nox.Session, *command: str) -> None:
    """Run a program of the shared environment."""
    session.run(BIN / command[0], *command[1:], external=True)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Compare the methods on the bundled photos: runs/bench/report/index.html (-- adds options)."""
    prepare(session)
    run(session, "inpaint-bench", "run", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; -- adds arguments of pytest."""
    prepare(session)
    run(session, "pytest", "-m", "not nightly", *session.posargs)


@nox.session(default=False)
def nightly(session: nox.Session) -> None:
    """Run the tests that take minutes: many kills, the long tables."""
    prepare(session)
    run(session, "pytest", "-m", "nightly", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, style and types."""
    prepare(session)
    run(session, "ruff", "format", "--check", ".")
    run(session, "ruff", "check", ".")
    run(session, "mypy")


@nox.session(default=False)
def report(session: nox.Session) -> None:
    """Build the report of a run folder again: nox -s report -- runs/bench."""
    prepare(session)
    run(session, "inpaint-bench", "report", *(session.posargs or ["runs/bench"]))


@nox.session(default=False)
def speed(session: nox.Session) -> None:
    """Measure speed as ratios, side by side in one run."""
    prepare(session)
    run(session, "pytest", "tests/speed", "--benchmark-enable", "-s", *session.posargs)
