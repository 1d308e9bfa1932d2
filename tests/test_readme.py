"""Every command of the README is run, in a folder like the one a reader would have."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from masks.tiers import generate

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SETUP = "python3 -m venv .venv && .venv/bin/pip install nox && .venv/bin/nox -s"
COMMANDS = re.findall(r"`(inpaint-bench [^`]+)`", README)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A reader's folder: photos, masks, outputs, and the README's own method."""
    folder = tmp_path_factory.mktemp("reader")
    for name in ("photos/a", "masks"):
        (folder / name).mkdir(parents=True)
    for name, pixels in (("a/b.jpg", data.astronaut()), ("c.png", data.chelsea())):
        Image.fromarray(pixels).save(folder / "photos" / name, quality=95)
    hole = generate("region", *data.chelsea().shape[:2], 0).mask
    Image.fromarray(hole).save(folder / "masks" / "c_mask.png")
    (folder / "pairs.csv").write_text("photo,mask,prompt\nc.png,c_mask.png,a cat\n")
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (example,) = [each for each in examples if "class Mine" in each]
    (folder / "my_method.py").write_text(example)
    return folder


def run(words: list[str], folder: Path) -> str:
    # Without Slurm, which may be installed here and not run: its scripts are run by hand.
    path = "/nowhere" if "slurm" in words else os.environ["PATH"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


@pytest.mark.nightly
def test_the_commands_of_the_readme_work_in_its_order(folder):
    assert len(COMMANDS) >= 12
    default_jobs = 0
    for command in COMMANDS:
        words = command.split()[1:]
        if words[0] == "run" and "--methods" not in words:
            default_jobs += 1
            if default_jobs > 1:  # all methods once is enough, each is a process to start
                words += ["--methods", "telea,mean"]
        if "theirs=folder:outputs" in words:
            # The reader got them elsewhere, in the layout of a run's own outputs.
            shutil.copytree(folder / "runs/mine/outputs/telea", folder / "outputs")
        if "runs/gate" in words:  # which nox -s gate would have made
            quick = ["--methods", "mean", "--metrics", "psnr_db", "--no-report"]
            run(["run", *quick, "--out", "runs/gate"], folder)
            (folder / "bench").mkdir()
            shutil.copy(Path(__file__).parents[1] / "pyproject.toml", folder)  # its reader is there
        if words[:2] == ["weights", "fetch"]:
            continue  # needs the network; test_weights.py fetches from a server of its own
        if "ray" in words and find_spec("ray") is None:
            continue  # an extra
        shown = run(words, folder)
        if "slurm" in words:
            for script in (["shards.sbatch", "0"], ["shards.sbatch", "1"], ["merge.sbatch"]):
                by_hand = ["bash", folder / "runs/cluster/slurm" / script[0], *script[1:]]
                subprocess.run(by_hand, check=True, timeout=600)
        if "--shard" in words:
            run([word.replace("0/2", "1/2").replace("part0", "part1") for word in words], folder)
        elif words[0] == "run" and "--out" in words:
            out = folder / words[words.index("--out") + 1]
            assert (out / "report" / "index.html").exists()
            assert "failed" not in shown


def test_the_readme_names_every_method_and_task():
    from methods import names

    assert all(f"`{name}`" in README for name in names())
    tasks = re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text("utf-8"), re.M)
    public = {name for name in tasks if name not in ("prepare", "run")}
    assert public == {
        "attention", "bench", "gate", "lint", "nightly", "report", "speed", "tests", "train",
    }  # fmt: skip
    assert all(re.search(rf"nox -s [\w ]*\b{name}\b", README) for name in public)


def test_ci_runs_the_test_command_of_the_readme():
    line = f"{SETUP} tests lint gate"
    assert line in README
    quiet = (ROOT / ".ci" / "run").read_text("utf-8").replace("install -q nox", "install nox")
    assert line in quiet


def test_the_picture_is_there():
    (path,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    with Image.open(ROOT / path) as picture:
        assert picture.width >= 800


@pytest.mark.nightly
@pytest.mark.parametrize("task", [["report", "--", "RUN"], ["speed"]], ids=lambda task: task[0])
def test_the_other_tasks_work(task, folder):
    run(["run", "--images", "photos", "--methods", "telea", "--out", "runs/task"], folder)
    words = [str(folder / "runs/task") if word == "RUN" else word for word in task]
    nox = [sys.executable, "-m", "nox", "-s", *words]
    done = subprocess.run(nox, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
