"""Metrics against votes: a metric that sees what raters see foresees them, noise does not, and gaps are said."""

import numpy as np
import pytest

from benchmarks.arena.prediction import TOTAL, Goodness, goodness, predictions
from benchmarks.normalise import scoring_plan
from benchmarks.store import open_run


def simulated(rng, cases, noise):
    """One vote per case by the better clip's truth; a metric that sees the truth through noise."""
    rows, scores = [], {}
    for case in range(cases):
        truth = rng.normal(size=2)
        rows.append(("p", "q", "left" if truth[0] > truth[1] else "right", f"c{case}", "ann"))
        for name, value in zip("pq", truth + noise * rng.normal(size=2), strict=True):
            scores[f"c{case}", 0, name] = value
    return rows, scores


def judged(counted, rows, **metrics):
    scores = Goodness(metrics, dict.fromkeys(metrics, "picture"), {})
    return {row.metric: row for row in predictions(counted(rows), scores, 0.95, np.random.default_rng(0))}


def test_the_truth_foresees_all_and_noise_half(counted):
    rng = np.random.default_rng(0)
    rows, truth = simulated(rng, 120, 0.0)
    found = judged(counted, rows, truth=truth, noise={place: rng.normal() for place in truth})
    assert list(found) == ["truth", "noise"]
    assert found["truth"].accuracy.value == 1
    assert found["truth"].accuracy.low < 1
    assert found["truth"].p_adjusted < 0.001
    assert found["noise"].accuracy.low < 0.5 < found["noise"].accuracy.high
    assert found["noise"].p_adjusted > 0.05


def test_the_interval_covers_the_known_accuracy(counted):
    """Signal and noise of equal size: the sign is right with probability 1 − arccos(1/√2) / π = ¾."""
    rng, hits = np.random.default_rng(1), 0
    for _ in range(30):
        rows, scores = simulated(rng, 60, 1.0)
        (found,) = judged(counted, rows, metric=scores).values()
        hits += found.accuracy.low <= 0.75 <= found.accuracy.high
    assert hits >= 26


def test_raters_ties_are_left_out_and_equal_scores_count_half(counted):
    rows = [("p", "q", "left", "c1", "a"), ("p", "q", "left", "c2", "a"), ("p", "q", "tie", "c3", "a")]
    scores = {(case, 0, name): 1.0 for case in ("c1", "c2", "c3") for name in "pq"}
    found = judged(counted, rows, metric={**scores, ("c1", 0, "p"): 2.0})["metric"]
    assert found.accuracy.value == 0.75
    assert (found.items, found.cases) == (2, 2)


def test_missing_scores_are_no_scores(counted):
    rows = [("p", "q", "left", "c1", "a"), ("p", "q", "left", "c2", "a")]
    found = judged(counted, rows, metric={("c1", 0, "p"): 2.0}, other={("c1", 0, "p"): 2.0, ("c1", 0, "q"): 3.0})
    assert found["metric"].accuracy.value is None
    assert "have its scores" in found["metric"].reason
    assert (found["other"].accuracy.value, found["other"].items) == (0, 1)
    assert found["other"].accuracy.high > 0.5


def test_no_votes_no_predictions(counted):
    assert judged(counted, [], metric={}) == {}


def test_a_runs_scores_turn_so_that_higher_is_better(small_runs):
    run = open_run(small_runs, "tiny-run")
    found = goodness(run, {"case-1", "case-4"})
    rows = run.rows(case="case-1", seed=1, generator="brook").set_index("metric")["value"]
    place = ("case-1", 1, "brook")
    assert found.better["steadiness"][place] == rows["steadiness"]
    assert found.better["blockiness"][place] == -rows["blockiness"]
    assert 0 <= found.better["motion_amount"][place] <= 1
    assert {case for case, _, _ in found.better["steadiness"]} == {"case-1", "case-4"}
    assert ("case-4", 0, "cedar-mini") not in found.better[TOTAL]
    plan = scoring_plan(run.manifest.parsed_suite(), run.manifest.metrics)
    parts = [each.share * each.utility(np.array([rows[each.facts.name]]))[0] for each in plan.metrics]
    assert found.better[TOTAL][place] == pytest.approx(sum(parts))
