"""What votes amount to without a mark: p-values that are uniform, whatever the clip and however votes are weighted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from moviegen.latent_mark.reliability import vote_weight
from moviegen.latent_mark.shading import placed_signs, places
from moviegen.latent_mark.votes import corrected, count_votes, log_p, weighted

KEYS = [n.to_bytes(12, "big") for n in range(600)]


def lopsided_clip() -> np.ndarray:
    """Nothing like noise: one sign almost everywhere, a few values far above the rest, one dead channel."""
    rng = np.random.default_rng(3)
    clip_CJHW = np.abs(rng.standard_t(3, (8, 2, 8, 8))) + 0.5
    clip_CJHW[3] = 0
    return clip_CJHW


def test_p_values_are_uniform_over_nonces_for_any_clip() -> None:
    votes_CJHW = weighted(lopsided_clip(), np.linspace(0.1, 2, 8))
    votes = count_votes(votes_CJHW, placed_signs(9, KEYS, 2, 8 * 64, 16))
    p = np.exp(log_p(votes.sums_NJTK[:, [0, 1], [0, 1]].sum(axis=1), votes.squares_JTK[[0, 1], [0, 1]].sum(axis=0)))
    assert kstest(p, "uniform").pvalue > 0.001
    assert abs((p < 0.05).mean() - 0.05) < 0.03


def test_bits_are_fair_and_independent_without_a_mark() -> None:
    votes = count_votes(weighted(lopsided_clip(), np.ones(8)), placed_signs(9, KEYS, 2, 8 * 64, 16))
    bits_NK = votes.sums_NJTK[:, 0, 0] > 0
    assert np.abs(bits_NK.mean(axis=0) - 0.5).max() < 0.09
    together = np.corrcoef(bits_NK.T) - np.eye(16)
    assert np.abs(together).max() < 0.18


def test_the_clip_votes_for_its_own_message() -> None:
    signs_NTKR = placed_signs(9, KEYS[:2], 2, 8 * 64, 16)
    noise_TP = np.zeros((2, 8 * 64))
    message_K = np.arange(16) % 2
    noise_TP[np.arange(2)[:, None, None], places(2, 8 * 64, 16)] = signs_NTKR[0] * (2 * message_K - 1)[:, None]
    noise_CJHW = noise_TP.reshape(2, 8, 8, 8).transpose(1, 0, 2, 3)
    votes = count_votes(weighted(noise_CJHW, np.ones(8)), signs_NTKR)
    assert np.array_equal(votes.sums_NJTK[0, 1, 1] > 0, message_K == 1)
    assert log_p(votes.sums_NJTK[0, 1, 1], votes.squares_JTK[1, 1]) < -100
    assert log_p(votes.sums_NJTK[1, 1, 1], votes.squares_JTK[1, 1]) > -15


@pytest.mark.parametrize("freedom", [2, 16, 32])
@pytest.mark.parametrize("value", [0.5, 20.0, 80.0, 900.0])
def test_the_tail_is_scipy_s(freedom: int, value: float) -> None:
    sums_K = np.full(freedom, np.sqrt(value / freedom))
    assert log_p(sums_K, np.ones(freedom)) == pytest.approx(chi2.logsf(value, freedom), rel=1e-9, abs=1e-9)


def test_an_odd_number_of_bits_errs_to_the_safe_side_and_no_votes_are_no_evidence() -> None:
    assert log_p(np.full(31, 1.5), np.ones(31)) > chi2.logsf(31 * 2.25, 31)
    assert log_p(np.zeros(8), np.zeros(8)) == pytest.approx(0, abs=1e-12)


def test_tries_and_shares_are_paid_for() -> None:
    assert corrected(np.log(1e-6), 100, 0.5) == pytest.approx(np.log(2e-4))
    assert corrected(np.log(0.1), 100, 0.5) == 0


def test_weights_rise_with_correlation_and_channels_without_any_do_not_vote() -> None:
    weight_C = vote_weight(np.array([-0.1, 0.0, 0.3, 0.6, 1.0]))
    assert weight_C[:2].tolist() == [0, 0]
    assert (np.diff(weight_C[1:]) > 0).all()
    assert weight_C[3] == pytest.approx(0.75)
