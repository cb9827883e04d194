"""Can two sets be told apart? A cross-fitted classifier, its AUC, and how sure that is.

Every sample is scored by a classifier that saw nothing of its group (a source file, a prompt). Only samples that the
same classifier scored are compared, so that the AUC of two equal distributions is 0.5 on average: scores pooled over
folds come out below (Parker et al. 2007, doi:10.1186/1471-2105-8-326).

Shape legend: N samples, D numbers, F fakes, M reals, A deals, B draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import stats

from eval.sets.logistic import Trainer

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

FOLDS = 5
DEALS = 8
"""Times that groups are dealt to folds anew; one deal compares a fifth of all pairs."""
DRAWS = 999
PERMUTATIONS = 199


@dataclass(frozen=True, slots=True)
class Samples:
    """Two classes of samples.

    values_ND: finite. fake_N: the class. group_N: samples of one group share a source or a prompt, and are trained on,
    resampled and permuted together. A group may hold both classes (the same prompt, generated and real).
    """

    values_ND: Floats
    fake_N: Flags
    group_N: Integers

    def __post_init__(self) -> None:
        assert self.values_ND.ndim == 2, "values must be N,D"
        assert len(self.values_ND) == len(self.fake_N) == len(self.group_N), "one class and group for each sample"
        assert bool(np.isfinite(self.values_ND).all()), "values must be finite"

    def only(self, keep_N: Flags | Integers) -> Samples:
        """Some of the samples."""
        return Samples(self.values_ND[keep_N], self.fake_N[keep_N], self.group_N[keep_N])

    def columns(self, columns: Sequence[int] | Integers) -> Samples:
        """All samples by some of their numbers."""
        return Samples(self.values_ND[:, np.asarray(columns, np.int64)], self.fake_N, self.group_N)

    @property
    def groups(self) -> tuple[int, int]:
        """How many groups hold fakes, and how many hold reals: what every claim rests on."""
        return len(np.unique(self.group_N[self.fake_N])), len(np.unique(self.group_N[~self.fake_N]))

    @property
    def folds(self) -> int:
        """Folds into which both classes can be cut; below 2 nothing can be cross-fitted."""
        return min(FOLDS, *self.groups)


@dataclass(frozen=True)
class CrossFit:
    """Out-of-fold scores. probability_AN, fold_AN: of each deal."""

    samples: Samples
    probability_AN: Floats
    fold_AN: Integers

    @property
    def mean_probability(self) -> Floats:
        """Mean over deals, one for each sample."""
        return np.asarray(self.probability_AN.mean(axis=0), np.float64)

    @cached_property
    def pairs(self) -> tuple[Floats, Floats]:
        """(won_FM, compared_FM): in how many deals a fake scored above a real (ties half), and how many compared."""
        fake_N = self.samples.fake_N
        shape = (int(fake_N.sum()), int((~fake_N).sum()))
        won_FM, compared_FM = np.zeros(shape), np.zeros(shape)
        for score_N, fold_N in zip(self.probability_AN, self.fold_AN, strict=True):
            together_FM = fold_N[fake_N][:, None] == fold_N[~fake_N]
            difference_FM = score_N[fake_N][:, None] - score_N[~fake_N]
            won_FM += together_FM * ((difference_FM > 0) + 0.5 * (difference_FM == 0))
            compared_FM += together_FM
        return won_FM, compared_FM

    @property
    def auc(self) -> float:
        """Probability that a fake scores above a real, over pairs that one classifier scored."""
        won_FM, compared_FM = self.pairs
        return float(won_FM.sum() / compared_FM.sum())

    def auc_draws(self, weights_BN: Floats) -> Floats:
        """The AUC of each draw of a bootstrap; NaN where a draw holds no pair."""
        won_FM, compared_FM = self.pairs
        fake_BF, real_BM = weights_BN[:, self.samples.fake_N], weights_BN[:, ~self.samples.fake_N]
        won_B = ((fake_BF @ won_FM) * real_BM).sum(axis=1)
        compared_B = ((fake_BF @ compared_FM) * real_BM).sum(axis=1)
        with np.errstate(invalid="ignore"):
            return np.asarray(won_B / compared_B, np.float64)


@dataclass(frozen=True, slots=True)
class Auc:
    """An AUC with its interval, and how many groups of either class it rests on.

    p: probability of such an AUC or a larger one where the classes do not differ; None where it was not asked for.
    """

    value: float
    low: float
    high: float
    fakes: int
    reals: int
    p: float | None = None


def cross_fit(samples: Samples, seed: int = 0, deals: int = DEALS) -> CrossFit:
    """Score every sample by classifiers that saw nothing of its group. Needs two groups of each class (`folds`)."""
    assert samples.folds >= 2, "nothing to cross-fit: two groups of each class are needed"
    generator = np.random.default_rng(seed)
    fold_AN = np.stack([deal(samples, generator) for _ in range(deals)])
    probability_AN = np.empty(fold_AN.shape)
    for probability_N, fold_N in zip(probability_AN, fold_AN, strict=True):
        for fold in np.unique(fold_N):
            train_N = fold_N != fold
            model = Trainer(samples.values_ND[train_N]).fit(samples.fake_N[train_N])
            probability_N[~train_N] = model.probability(samples.values_ND[~train_N])
    return CrossFit(samples, probability_AN, fold_AN)


def measure_auc(
    samples: Samples, seed: int = 0, permutations: int = 0, confidence: float = 0.95, deals: int = DEALS
) -> Auc:
    """Cross-fitted AUC with its interval and, with permutations, its p."""
    fitted = cross_fit(samples, seed, deals)
    low, high = interval(fitted.auc, fitted.auc_draws(resampled(samples, seed)), samples, confidence)
    p = permutation_p(samples, seed, permutations) if permutations else None
    return Auc(fitted.auc, low, high, *samples.groups, p)


def deal(samples: Samples, generator: np.random.Generator) -> Integers:
    """A fold for each sample: whole groups, so that every fold has its share of groups of each kind."""
    fold_N = np.empty(len(samples.group_N), np.int64)
    start = 0
    for groups in _kinds(samples):
        for place, group in enumerate(generator.permutation(groups)):
            fold_N[samples.group_N == group] = (start + place) % samples.folds
        start += 0 if len(groups) >= samples.folds else len(groups)
    return fold_N


def resampled(samples: Samples, seed: int, draws: int = DRAWS) -> Floats:
    """How often each sample is in each draw, weights_BN: groups are drawn with replacement, each kind by itself."""
    generator = np.random.default_rng([seed, 1])
    weights_BN = np.zeros((draws, len(samples.group_N)))
    for groups in _kinds(samples):
        counts_BG = generator.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), draws)
        place_N = np.searchsorted(groups, samples.group_N)
        own_N = np.isin(samples.group_N, groups)
        weights_BN[:, own_N] = counts_BG[:, place_N[own_N]]
    return weights_BN


def interval(value: float, draws_B: Floats, samples: Samples, confidence: float) -> tuple[float, float]:
    """Percentile interval of an AUC, widened for few groups (Hesterberg 2015) and for what refitting adds.

    The draws take the classifiers as they are; `REFIT` widens the interval's distance from the value accordingly. Where
    all pairs are won, resampling shows no spread: then the limit is that of so many successes in a row.
    """
    groups = min(samples.groups)
    known_B = draws_B[np.isfinite(draws_B)]
    if groups < 2 or not len(known_B):
        return 0.0, 1.0
    tail = float(stats.norm.cdf(-np.sqrt(groups / (groups - 1)) * stats.t.ppf((1 + confidence) / 2, groups - 1)))
    low, high = np.quantile(known_B, [tail, 1 - tail])
    low, high = value - REFIT * (value - low), value + REFIT * (high - value)
    sure = ((1 - confidence) / 2) ** (1 / groups)
    low = min(low, max(sure, 0.5)) if value > 0.5 else low
    high = max(high, min(1 - sure, 0.5)) if value < 0.5 else high
    return max(0.0, float(low)), min(1.0, float(high))


REFIT = 1.5
"""Draws take the classifiers as they are; training them on other clips adds about as much again. By simulation of equal
and of shifted normal clips, 6 to 60 groups of 5 to 90 numbers, 95 % intervals then hold the mean AUC in 92 to 97 %."""


def permutation_p(
    samples: Samples, seed: int = 0, permutations: int = PERMUTATIONS, step: Callable[[], None] = lambda: None
) -> float:
    """Probability of one deal's AUC, or a larger one, under labels that are exchanged between groups. Never 0.

    Inside each fold, groups of one class exchange labels among themselves and with those of the other; a group that
    holds both has its two classes swapped, or not. Both leave the folds as they are, so that p is exact (Phipson and
    Smyth 2010, doi:10.2202/1544-6115.1585).
    """
    generator = np.random.default_rng([seed, 2])
    fold_N = deal(samples, generator)
    folds = [_Fold(samples, fold_N == fold) for fold in np.unique(fold_N)]
    observed = _one_deal_auc(folds, samples.fake_N)
    hits = 0
    for _ in range(permutations):
        hits += _one_deal_auc(folds, exchanged(samples, fold_N, generator)) >= observed - 1e-12
        step()
    return (1 + hits) / (1 + permutations)


def exchanged(samples: Samples, fold_N: Integers, generator: np.random.Generator) -> Flags:
    """Labels as good as the true ones if the classes do not differ."""
    fakes, reals, mixed = _kinds_of_groups(samples)
    fake_N = samples.fake_N.copy()
    pure = np.concatenate([fakes, reals])
    fold_of = {int(group): int(fold) for group, fold in zip(samples.group_N, fold_N, strict=True)}
    fold_G = np.array([fold_of[int(group)] for group in pure], np.int64)
    for fold in np.unique(fold_G):
        own = pure[fold_G == fold]
        labels = np.isin(own, fakes)
        for group, label in zip(own, generator.permutation(labels), strict=True):
            fake_N[samples.group_N == group] = label
    swapped = mixed[generator.integers(0, 2, len(mixed)).astype(bool)]
    return np.asarray(fake_N ^ np.isin(samples.group_N, swapped), np.bool_)


class _Fold:
    """One fold with everything that does not depend on labels."""

    def __init__(self, samples: Samples, test_N: Flags) -> None:
        self.test_N = test_N
        self._trainer = Trainer(samples.values_ND[~test_N])
        self._tested_ND = samples.values_ND[test_N]

    def scores(self, fake_N: Flags) -> Floats:
        return self._trainer.fit(fake_N[~self.test_N]).probability(self._tested_ND)


def _one_deal_auc(folds: Sequence[_Fold], fake_N: Flags) -> float:
    won = compared = 0.0
    for fold in folds:
        tested_N = fake_N[fold.test_N]
        if tested_N.all() or not tested_N.any():
            continue
        scores_N = fold.scores(fake_N)
        pairs = int(tested_N.sum()) * int((~tested_N).sum())
        won += pairs * plain_auc(scores_N, tested_N)
        compared += pairs
    return won / compared if compared else 0.5


def plain_auc(scores_N: Floats, fake_N: Flags) -> float:
    """AUC of scores as they are (Mann-Whitney); ties count half."""
    ranks_N = stats.rankdata(scores_N)
    fakes, reals = int(fake_N.sum()), int((~fake_N).sum())
    return float((ranks_N[fake_N].sum() - fakes * (fakes + 1) / 2) / (fakes * reals))


def _kinds_of_groups(samples: Samples) -> tuple[Integers, Integers, Integers]:
    """Groups of fakes alone, of reals alone, and of both; each sorted."""
    fakes, reals = np.unique(samples.group_N[samples.fake_N]), np.unique(samples.group_N[~samples.fake_N])
    return np.setdiff1d(fakes, reals), np.setdiff1d(reals, fakes), np.intersect1d(fakes, reals)


def _kinds(samples: Samples) -> Iterator[Integers]:
    return (groups for groups in _kinds_of_groups(samples) if len(groups))
