"""Agreement on published tables, and the sway of sides."""

import numpy as np
import pytest

from benchmarks.arena.agreement import ORDERED, agreement, gwet_ac, krippendorff_alpha, side_bias

# Krippendorff (2011), "Computing Krippendorff's alpha-reliability", section D: four observers, twelve units, 1…5.
OBSERVERS = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""
TIES = [("p", "q", "tie", f"t{n}", "a") for n in range(3)]
NOMINAL = 1 - np.eye(5)
SQUARED = (np.arange(5)[:, None] - np.arange(5)) ** 2.0


def counts(table):
    columns = zip(*(line.split() for line in table.split("\n") if line), strict=True)
    return np.array([[column.count(str(answer)) for answer in range(1, 6)] for column in columns])


def test_krippendorffs_own_example():
    assert krippendorff_alpha(counts(OBSERVERS), NOMINAL) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(counts(OBSERVERS), SQUARED) == pytest.approx(0.849, abs=5e-4)


def test_gwets_table_with_two_raters():
    """Feinstein and Cicchetti's table of 118, 5, 2 and 0, on which kappa is −0.02; AC1 by Gwet's formula, by hand."""
    table = np.array([[2, 0]] * 118 + [[1, 1]] * 7)
    share = (2 * 118 + 7) / 250
    chance = 2 * share * (1 - share)
    assert gwet_ac(table, np.eye(2)) == pytest.approx((118 / 125 - chance) / (1 - chance), abs=1e-12)
    assert gwet_ac(table, np.eye(2)) == pytest.approx(0.941, abs=1e-3)


def test_full_agreement_is_one_and_all_alike_is_not_known():
    assert krippendorff_alpha(np.array([[3, 0, 0], [0, 0, 3], [0, 3, 0]]), ORDERED) == 1
    assert np.isnan(krippendorff_alpha(np.array([[0, 3, 0]] * 4), ORDERED))


def rows(rng, cases, raters, noise):
    """Raters who see the same truth, each with their own noise."""
    found = []
    for case in range(cases):
        truth = rng.normal()
        for rater in range(raters):
            left, right = ("p", "q") if rng.random() < 0.5 else ("q", "p")
            felt = truth + noise * rng.normal()
            choice = "tie" if abs(felt) < 0.2 else "left" if (felt > 0) == (left == "p") else "right"
            found.append((left, right, choice, f"c{case}", f"r{rater}"))
    return found


def test_raters_at_random_agree_as_by_chance_and_careful_ones_do_not(counted):
    rng = np.random.default_rng(0)
    random = agreement(counted(rows(rng, 80, 3, 50.0)), 0.95, rng)
    careful = agreement(counted(rows(rng, 80, 3, 0.2)), 0.95, rng)
    assert random.alpha.low < 0 < random.alpha.high
    assert careful.alpha.low > 0.6
    assert careful.gwet.low > 0.6
    assert (careful.items, careful.raters) == (80, 3)
    assert careful.same > random.same


def test_agreement_does_not_hang_on_which_generator_is_named_first(counted):
    """All raters prefer p everywhere: full agreement, though plain alpha would not know any chance to compare with."""
    votes = [("p", "q", "left", f"c{case}", rater) for case in range(6) for rater in "ab"]
    found = agreement(counted(votes), 0.95, np.random.default_rng(0))
    assert found.alpha.value == 1


def test_raters_who_saw_different_clips_cannot_agree(counted):
    votes = [("p", "q", "left", "c1", "a"), ("p", "q", "left", "c2", "b")]
    found = agreement(counted(votes), 0.95, np.random.default_rng(0))
    assert found.alpha.value is None
    assert "no two raters" in found.reason


def test_ties_only_are_said_to_tell_nothing(counted):
    votes = [("p", "q", "tie", "c1", rater) for rater in "ab"]
    found = agreement(counted(votes), 0.95, np.random.default_rng(0))
    assert found.alpha.value is None
    assert "all answers are the same" in found.reason


def test_a_rater_who_always_presses_left_is_seen(counted):
    rng = np.random.default_rng(0)
    always = [("p", "q", "left", f"c{n}", "a") if n % 2 else ("q", "p", "left", f"c{n}", "a") for n in range(20)]
    swayed = side_bias(counted(always), 0.95, rng)
    sides = [("p", "q", "left") if n % 2 else ("q", "p", "right") for n in range(57)]
    fair = side_bias(counted([*((*side, f"c{n}", "a") for n, side in enumerate(sides)), *TIES]), 0.95, rng)
    assert swayed.left.value == 1
    assert swayed.left.low > 0.5
    assert swayed.p < 0.001
    assert fair.left.low < 0 < fair.left.high
    assert (fair.lefts, fair.ties, fair.rights) == (28, 3, 29)
    assert fair.p > 0.5
