"""Jackknife, Wilson's interval, and how an estimate reads."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eval.sets.estimate import SetEstimate, jackknife, wilson_interval


def test_the_jackknife_of_a_mean_is_the_textbook_error() -> None:
    values = np.random.default_rng(0).normal(size=12)
    without = np.array([np.delete(values, n).mean() for n in range(12)])
    found = jackknife(values.mean(), without, np.full(12, 1 / 12))
    assert found.corrected == pytest.approx(values.mean(), abs=1e-12)
    assert found.error == pytest.approx(values.std(ddof=1) / np.sqrt(12), abs=1e-12)
    low, high = found.interval(values.mean())
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 11, values.mean(), found.error))


def test_it_removes_a_bias_of_one_over_n_exactly() -> None:
    """Variance divided by n is biased by 1/n; what is left is the unbiased one."""
    values = np.random.default_rng(1).normal(size=9)
    without = np.array([np.delete(values, n).var() for n in range(9)])
    assert jackknife(values.var(), without, np.full(9, 1 / 9)).corrected == pytest.approx(values.var(ddof=1), abs=1e-12)


def test_groups_of_unequal_size_leave_a_mean_as_it_is() -> None:
    values, group = np.random.default_rng(2).normal(size=60), np.repeat(np.arange(6), [2, 4, 8, 16, 20, 10])
    without = np.array([values[group != g].mean() for g in range(6)])
    found = jackknife(values.mean(), without, np.bincount(group) / 60)
    assert found.corrected == pytest.approx(values.mean(), abs=1e-12)
    assert found.error == pytest.approx(1 / np.sqrt(60), rel=0.6)


def test_wilson_known_values_and_ends() -> None:
    assert wilson_interval(0.8, 10) == pytest.approx((0.49016, 0.94331), abs=1e-5)
    low, high = wilson_interval(1.0, 20)
    assert high == 1.0
    assert 0.8 < low < 0.9
    assert all(wilson_interval(0.0, samples)[0] == 0.0 for samples in range(1, 200))
    assert all(wilson_interval(1.0, samples)[1] == 1.0 for samples in range(1, 200))


def test_what_must_not_be_ranked_says_so_before_any_number() -> None:
    fine = SetEstimate(25.4, 24.1, 26.7, 2048)
    assert (str(fine), fine.ranks) == ("25.4 [24.1, 26.7]", True)
    few = SetEstimate(800.4, None, None, 8, "8 samples, and 400 dimensions need 800")
    assert (str(few), few.ranks) == ("not ranked: 8 samples, and 400 dimensions need 800 (value 800.4)", False)
    assert str(SetEstimate(float("nan"), None, None, 8, "8 samples")) == "not ranked: 8 samples"
