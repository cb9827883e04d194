"""Net win rates and Bradley–Terry strengths: known answers, coverage, and what is said where there is no answer."""

import numpy as np
import pytest
from scipy.special import expit, logit

from benchmarks.arena.strength import case_variance, fit, net_interval, net_wins, strengths


def wins(a, b, won, lost, tied=0):
    """Votes for a and against it, each on a case of its own, sides in turn."""
    choices = ["a"] * won + ["b"] * lost + ["tie"] * tied
    rows = []
    for n, choice in enumerate(choices):
        left, right = (a, b) if n % 2 else (b, a)
        said = "tie" if choice == "tie" else "left" if (choice == "a") == (left == a) else "right"
        rows.append((left, right, said, f"{a}{b}{n}", "ann"))
    return rows


def test_two_generators_have_the_log_odds_of_their_wins(counted):
    found = {row.generator: row for row in strengths(counted(wins("p", "q", 30, 10)), 0.95)}
    assert found["p"].strength.value == pytest.approx(np.log(3) / 2, abs=1e-8)
    assert found["q"].strength.value == pytest.approx(-np.log(3) / 2, abs=1e-8)
    # half the log-odds, whose standard error with n cases is 1 / (2 sqrt(n p q)); the jackknife is a little wider
    reach = (found["p"].strength.high - found["p"].strength.low) / 2
    assert reach == pytest.approx(2.02 / (2 * np.sqrt(40 * 0.75 * 0.25)), rel=0.06)


def test_a_tie_is_half_a_win(counted):
    ties = strengths(counted(wins("p", "q", 20, 0, 20)), 0.95)
    assert ties[0].strength.value == pytest.approx(np.log(3) / 2, abs=1e-8)


def test_three_generators_get_back_the_strengths_that_their_expected_scores_come_from():
    theta = np.array([0.9, 0.1, -1.0])
    a, b = np.array([0, 0, 1]), np.array([1, 2, 2])
    assert fit(a, b, expit(theta[a] - theta[b]), 3) == pytest.approx(theta, abs=1e-9)


def test_agresti_2013_baseball():
    """Agresti (2013), Categorical Data Analysis, table 11.10: seven teams of 1987, wins of row over column."""
    teams = ["Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore"]
    won = [[0, 7, 9, 7, 7, 9, 11], [6, 0, 7, 5, 11, 9, 9], [4, 6, 0, 7, 7, 8, 12], [6, 8, 6, 0, 6, 7, 10],
           [6, 2, 6, 7, 0, 7, 12], [4, 4, 5, 6, 6, 0, 6], [2, 4, 1, 3, 1, 7, 0]]  # fmt: skip
    pairs = [(i, j, s) for i in range(7) for j in range(7) for s in [1.0] * won[i][j]]
    theta = fit(*(np.array(column) for column in zip(*pairs, strict=True)), 7)
    published = np.array([1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0.0])  # Baltimore is 0
    assert theta - theta[-1] == pytest.approx(published, abs=0.006), teams


def draw(rng, theta, cases, raters):
    """Each case asks about two pairs; raters of one case give the same answer: as dependent as can be."""
    pairs = np.array([(i, j) for i in range(len(theta)) for j in range(i + 1, len(theta))])
    asked = pairs[rng.integers(0, len(pairs), cases * 2)]
    score = (rng.random(len(asked)) < expit(theta[asked[:, 0]] - theta[asked[:, 1]])).astype(float)
    case = np.repeat(np.arange(cases), 2)
    return (np.repeat(each, raters) for each in (asked[:, 0], asked[:, 1], score, case))


def test_intervals_cover_the_truth_though_raters_of_a_case_say_the_same():
    """95 % intervals over 150 simulations of 60 cases; intervals that took votes for independent would cover 74 %."""
    from scipy import stats

    rng, theta = np.random.default_rng(3), np.array([0.8, 0.2, -0.3, -0.7])
    hits, naive, number = 0, 0, 0
    for trial in range(150):
        a, b, score, case = draw(rng, theta, 60, 3)
        got = fit(a, b, score, 4)
        variance = case_variance(got, a, b, score, case)
        reach = stats.t.ppf(0.975, 40)
        hits += int((np.abs(got - theta) <= reach * np.sqrt(np.diag(variance))).sum())
        number += 4
        if trial < 40:
            alone = case_variance(got, a, b, score, np.arange(len(a)))
            naive += int((np.abs(got - theta) <= reach * np.sqrt(np.diag(alone))).sum())
    assert 0.92 <= hits / number <= 0.985
    assert naive / 160 < 0.87


