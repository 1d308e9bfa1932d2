"""What a user asks of a run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import methods
from bench.metrics import DEFAULT, WITHOUT_TRUTH
from bench.planning.protocol import UNKNOWN, Protocol
from bench.protocols import read as protocols
from bench.run.limits import Limits

EXECUTORS = ("local", "inline", "ray")


@dataclass(frozen=True)
class Request:
    """A run to do or to continue.

    Attributes:
        out: The run folder; an existing one is continued.
        protocol: Photos, holes, sizes.
        methods: Full names; the ceiling is always added, since it checks the harness, but where
            the truth is unknown, which it would have to show.
        metrics: Names of metrics, and one's own as ``LABEL=module:function``; the usual ones
            if None.
        samples: Fills per case of stochastic methods.
        executor: ``local``, ``inline`` or ``ray``.
        address: Of a Ray cluster to join; empty to start one of this machine.
        nodes: System, processor and accelerator of each kind of node of it, once it is joined.
        workers: Worker processes; 0 for as many as a cluster has room for.
        threads: Threads of each worker.
        device: Where methods run.
        shard: ``(i, n)``: do only the i-th of n parts, from 0.
        retry_failed: Try again what failed, timed out or was killed before.
        strict: Refuse to start unless every given file can be used.
        offline: Fetch nothing.
        weights: File of a metric's network by its name (``lpips-alex``), instead of a search.
        limits: When to give up on a case or a method.
    """

    out: Path
    protocol: Protocol = field(default_factory=Protocol)
    methods: tuple[str, ...] = ()
    metrics: tuple[str, ...] | None = None
    samples: int = 1
    executor: str = "local"
    address: str = ""
    nodes: tuple[str, ...] = ()
    workers: int = 1
    threads: int = 1
    device: str = "cpu"
    shard: tuple[int, int] = (0, 1)
    retry_failed: bool = False
    strict: bool = False
    offline: bool = False
    weights: Mapping[str, Path] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    @property
    def here(self) -> str:
        """Where methods and networks run in processes of this machine besides the workers."""
        if self.executor != "ray" or self.device == "cpu":
            return self.device
        import torch

        return self.device if torch.cuda.is_available() else "cpu"

    @property
    def processes(self) -> int:
        """How many processes or threads of this machine may work besides the workers."""
        return (os.cpu_count() or 1) if self.address else self.workers

    @property
    def truth_known(self) -> bool:
        """Whether there is anything to hold fills against."""
        return self.protocol.truth != UNKNOWN

    @property
    def measured(self) -> tuple[str, ...]:
        """The metrics asked for, or the usual ones; of a published protocol its own and those."""
        if name := self.protocol.published:
            own = protocols.get(name).metrics or DEFAULT
            return tuple(dict.fromkeys((*own, *(self.metrics or ()))))
        if self.metrics is not None:
            return self.metrics
        return DEFAULT if self.truth_known else (*DEFAULT, *WITHOUT_TRUTH)

    def fills_of(self, stochastic: bool) -> int:
        """How many fills of a case a method makes."""
        return self.samples if stochastic else 1


def default_methods(protocol: str = "") -> list[str]:
    """What a published protocol compares, if it says so, or the default job.

    That runs quick methods, and the small weights of all networks.
    """
    if protocol and (named := protocols.get(protocol).methods):
        return list(named)
    cards, _ = methods.inventory()
    quick = [name for name, card in cards.items() if card.default]
    return quick + [f"{name}:small" for name, card in cards.items() if "small" in card.weights]
