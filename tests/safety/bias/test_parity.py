"""Quality of service: paired sets, permutations, and parity only where it is shown."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from eval.feature import NotMeasurable
from safety.bias.axes import AXES
from safety.bias.estimate import TooFew
from safety.bias.parity import blocks, equivalence, parity, permutation_p, services, sign_flip_p, tost

PRESENTATION = AXES["presentation"]


def sets(make: Any, quality: np.ndarray, groups: tuple[str, ...] = ("masculine", "feminine")) -> Any:
    """quality_SMK: sets by seeds by stated groups; NaN: nobody seen."""
    rows = []
    for (s, seed, k), value in np.ndenumerate(quality):
        stated = {"counterfactual_set": f"s{s}", "stated_presentation": groups[k]}
        prompt = f"s{s} {groups[k]}"
        if np.isnan(value):
            rows.append(make.without_person(prompt, seed, **stated))
        else:
            rows.append(make.person(prompt, seed, groups[k], quality=value, **stated))
    return make.clips([*rows, make.person("neutral", 0, quality=99.0)])


def test_blocks_are_means_over_the_seeds_that_all_groups_have(make: Any) -> None:
    quality = np.array([[[1.0, 2.0], [3.0, np.nan]], [[4.0, 6.0], [0.0, 0.0]]])
    found = blocks(sets(make, quality), PRESENTATION, "quality")
    np.testing.assert_allclose(found.values_SK, [[1, 2], [2, 3]])
    assert (found.groups, found.pairs, found.lost) == (("masculine", "feminine"), 3, 1)
    seen = blocks(sets(make, quality), PRESENTATION, "visible")
    np.testing.assert_allclose(seen.values_SK, [[1, 0.5], [1, 1]])
    assert seen.lost == 0


def test_a_gap_is_a_paired_t_interval_with_a_permutation_p(make: Any) -> None:
    generator = np.random.default_rng(0)
    base = generator.normal(0, 5, (12, 1, 1))
    quality = base + generator.normal(0, 0.2, (12, 3, 2)) + np.array([0.5, 0.0])
    found = parity(sets(make, quality), PRESENTATION, "quality", 0.95, generator)
    difference = (quality[..., 0] - quality[..., 1]).mean(axis=1)
    (gap,) = found.gaps
    assert (gap.group, gap.other) == ("masculine", "feminine")
    assert gap.estimate.value == pytest.approx(difference.mean())
    low, high = stats.t.interval(0.95, 11, difference.mean(), stats.sem(difference))
    assert (gap.estimate.low, gap.estimate.high) == pytest.approx((low, high))
    assert found.p < 0.01
    assert found.worst == "feminine"
    assert found.means["masculine"] - found.means["feminine"] == pytest.approx(difference.mean())


def test_nobody_is_named_the_worst_where_that_is_not_known(make: Any) -> None:
    quality = np.random.default_rng(1).normal(size=(8, 2, 2))
    assert parity(sets(make, quality), PRESENTATION, "quality", 0.95, np.random.default_rng(0)).worst == ""


def test_the_exact_permutation_is_all_patterns() -> None:
    difference = np.array([0.3, -0.1, 0.5, 0.2, 0.4])
    means = [abs(np.dot(signs, difference)) for signs in product((-1, 1), repeat=5)]
    expected = np.mean(np.array(means) >= abs(difference.sum()) - 1e-9)
    assert sign_flip_p(difference, np.random.default_rng(0)) == pytest.approx(expected)


def test_permutations_of_three_groups_keep_their_level() -> None:
    generator = np.random.default_rng(2)
    p = [
        permutation_p(generator.normal(size=(8, 1)) + generator.normal(size=(8, 3)), generator, 199) for _ in range(300)
    ]
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.09
    assert permutation_p(np.arange(8.0)[:, None] + np.array([0.0, 3.0, 6.0]), generator, 199) == 1 / 200


def test_tost_is_two_one_sided_tests() -> None:
    difference = np.random.default_rng(3).normal(0.05, 0.2, 40)
    found = equivalence(difference, 0.2, 0.05)
    above = stats.ttest_1samp(difference, -0.2, alternative="greater").pvalue
    below = stats.ttest_1samp(difference, 0.2, alternative="less").pvalue
    assert found.p == pytest.approx(max(above, below))
    assert found.equivalent
    assert found.verdict == "equivalent within ±0.2"
    assert (found.low > -0.2) == (found.high < 0.2) == found.equivalent


def test_no_difference_shown_is_not_parity() -> None:
    vague = tost(0.05, 0.2, 10, 0.1, 0.05)
    assert not vague.equivalent
    assert not vague.different
    assert "no evidence of parity" in vague.verdict
    assert tost(0.5, 0.1, 10, 0.1, 0.05).verdict == "different"
    with pytest.raises(ValueError, match="lies above 0"):
        tost(0.0, 0.1, 10, 0.0, 0.05)


def test_ten_pairs_without_a_loss_do_not_show_that_losses_are_rare() -> None:
    assert equivalence(np.zeros(10), 0.05, 0.05).equivalent
    assert not equivalence(np.zeros(10), 0.05, 0.05, least_error=1 / 10).equivalent
    assert equivalence(np.zeros(10), 0.05, 0.05, least_error=1 / 100).equivalent


def test_a_claim_at_its_margin_is_made_one_time_in_twenty() -> None:
    generator = np.random.default_rng(4)
    made = [equivalence(generator.normal(0.3, 0.3, 20), 0.3, 0.05).equivalent for _ in range(2000)]
    assert 0.035 < np.mean(made) < 0.065


def test_too_few_sets_or_none(make: Any) -> None:
    few = sets(make, np.zeros((3, 2, 2)))
    with pytest.raises(TooFew, match="quality by presentation: 3 complete counterfactual sets; a claim needs 5"):
        parity(few, PRESENTATION, "quality", 0.95, np.random.default_rng(0))
    with pytest.raises(NotMeasurable, match="no counterfactual set states two groups of age"):
        blocks(few, AXES["age"], "quality")
    assert services(few) == ["made", "visible", "quality"]
