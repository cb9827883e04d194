"""Set metrics: a specification, and a function from two sets of clips to one number with its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from eval.distribution.clip_set import ClipSet
from eval.feature import FEATURES
from eval.metric import Direction
from eval.registry import Registry

if TYPE_CHECKING:  # brings scipy, which a list of names can do without
    from eval.sets.estimate import SetEstimate

SetFamily = Literal["distribution", "diversity"]
"""distribution: generated clips, as many of each case, against real ones. diversity: the seeds of one case."""

Sample = Literal["clip", "part"]


@dataclass(frozen=True, slots=True)
class SetMetricSpec:
    """What a number about a set means.

    low, high, direction: as a MetricSpec's; infinite where open. `band`: more is not better.
    feature, array: whose numbers; an array D or one with a row for each frame or window of the clip.
    sample: whether a clip counts as one sample (the mean of its rows) or each row as one.
    compare_equal_sizes: the value depends on how many clips there are, so that incomplete sets must not be ranked.
    source, summary, blind_spots: as a MetricSpec's.
    """

    name: str
    version: int
    family: SetFamily
    unit: str
    low: float
    high: float
    direction: Direction
    feature: str
    array: str
    sample: Sample
    compare_equal_sizes: bool
    source: str
    summary: str
    blind_spots: str

    @property
    def encoder(self) -> str:
        """Name of the network whose numbers are compared."""
        return FEATURES.get(self.feature).encoder


SetFunction = Callable[[ClipSet, ClipSet], "SetEstimate"]
"""(real, generated) → estimate. Raises UnmeasurableSet where the sets have no such number."""


@dataclass(frozen=True, slots=True)
class SetMetric:
    """A registered set metric."""

    spec: SetMetricSpec
    function: SetFunction = field(repr=False)


SET_METRICS: Registry[SetMetric] = Registry("set metric", ("eval.distribution",))
