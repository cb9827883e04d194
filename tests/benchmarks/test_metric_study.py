"""Spreads, correlations and bracket checks with known answers."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.cube import score_cube
from benchmarks.manifest import GeneratorFacts
from benchmarks.metric_study import bracket_check, correlations, spreads


@pytest.fixture
def cube_of(run_of):
    return lambda *arguments, **named: score_cube([run_of(*arguments, **named)])


def values(generators=2, metrics=2, cases=40, seed=0):
    return np.random.default_rng(seed).uniform(0, 1, (generators, metrics, cases))


def test_spreads_are_quantiles_over_cases(cube_of):
    made = values(metrics=1)
    found = spreads(cube_of(made), 0)
    assert [one.generator for one in found] == ["a", "b"]
    assert found[1].quantiles == pytest.approx(tuple(np.quantile(made[1, 0], (0.05, 0.25, 0.5, 0.75, 0.95))))


def test_correlation_is_spearmans_averaged_over_generators(cube_of, facts):
    made = values()
    made[:, 1] = made[:, 0] ** 3 + 0.05 * made[:, 1]
    (found,) = correlations(cube_of(made, (facts("x"), facts("y"))), 0)
    expected = np.mean([stats.spearmanr(*one).statistic for one in made])
    assert found.metric == "y"
    assert found.within.value == pytest.approx(expected)
    assert found.within.low < expected < found.within.high


def test_unrelated_metrics_have_an_interval_about_zero(cube_of, facts):
    (found,) = correlations(cube_of(values(cases=200, seed=4), (facts("x"), facts("y"))), 0)
    assert found.within.low < 0 < found.within.high


def test_gaps_are_left_out_pairwise_and_too_few_cases_say_nothing(cube_of, facts):
    made = values(generators=1)
    made[0, 1, 20:] = np.nan
    (found,) = correlations(cube_of(made, (facts("x"), facts("y"))), 0)
    assert found.within.value == pytest.approx(stats.spearmanr(made[0, 0, :20], made[0, 1, :20]).statistic, abs=0.06)
    made[0, 1, 5:] = np.nan
    assert correlations(cube_of(made, (facts("x"), facts("y")), run="r2"), 0) == []


BRACKETS = (GeneratorFacts(name="top", bracket="ceiling"), GeneratorFacts(name="low", bracket="floor"),
            GeneratorFacts(name="same", bracket="floor"), GeneratorFacts(name="other"))  # fmt: skip


def test_brackets_are_told_apart_or_not(cube_of, facts):
    made = 0.1 * values(generators=4, metrics=1)
    made[0] += 0.6
    made[2] = made[0] + 0.001 * (-1.0) ** np.arange(40)
    found = {one.floor: one for one in bracket_check(cube_of(made, generators=BRACKETS), 0)}
    assert set(found) == {"low", "same"}
    assert found["low"].outcome == "as it should"
    assert found["same"].outcome == "not told apart"
    lower = bracket_check(cube_of(made, (facts(direction="lower"),), BRACKETS, run="r2"), 0)
    assert {one.floor: one.outcome for one in lower}["low"] == "the wrong way"
    band = bracket_check(cube_of(made, (facts(direction="band"),), BRACKETS, run="r3"), 0)
    assert {one.outcome for one in band} == {"no end is better"}


def test_without_brackets_there_is_nothing_to_check(cube_of):
    assert bracket_check(cube_of(values(metrics=1)), 0) == []
