"""The audit's statistics: known answers, references, coverage, and p-values that are uniform under the null."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from safety.watermark.statistics import (
    Interval,
    adjusted,
    alarm_bound,
    capacity,
    clopper_pearson,
    clustered_accuracy,
    clustered_mean,
    clustered_share,
    exact_p,
    minimal_matches,
    permutation_p,
    sign_flip_p,
    spread_p,
    trials_needed,
    uniformity,
)


@pytest.mark.parametrize(
    ("bits", "needed"),
    [(16, (14, 15, None)), (32, (24, 26, 30)), (64, (42, 45, 51)), (96, (60, 64, 72)), (256, (148, 154, 167))],
)
def test_fewest_matching_bits_are_the_published_table(bits: int, needed: tuple[int | None, ...]) -> None:
    assert tuple(minimal_matches(bits, rate) for rate in (1e-2, 1e-3, 1e-6)) == needed


def test_alignments_that_were_tried_cost_bits() -> None:
    assert minimal_matches(32, 1e-6, tries=500) == 32
    assert minimal_matches(32, 1e-6, tries=5_000) is None


@pytest.mark.parametrize(("hits", "trials"), [(0, 5), (3, 7), (7, 7), (12, 40)])
def test_clopper_pearson_is_scipys(hits: int, trials: int) -> None:
    reference = stats.binomtest(hits, trials).proportion_ci(0.95, "exact")
    assert clopper_pearson(hits, trials, 0.95) == pytest.approx((reference.low, reference.high))


def test_a_share_of_independent_trials_has_the_exact_interval() -> None:
    share = clustered_share([1, 1, 0, 1], list("abcd"), 0.95)
    assert (share.low, share.high) == pytest.approx(clopper_pearson(3, 4, 0.95))


def test_trials_of_one_file_are_no_independent_evidence() -> None:
    alike = clustered_share(np.repeat([1, 1, 0, 1, 0, 1], 10), np.repeat(np.arange(6), 10), 0.95)
    apart = clustered_share(np.repeat([1, 1, 0, 1, 0, 1], 10), np.arange(60), 0.95)
    assert alike.high - alike.low > 2 * (apart.high - apart.low)
    certain = clustered_share(np.ones(60), np.repeat(np.arange(6), 10), 0.95)
    assert certain.low == pytest.approx(clopper_pearson(6, 6, 0.95)[0])


def test_clustered_intervals_cover_the_truth() -> None:
    """Detection by file varies (beta), ten attacks on each of twelve files; 95 % intervals."""
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        chance_C = generator.beta(2, 2, 12)
        hits = generator.random((12, 10)) < chance_C[:, None]
        share = clustered_share(hits.ravel(), np.repeat(np.arange(12), 10), 0.95)
        covered += share.low <= 0.5 <= share.high
    assert covered / 400 >= 0.93
    naive = stats.binomtest(60, 120).proportion_ci()
    assert naive.high - naive.low < share.high - share.low


def test_mean_over_clusters_is_students_where_each_has_one_value() -> None:
    values = np.array([0.8, 0.9, 1.0, 0.7])
    found = clustered_mean(values, list("abcd"), 0.95)
    low, high = stats.t.interval(0.95, 3, values.mean(), values.std(ddof=1) / 2)
    assert (found.value, found.low, found.high) == pytest.approx((0.85, low, high))
    assert clustered_mean([0.5, np.nan], ["a", "b"], 0.95) == Interval(0.5, None, None)
    assert clustered_mean([], [], 0.95) == Interval(None, None, None)


def test_perfect_accuracy_on_few_files_is_no_certainty() -> None:
    found = clustered_accuracy(np.ones(30), np.repeat(np.arange(3), 10), 0.95)
    assert found.value == 1.0
    assert found.low == pytest.approx(0.5 + 0.5 * 0.025 ** (1 / 3))


def test_capacity_of_a_coin_is_nothing() -> None:
    assert capacity(Interval(1.0, 0.5, 1.0), 32) == Interval(32.0, 0.0, 32.0)
    assert capacity(Interval(0.89, None, None), 100).value == pytest.approx(50.0, abs=0.2)
    assert capacity(Interval(0.2, None, None), 100).value == 0.0


def test_p_values_of_unmarked_clips_are_uniform_whatever_the_decoder() -> None:
    """A decoder that says the same bits always, held against fresh random messages."""
    generator = np.random.default_rng(1)
    for bits in (16, 32, 96):
        decoded = generator.integers(0, 2, bits)
        agreed = (generator.integers(0, 2, (3_000, bits)) == decoded).sum(axis=1)
        found = uniformity(spread_p(agreed, bits, generator))
        assert found.p is not None
        assert found.p > 0.01
        # Unspread they are valid, but discrete: never below their level too often.
        assert (exact_p(agreed, bits) <= 0.05).mean() < 0.065


def test_a_mark_where_there_should_be_none_is_noticed() -> None:
    generator = np.random.default_rng(2)
    agreed = generator.binomial(32, 0.6, 300)
    assert uniformity(spread_p(agreed, 32, generator)).p < 1e-6


def test_the_rule_of_three() -> None:
    assert alarm_bound(0, 3_000) == pytest.approx(3 / 3_000, rel=0.01)
    assert trials_needed(1e-3) == pytest.approx(2_995, abs=1)
    assert alarm_bound(0, trials_needed(1e-3)) <= 1e-3
    assert alarm_bound(5, 5) == 1.0
    assert alarm_bound(0, 0) is None


def test_sign_flips_are_exact_for_few_clusters() -> None:
    assert sign_flip_p(np.array([1.0, 2.0, 3.0]), 0) == pytest.approx(2 / 8)
    assert sign_flip_p(np.array([]), 0) is None
    many = np.random.default_rng(0).normal(0.0, 1.0, 40)
    reference = stats.permutation_test(
        (many,), np.mean, permutation_type="samples", n_resamples=5_000, rng=np.random.default_rng(1)
    )
    assert sign_flip_p(many, 0) == pytest.approx(reference.pvalue, abs=0.03)


def test_groups_that_differ_are_told_apart() -> None:
    inside = np.arange(20) < 10
    assert permutation_p(np.where(inside, 0.9, 0.5) + np.linspace(0, 0.01, 20), inside, 0, draws=999) < 0.01
    assert permutation_p(np.ones(4), np.zeros(4, bool), 0) is None


def test_untested_questions_stay_untested() -> None:
    assert adjusted([0.01, None, 0.04]) == [pytest.approx(0.02), None, pytest.approx(0.04)]
