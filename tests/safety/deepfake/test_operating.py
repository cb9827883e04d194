"""Figures at a threshold, against slow calculations from their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from eval.sets.crossfit import Samples, plain_auc
from safety.deepfake.ladder import _weighted_auc
from safety.deepfake.operating import brier, calibration_error, eer, operating, roc, tpr_at


@pytest.fixture
def scores() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    fake_N = np.arange(300) < 120
    return np.clip(rng.normal(np.where(fake_N, 0.6, 0.4), 0.15), 0, 1).round(3), fake_N


def test_roc_counts_what_lies_at_or_above_each_threshold(scores):
    score_N, fake_N = scores
    for false_alarms, found, threshold in zip(*roc(score_N, fake_N), strict=True):
        assert found == pytest.approx((score_N[fake_N] >= threshold).mean())
        assert false_alarms == pytest.approx((score_N[~fake_N] >= threshold).mean())


def test_tpr_is_the_best_threshold_that_allows_no_more(scores):
    score_N, fake_N = scores
    slow = max((score_N[fake_N] >= t).mean() for t in [*score_N, 2.0] if (score_N[~fake_N] >= t).mean() <= 0.01)
    assert tpr_at(score_N, fake_N, 0.01) == pytest.approx(slow)


def test_equal_error_rate_is_where_misses_meet_alarms(scores):
    score_N, fake_N = scores
    rate, threshold = eer(score_N, fake_N)
    misses, alarms = (score_N[fake_N] < threshold).mean(), (score_N[~fake_N] >= threshold).mean()
    assert rate == pytest.approx((misses + alarms) / 2, abs=0.02)
    assert eer(np.array([0.9, 0.8, 0.2, 0.1]), np.array([True, True, False, False]))[0] == 0
    assert eer(np.array([0.1, 0.2, 0.8, 0.9]), np.array([True, True, False, False]))[0] == 1


def test_brier_and_calibration_weigh_the_classes_alike():
    fake_N = np.array([True] + [False] * 9)
    assert brier(np.full(10, 0.5), fake_N) == pytest.approx(0.25)
    assert calibration_error(np.full(10, 0.5), fake_N) == pytest.approx(0, abs=1e-12)
    assert brier(fake_N.astype(float), fake_N) == pytest.approx(0)
    assert calibration_error(np.full(10, 0.9), fake_N) == pytest.approx(0.4)


def test_intervals_hold_the_value_and_few_reals_are_undecidable(scores):
    score_N, fake_N = scores
    found = operating(Samples(score_N[:, None], fake_N, np.arange(300)), score_N, 0, 0.95)
    for figure in (found.eer, found.brier, found.ece, found.tpr[1e-2]):
        assert figure.low <= figure.value <= figure.high
        assert figure.low < figure.high
    assert found.tpr[1e-3].value is None
    assert found.tpr[1e-3].needed == 1000
    # The same scores in 40 groups of reals: 40 pieces of evidence, and 1 in 100 cannot be told.
    clustered = operating(Samples(score_N[:, None], fake_N, np.arange(300) // 5), score_N, 0, 0.95)
    assert clustered.tpr[1e-2].value is None


def test_weighted_auc_is_the_plain_one_at_weight_one(scores):
    score_N, fake_N = scores
    assert _weighted_auc(score_N, fake_N, np.ones(300)) == pytest.approx(plain_auc(score_N, fake_N))
    twice = np.where(np.arange(300) % 3 == 0, 2.0, 1.0)
    repeated = np.repeat(np.arange(300), twice.astype(int))
    assert _weighted_auc(score_N, fake_N, twice) == pytest.approx(plain_auc(score_N[repeated], fake_N[repeated]))
