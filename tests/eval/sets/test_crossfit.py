"""Cross-fitted AUC: no leak between groups, unbiased and well covered where nothing differs, right where it is known.

Shape legend: N samples, D numbers, G groups.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from eval.sets import crossfit
from eval.sets.crossfit import (
    Samples,
    cross_fit,
    deal,
    exchanged,
    interval,
    measure_auc,
    permutation_p,
    plain_auc,
    resampled,
)
from eval.sets.logistic import Trainer


def drawn(
    seed: int, fakes: int = 20, reals: int = 20, dimensions: int = 4, shift: float = 0.0, each: int = 1
) -> Samples:
    """Normal groups with `each` nearly equal samples; fakes are shifted in the first number."""
    generator = np.random.default_rng(seed)
    groups = fakes + reals
    base_GD = generator.normal(size=(groups, dimensions))
    base_GD[:fakes, 0] += shift
    values_ND = np.repeat(base_GD, each, axis=0)
    if each > 1:
        values_ND = values_ND + 0.3 * generator.normal(size=values_ND.shape)
    group_N = np.repeat(np.arange(groups), each)
    return Samples(values_ND, group_N < fakes, group_N)


def paired(seed: int, prompts: int = 20, shift: float = 0.0) -> Samples:
    """A fake and a real of every prompt, alike in what the prompt asks for."""
    generator = np.random.default_rng(seed)
    values_ND = np.repeat(generator.normal(size=(prompts, 3)), 2, axis=0) + generator.normal(size=(2 * prompts, 3))
    fake_N = np.tile([True, False], prompts)
    values_ND[fake_N, 0] += shift
    return Samples(values_ND, fake_N, np.repeat(np.arange(prompts), 2))


def test_logistic_regression_is_the_minimum_of_its_loss():
    samples = drawn(0, 12, 25, 3, 1.0)
    model = Trainer(samples.values_ND).fit(samples.fake_N)
    standard = (samples.values_ND - samples.values_ND.mean(axis=0)) / samples.values_ND.std(axis=0)
    weight = np.where(samples.fake_N, 0.5 / (12 / 37), 0.5 / (25 / 37))

    def loss(beta: np.ndarray) -> float:
        z = standard @ beta[:3] + beta[3]
        return float((weight * np.logaddexp(0, np.where(samples.fake_N, -z, z))).sum() + 0.5 * (beta[:3] ** 2).sum())

    slow = optimize.minimize(loss, np.zeros(4), tol=1e-10).x
    np.testing.assert_allclose([*model.weights_D, model.intercept], slow, atol=1e-3)


def test_more_numbers_than_samples_and_constant_numbers_are_no_trouble():
    samples = drawn(1, 8, 8, 60, 6.0)
    values_ND = np.concatenate([samples.values_ND, np.full((16, 2), 7.0)], axis=1)
    model = Trainer(values_ND).fit(samples.fake_N)
    assert plain_auc(model.probability(values_ND), samples.fake_N) == 1
    assert not model.weights_D[-2:].any()


def test_groups_are_never_on_both_sides():
    """A leak would be perfect here: every group has a number of its own, and labels by group are noise."""
    samples = drawn(2, 15, 15, 30, each=6)
    fold_N = deal(samples, np.random.default_rng(0))
    for group in np.unique(samples.group_N):
        assert len(set(fold_N[samples.group_N == group])) == 1
    values = [measure_auc(drawn(seed, 15, 15, 30, each=6), deals=2).value for seed in range(8)]
    assert abs(np.mean(values) - 0.5) < 0.12
    leaking = [
        measure_auc(Samples(one.values_ND, one.fake_N, np.arange(len(one.fake_N))), deals=1).value
        for one in (drawn(seed, 15, 15, 30, each=6) for seed in range(4))
    ]
    assert min(leaking) > 0.9  # what splitting by sample would have said


def test_folds_share_both_classes():
    samples = drawn(3, 11, 23)
    fold_N = deal(samples, np.random.default_rng(1))
    fakes = np.bincount(fold_N[samples.fake_N], minlength=5)
    reals = np.bincount(fold_N[~samples.fake_N], minlength=5)
    assert fakes.max() - fakes.min() <= 1
    assert reals.max() - reals.min() <= 1


def test_the_auc_of_equal_sets_is_a_half_on_average():
    values = [measure_auc(drawn(seed, 10, 14, 6), deals=2).value for seed in range(50)]
    assert np.mean(values) == pytest.approx(0.5, abs=0.06)


def test_a_known_difference_is_found():
    """One number, shifted by s standard deviations: the best AUC is Phi(s / sqrt 2)."""
    values = [measure_auc(drawn(seed, 60, 60, 1, 1.5), deals=2).value for seed in range(5)]
    assert np.mean(values) == pytest.approx(stats.norm.cdf(1.5 / np.sqrt(2)), abs=0.03)


def test_intervals_cover():
    """At 95 %, of 50 audits of equal sets at most 7 intervals may leave 0.5 out (p = 0.01 if they hold)."""
    missed = 0
    for seed in range(50):
        found = measure_auc(drawn(seed, 20, 20, 3), seed, deals=4)
        assert found.low <= found.value <= found.high
        missed += not found.low <= 0.5 <= found.high
    assert missed <= 7


def test_permutation_p_is_uniform_where_nothing_differs_and_small_where_much_does():
    p = [permutation_p(drawn(seed, 8, 8, 2, each=2), seed, 29) for seed in range(40)]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.1) < 0.25
    assert permutation_p(drawn(0, 12, 12, 2, 3.0), permutations=99) == 0.01


def test_permutation_p_of_paired_prompts_swaps_inside_the_prompt():
    p = [permutation_p(paired(seed, 12), seed, 29) for seed in range(40)]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert permutation_p(paired(0, 20, 3.0), permutations=99) == 0.01
    samples = paired(0)
    labels_N = exchanged(samples, deal(samples, np.random.default_rng(0)), np.random.default_rng(0))
    assert all(labels_N[samples.group_N == group].sum() == 1 for group in range(20))
    assert (labels_N != samples.fake_N).any()


def test_exchanging_keeps_groups_whole_and_folds_balanced():
    samples = drawn(4, 9, 13, each=3)
    fold_N = deal(samples, np.random.default_rng(0))
    labels_N = exchanged(samples, fold_N, np.random.default_rng(1))
    assert (labels_N != samples.fake_N).any()
    for group in range(22):
        assert len(set(labels_N[samples.group_N == group])) == 1
    for fold in range(5):
        assert labels_N[fold_N == fold].sum() == samples.fake_N[fold_N == fold].sum()


def test_draws_resample_whole_groups_of_each_kind():
    samples = drawn(5, 4, 7, each=3)
    weights_BN = resampled(samples, 0, 50)
    assert (weights_BN.reshape(50, 11, 3) == weights_BN.reshape(50, 11, 3)[:, :, :1]).all()
    assert (weights_BN[:, :12].sum(axis=1) == 12).all()
    assert (weights_BN[:, 12:].sum(axis=1) == 21).all()
    fitted = cross_fit(samples)
    assert fitted.auc_draws(np.ones((1, 33)))[0] == pytest.approx(fitted.auc)


def test_perfect_separation_of_few_is_no_certainty():
    found = measure_auc(drawn(6, 6, 6, 1, 50.0))
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(0.025 ** (1 / 6))
    assert interval(1.0, np.ones(9), drawn(6, 60, 60), 0.95)[0] == pytest.approx(0.025 ** (1 / 60))


def test_equal_scores_count_half():
    assert plain_auc(np.zeros(5), np.array([True, False, False, True, False])) == 0.5
    flat = Samples(np.ones((12, 2)), np.arange(12) < 6, np.arange(12))
    assert measure_auc(flat, permutations=9).value == 0.5
    assert crossfit.permutation_p(flat, permutations=9) == 1
