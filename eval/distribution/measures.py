"""The measures that any encoder's numbers can be given to, and what is to be said about each.

The arithmetic is eval.sets'. Torch is imported when a set is measured.

Shape legend: N samples, S seeds of one case, D dimensions.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from eval.distribution.clip_set import ClipSet
from eval.distribution.spec import SET_METRICS, Sample, SetFamily, SetFunction, SetMetric, SetMetricSpec
from eval.metric import Direction

if TYPE_CHECKING:
    from eval.sets.estimate import SetEstimate
    from eval.sets.set_metric import FeatureMetric, MomentMetric

_GAUSSIAN = "all but mean and covariance; which clip answers which prompt"
_PAIRS = "which clip answers which prompt; whatever the encoder does not see"


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure, without an encoder. The fields are SetMetricSpec's; `suffix` ends the name."""

    suffix: str
    family: SetFamily
    unit: str
    low: float
    high: float
    direction: Direction
    compare_equal_sizes: bool
    source: str
    summary: str
    blind_spots: str
    function: SetFunction


@dataclass(frozen=True, slots=True)
class Numbers:
    """An encoder's numbers as set metrics take them. prefix: begins the names; what: of whose clips or frames."""

    prefix: str
    feature: str
    array: str
    sample: Sample
    what: str


def register(numbers: Numbers, measures: Iterable[Measure], names: dict[str, str] | None = None) -> None:
    """Register one set metric for each measure. names: suffix → a name that the field knows it by."""
    for measure in measures:
        name = (names or {}).get(measure.suffix, f"{numbers.prefix}_{measure.suffix}")
        spec = SetMetricSpec(
            name=name,
            version=1,
            family=measure.family,
            unit=measure.unit,
            low=measure.low,
            high=measure.high,
            direction=measure.direction,
            feature=numbers.feature,
            array=numbers.array,
            sample=numbers.sample,
            compare_equal_sizes=measure.compare_equal_sizes,
            source=measure.source,
            summary=f"{measure.summary}, by {numbers.what}",
            blind_spots=measure.blind_spots,
        )
        SET_METRICS.add(name, SetMetric(spec, measure.function))


def frechet_distance(real: ClipSet, generated: ClipSet) -> SetEstimate:
    """FrechetDistance over all samples."""
    from eval.sets.frechet_limit import SAMPLES_PER_DIMENSION
    from eval.sets.metrics import FrechetDistance

    return _enough_clips(_moments(FrechetDistance, real, generated), real, generated, SAMPLES_PER_DIMENSION)


def frechet_limit(real: ClipSet, generated: ClipSet) -> SetEstimate:
    """FrechetLimit over all samples."""
    from eval.sets.frechet_limit import SAMPLES_PER_DIMENSION_LIMIT
    from eval.sets.metrics import FrechetLimit

    return _enough_clips(_moments(FrechetLimit, real, generated), real, generated, SAMPLES_PER_DIMENSION_LIMIT)


def kernel_distance(real: ClipSet, generated: ClipSet) -> SetEstimate:
    """KernelDistance over all clips."""
    from eval.sets.metrics import KernelDistance

    return _filled(KernelDistance(_width(real, generated)), real, generated)


def neighbour_measure(name: Literal["precision", "recall", "density", "coverage"]) -> SetFunction:
    """The function of a NeighbourMeasure, over as many real clips as there are generated ones (where those can be
    ranked at all). All four depend on both sets' sizes, and are known for equal ones: 96 clips cannot cover 2,000.
    """

    def function(real: ClipSet, generated: ClipSet) -> SetEstimate:
        from eval.sets.metrics import FEWEST_PAIRED, NeighbourMeasure

        metric = NeighbourMeasure(name, _width(real, generated))
        return _filled(metric, of_size(real, max(generated.clips, FEWEST_PAIRED)), generated)

    return function


def diversity(real: ClipSet, generated: ClipSet) -> SetEstimate:
    """VendiScore over cases, of features centred on the real clips' mean.

    Without that common centre every cosine is close to 1 for most encoders, and the score with it.
    """
    import torch

    from eval.sets.metrics import VendiScore
    from eval.sets.validity import check_count, check_features

    check_count(real.clips, 1, "real", "diversity over seeds")
    features_ND = real.features()
    check_features(torch.from_numpy(features_ND), features_ND.shape[1], "real")
    centre_D = features_ND.mean(axis=0, dtype=np.float64).astype(np.float32)
    of_case: dict[int, list[int]] = defaultdict(list)
    for place, case in enumerate(generated.cases):
        of_case[case].append(place)
    metric = VendiScore()
    for places in of_case.values():
        features_SD = generated.only(places).features()
        check_features(torch.from_numpy(features_SD), len(centre_D), "generated")
        metric.update(torch.from_numpy(features_SD - centre_D))
    return metric.estimate()


