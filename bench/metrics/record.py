"""The records that describe metrics: everything about a number besides the number.

A metric of single fills is a `CaseMetric`, or a `NetworkMetric` if a network compares the two
pictures; one of sets of fills is a `FeatureMetric` or a `PatchMetric`, by what it compares. The
built-in records stand in `bench.metrics.table`; `case_metric` makes one of one's own function.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, get_args

from bench.errors import BenchError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.metrics.pair import Pair
    from bench.metrics.sliced import Each, Patches, Photos
    from bench.metrics.structure import Planes

Direction = Literal["higher", "lower"]
Region = Literal["picture", "hole", "ring", "known"]
NOT_NEGATIVE = (0.0, math.inf)  # limits of a metric


@dataclass(frozen=True)
class SetValue:
    """A number about a set of fills.

    Attributes:
        value: NaN if it could not be had.
        n: Number of fills it is made of.
        note: Why it is NaN, or what to keep in mind.
        changes: How much it changes without each group of cases, where that was asked for.
    """

    value: float
    n: int
    note: str = ""
    changes: tuple[float, ...] = ()


class PairNetwork(Protocol):
    """A network that compares two pictures."""

    def compare(self, pair: Pair) -> tuple[float, Planes]:
        """Distance of output and photo, and its map ``(H, W)``."""


CaseFunction = Callable[["Pair"], float]
NetworkFunction = Callable[["Pair", Any], float]
FeatureFunction = Callable[["NDArray[np.floating]", "NDArray[np.floating]"], SetValue]
PatchFunction = Callable[["Photos", "Patches", "Each"], SetValue]
PictureFunction = Callable[["NDArray[np.uint8]", "NDArray[np.uint8]", "NDArray[np.bool_]"], float]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What all metrics have in common.

    Attributes:
        name: Column name in the tables.
        label: Name in reports.
        unit: Unit, empty for a pure number.
        direction: Which values are better.
        region: Where it looks: the whole ``picture``, the ``hole``, the ``ring`` around the
            hole's edge, or the ``known`` pixels.
        limits: Smallest and largest value it can have.
        definition: What it computes, in a sentence.
        reference: Where it was published, empty if nowhere.
        note: What a reader must know wherever the number is shown.
        implementation: Which code computes it, with its settings.
        version: Version of that code; part of the protocol fingerprint.
        network: Name of the network it needs; that of its checkpoint if it has published weights;
            several joined by ``+``.
        weights: What stands for the weights in the fingerprint: a hash, or ``untrained seed 0``.
        minimum_side: Smallest side of a picture it works on, in pixels.
        needs_truth: Whether it holds fills against the truth, and so has no value without one.
        scope: ``case`` (one value per fill) or ``set`` (one per method and tier).
    """

    name: str
    label: str
    direction: Direction
    region: Region
    implementation: str
    version: str
    unit: str = ""
    limits: tuple[float, float] = (-math.inf, math.inf)
    definition: str = ""
    reference: str = ""
    note: str = ""
    network: str = ""
    weights: str = ""
    minimum_side: int = 1
    needs_truth: bool = True
    scope: ClassVar[Literal["case", "set"]]

    def __post_init__(self) -> None:
        """Refuse what the tables could not hold.

        Raises:
            BenchError: If direction or region is none of those known.
        """
        for field, known in (("direction", Direction), ("region", Region)):
            value = getattr(self, field)
            if value not in get_args(known):
                raise BenchError(
                    f"metric {self.name}: expected {' or '.join(get_args(known))} as {field}, "
                    f"found {value!r}"
                )

    @property
    def range(self) -> str:
        """The limits in words; empty where there are none."""
        least, most = self.limits
        if math.isfinite(least):
            return f"{least:g} to {most:g}" if math.isfinite(most) else f"{least:g} and more"
        return f"up to {most:g}" if math.isfinite(most) else ""

    @property
    def signature(self) -> str:
        """One line of all that decides the value, for the fingerprint."""
        parts = (self.name, self.region, self.implementation, self.version, self.weights)
        return "|".join(parts)


@dataclass(frozen=True, kw_only=True)
class CaseMetric(Metric):
    """A number of each fill.

    Attributes:
        function: ``function(pair) -> float``.
    """

    function: CaseFunction
    scope = "case"


@dataclass(frozen=True, kw_only=True)
class NetworkMetric(Metric):
    """A number of each fill, by a network.

    Attributes:
        function: ``function(pair, network) -> float``; `bench.metrics.networks` makes the network.
    """

    function: NetworkFunction
    scope = "case"