def test_who_won_everything_has_no_finite_strength_and_the_others_do(counted):
    rows = [*wins("best", "p", 6, 0), *wins("best", "q", 6, 0), *wins("p", "q", 6, 3), *wins("p", "worst", 5, 0)]
    found = {row.generator: row for row in strengths(counted(rows), 0.95)}
    assert found["best"].outcome == "always preferred"
    assert found["worst"].outcome == "never preferred"
    assert found["best"].strength.value is found["worst"].strength.value is found["best"].rank is None
    assert "no upper end" in found["best"].reason
    assert found["p"].strength.value == pytest.approx(np.log(2) / 2, abs=1e-8)
    assert next(iter(found)) == "best"


def test_generators_without_a_chain_of_votes_are_not_compared(counted):
    rows = [*wins("p", "q", 6, 3), *wins("x", "y", 3, 3)]
    found = {row.generator: row.outcome for row in strengths(counted(rows), 0.95)}
    assert found == {"p": "fitted", "q": "fitted", "x": "not compared", "y": "not compared"}


def test_one_vote_is_too_few_for_anything_but_a_wide_net_win_rate(counted):
    found = counted(wins("p", "q", 1, 0))
    assert [row.outcome for row in strengths(found, 0.95)] == ["always preferred", "never preferred"]
    (pair,) = net_wins(found, 0.95, np.random.default_rng(0))
    assert pair.net.value == 1
    assert pair.net.low < 0


def test_all_on_one_case_has_a_value_and_no_interval(counted):
    rows = [("p", "q", "left", "c", "ann"), ("p", "q", "right", "c", "bob"), ("p", "q", "left", "c", "cy")]
    (first, second) = strengths(counted(rows), 0.95)
    assert first.strength.value == pytest.approx(logit(2 / 3) / 2)
    assert first.strength.low is first.rank is None
    assert first.outcome == second.outcome == "no interval"


def test_no_votes_no_strengths(counted):
    assert strengths(counted([]), 0.95) == ()
    assert net_wins(counted([]), 0.95, np.random.default_rng(0)) == ()


def test_ranks_are_places_that_the_votes_allow(counted):
    rows = [*wins("p", "q", 60, 4), *wins("q", "r", 30, 28), *wins("p", "r", 60, 4)]
    assert [row.rank for row in strengths(counted(rows), 0.95)] == [(1, 1), (2, 3), (2, 3)]


def test_the_side_and_the_order_of_names_change_nothing(counted):
    rows = wins("p", "q", 9, 4, 2)
    other = {"left": "right", "tie": "tie", "right": "left"}
    turned = [(right, left, other[choice], case, rater) for left, right, choice, case, rater in rows]
    one, two = (strengths(counted(each), 0.95) for each in (rows, turned))
    assert [row.strength for row in one] == [row.strength for row in two]


def test_net_win_rate_counts_the_majority_of_each_two_clips_with_ties_below(counted):
    rows = [
        *[("p", "q", choice, "c1", rater) for choice, rater in (("left", "a"), ("left", "b"), ("right", "c"))],  # p
        *[("q", "p", choice, "c2", rater) for choice, rater in (("left", "a"), ("tie", "b"), ("left", "c"))],  # q
        *[("p", "q", choice, "c3", rater) for choice, rater in (("left", "a"), ("right", "b"))],  # no majority
        ("p", "q", "tie", "c4", "a"),
        ("q", "p", "right", "c5", "a"),  # p
    ]  # fmt: skip
    (pair,) = net_wins(counted(rows), 0.95, np.random.default_rng(0))
    assert (pair.a, pair.b, pair.wins, pair.ties, pair.losses, pair.cases, pair.votes) == ("p", "q", 2, 2, 1, 5, 10)
    assert pair.net.value == pytest.approx((2 - 1) / 5)
    assert pair.net.low < 0 < pair.net.high
    assert pair.p == pytest.approx(1.0)


def test_seeds_of_a_case_are_one_case(counted):
    rows = [("p", "q", "left", "c1", "a", seed) for seed in range(9)] + [("p", "q", "right", "c2", "a", 0)]
    (pair,) = net_wins(counted(rows), 0.95, np.random.default_rng(0))
    assert (pair.net.value, pair.cases, pair.wins) == (0, 2, 9)


@pytest.mark.parametrize("shares", [(0.5, 0.0, 0.5), (0.8, 0.1, 0.1), (0.95, 0.05, 0.0), (0.1, 0.8, 0.1)], ids=str)
@pytest.mark.parametrize("cases", [4, 12, 40])
def test_net_win_intervals_cover_the_truth(shares, cases):
    rng, truth = np.random.default_rng(1), shares[0] - shares[2]
    found = [net_interval(rng.choice([1.0, 0.0, -1.0], cases, p=shares), 0.95) for _ in range(500)]
    assert np.mean([interval.low <= truth <= interval.high for interval in found]) >= 0.92


def test_all_cases_alike_do_not_make_a_certainty():
    assert net_interval(np.ones(5), 0.95).low < 0.5
    assert net_interval(np.zeros(5), 0.95).high > 0.2
    assert net_interval(np.full(3, np.nan), 0.95).value is None
