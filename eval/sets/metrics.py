"""The set metrics, for any loop: `update(features_ND, real=True)`, `update(features_MD, real=False)`, `estimate()`.

    metric = FrechetLimit(dimensions=768)
    metric.update(features_of_reference, real=True)
    metric.update(features_of_model, real=False, cases_N=case_numbers)
    print(metric.estimate())

Shape legend: N real samples, M generated samples, S seeds of one case, D dimensions, E = 2 (one number's moments).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import torch
from scipy import stats

from eval.sets import frechet_limit, kernel, moments, neighbours
from eval.sets.estimate import FEWEST_GROUPS, SetEstimate, jackknife, wilson_interval
from eval.sets.neighbours import neighbourhood
from eval.sets.set_metric import FeatureMetric, MomentMetric, SetMetric
from eval.sets.validity import UnmeasurableSet, check_count, check_sets
from eval.sets.vendi import vendi_score

GROUPS = 20
FEWEST_PAIRED = 50
"""Clips of each set below which kernel distances and neighbours are not ranked.

From here the kernel distance's interval covers what it should in 16 dimensions (tests:
test_the_interval_covers_from_the_fewest_samples_on; in one dimension, where cubes are most skewed, 80 %), and a
proportion is known to 14 points at worst."""

FEWEST_CASES = 5


class FrechetDistance(MomentMetric):
    """Fréchet distance at this number of samples (FID, FVD: by whose features). Squared feature units, lower is closer.

    It falls with N: rank only sets of one size, or use FrechetLimit. frechet_limit.at_this_size has the definition.
    """

    higher_is_better = False

    def __init__(self, dimensions: int, groups: int = frechet_limit.GROUPS, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(dimensions, groups, seed, **kwargs)

    def measure(self) -> SetEstimate:
        return frechet_limit.at_this_size(self.real_GEE, self.generated_GEE)


class FrechetLimit(FrechetDistance):
    """Fréchet distance extrapolated to infinitely many samples (frechet_limit.at_infinite_size). Lower is closer."""

    def measure(self) -> SetEstimate:
        return frechet_limit.at_infinite_size(self.real_GEE, self.generated_GEE)


class KernelDistance(FeatureMetric):
    """Unbiased kernel distance (KID), lower is closer; may be below 0. kernel.py has the definition."""

    higher_is_better = False

    def __init__(self, dimensions: int, groups: int = GROUPS, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(dimensions, groups, seed, **kwargs)

    def measure(self) -> SetEstimate:
        (real_ND, real_groups_N), (generated_MD, generated_groups_M) = self.features(True), self.features(False)
        check_sets(real_ND, generated_MD, kernel.FEWEST, kernel.PURPOSE)
        sums = kernel.kernel_sums(real_ND, generated_MD, real_groups_N, generated_groups_M, self.groups)
        samples, value = min(len(real_ND), len(generated_MD)), sums.distance()
        caveat = _too_few(samples)
        filled = min(np.count_nonzero(sums.real_G), np.count_nonzero(sums.generated_G))
        if samples < 2 * self.groups or filled < FEWEST_GROUPS:
            return SetEstimate(value, None, None, samples, caveat or _few_groups(int(filled)))
        return SetEstimate(value, *sums.jackknife().interval(value), samples, caveat)


class NeighbourMeasure(FeatureMetric):
    """Precision, recall, density or coverage by nearest neighbours, as neighbours.py defines them. Higher is better.

    The interval is over the samples of one set (generated for precision and density, real for the others) and takes the
    other set as it is. Samples of one case widen it where they agree more than strangers.
    """

    higher_is_better = True

    def __init__(
        self,
        name: Literal["precision", "recall", "density", "coverage"],
        dimensions: int,
        nearest: int = neighbours.NEAREST,
        groups: int = GROUPS,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(dimensions, groups, seed, **kwargs)
        self.name, self.nearest = name, nearest

    def measure(self) -> SetEstimate:
        (real_ND, real_groups_N), (generated_MD, generated_groups_M) = self.features(True), self.features(False)
        around = neighbourhood(real_ND, generated_MD, self.nearest)
        values, groups = {
            "precision": (around.precision_M, generated_groups_M),
            "recall": (around.recall_N, real_groups_N),
            "density": (around.density_M, generated_groups_M),
            "coverage": (around.coverage_N, real_groups_N),
        }[self.name]
        samples = min(len(real_ND), len(generated_MD))
        estimate = mean_over_samples(values, groups, self.groups, proportion=self.name != "density")
        return SetEstimate(estimate.value, estimate.low, estimate.high, samples, _too_few(samples) or estimate.caveat)


class VendiScore(SetMetric):
    """Diversity over seeds: mean over cases of the Vendi score of a case's clips, 1 to the number of seeds. vendi.py.

    More is not always better: noise has the most. The interval is over cases.
    """

    higher_is_better = None
    scores_EE: torch.Tensor
    fewest_seeds: torch.Tensor
    most_seeds: torch.Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("scores_EE", moments.no_moments(1), dist_reduce_fx=moments.merged)
        self.add_state("fewest_seeds", torch.tensor(torch.iinfo(torch.int64).max), dist_reduce_fx="min")
        self.add_state("most_seeds", torch.tensor(0), dist_reduce_fx="max")

    def update(self, features_SD: torch.Tensor) -> None:
        """Add one case: the features of its clips, one for each seed. Raises UnmeasurableSet and adds nothing."""
        score = torch.tensor([[vendi_score(features_SD)]], dtype=torch.float64, device=self.device)
        moments.absorb(self.scores_EE, score)
        self.fewest_seeds = self.fewest_seeds.clamp(max=len(features_SD))
        self.most_seeds = self.most_seeds.clamp(min=len(features_SD))

    def measure(self) -> SetEstimate:
        cases, seeds = moments.count(self.scores_EE), int(self.most_seeds)
        check_count(cases, 1, "generated", "diversity over seeds")
        if seeds != int(self.fewest_seeds):
            raise UnmeasurableSet(
                f"cases have {int(self.fewest_seeds)} to {seeds} seeds, which bound the score: give all the same"
            )
        value = float(moments.mean(self.scores_EE))
        if cases < FEWEST_CASES:
            return SetEstimate(value, None, None, cases, f"{cases} cases, and an interval needs {FEWEST_CASES}")
        error = math.sqrt(float(moments.covariance(self.scores_EE)) / cases)
        reach = float(stats.t.ppf(0.975, cases - 1)) * error
        return SetEstimate(value, max(1.0, value - reach), min(float(seeds), value + reach), cases)


def mean_over_samples(values_N: torch.Tensor, group_N: torch.Tensor, groups: int, proportion: bool) -> SetEstimate:
    """Mean of what each sample adds, with an interval that leaves out groups.

    A proportion has Wilson's interval, as of fewer samples where groups differ by more than independent ones would.
    """
    value, samples = float(values_N.mean()), len(values_N)
    count_G = torch.bincount(group_N, minlength=groups).to(torch.float64)
    sum_G = torch.zeros(groups, dtype=torch.float64, device=values_N.device).index_add_(0, group_N, values_N)
    filled_G = count_G > 0
    if int(filled_G.sum()) < FEWEST_GROUPS:
        return SetEstimate(value, None, None, samples, _few_groups(int(filled_G.sum())))
    without_G = ((sum_G.sum() - sum_G) / (samples - count_G))[filled_G].cpu().numpy()
    spread = jackknife(value, without_G, (count_G[filled_G] / samples).cpu().numpy())
    if not proportion:
        low, high = spread.interval(value)
        return SetEstimate(value, max(0.0, low), high, samples)
    independent = value * (1 - value) / samples
    clustering = max(1.0, spread.error**2 / independent) if independent > 0 else 1.0
    return SetEstimate(value, *wilson_interval(value, samples / clustering), samples)


def _too_few(samples: int) -> str:
    return "" if samples >= FEWEST_PAIRED else f"{samples} clips, and {FEWEST_PAIRED} are needed"


def _few_groups(filled: int) -> str:
    return f"clips in {filled} groups, and an interval needs {FEWEST_GROUPS}: give more cases"
