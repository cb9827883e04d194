"""Influences, intervals and distances: known answers, and coverage where clips of a prompt are alike."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eval.sets.estimate import wilson_interval
from safety.bias.clustered import (
    Quantities,
    design_effect,
    share_intervals,
    share_p,
    squared_distance,
    t_quantile,
    two_sided_p,
    upper_p,
)

NOTHING = np.zeros((0, 2))


def shares_of(counts_GK: np.ndarray) -> tuple[Quantities, float, float]:
    """Pooled shares of counts by prompt, with their influences; clips; design effect."""
    n = float(counts_GK.sum())
    share_K = counts_GK.sum(axis=0) / n
    influence_GK = (counts_GK - counts_GK.sum(axis=1, keepdims=True) * share_K) / n
    outside = np.zeros((0, counts_GK.shape[1]))
    return Quantities(share_K, influence_GK, outside, len(counts_GK)), n, design_effect(counts_GK)


def alike(generator: np.random.Generator, prompts: int, clips: int, share_K: np.ndarray, icc: float) -> np.ndarray:
    """Counts by prompt whose shares scatter about `share_K` (Dirichlet)."""
    if icc == 0:
        return generator.multinomial(clips, share_K, prompts).astype(float)
    own = generator.gamma(share_K * (1 / icc - 1), size=(prompts, len(share_K))) + 1e-300
    return np.stack([generator.multinomial(clips, row / row.sum()) for row in own]).astype(float)


def test_student_quantiles_and_p_are_scipys() -> None:
    assert t_quantile(0.95, 9) == pytest.approx(stats.t.ppf(0.975, 9))
    assert t_quantile(0.95, 9, tests=5) == pytest.approx(stats.t.ppf(0.995, 9))
    assert two_sided_p(np.array([2.3]), 9)[0] == pytest.approx(2 * stats.t.sf(2.3, 9))
    assert upper_p(1.7, 5) == pytest.approx(stats.t.sf(1.7, 5))


def test_a_share_of_prompts_of_one_size_has_the_error_of_its_prompts_mean() -> None:
    counts_GK = alike(np.random.default_rng(0), 12, 8, np.array([0.3, 0.7]), 0.2)
    shares, _, _ = shares_of(counts_GK)
    own_G = counts_GK[:, 0] / 8
    assert shares.error[0] == pytest.approx(own_G.std(ddof=1) / np.sqrt(12))


def test_ratios_and_sums_follow_by_the_delta_method() -> None:
    """Against the jackknife, which knows nothing of influences."""
    generator = np.random.default_rng(1)
    above, below = generator.gamma(5.0, size=40), generator.gamma(9.0, size=40)
    totals = Quantities(np.array([above.sum(), below.sum()]), np.stack([above, below], axis=1), NOTHING, 40)
    ratio = totals.linear(np.array([[1.0], [0.0]])).over(totals.linear(np.array([[0.0], [1.0]])))
    without = (above.sum() - above) / (below.sum() - below)
    jackknife = np.sqrt(39 / 40 * ((without - without.mean()) ** 2).sum())
    assert ratio.value_K[0] == pytest.approx(above.sum() / below.sum())
    assert ratio.error[0] == pytest.approx(jackknife, rel=0.03)


def test_errors_from_outside_add() -> None:
    inside = np.array([[0.03], [-0.03]])
    alone = Quantities(np.array([0.5]), inside, np.zeros((0, 1)), 2)
    both = Quantities(np.array([0.5]), inside, np.array([[0.04], [0.03]]), 2)
    assert both.error[0] ** 2 == pytest.approx(alone.error[0] ** 2 + 0.05**2)


def test_the_design_effect_of_prompts_that_show_one_group_is_their_size() -> None:
    assert design_effect(np.array([[6.0, 0.0], [0.0, 6.0]] * 20)) == pytest.approx(6 * 40 / 39, rel=1e-9)
    assert design_effect(np.array([[3.0, 3.0]] * 20)) == 1.0
    assert design_effect(np.array([[6.0, 0.0]] * 20)) == 6.0


def test_with_many_prompts_of_one_clip_the_interval_is_wilsons() -> None:
    counts_GK = np.zeros((400, 2))
    counts_GK[:20, 0] = counts_GK[20:, 1] = 1
    shares, n, effect = shares_of(counts_GK)
    low_K, high_K = share_intervals(shares, n, effect, 0.95)
    low, high = wilson_interval(0.05, 400)
    assert high_K[0] == pytest.approx(high, abs=1e-3)
    assert low_K[0] <= low + 1e-4
    never = np.array([[0.0, 1.0]] * 400)
    shares, n, effect = shares_of(never)
    low_K, high_K = share_intervals(shares, n, effect, 0.95)
    assert low_K[0] == 0
    assert high_K[0] == pytest.approx(wilson_interval(0.0, 400)[1], rel=0.03)


def test_p_below_five_percent_says_that_the_interval_leaves_the_target_out() -> None:
    generator = np.random.default_rng(2)
    for _ in range(60):
        shares, n, effect = shares_of(alike(generator, 15, 6, np.array([0.4, 0.6]), 0.1))
        low_K, high_K = share_intervals(shares, n, effect, 0.95)
        p_K = share_p(shares, np.array([0.5, 0.5]), n, effect)
        assert (p_K[0] < 0.05) == (not low_K[0] <= 0.5 <= high_K[0])


def coverage(prompts: int, clips: int, share: list[float], icc: float, repeats: int) -> tuple[float, float]:
    """How often all shares lie in their intervals together; and how often pooled Wilson intervals would have it."""
    generator, share_K = np.random.default_rng(3), np.array(share)
    tests = len(share) if len(share) > 2 else 1
    hits, pooled = 0, 0
    for _ in range(repeats):
        counts_GK = alike(generator, prompts, clips, share_K, icc)
        shares, n, effect = shares_of(counts_GK)
        low_K, high_K = share_intervals(shares, n, effect, 0.95, tests)
        hits += bool(((low_K <= share_K) & (share_K <= high_K)).all())
        low, high = wilson_interval(float(shares.value_K[0]), n)
        pooled += low <= share_K[0] <= high
    return hits / repeats, pooled / repeats


def test_intervals_cover_where_clips_of_a_prompt_are_alike_and_pooled_ones_do_not() -> None:
    ours, pooled = coverage(40, 10, [0.5, 0.5], 0.3, 1500)
    assert ours > 0.93
    assert pooled < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("icc", [0.0, 0.1, 0.3, 0.6])
@pytest.mark.parametrize("share", [[0.5, 0.5], [0.1, 0.9], [0.7, 0.25, 0.05], [0.1] * 10])
@pytest.mark.parametrize(("prompts", "clips"), [(5, 4), (10, 10), (40, 10)])
def test_intervals_cover(prompts: int, clips: int, share: list[float], icc: float) -> None:
    assert coverage(prompts, clips, share, icc, 1000)[0] >= 0.9 - 2 * np.sqrt(0.09 / 1000)


def squares(share: list[float], icc: float, repeats: int) -> list[tuple[float, float, float, float]]:
    generator, share_K, even_K = np.random.default_rng(4), np.array(share), np.full(len(share), 1 / len(share))
    found = []
    for _ in range(repeats):
        shares, n, effect = shares_of(alike(generator, 30, 6, share_K, icc))
        least = float((even_K * (1 - even_K)).sum()) * effect / n
        one = squared_distance(shares, even_K, np.ones(len(share)), least, 0.95)
        found.append((one.value, one.low, one.high, one.p))
    return found


@pytest.mark.parametrize("icc", [0.0, 0.2])
@pytest.mark.parametrize("share", [[1 / 3] * 3, [0.5, 0.3, 0.2], [0.8, 0.2]])
def test_squared_distances_are_unbiased_and_their_intervals_cover(share: list[float], icc: float) -> None:
    value, low, high, p = np.array(squares(share, icc, 500)).T
    truth = float(((np.array(share) - 1 / len(share)) ** 2).sum())
    assert abs(value.mean() - truth) < 4 * value.std() / np.sqrt(500)
    assert ((low <= truth) & (truth <= high)).mean() > 0.92
    if truth < 1e-9:
        assert (p < 0.05).mean() < 0.075
        assert 0.25 < (p < 0.5).mean() < 0.6


def test_a_squared_distance_of_shares_that_all_agree_is_no_accident() -> None:
    shares, n, effect = shares_of(np.array([[4.0, 0.0]] * 12))
    one = squared_distance(shares, np.array([0.5, 0.5]), np.ones(2), 0.5 * effect / n, 0.95)
    assert one.p < 0.05
    assert one.low > 0.05
