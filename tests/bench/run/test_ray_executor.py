"""Workers on the nodes of a Ray cluster: the same tables as of this machine's own workers."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch

import methods
from bench.cli import main
from bench.errors import BenchError
from bench.folder.store import RunFolder
from bench.run.executors import ray_host
from bench.run.executors.ray import RayExecutor
from bench.run.messages import Setup
from bench.run.request import Request
from tests.faults.test_campaign_of_kills import same
from tests.support import commands
from tests.support.ray_cluster import Cluster, can_hide

pytest.importorskip("ray", reason="Ray is not installed: pip install inpaint-bench[ray]")
pytestmark = pytest.mark.slow

RAY = ["--executor", "ray"]
PLUG_IN = """
    import os
    import time
    from pathlib import Path

    import shades
    from bench.metrics.record import case_metric
    from methods.base import Inpainter
    from methods.card import Card

    GATE = "RAY_TEST_GATE"  # not by its name where it is read, as it changes no fill


    class Mine(Inpainter):
        card = Card("mine", "Mine", "elsewhere")
        files = ["shade.txt"]
        made = 0

        def expect(self, cases):  # on each worker, as there is no `tell`
            self.cases = len(cases)

        def load(self):
            self.shade = float(Path("shade.txt").read_text())

        def infer(self, images, masks, generator):
            gate = Path(os.environ.get(GATE, "/nowhere"))
            Mine.made += 1
            if Mine.made > 2 and gate.exists():
                gate.with_name(f"{os.getpid()}.waits").touch()
            while Mine.made > 2 and gate.exists():
                time.sleep(0.05)
            return images + shades.scaled(self.shade) * masks * (self.cases == 9)


    @case_metric(direction="lower")
    def level(output, photo, hole):
        \"\"\"Mean level of the fill.\"\"\"
        return float(output[hole].mean()) * shades.scaled(255)
