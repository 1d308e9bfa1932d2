"""The campaign of kills on a Ray cluster of processes: driver, actor, node and head."""

import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.faults.test_campaign_of_kills import METRICS, WITH_CHILDREN, same
from tests.support import commands, phases, strikes
from tests.support.strikes import Struck

pytest.importorskip("ray", reason="Ray is not installed")
from tests.support.ray_cluster import Cluster, can_hide

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or not can_hide(), reason="no namespaces here"),
    pytest.mark.nightly,
]
# As a file, which travels to nodes that cannot import our tests.
METHODS = f"noise,Tells={phases.__file__}:Tells"
ENDS = {"driver": {-9}, "actor": {0}, "node": {0}, "head": {2}}


@pytest.fixture
def cluster(tmp_path):
    (tmp_path / "hidden").mkdir()
    found = Cluster(tmp_path / "hidden", **{phases.TOLD: str(tmp_path / "told")})
    try:
        found.add()
        found.add()
        yield found
    finally:
        found.close()


def run_of(folder: Path, photos: Path, *more: str, **environment: str) -> Struck:
    words = commands.command(folder, photos, "--methods", METHODS, "--workers", "2", *more)
    words[words.index("--metrics") + 1] = METRICS
    return Struck(words, folder, lambda folder, said: "", (), environment)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, photos) -> Path:
    struck = run_of(tmp_path_factory.mktemp("whole") / "out", photos)
    strikes.again(struck)
    return struck.folder


def actors(cluster: Cluster) -> list[psutil.Process]:
    below = [each for node in cluster._nodes for each in cluster.processes(node)]
    return [each for each in below if (each.cmdline() or [""])[0].startswith("ray::")]


def kill(victim: str, cluster: Cluster, driver: strikes.Process) -> None:
    if victim == "driver":
        driver.popen.kill()
    elif victim == "actor":
        actors(cluster)[0].kill()
    else:
        process = cluster._head if victim == "head" else cluster._nodes[0]
        for each in cluster.processes(process):
            each.kill()


@pytest.mark.parametrize("phase", list(WITH_CHILDREN))
@pytest.mark.parametrize("victim", list(ENDS))
def test_a_run_on_a_cluster(tmp_path, photos, whole, tally, cluster, victim, phase):
    told = tmp_path / "told"
    there = ("--executor", "ray", "--address", cluster.address)
    struck = run_of(tmp_path / "out", photos, *there, **cluster.environment)
    driver = strikes.Process(struck, told)
    deadline = time.monotonic() + strikes.LONGEST
    while not told.exists() or told.read_text().split().count(phase) < 3:
        assert driver.popen.poll() is None, driver.said
        assert time.monotonic() < deadline, driver.said
        time.sleep(0.01)
    kill(victim, cluster, driver)
    status = driver.popen.wait(strikes.LONGEST)
    assert status in ENDS[victim], driver.said
    assert "Traceback" not in driver.said, driver.said
    strikes.again(run_of(struck.folder, photos) if victim == "head" else struck)
    same(struck.folder, whole)
    tally["ray", phase, f"{victim} killed"] += 1
