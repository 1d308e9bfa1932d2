"""Workers on the nodes of a Ray cluster: the same tables as of this machine's own workers."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import psutil
import pytest

from bench.folder.store import RunFolder
from tests.support import commands
from tests.support.ray_cluster import Cluster, can_hide

pytest.importorskip("ray", reason="Ray is not installed: pip install inpaint-bench[ray]")
pytestmark = pytest.mark.slow

RAY = ["--executor", "ray"]
FAULTY = ("Crashes", "Hangs", "Raises", "NoWeights")
PLUG_IN = """
    import time
    from pathlib import Path

    import shades
    from methods.base import Inpainter
    from methods.card import Card


    class Mine(Inpainter):
        card = Card("mine", "Mine", "elsewhere")
        files = ["shade.txt"]

        def __init__(self, name="", *, device="cpu", pace=0.0):
            super().__init__(name, device=device)
            self.pace = pace

        def load(self):
            self.shade = float(Path("shade.txt").read_text())

        def infer(self, images, masks, generator):
            time.sleep(self.pace)
            return images + shades.scaled(self.shade) * masks
"""


def told(out: Path, *names: str) -> pd.DataFrame:
    """What must not depend on where workers live, whatever else does."""
    table = commands.quality(out)
    return table[table["method"].isin(names)] if names else table


def no_row_twice(out: Path) -> None:
    rows = RunFolder(out).read_fragments()
    good = rows[rows["status"] == "ok"]
    assert not good.duplicated(["method", "case_key", "sample"]).any()
    assert all((out / name).is_file() for name in good["output"])
    assert not list(out.rglob(".*.tmp"))


def test_workers_on_ray_do_what_workers_of_this_machine_do(tmp_path, photos):
    own = [f"{name}=tests.support.faulty:{name}" for name in FAULTY]
    words = ["--methods", ",".join(["telea", "noise", *own]), "--timeout", "4", "--workers", "2"]
    home = {**os.environ, "HOME": str(tmp_path)}
    done = commands.run(tmp_path / "ray", photos, *words, *RAY, env=home)
    assert done.returncode == 1, done.stderr
    assert not (tmp_path / ".ray").exists()  # where Ray keeps what lets others in
    commands.run(tmp_path / "local", photos, *words)
    pd.testing.assert_frame_equal(told(tmp_path / "ray"), told(tmp_path / "local"))
    assert set(told(tmp_path / "ray", "Crashes")["status"]) == {"ok", "killed"}
    assert set(told(tmp_path / "ray", "Hangs")["status"]) == {"ok", "timeout"}
    no_row_twice(tmp_path / "ray")
    (start,) = commands.header(tmp_path / "ray")["starts"]
    assert (start["executor"], len(start["nodes"])) == ("ray", 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--address", "127.0.0.1:1"], "the cluster at 127.0.0.1:1 cannot be used"),
        (["--device", "cuda:1"], "a worker on Ray has one GPU; say cuda"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(tmp_path, photos, words, said):
    done = commands.run(tmp_path / "out", photos, "--methods", "mean", *RAY, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "run.json").exists()


def test_an_address_is_rays(tmp_path, photos):
    done = commands.run(tmp_path / "out", photos, "--methods", "mean", "--address", "auto")
    assert done.returncode == 2
    assert "only --executor ray joins a cluster" in done.stderr


def test_without_ray_the_command_that_installs_it_is_said(tmp_path, photos):
    (tmp_path / "ray.py").write_text("raise ImportError('No module named ray')")
    hidden = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = commands.run(tmp_path / "out", photos, "--methods", "mean", *RAY, env=hidden)
    assert done.returncode == 2
    assert "pip install inpaint-bench[ray]" in done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("", "device 'cuda' is not on this machine; torch finds cpu (1)"),
        ("ray_host.facts = lambda: {'Python': '2.7'}", "expected 2.7; install there"),
        ("ray_host.facts = lambda: {'torch': '0.4'}", ", expected 0.4; install there"),
    ],
)
@pytest.mark.nightly
def test_a_node_that_is_not_as_it_must_be_is_refused_by_its_name(change, said):
    # It claims to have a GPU; what the driver believes of itself is changed, not the node.
    device = "cpu" if change else "cuda"
    script = f"""
        import os, sys
        os.environ |= {{"RAY_OVERRIDE_RESOURCES": '{{"GPU": 1}}'}}
        from pathlib import Path
        from bench.errors import BenchError
        from bench.run.executors import ray, ray_host
        from bench.run.request import Request
        {change}
        try:
            ray.RayExecutor(Request(Path("out"), executor="ray", device={device!r}))
        except BenchError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=300
    )
    assert "no node of the Ray cluster can be used; " in done.stdout, done.stderr
    assert said in done.stdout


