"""A Slurm of one node on this machine, of its own: key, sockets, ports, states in one folder."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
# Debian's paths, which are not in the PATH of everybody.
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/bin"
_CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerParameters=sched_interval=1,batch_sched_delay=0
MinJobAge=3600
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class Absent(Exception):
    """Why there is no Slurm."""


class Slurm:
    """One that runs."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "SBATCH"))},
            "PATH": _PATH,
            "SLURM_CONF": str(folder / "slurm.conf"),
        }

    def __call__(self, *command: str) -> str:
        """What one of its commands says."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout

    def tasks(self, job: str) -> dict[str, str]:
        """States of a job, by its number, or of an array by that of its task (``7_0``)."""
        words = (
            "squeue",
            "--noheader",
            "--array",
            "--states=all",
            f"--jobs={job}",
            "--format=%i %T",
        )
        return dict(line.split() for line in self(*words).splitlines())

    def wait(self, until: Callable[[], object], what: str, seconds: float = 300) -> None:
        """Wait for something, at most so long."""
        deadline = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < deadline, (what, self("squeue", "--states=all"))
            time.sleep(0.5)


def missing() -> str:
    """Which of its programs are not here; empty if all are."""
    return ", ".join(name for name in PROGRAMS if shutil.which(name, path=_PATH) is None)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Slurm]:
    """Start a Slurm in an empty folder; everything of it has ended afterwards.

    Raises:
        Absent: If it is not installed or does not start.
    """
    if names := missing():
        raise Absent(f"not installed: {names}; Debian has them in slurm-wlm and munge")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "key").write_bytes(os.urandom(128))
    (folder / "key").chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    controller, node = _free_ports(2)
    (folder / "slurm.conf").write_text(
        _CONFIGURATION.format(
            host=host, controller=controller, node=node, folder=folder,
            user=psutil.Process().username(),
        )
    )  # fmt: skip
    slurm = Slurm(folder)
    with contextlib.ExitStack() as started:
        files = (("key-file", "key"), ("socket", "munge.sock"), ("pid-file", "munged.pid"),
                 ("log-file", "munged.log"), ("seed-file", "seed"))  # fmt: skip
        places = [f"--{name}={folder / file}" for name, file in files]
        for command in (
            ["munged", "--foreground", "--force", *places],
            ["slurmctld", "-D"],
            ["slurmd", "-D", "-N", host],
        ):
            started.enter_context(_program(command, folder, slurm.environment))
        deadline = time.monotonic() + 60
        while not _idle(slurm):
            if time.monotonic() > deadline:
                said = [path.read_text()[-500:] for path in folder.glob("*.said")]
                raise Absent(f"it did not start: {said}")
            time.sleep(0.5)
        try:
            yield slurm
        finally:
            slurm("scancel", "--me")
            slurm.wait(lambda: not slurm("squeue", "--noheader"), "jobs did not end", 60)


def _idle(slurm: Slurm) -> bool:
    words = ["sinfo", "--noheader", "--format=%T"]
    done = subprocess.run(words, env=slurm.environment, capture_output=True, text=True)
    return done.stdout.strip() == "idle"


@contextlib.contextmanager
def _program(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    with open(folder / f"{command[0]}.said", "w") as said:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=said, stderr=said, start_new_session=True
        )
    try:
        yield
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
