"""Every command where the disk is full, nothing may be written, nobody reads, or a file is none.

A user's condition is no bug of ours: the command says in one line what is wrong, and where.
"""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sample_run import write_run

# RUN is a run folder, PHOTOS three photos, ARCHIVE some to train on, OUT a folder to write into.
WRITES = {
    "compare": "compare RUN --format csv --out OUT/table.csv",
    "gate": "gate RUN RUN --json OUT/verdict.json",
    "baseline": "baseline update RUN --file OUT/baseline.json",
    "masks": "masks OUT/pack --count 1 --size 64",
    "export": "export RUN OUT/pairs",
    "report": "report RUN --out OUT/report --zip --markdown OUT/result.md",
    "merge": "merge OUT/merged RUN",
    "run": "run --images PHOTOS --methods telea --size 64 --out OUT/run --offline",
    "latency": "latency --images PHOTOS --methods telea --sizes 64 --tiers small --out OUT/run "
    "--short --limit 1",
    "receptive": "receptive lama:small --images PHOTOS --limit 1 --side 64 --out OUT/run",
    "train": "train lama --images ARCHIVE --budget 8 --batch 4 --block 8 --crop 48 "
    "--networks none --out OUT/training",
    "weights": "weights add lpips-squeeze OUT/squeezenet.pth",
}
SAYS = {
    "help": "--help",
    "list": "list",
    "plan": "plan --images PHOTOS --methods telea --size 64",
    "seeds": "seeds RUN telea,ns ns,telea",
    "weights list": "weights list",
    "completion": "completion bash",
    "doctor": "doctor --out OUT",
    "check": "check telea",
    "verify": "verify lama OUT/golden.npz",
    "orders": "orders --images PHOTOS --metrics psnr_db --limit 1 --offline",
}
READS = {
    "compare": "compare GIVEN",
    "gate": "gate GIVEN GIVEN",
    "gate file": "gate GIVEN RUN",
    "baseline": "baseline update GIVEN --file OUT/baseline.json",
    "report": "report GIVEN",
    "merge": "merge OUT/merged GIVEN",
    "export": "export GIVEN OUT/pairs",
    "seeds": "seeds GIVEN telea mean",
    "plan": "plan --images GIVEN --methods telea",
    "plan masks": "plan --images PHOTOS --masks GIVEN --methods telea",
    "plan truth": "plan --images PHOTOS --truth GIVEN --masks PHOTOS --methods telea",
    "plan pairs": "plan --images PHOTOS --pairs GIVEN --methods telea",
    "plan method": "plan --images PHOTOS --methods a=onnx:GIVEN",
    "plan command": "plan --images PHOTOS --methods a=command:GIVEN",
    "run": "run --images GIVEN --methods telea --offline --out OUT/run",
    "run out": "run --images PHOTOS --methods telea --size 64 --offline --out GIVEN",
    "latency": "latency --images GIVEN --methods telea --out OUT/run",
    "receptive": "receptive telea --images GIVEN",
    "orders": "orders --images GIVEN --offline",
    "verify": "verify lama GIVEN",
    "weights add": "weights add lpips-squeeze GIVEN",
    "weights verify": "weights verify lpips-squeeze GIVEN",
    "train": "train lama --images GIVEN --budget 8 --out OUT/training",
}
QUICK = {"compare", "gate", "masks", "baseline", "list", "help"}


def some(commands):
    """Parameters: the quick commands in every run of the tests, the others at night."""
    night = pytest.mark.nightly
    return [pytest.param(text, id=n, marks=() if n in QUICK else night)
            for n, text in commands.items()]  # fmt: skip


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    return write_run(tmp_path_factory.mktemp("given") / "run", tiers=("small",))


@pytest.fixture
def command(given, photos, archive, tmp_path):
    """Run a command, with OUT in a folder of its own, and see that it ends in words."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "squeezenet.pth").write_bytes(b"\0" * 100)

    def call(text: str, *before: str, answers=(2,), file: Path = out, **options):
        places = {"RUN": given, "PHOTOS": photos, "ARCHIVE": archive, "OUT": out, "GIVEN": file}
        for name, place in places.items():
            text = text.replace(name, str(place))
        settings = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
        settings |= {"TORCH_HOME": str(out / "torch"), "MPLCONFIGDIR": str(tmp_path)}
        done = subprocess.run(
            [*before, sys.executable, "-m", "bench", *text.split()], stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, timeout=600, env=settings,
            **{"stdout": subprocess.PIPE} | options,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        assert "this is a bug" not in done.stderr, done.stderr
        assert done.returncode in answers, (done.returncode, done.stderr)
        if done.returncode == 2:
            assert done.stderr.splitlines()[-1].startswith("inpaint-bench: "), done.stderr
        return done

    return call


def small_files() -> None:
    """What a full disk does, of files alone."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))


@pytest.mark.parametrize("text", some(WRITES))
def test_a_full_disk_is_said(command, text):
    command(text, answers=(1, 2), preexec_fn=small_files)


@pytest.mark.parametrize("text", some(WRITES))
def test_a_folder_that_cannot_be_written_is_said(command, text, tmp_path):
    setpriv = shutil.which("setpriv")
    if os.geteuid() == 0 and not setpriv:
        pytest.skip("root may write everywhere, and setpriv is not here to take that away")
    (tmp_path / "out").chmod(0o555)
    rights = "--bounding-set=-dac_override,-dac_read_search"
    command(text, *([setpriv, rights] if os.geteuid() == 0 else []))
    (tmp_path / "out").chmod(0o755)


@pytest.mark.parametrize("text", some(SAYS | WRITES))
def test_output_that_nobody_can_take_is_said(command, text):
    with open("/dev/full", "w") as full:
        done = command(text, answers=(2,), stdout=full)
    assert len(done.stderr.splitlines()[-1]) < 500


@pytest.mark.parametrize("text", some(SAYS | WRITES))
def test_closed_output_ends_nothing(command, text):
    command(text, answers=(0, 1, 2), stdout=None, preexec_fn=lambda: os.close(1))


@pytest.mark.parametrize("kind", ["missing", "folder", "file", "binary"])
@pytest.mark.parametrize("text", some(READS))
def test_what_is_not_what_it_should_be_is_said(command, text, kind, tmp_path):
    place = tmp_path / kind
    if kind == "folder":
        place.mkdir()
    elif kind != "missing":
        place.write_bytes(b"words\n" if kind == "file" else bytes(range(256)))
    done = command(text, file=place)
    assert kind in done.stderr.splitlines()[-1]
