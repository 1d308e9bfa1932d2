"""Ray itself: joining it, its nodes, and actors on them."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import socket
from typing import Any, NamedTuple

from bench.errors import BenchError
from bench.machine.children import environment
from bench.run.executors.ray_host import Host
from bench.run.request import Request

_STORE = 100 * 2**20  # bytes of shared memory; Ray takes a file for what does not fit
_REACH = 10.0  # seconds for the first connection


class Node(NamedTuple):
    """A node that is alive or was: its name for readers, and how many workers have room there."""

    id: str
    name: str
    room: int


def joined(request: Request) -> Any:
    """Ray, connected.

    Raises:
        BenchError: If it is not installed, or the cluster cannot be joined.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    where: dict[str, Any] = {"address": request.address}
    host, _, port = request.address.rpartition(":")
    settings = {}
    if not request.address:
        # Whoever reaches its ports must know this; Ray would write one into the user's home.
        settings = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        # Else it would end workers for the memory that others of this machine take.
        settings["RAY_memory_monitor_refresh_ms"] = "0"
        where = {"address": "local", "num_cpus": request.workers * request.threads,
                 "object_store_memory": _STORE, "include_dashboard": False}  # fmt: skip
    handler = signal.getsignal(signal.SIGTERM)
    try:
        if port.isdigit():  # else Ray would wait long, and end this process
            socket.create_connection((host.strip("[]"), int(port)), _REACH).close()
        with environment(settings):
            import ray
            from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

            Config.initialize("")  # else as it was when this process first imported Ray
            AuthenticationTokenLoader.instance().reset_cache()
            ray.init(
                **where, log_to_driver=False, configure_logging=False, logging_level=logging.ERROR
            )
    except Exception as error:
        place = f"the cluster at {request.address}" if request.address else "Ray on this machine"
        install = "; pip install inpaint-bench[ray]" * isinstance(error, ImportError)
        raise BenchError(
            f"--executor ray: {place} cannot be used: {' '.join(str(error).split())}{install}"
        ) from error
    finally:
        with contextlib.suppress(ValueError):  # in another thread than the main one
            signal.signal(signal.SIGTERM, handler)  # which Ray takes
    return ray


def nodes(ray: Any, request: Request) -> list[Node]:
    """All nodes; on one that is dead there is no room.

    Raises:
        BenchError: If the head is gone, of which Ray would end this process a minute later.
    """
    host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACH).close()
    except OSError as error:
        raise BenchError(
            f"the head of the Ray cluster does not answer: {error}; what was done so far is kept: "
            "give the same command again once there is one"
        ) from error
    found = []
    for node in ray.nodes():
        has = node["Resources"] if node["Alive"] else {}
        room = int(has.get("CPU", 0)) // request.threads
        if request.device == "cuda":
            room = min(room, int(has.get("GPU", 0)))
        name = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
        found.append(Node(node["NodeID"], name, room))
    return found


def wanted(request: Request) -> str:
    """What no node has, in words."""
    gpu = "a GPU and " * (request.device == "cuda")
    return f"; none has {gpu}{request.threads} processors for a worker"


def actor(ray: Any, request: Request, node: str) -> Any:
    """Make an actor on a node, which Ray neither restarts nor asks again."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    made = ray.remote(Host).options(
        num_cpus=request.threads,
        num_gpus=int(request.device == "cuda"),
        max_restarts=0,
        max_task_retries=0,
        max_concurrency=1,
        scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
    )
    return made.remote(request.device, request.threads)