def test_a_node_with_other_weights_is_refused_with_what_differs(tmp_path):
    import methods
    from bench.errors import BenchError
    from bench.run.executors import ray_host
    from bench.run.messages import Setup

    name = {"lama:small": "lama:small"}
    own = methods.get("lama:small")
    (weights,) = own.digests.values()
    assert weights in own.identity
    setup = Setup(tmp_path, 0, (), (), {}, name, name, {"lama:small": own.identity}, "")
    ray_host._check(setup, "lama:small")
    other = {"lama:small": own.identity.replace(weights, "0123456789abcdef")}
    with pytest.raises(BenchError, match=f"found {weights}, expected what the driver's machine"):
        ray_host._check(replace(setup, identities=other), "lama:small")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A user's folder, which no node sees."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "mine.py").write_text(textwrap.dedent(PLUG_IN))
    (folder / "shades.py").write_text("def scaled(shade):\n    return shade / 255\n")
    (folder / "shade.txt").write_text("127")
    return folder


@pytest.fixture
def cluster(project):
    import tempfile

    if not can_hide():
        pytest.skip("this user may not hide folders from processes (unshare -m)")
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:  # its sockets' paths
        found = Cluster(Path(folder), project)
        try:
            found.nodes = [found.add(), found.add()]
            yield found
        finally:
            found.close()


WORDS = ("--methods", "telea,noise,Mine=mine.py:Mine(pace=0.7)", "--samples", "2")


def begun(cluster: Cluster, project: Path, photos: Path, name: str, count: int) -> subprocess.Popen:
    """Start a run on the cluster, until so many fills of the slow method came back."""
    joining = (*WORDS, *RAY, "--address", cluster.address)
    process = subprocess.Popen(
        commands.command(project / name, photos, *joining),
        env=cluster.environment, cwd=project, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=commands.hear_interrupts,
    )  # fmt: skip
    until = time.monotonic() + 240
    while len(list((project / name / "outputs" / "Mine").glob("**/*.png"))) < count:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.05)
    return process


def finish(cluster: Cluster, project: Path, photos: Path, name: str) -> None:
    joining = (*WORDS, *RAY, "--address", cluster.address)
    done = commands.run(project / name, photos, *joining, env=cluster.environment, cwd=project)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def whole(project, photos) -> pd.DataFrame:
    """What workers of this machine do, where they see all."""
    done = commands.run(project / "local", photos, *WORDS, cwd=project)
    assert done.returncode == 0, done.stderr
    return told(project / "local")


def same(out: Path, whole: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(told(out), whole)
    no_row_twice(out)


@pytest.mark.nightly
def test_without_a_shared_folder_a_node_is_killed(cluster, project, photos, whole):
    process = begun(cluster, project, photos, "node", 2)
    for each in cluster.processes(cluster.nodes[0]):
        each.send_signal(signal.SIGKILL)
    _, messages = process.communicate(timeout=300)
    assert process.returncode == 0, messages
    assert "died: " in messages
    same(project / "node", whole)
    report = [sys.executable, "-m", "bench", "report", str(project / "node")]
    subprocess.run(report, check=True, timeout=300)
    assert (project / "node" / "report" / "index.html").is_file()


@pytest.mark.nightly
def test_without_a_shared_folder_the_driver_is_killed_and_asked_to_end(
    cluster, project, photos, whole
):
    before = {each.pid for node in cluster.nodes for each in cluster.processes(node)}
    process = begun(cluster, project, photos, "driver", 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    until = time.monotonic() + 120
    workers = ["not looked yet"]
    while workers:  # Ray keeps idle processes of its own, none of ours
        assert time.monotonic() < until, workers
        found = [each for node in cluster.nodes for each in cluster.processes(node)]
        workers = [each for each in found if each.pid not in before and ours(each)]
        time.sleep(0.5)

    finish(cluster, project, photos, "driver")  # which makes a few kept fills again, to compare
    pd.testing.assert_frame_equal(told(project / "driver"), whole)

    process = begun(cluster, project, photos, "asked", 2)
    there = {path.name for path in (project / "asked/outputs/Mine").glob("**/*.png")}
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=120)
    assert process.returncode == 130, messages
    rows = RunFolder(project / "asked").read_fragments().query("method == 'Mine'")
    assert there <= {Path(name).name for name in rows["output"]}
    no_row_twice(project / "asked")


def ours(process: psutil.Process) -> bool:
    try:
        return "Host" in process.name() or "multiprocessing" in " ".join(process.cmdline())
    except psutil.Error:
        return False