"""


def no_row_twice(out: Path) -> None:
    rows = RunFolder(out).read_fragments()
    good = rows[rows["status"] == "ok"]
    assert not good.duplicated(["method", "case_key", "sample"]).any()
    assert all((out / name).is_file() for name in good["output"])
    assert not list(out.rglob(".*.tmp"))


@pytest.mark.parametrize(
    ("names", "statuses"),
    [
        (["Crashes", "NoWeights"], {"ok", "killed", "unavailable"}),
        pytest.param(["Hangs", "Raises"], {"ok", "timeout", "failed"}, marks=pytest.mark.nightly),
    ],
)
def test_workers_on_ray_do_what_workers_of_this_machine_do(tmp_path, photos, names, statuses):
    own = [f"{name}=tests.support.faulty:{name}" for name in names]
    words = ["--methods", ",".join(["telea", "noise", *own]), "--timeout", "4", "--workers", "2"]
    home = {**os.environ, "HOME": str(tmp_path)}
    done = commands.run(tmp_path / "ray", photos, *words, *RAY, env=home)
    assert done.returncode == 1, done.stderr
    assert not (tmp_path / ".ray").exists()  # where Ray keeps what lets others in
    commands.run(tmp_path / "local", photos, *words)
    same(tmp_path / "ray", tmp_path / "local")
    assert set(commands.quality(tmp_path / "ray")["status"]) == statuses
    no_row_twice(tmp_path / "ray")
    (start,) = commands.header(tmp_path / "ray")["starts"]
    assert (start["executor"], len(start["nodes"])) == ("ray", 1)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"address": "127.0.0.1:1"}, "the cluster at 127.0.0.1:1 cannot be used"),
        ({"device": "cuda:1"}, "a worker on Ray has one GPU; say cuda"),
    ],
)
def test_what_cannot_be_is_said(tmp_path, asked, said):
    with pytest.raises(BenchError, match=said):
        RayExecutor(Request(tmp_path, executor="ray", **asked))


def test_an_address_is_rays(capsys):
    assert main(["run", "--methods", "mean", "--address", "auto"]) == 2
    assert "only --executor ray joins a cluster" in capsys.readouterr().err


def test_without_ray_the_command_that_installs_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BenchError, match=r"pip install inpaint-bench\[ray\]"):
        RayExecutor(Request(tmp_path, executor="ray", address="auto"))


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
    name = {"lama:small": "lama:small"}
    own = methods.get("lama:small")
    (weights,) = own.digests.values()
    assert weights in own.identity
    setup = Setup(tmp_path, 0, (), (), {}, name, name, {"lama:small": own.identity}, "")
    ray_host._check(setup, "lama:small")
    other = {"lama:small": own.identity.replace(weights, "0123456789abcdef")}
    with pytest.raises(BenchError, match=f"found {weights}, expected what the driver's machine"):
        ray_host._check(replace(setup, identities=other), "lama:small")


class Grey(torch.nn.Module):
    def forward(self, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return image * (1 - mask) + 0.5 * mask


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A user's folder, which no node sees."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "mine.py").write_text(textwrap.dedent(PLUG_IN))
    (folder / "shades.py").write_text("def scaled(shade):\n    return shade / 255\n")
    (folder / "shade.txt").write_text("127")
    with pytest.warns(FutureWarning, match="deprecated"):
        torch.jit.script(Grey()).save(str(folder / "grey.pt"))
    (folder / "grey.toml").write_text('values = "0..1"\nreturns = "0..1"\n')
    return folder


@pytest.fixture
def cluster(project):
    if not can_hide():
        pytest.skip("this user may not hide folders from processes (unshare -m)")
    gate = project.with_name("gate")
    found = Cluster(project, RAY_TEST_GATE=str(gate))
    try:
        found.gate, found.nodes = gate, [found.add(), found.add()]
        yield found
    finally:
        found.close()


WORDS = ("--methods", "telea,noise,Grey=torchscript:grey.pt,Mine=mine.py:Mine", "--samples", "2",
         "--metrics", "psnr_db,ssim_hole,drift,swd,level=mine.py:level")  # fmt: skip


@pytest.fixture(scope="module")
def whole(project, photos) -> Path:
    """What workers of this machine do, where they see all."""
    done = commands.run(project / "local", photos, *WORDS, cwd=project)
    assert done.returncode == 0, done.stderr
    return project / "local"


def begun(cluster: Cluster, project: Path, photos: Path, name: str) -> subprocess.Popen:
    """Start a run on the cluster, until two fills of the slow method came back."""
    cluster.gate.touch()
    process = subprocess.Popen(
        commands.command(project / name, photos, *WORDS, *RAY, "--address", cluster.address),
        env=cluster.environment, cwd=project, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=commands.hear_interrupts,
    )  # fmt: skip
    until = time.monotonic() + 240
    while len(list((project / name / "outputs" / "Mine").glob("**/*.png"))) < 2:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.05)
    return process


@pytest.mark.nightly
def test_without_a_shared_folder_a_node_is_killed_and_one_joins(cluster, project, photos, whole):
    process = begun(cluster, project, photos, "node")
    for each in cluster.processes(cluster.nodes[0]):
        each.send_signal(signal.SIGKILL)
    late = cluster.add()
    until = time.monotonic() + 240
    pids: set[str] = set()
    while not pids & {path.stem for path in cluster.gate.parent.glob("*.waits")}:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        pids = {str(each.pid) for each in cluster.processes(late)}
        time.sleep(0.1)
    cluster.gate.unlink()
    _, messages = process.communicate(timeout=300)
    assert process.returncode == 0, messages
    assert "a worker died or cannot be reached" in messages
    (start,) = commands.header(project / "node")["starts"]
    assert (start["executor"], start["workers"], len(start["nodes"])) == ("ray", 2, 1)
    same(project / "node", whole)
    no_row_twice(project / "node")
    report = [sys.executable, "-m", "bench", "report", str(project / "node")]
    subprocess.run(report, check=True, timeout=300)
    assert (project / "node" / "report" / "index.html").is_file()


@pytest.mark.nightly
def test_without_a_shared_folder_the_driver_is_killed_and_asked_to_end(
    cluster, project, photos, whole
):
    before = {each.pid for node in cluster.nodes for each in cluster.processes(node)}
    process = begun(cluster, project, photos, "driver")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    until = time.monotonic() + 120
    workers = ["not looked yet"]
    while workers:  # Ray keeps idle processes of its own, none of ours
        assert time.monotonic() < until, workers
        found = [each for node in cluster.nodes for each in cluster.processes(node)]
        workers = [each for each in found if each.pid not in before and ours(each)]
        time.sleep(0.5)
    cluster.gate.unlink()
    joining = (*WORDS, *RAY, "--address", cluster.address)
    done = commands.run(project / "driver", photos, *joining, env=cluster.environment, cwd=project)
    assert done.returncode == 0, done.stderr
    same(project / "driver", whole)  # some kept fills were made again, to compare

    process = begun(cluster, project, photos, "asked")
    there = {path.name for path in (project / "asked/outputs/Mine").glob("**/*.png")}
    process.send_signal(signal.SIGINT)
    cluster.gate.unlink()
    _, messages = process.communicate(timeout=120)
    assert process.returncode == 130, messages
    rows = RunFolder(project / "asked").read_fragments().query("method == 'Mine'")
    assert there <= {Path(name).name for name in rows["output"]}
    no_row_twice(project / "asked")


@pytest.mark.nightly
def test_a_folder_that_no_node_sees_is_refused(cluster, project, photos, whole):
    words = ("--methods", f"theirs=folder:{whole / 'outputs/telea'}", "--address", cluster.address)
    done = commands.run(project / "out", photos, *words, *RAY, env=cluster.environment, cwd=project)
    assert done.returncode == 2
    assert "theirs: method 'theirs': expected a folder of outputs at" in done.stderr
    assert "Traceback" not in done.stderr


def ours(process: psutil.Process) -> bool:
    try:
        return "Host" in process.name() or "multiprocessing" in " ".join(process.cmdline())
    except psutil.Error:
        return False
