"""The record that describes one metric: everything about a number besides the number.

Each family of metrics (``pixel.py``, ``perceptual.py``, ``distribution.py``) defines functions
and their records side by side; ``bench.metrics`` gathers them into one table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: Column name in the tables.
        label: Name in reports.
        unit: Unit, empty for a pure number.
        direction: Which values are better.
        scope: ``case`` (one value per fill) or ``set`` (one per method and tier).
        region: Where it looks: the whole ``picture``, the ``hole``, the ``ring`` around the
            hole's edge, or the ``known`` pixels.
        implementation: Which code computes it, with its settings.
        version: Version of that code; part of the protocol fingerprint.
        function: For a case metric, ``function(pair) -> float`` on a ``bench.metrics.pair.Pair``,
            or ``function(pair, network)`` where it needs one. For a set metric,
            ``function(output_features, photo_features) -> SetValue`` where it needs a network,
            else ``function(photos, patches, map) -> SetValue``, as in ``bench.metrics.sliced``.
        network: Name of the network it needs; that of a checkpoint in ``methods.weights`` if the
            network has published weights.
        minimum_side: Smallest side of a picture it works on, in pixels.
        weights: What stands for the weights in the fingerprint: a hash, or ``untrained seed 0``.
        note: What a reader must know wherever the number is shown.
    """

    name: str
    label: str
    unit: str
    direction: Literal["higher", "lower"]
    scope: Literal["case", "set"]
    region: Literal["picture", "hole", "ring", "known"]
    implementation: str
    version: str
    function: Callable[..., Any]
    network: str = ""
    minimum_side: int = 1
    weights: str = ""
    note: str = ""

    @property
    def signature(self) -> str:
        """One line of all that decides the value, for the fingerprint."""
        parts = (self.name, self.region, self.implementation, self.version, self.weights)
        return "|".join(parts)
