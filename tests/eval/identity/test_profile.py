"""Formulas of one person's cosines: known answers, and what unseen frames cost."""

from __future__ import annotations

import numpy as np
import pytest

from eval.feature import NotMeasurable
from eval.identity.profile import coverage, drift_per_s, expected, headline, mean_percentile, share_verified

HALF_SEEN_T = np.array([0.8, np.nan, 0.6, np.nan, 0.7, np.nan])


def test_headline_is_coverage_times_the_median_of_what_was_found() -> None:
    assert coverage(HALF_SEEN_T) == 0.5
    assert headline(HALF_SEEN_T) == pytest.approx(0.5 * 0.7)
    assert headline(np.full(4, 0.7)) == pytest.approx(0.7)
    assert headline(np.full(4, np.nan)) == 0
    assert headline(np.full(4, -0.3)) == 0


def test_unseen_frames_count_as_strangers_and_never_raise_a_number() -> None:
    assert expected(HALF_SEEN_T).tolist() == [0.8, 0, 0.6, 0, 0.7, 0]
    seen_T = np.full(16, 0.7)
    for missed in range(1, 17):
        fewer_T = seen_T.copy()
        fewer_T[:missed] = np.nan
        assert headline(fewer_T) < headline(seen_T)
        assert expected(fewer_T).mean() < expected(seen_T).mean()
        assert share_verified(fewer_T, 0.5) == pytest.approx(1 - missed / 16)
        seen_T = fewer_T


def test_drift_is_the_slope_downwards_whatever_is_missing() -> None:
    times_s_T = np.arange(16) / 8
    falling_T = 0.9 - 0.2 * times_s_T
    assert drift_per_s(falling_T, times_s_T) == pytest.approx(0.2)
    assert drift_per_s(falling_T[::-1], times_s_T) == 0
    gappy_T = np.where(np.arange(16) % 3 == 1, np.nan, falling_T)
    assert drift_per_s(gappy_T, times_s_T) == pytest.approx(0.2)
    one_bad_T = falling_T.copy()
    one_bad_T[3] = -0.5
    assert drift_per_s(one_bad_T, times_s_T) == pytest.approx(0.2, abs=0.02)


def test_drift_needs_three_faces() -> None:
    with pytest.raises(NotMeasurable, match="fewer than 3 frames"):
        drift_per_s(np.array([0.5, np.nan, 0.4]), np.arange(3) / 8)


def test_percentile_reads_the_impostors_distribution() -> None:
    cosines_Q, levels_Q = np.array([-0.2, 0.0, 0.2]), np.array([0.0, 0.5, 1.0])
    assert mean_percentile(np.array([0.0]), cosines_Q, levels_Q) == 0.5
    assert mean_percentile(np.array([0.1, 0.9, -0.9, np.nan]), cosines_Q, levels_Q) == pytest.approx((0.75 + 1) / 4)


def test_verification_counts_frames_at_the_threshold() -> None:
    assert share_verified(HALF_SEEN_T, 0.7) == pytest.approx(2 / 6)
    assert share_verified(np.array([np.nan]), -1.0) == 0