@dataclass(frozen=True, kw_only=True)
class FeatureMetric(Metric):
    """A number of a set of fills, by the features that a network finds in them.

    Attributes:
        function: ``function(features of fills (n, d), features of photos (n, d)) -> SetValue``.
        statistic: Which statistic of the features it is; decides how its interval is estimated.
    """

    function: FeatureFunction
    statistic: Literal["frechet", "cubic kernel", "gaussian kernel", "discriminative"]
    scope = "set"


@dataclass(frozen=True, kw_only=True)
class PatchMetric(Metric):
    """A number of a set of fills, by patches of the pictures themselves.

    Attributes:
        function: ``function(photos, patches of fills, map) -> SetValue``, see
            `bench.metrics.sliced.swd`.
    """

    function: PatchFunction
    scope = "set"


@dataclass(frozen=True)
class Imported:
    """A function that is imported when it is first called, so that a table of them is light.

    Attributes:
        place: ``module:function``.
        further: What it gets besides its arguments.
    """

    place: str
    further: tuple[str, ...] = ()

    def __call__(self, *arguments: Any) -> Any:
        """Call it."""
        return self.load()(*arguments, *self.further)

    def load(self) -> Callable[..., Any]:
        """The function itself."""
        module, _, name = self.place.partition(":")
        function: Callable[..., Any] = getattr(import_module(module), name)
        return function


@dataclass(frozen=True)
class OfPictures:
    """A function of three arrays as one of a pair.

    Attributes:
        function: ``function(output, photo, hole) -> float``: uint8 RGB ``(H, W, 3)``, likewise,
            bool ``(H, W)``.
        needs_truth: Whether ``photo`` is the truth; else it is what the method was given.
    """

    function: PictureFunction
    needs_truth: bool = True

    def __call__(self, pair: Pair) -> float:
        """Call it with copies, so that nothing it does to them reaches another metric."""
        beside = pair.original if self.needs_truth else pair.shown
        value = self.function(pair.output.copy(), beside.photo.copy(), pair.hole.copy())
        return float(value)


def case_metric(
    *,
    direction: Direction,
    label: str = "",
    unit: str = "",
    region: Region = "picture",
    limits: tuple[float, float] = (-math.inf, math.inf),
    definition: str = "",
    reference: str = "",
    note: str = "",
    minimum_side: int = 1,
    needs_truth: bool = True,
) -> Callable[[PictureFunction], CaseMetric]:
    """Make a metric of ``function(output, photo, hole) -> float``.

    The function gets the output and the photo, uint8 RGB ``(H, W, 3)``, and the hole, bool
    ``(H, W)``, True where something was filled. What it raises, and a value that is not finite,
    becomes the reason of a missing value; the fill is kept.

    Args:
        direction: Which values are better, ``higher`` or ``lower``.
        label: Name in reports; the function's name if omitted.
        unit: Unit, empty for a pure number.
        region: Where it looks; of a metric of the ``hole`` nothing is asked where that is empty,
            of one of the ``ring`` nothing where the hole has no edge.
        limits: Smallest and largest value.
        definition: What it computes; the first line of the docstring if omitted.
        reference: Where it was published.
        note: What a reader must know wherever the number is shown.
        minimum_side: Smallest side of a picture it works on, in pixels.
        needs_truth: Whether ``photo`` must be the truth. If not, it is the photo as it was given,
            object and all, and there is a value where the truth is unknown, too.

    Example:
        >>> @case_metric(direction="lower", label="Worst pixel", region="hole")
        ... def worst(output, photo, hole):
        ...     return abs(output[hole].astype(int) - photo[hole]).max()
        >>> worst.name, worst.scope, worst.direction
        ('worst', 'case', 'lower')
    """

    def make(function: PictureFunction) -> CaseMetric:
        name = getattr(function, "__name__", type(function).__name__)
        first, *_ = (function.__doc__ or "").strip().splitlines() or [""]
        return CaseMetric(
            name=name,
            label=label or name,
            unit=unit,
            direction=direction,
            region=region,
            limits=limits,
            definition=definition or first,
            reference=reference,
            note=note,
            minimum_side=minimum_side,
            needs_truth=needs_truth,
            # Where it comes from and what its code is, `bench.metrics.plug_ins` knows.
            implementation="",
            version="",
            function=OfPictures(function, needs_truth),
        )

    return make
