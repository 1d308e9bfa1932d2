"""By what rule each method is judged, and by which tolerances: what a baseline file says of it.

``cases``: no case may get worse by more than the tolerance (numerical identity). ``mean``: the
mean over photos may not, by its interval, and a loss that the leading metric outweighs is none.
Both are described in ``docs/gate.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from bench.errors import BenchError, InputError, require_one_of
from bench.folder import typed_json
from bench.gate.tolerances import CEILING, TOLERANCES

BY_CASES: Final = "cases"
BY_MEAN: Final = "mean"
RULES: Final = (BY_CASES, BY_MEAN)


@dataclass(frozen=True)
class Rules:
    """How results are judged against a baseline.

    Attributes:
        lead: Metric that outweighs the others under ``mean``; empty for none.
        rules: Rule of each method; one that is not named is judged by mean if it is stochastic.
        tolerances: How much worse each metric may get, in its unit; those of
            `bench.gate.tolerances` where a metric is not named.
    """

    lead: str = ""
    rules: Mapping[str, str] = field(default_factory=dict)
    tolerances: Mapping[str, float] = field(default_factory=dict)

    def rule(self, method: str, *, stochastic: bool) -> str:
        """The rule of a method."""
        return self.rules.get(method, BY_MEAN if stochastic else BY_CASES)

    def tolerance(self, metric: str) -> float:
        """The tolerance of a metric; NaN if it has none."""
        return float(self.tolerances.get(metric, TOLERANCES.get(metric, math.nan)))

    def gated(self, metrics: pd.DataFrame) -> pd.DataFrame:
        """The rows of the metrics that have a tolerance."""
        return metrics[metrics["metric"].map(self.tolerance).notna()]

    def written(self, methods: pd.DataFrame, metrics: Sequence[str], lead: str) -> Rules:
        """The same with nothing left to defaults, as a file says it.

        Args:
            methods: ``method`` and ``stochastic``.
            metrics: Those of the baseline.
            lead: Of the run, where these rules name none that was measured.
        """
        names = zip(methods["method"], methods["stochastic"], strict=True)
        rules = {name: self.rule(name, stochastic=bool(drawn)) for name, drawn in sorted(names)}
        rules.pop(CEILING, None)  # held against perfection
        measured = {name: self.tolerance(name) for name in metrics}
        lead = self.lead if self.lead in metrics else lead if lead in metrics else ""
        return Rules(lead, rules, measured | dict(self.tolerances))

    def asked(self, texts: Iterable[str], methods: Sequence[str]) -> Rules:
        """The same, but for what ``METHOD=RULE``, or ``RULE`` for all, asks for.

        Raises:
            BenchError: If there is no such rule or method.
        """
        rules = dict(self.rules)
        for text in texts:
            method, _, rule = text.rpartition("=")
            if rule not in RULES:
                raise BenchError(
                    f"--rule {text}: expected METHOD=cases, METHOD=mean, or one for all"
                )
            if method:
                require_one_of(method, methods, f"--rule {text}: methods")
            rules |= dict.fromkeys([method] if method else methods, rule)
        return replace(self, rules=rules)

    def in_words(self, methods: pd.DataFrame) -> str:
        """Which method is judged how; ``methods`` has ``method`` and ``rule``."""
        led = f" led by {self.lead}" if self.lead else ""
        said = {BY_CASES: "case by case", BY_MEAN: f"by the mean over photos{led}"}
        own = methods[methods["method"] != CEILING]
        names = {rule: own.loc[own["rule"] == rule, "method"] for rule in RULES}
        return "; ".join(f"{said[rule]}: {', '.join(names[rule])}" for rule in RULES
                         if len(names[rule]))  # fmt: skip


def read(value: dict[str, Any], where: object, metrics: Sequence[str]) -> Rules:
    """The rules in a baseline file; the defaults where it is of before there were any.

    Raises:
        InputError: If a rule or tolerance is none, or its method or the leading metric not one of
            the file.
    """
    try:
        found = typed_json.made(Rules, value)
    except typed_json.WrongValue as error:
        raise InputError(f"{where}: expected {error}; mend it by hand") from None
    named = [("rules", name, value["methods"]) for name in found.rules]
    named += [("lead", found.lead, metrics)] if found.lead else []
    for key, name, known in named:
        require_one_of(name, known, f"{where}: {key}", InputError)
    for method, rule in found.rules.items():
        if rule not in RULES:
            raise InputError(
                f"{where}: rules: {method}: expected {' or '.join(RULES)}, found {rule!r}"
            )
    for metric, tolerance in found.tolerances.items():
        if not 0 < tolerance < math.inf:
            raise InputError(
                f"{where}: tolerances: {metric}: expected a number above 0, found {tolerance}"
            )
    return found
