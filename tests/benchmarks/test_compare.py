import io
import json

import numpy as np
import pytest
from rich.console import Console

from benchmarks.compare import compare, render_comparison
from benchmarks.leaderboard import build_board


def text_of(comparison):
    console = Console(width=100, file=io.StringIO(), color_system=None)
    render_comparison(comparison, console)
    return console.file.getvalue()


def pair(difference, cases=16, metrics=1, seed=0):
    generator = np.random.default_rng(seed)
    base_MC = generator.uniform(0.3, 0.6, (metrics, cases))
    return np.stack([base_MC + difference + generator.normal(0, 0.02, (metrics, cases)), base_MC])


def test_differences_wins_and_losses_by_hand(run_of):
    a, b = [0.5, 0.7, 0.4, 0.9], [0.4, 0.7, 0.6, 0.5]
    result = compare(run_of([[a], [b]]), "a", "b").metrics["sharp"]
    assert result.difference.value == pytest.approx(0.075)
    assert (result.wins, result.ties, result.losses) == (2, 1, 1)
    assert result.cases == 4
    assert result.difference.low < 0.075 < result.difference.high


def test_swapping_the_two_turns_every_sign(run_of):
    run = run_of(pair(0.1))
    forth, back = compare(run, "a", "b").total, compare(run, "b", "a").total
    assert forth.difference.value == pytest.approx(-back.difference.value)
    assert (forth.wins, forth.losses) == (back.losses, back.wins)
    assert forth.p == pytest.approx(back.p)


def test_a_consistent_difference_is_found_and_noise_is_not(run_of):
    assert compare(run_of(pair(0.1), run="r1"), "a", "b").total.p < 0.001
    none = compare(run_of(pair(0.0, seed=3), run="r2"), "a", "b").total
    assert none.p > 0.05
    assert none.difference.low < 0 < none.difference.high


def test_less_is_a_win_where_lower_is_better(run_of, facts):
    result = compare(run_of(pair(0.1), (facts(direction="lower"),)), "a", "b").metrics["sharp"]
    assert result.difference.value > 0
    assert result.utility.value < 0
    assert (result.wins, result.losses) == (0, 16)


def test_a_band_without_reference_has_no_winner(run_of, facts):
    run = run_of(pair(0.1, metrics=2), (facts("sharp"), facts("amount", direction="band")))
    result = compare(run, "a", "b").metrics["amount"]
    assert result.wins is None
    assert result.utility is None
    assert result.difference.value == pytest.approx(0.1, abs=0.02)


def test_the_totals_difference_is_the_difference_of_the_totals(run_of, facts):
    run = run_of(pair(0.07, metrics=3), (facts("x"), facts("y"), facts("z", family="sound")))
    totals = {row.generator: row.total.value for row in build_board([run]).rows}
    comparison = compare(run, "a", "b")
    assert comparison.total.difference.value == pytest.approx(totals["a"] - totals["b"])
    assert np.mean([case.difference for case in comparison.cases]) == pytest.approx(totals["a"] - totals["b"])
    families = comparison.families
    assert np.mean([families[f].difference.value for f in ("picture", "sound")]) == pytest.approx(
        totals["a"] - totals["b"]
    )


def test_only_common_cases_are_compared_and_it_says_so(run_of):
    values = pair(0.1)
    values[0, 0, :5], values[1, 0, 5:7] = np.nan, np.nan
    comparison = compare(run_of(values), "a", "b")
    result = comparison.metrics["sharp"]
    assert result.cases == 9
    assert result.difference.value == pytest.approx((values[0] - values[1])[0, 7:].mean())
    assert comparison.notes == ("sharp: 9 of 16 cases have a value from both",)
    assert len(comparison.cases) == 9


def test_a_gap_in_one_metric_keeps_the_case_for_the_others(run_of, facts):
    values = pair(0.1, metrics=2)
    values[0, 1, :4] = np.nan
    comparison = compare(run_of(values, (facts("x"), facts("y"))), "a", "b")
    difference = values[0] - values[1]
    assert comparison.total.cases == 16
    assert comparison.total.difference.value == pytest.approx((difference[0].mean() + difference[1, 4:].mean()) / 2)


def test_no_common_case_gives_no_total(run_of, facts):
    values = pair(0.1, metrics=2)
    values[0, 1, :8], values[1, 1, 8:] = np.nan, np.nan
    comparison = compare(run_of(values, (facts("x"), facts("y"))), "a", "b")
    assert comparison.total.difference.value is None
    assert comparison.total.p is None
    assert comparison.metrics["y"].p is None
    assert comparison.metrics["x"].p is not None
    assert "null" in comparison.to_json()
    assert text_of(comparison)


def test_seeds_do_not_make_evidence(run_of):
    """Five cases can never reach p < 0.05, however many seeds each has."""
    values = np.repeat(pair(0.1, cases=5)[..., None], 20, axis=3)
    assert compare(run_of(values), "a", "b").total.p == pytest.approx(2 / 32)


def test_holm_runs_over_the_metrics(run_of, facts):
    run = run_of(pair(0.02, metrics=4, cases=8), [facts(name) for name in "wxyz"])
    parts = compare(run, "a", "b").metrics.values()
    assert min(part.p_holm for part in parts) == pytest.approx(min(1, 4 * min(part.p for part in parts)))
    assert compare(run, "a", "b").total.p_holm == compare(run, "a", "b").total.p


def test_the_cases_that_differ_most_come_first(run_of):
    values = pair(0.0)
    values[0, 0, 3] = values[1, 0, 3] - 0.3
    first = compare(run_of(values), "a", "b").cases[0]
    assert first.case == "c3"
    assert first.difference == pytest.approx(-0.3)
    assert first.metrics["sharp"] == pytest.approx(-0.3)


def test_json_has_the_promised_shape(run_of):
    document = json.loads(compare(run_of(pair(0.1)), "a", "b").to_json())
    assert (document["a"], document["b"]) == ("a", "b")
    assert {"difference", "low", "high", "p", "wins", "ties", "losses"} <= set(document["metrics"]["sharp"])
    assert isinstance(document["total"]["difference"], float)


def test_unknown_or_equal_names_are_one_line(run_of):
    run = run_of(pair(0.1))
    with pytest.raises(ValueError, match="unknown generator 'x': this run holds a, b"):
        compare(run, "x", "b")
    with pytest.raises(ValueError, match="name two generators"):
        compare(run, "a", "a")


def test_the_table_fits_and_runs_no_markup(run_of):
    hostile = "[bold]evil[/bold]\x1b[2J"
    text = text_of(compare(run_of(pair(0.1), generators=[hostile, "b"]), hostile, "b"))
    assert max(map(len, text.splitlines())) <= 100
    assert "[bold]evil[/bold]" in text
    assert "\x1b" not in text
    assert "c3" in text
