"""What the gate says of a run: the outcome, its exit status, and all that was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from bench.gate.changes import NOT_MEASURED, REGRESSED

SAME_OR_BETTER, NOT_COMPARABLE = "same or better", "not comparable"
EXIT_STATUS: Final = {SAME_OR_BETTER: 0, REGRESSED: 1, NOT_COMPARABLE: 3, NOT_MEASURED: 4}


@dataclass(frozen=True)
class Verdict:
    """What the gate found.

    Attributes:
        outcome: A key of `EXIT_STATUS`.
        baseline: ``source``, ``fingerprint``, ``packages``, ``finished`` (when) and ``cases``
            (hash of its table of cases; empty if it could not be read).
        run: The same of the run.
        protocol: Parts of the protocol that differ: ``part``, ``baseline``, ``run``.
        metrics: One row per case metric of either: ``metric``, ``direction``, ``tolerance``,
            ``state`` (compared, redefined, missing, new), ``baseline`` and ``run`` (signatures).
        methods: One row per method of either: ``method``, ``stochastic``, ``rule``, ``baseline``
            and ``run`` (identities, empty where it is not there).
        checks: One row per method and tier of the baseline, and of the ceiling: ``outcome``,
            ``cases``, ``compared`` (values), ``regressed``, ``better``, ``missing`` (findings of
            each kind), and of the largest change for the worse, whether or not beyond its
            tolerance, ``metric``, ``photo``, ``draw`` and ``ratio`` (in tolerances).
        findings: One row per change beyond its tolerance and per missing thing, worst first:
            ``kind`` (regressed, not measured, trade-off, better), the keys (empty or -1 where it
            is not about one case), ``old``, ``new``, ``worse`` (positive is worse),
            ``tolerance``, ``ratio``, ``low``, ``high`` and ``n`` (of the interval, where the mean
            over photos is judged), ``reason``.
        latency: One row per timing of the baseline (see `bench.latency.compare.judge`).
        new: What the run has and the baseline lacks, in words; it is not gated.
        rules: Which method is judged how, in words.
        flags: What explains changes of methods whose code did not change, in words.
        notes: What else is not gated, in words.
    """

    outcome: str
    baseline: dict[str, Any]
    run: dict[str, Any]
    protocol: pd.DataFrame
    metrics: pd.DataFrame
    methods: pd.DataFrame
    checks: pd.DataFrame
    findings: pd.DataFrame
    latency: pd.DataFrame
    new: tuple[str, ...]
    rules: str = ""
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def exit_status(self) -> int:
        """The exit status of the command."""
        return EXIT_STATUS[self.outcome]

    def count(self, kind: str) -> int:
        """Number of findings of one kind."""
        return int((self.findings["kind"] == kind).sum())
