"""Tasks: ``bench, tests, lint, gate, report, train, attention, speed, nightly``.

All tasks share one environment, ``.nox/shared``: PyTorch alone is gigabytes.
"""

import argparse
import hashlib
import itertools
import json
import shutil
import sys
import venv
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "none"
ENVIRONMENT = Path(".nox/shared").absolute()
BIN = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin")

# Quick methods, and metrics that need no download: the same numbers on every machine.
GATED = (
    "--methods", "telea,navier_stokes,biharmonic,patchmatch,mean,noise",
    "--metrics", "psnr_db,psnr_hole_db,ssim,ssim_hole,l1,l1_hole,lpips_untrained,"
    "lpips_untrained_hole,ms_ssim,gmsd,texture_structure,seam,drift",
)  # fmt: skip

TRAINED = (
    "lama", "relama", "context_encoder_any", "pennet", "deepfill", "hifill", "pluralistic", "ict",
)  # fmt: skip

# What goes on from one trained network: its label, and what `inpaint-bench train` is told.
GROWN = (
    ("plain", "lama"), ("attention", "relama"), ("wide", "lama", "--config", "wide"),
)  # fmt: skip


def prepare(session: nox.Session) -> None:
    """Make the shared environment, or bring it up to date with pyproject.toml."""
    asked = hashlib.sha256(Path("pyproject.toml").read_bytes()).hexdigest()
    stamp = ENVIRONMENT / "installed"
    if stamp.exists() and stamp.read_text() == asked:
        return
    if not BIN.exists():
        venv.create(ENVIRONMENT, with_pip=True)
    session.run_install(BIN / "python", "-m", "pip", "install", "-e", ".[test,lint]", external=True)
    stamp.write_text(asked)


def run(session: nox.Session, *command: str) -> None:
    """Run a program of the shared environment."""
    session.run(BIN / command[0], *command[1:], external=True)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Compare the methods on the bundled photos: runs/bench/report/index.html (-- adds options)."""
    prepare(session)
    run(session, "inpaint-bench", "run", "--latency", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests, a file a core; -- adds arguments of pytest."""
    prepare(session)
    session.env["OMP_NUM_THREADS"] = "1"
    # In the order of the files, as those of few tests are long and must not come last.
    each = ("-n", "logical", "--maxprocesses=8", "--dist=loadfile", "--no-loadscope-reorder")
    run(session, "pytest", "-m", "not nightly", *each, *session.posargs)


@nox.session(default=False)
def nightly(session: nox.Session) -> None:
    """Run the tests that take minutes: many kills, the long tables, the commands of the README."""
    prepare(session)
    install = ("-m", "pip", "install", "-q", "-e", ".[diffusers]")
    session.run_install(BIN / "python", *install, external=True)
    run(session, "pytest", "-m", "nightly", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, style and types."""
    prepare(session)
    run(session, "ruff", "format", "--check", ".")
    run(session, "ruff", "check", ".")
    run(session, "mypy")


@nox.session
def gate(session: nox.Session) -> None:
    """Run the quick job afresh and judge it against bench/baseline.json: runs/gate/verdict.json.

    Nox ends with 1 whatever failed; which of the four outcomes it was is in that file, as
    "outcome" and "exit_status" (0 same or better, 1 regressed, 3 not comparable, 4 not measured).
    """
    prepare(session)
    out = Path("runs/gate")
    # What cannot be removed must not be judged in place of a fresh run.
    if out.exists():
        shutil.rmtree(out)
    # 1 where fills were lost, which is for the gate to judge.
    session.run(
        BIN / "inpaint-bench", "run", "--out", str(out), "--offline", "--no-report", *GATED,
        external=True, success_codes=(0, 1),
    )  # fmt: skip
    session.run(
        BIN / "inpaint-bench", "gate", "bench/baseline.json", str(out),
        "--markdown", str(out / "verdict.md"), "--junit", str(out / "verdict.xml"),
        external=True, success_codes=(0, 1, 3, 4),
    )  # fmt: skip
    verdict = json.loads((out / "verdict.json").read_text("utf-8"))
    said = f"{verdict['outcome']} (exit status {verdict['exit_status']}): {out / 'verdict.json'}"
    if verdict["exit_status"]:
        session.error(said)
    session.log(said)


@nox.session(default=False)
def report(session: nox.Session) -> None:
    """Build the report of a run folder again: nox -s report -- runs/bench."""
    prepare(session)
    run(session, "inpaint-bench", "report", *(session.posargs or ["runs/bench"]))


@nox.session(default=False)
def train(session: nox.Session) -> None:
    """Train every method of the equal-budget track alike: nox -s train -- --images X --budget N."""
    prepare(session)
    for method in TRAINED:
        out = f"runs/train/{method}-0"
        run(session, "inpaint-bench", "train", method, "--out", out, *session.posargs)


@nox.session(default=False)
def attention(session: nox.Session) -> None:
    """What attention, or more channels, add to a trained LaMa (docs/relama.md).

    nox -s attention -- --seeds 5 --photos EVALUATION --images TRAINING --budget 1000: further
    options are those of ``inpaint-bench train``. A seed's networks are trained one after another,
    so that what was stopped leaves whole seeds; the same command goes on, also with more of them.
    """
    prepare(session)
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--photos", required=True)
    asked, training = parser.parse_known_args(session.posargs)
    groups: dict[str, list[str]] = {label: [] for label, *_ in GROWN}
    for seed in range(asked.seeds):
        for label, *grown in GROWN:
            out = f"runs/attention/{label}-{seed}"
            started = ("--start", "lama:small", "--seed", str(seed), "--out", out)
            run(session, "inpaint-bench", "train", *grown, *started, *training)
            groups[label].append(f"{label}-{seed}=trained:{out}")
    scored = ("--methods", ",".join(["lama:small", *itertools.chain(*groups.values())]),
              "--size", "128", "--metrics", "texture_structure,l1_hole,psnr_hole_db")  # fmt: skip
    folder = "runs/attention/scored"
    run(session, "inpaint-bench", "run", "--images", asked.photos, *scored, "--out", folder)
    named = [",".join(each.partition("=")[0] for each in group) for group in groups.values()]
    for one, other in itertools.combinations(named, 2):
        run(session, "inpaint-bench", "seeds", folder, one, other)


@nox.session(default=False)
def speed(session: nox.Session) -> None:
    """Measure speed as ratios, side by side in one run, and compare them with the stored ones.

    What is worse than stored is listed; a stored benchmark that was not measured is a failure. With
    arguments for pytest nothing is compared. To store what was found:
    python -m tests.speed.compare tests/speed/baseline.json runs/speed.json --store
    """
    prepare(session)
    found = Path("runs/speed.json")
    found.parent.mkdir(exist_ok=True)
    found.unlink(missing_ok=True)
    measure = ("--benchmark-enable", f"--benchmark-json={found}", "--benchmark-columns=rounds")
    run(session, "pytest", "tests/speed", "-s", *measure, *session.posargs)
    if not session.posargs:
        run(session, "python", "-m", "tests.speed.compare", "tests/speed/baseline.json", str(found))