def of_size(clips: ClipSet, size: int) -> ClipSet:
    """At most `size` of the clips, the same ones every time: the first of one fixed random order."""
    if clips.clips <= size:
        return clips
    order = np.random.default_rng(0).permutation(clips.clips)
    return clips.only(sorted(order[:size].tolist()))


def _moments(kind: Callable[[int], MomentMetric], real: ClipSet, generated: ClipSet) -> SetEstimate:
    return _filled(kind(_width(real, generated)), real, generated)


def _width(real: ClipSet, generated: ClipSet) -> int:
    return real.dimensions or generated.dimensions


def _filled(metric: MomentMetric | FeatureMetric, real: ClipSet, generated: ClipSet) -> SetEstimate:
    import torch

    for clips, is_real in ((real, True), (generated, False)):
        for features_ND, cases_N in clips.batches():
            metric.update(torch.from_numpy(features_ND), is_real, torch.from_numpy(cases_N))
    return metric.estimate()


def _enough_clips(estimate: SetEstimate, real: ClipSet, generated: ClipSet, per_dimension: int) -> SetEstimate:
    """Not ranked where the frames are enough and the clips are not: frames of one clip resemble each other."""
    clips, fewest = min(real.clips, generated.clips), per_dimension * _width(real, generated)
    if estimate.caveat or clips >= fewest:
        return estimate
    return replace(estimate, caveat=f"{clips} clips, whose frames are alike, and {fewest} are needed")


FRECHET_DISTANCE = Measure(
    "frechet_distance", "distribution", "1", 0.0, math.inf, "lower", True,
    "Heusel et al. 2017, arXiv:1706.08500; Dowson and Landau 1982",
    "Fréchet distance to the real clips at this number of clips", _GAUSSIAN, frechet_distance,
)  # fmt: skip
FRECHET_LIMIT = Measure(
    "frechet_limit", "distribution", "1", -math.inf, math.inf, "lower", False,
    "Chong and Forsyth 2020, arXiv:1911.07023; eval/sets/frechet_limit.py",
    "Fréchet distance to the real clips, extrapolated to infinitely many clips", _GAUSSIAN, frechet_limit,
)  # fmt: skip
KERNEL_DISTANCE = Measure(
    "kernel_distance", "distribution", "1", -math.inf, math.inf, "lower", False,
    "Binkowski et al. 2018, arXiv:1801.01401",
    "unbiased kernel distance (cubic MMD²) to the real clips", _PAIRS, kernel_distance,
)  # fmt: skip
PRECISION = Measure(
    "precision", "distribution", "1", 0.0, 1.0, "higher", True,
    "Kynkäänniemi et al. 2019, arXiv:1904.06991",
    "share of the generated clips that lie among the real ones",
    f"{_PAIRS}; missing variety; damage that moves clips towards the real ones' middle", neighbour_measure("precision"),
)  # fmt: skip
RECALL = Measure(
    "recall", "distribution", "1", 0.0, 1.0, "higher", True,
    "Kynkäänniemi et al. 2019, arXiv:1904.06991",
    "share of the real clips that lie among the generated ones",
    f"{_PAIRS}; outliers among the generated clips, which lift it", neighbour_measure("recall"),
)  # fmt: skip
DENSITY = Measure(
    "density", "distribution", "1", 0.0, math.inf, "band", True,
    "Naeem et al. 2020, arXiv:2002.09797",
    "how densely real clips lie around the generated ones, about 1 for one distribution",
    f"{_PAIRS}; missing variety, which lifts it above 1", neighbour_measure("density"),
)  # fmt: skip
COVERAGE = Measure(
    "coverage", "distribution", "1", 0.0, 1.0, "higher", True,
    "Naeem et al. 2020, arXiv:2002.09797",
    "share of the real clips that have a generated one among their nearest",
    _PAIRS, neighbour_measure("coverage"),
)  # fmt: skip
DIVERSITY = Measure(
    "diversity", "diversity", "clips", 1.0, math.inf, "band", True,
    "Friedman and Dieng 2023, arXiv:2210.02410",
    "Vendi score over the seeds of one prompt: how many different clips they are worth",
    "whether the variety is good: broken clips may vary most", diversity,
)  # fmt: skip

FRECHET = (FRECHET_DISTANCE, FRECHET_LIMIT)
NEIGHBOURS = (PRECISION, RECALL, DENSITY, COVERAGE)
EVERY = (*FRECHET, KERNEL_DISTANCE, *NEIGHBOURS, DIVERSITY)
"""Kernel distance, neighbours and diversity take samples for independent of each other: give them clips, not frames."""
