"""A Ray cluster of processes of this machine, whose nodes do not see what their tests hide."""

import contextlib
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

_RAY = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats",
        "--node-ip-address=127.0.0.1", f"--object-store-memory={100 * 2**20}",
        "--min-worker-port=0", "--max-worker-port=0"]  # fmt: skip


def can_hide() -> bool:
    """Whether a process may hide folders from its children here."""
    with contextlib.suppress(OSError):
        return subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0
    return False


class Cluster:
    """A head without processors, and nodes of one each.

    Args:
        hidden: What nodes see empty.
        environment: Of head, nodes and their actors, besides that of this process.

    Attributes:
        folder: What all of them see; its path is short, as those of Ray's sockets must be.
    """

    def __init__(self, hidden: Path, **environment: str) -> None:
        self.folder, self._hidden = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp")), hidden
        self._nodes: list[subprocess.Popen] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        # On a busy machine a node may be late, which is no death.
        patient = {
            "RAY_health_check_timeout_ms": "60000",
            "RAY_health_check_failure_threshold": "9",
            "RAY_memory_monitor_refresh_ms": "0",  # nor is memory that others take
        }
        quiet = {"RAY_USAGE_STATS_ENABLED": "0"}
        self.environment = {**os.environ, **token, **patient, **quiet, **environment}
        self._head = self._start(
            [*_RAY, "--head", f"--port={self.address.rpartition(':')[2]}", "--num-cpus=0",
             "--include-dashboard=false", f"--temp-dir={self.folder}"],
        )  # fmt: skip
        self._wait(1)

    def add(self) -> subprocess.Popen:
        """Start a node with one processor."""
        place = self.folder / f"node{len(self._nodes)}"
        place.mkdir()
        start = shlex.join([*_RAY, f"--address={self.address}", "--num-cpus=1"])
        hide = f"mount -t tmpfs none {shlex.quote(str(self._hidden))}"
        go = f"cd {shlex.quote(str(place))} && exec {start}"
        node = self._start(["unshare", "-m", "sh", "-c", f"{hide} && {go}"], TMPDIR=str(place))
        self._nodes.append(node)
        self._wait(1 + sum(each.poll() is None for each in self._nodes))
        return node

    def _start(self, command: list[str], **more: str) -> subprocess.Popen:
        return subprocess.Popen(
            command, env={**self.environment, **more}, cwd=self.folder, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _wait(self, nodes: int) -> None:
        """Wait until so many nodes are alive."""
        join = f"ray.init(address={self.address!r}, log_to_driver=False, logging_level='ERROR')"
        ask = f"import ray; {join}; print(sum(n['Alive'] for n in ray.nodes()))"
        until = time.monotonic() + 180
        while True:
            assert self._head.poll() is None
            told = subprocess.run(
                [sys.executable, "-c", ask], env=self.environment, capture_output=True, text=True
            )
            if told.stdout.strip() == str(nodes):
                return
            assert time.monotonic() < until, told.stdout + told.stderr
            time.sleep(1)

    @staticmethod
    def processes(node: subprocess.Popen) -> list[psutil.Process]:
        """A node's processes."""
        with contextlib.suppress(psutil.Error):
            own = psutil.Process(node.pid)
            return [own, *own.children(recursive=True)]
        return []

    def close(self) -> None:
        """End all."""
        found = [p for node in [*self._nodes, self._head] for p in self.processes(node)]
        for each in found:
            with contextlib.suppress(psutil.Error):
                each.kill()
        for node in [*self._nodes, self._head]:
            node.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
