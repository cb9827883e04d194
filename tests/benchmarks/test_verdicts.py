"""Verdicts and what they come to: known means, paired intervals, gaps that are not paired."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

import benchmarks.verdicts
from benchmarks.verdicts import (
    OVERALL,
    JudgeError,
    Row,
    Verdicts,
    backlot_judge,
    differences,
    gaps,
    judged,
    means,
    print_rows,
    ratio,
    shares,
)
from eval.case import Case
from eval.clip import Clip
from eval.metric import METRICS, Measured, Metric, NotMeasurable
from eval.registry import Registry

CLIP = Clip(np.zeros((1, 3, 8, 8), np.uint8), 8.0)


def _verdicts(*rows: tuple[float, float]) -> Verdicts:
    table = [[np.nanmean(row), *row] for row in rows]
    return Verdicts((OVERALL, "color", "subject"), np.array(table))


def _by_factor(rows: list[Row]) -> dict[str, Row]:
    return {row.factor: row for row in rows}


def test_each_case_counts_once_whatever_it_asks() -> None:
    cases = [Case("a"), Case("b"), Case("c")]
    told = {
        "a": {"overall": 0.5, "color": 1.0, "subject": 0.0},
        "b": {"subject": 1.0, "overall": 1.0},
        "c": {"overall": 1.0, "subject": 1.0, "color": 1.0},
    }
    found = judged([CLIP] * 3, cases, lambda _, case: told[case.id])
    assert found.factors == ("overall", "color", "subject")
    np.testing.assert_array_equal(found.values_CK, [[0.5, 1, 0], [1, np.nan, 1], [1, 1, 1]])
    rows = _by_factor(means("p", "model", found))
    assert (rows["overall"].value.value, rows["overall"].cases) == (pytest.approx(2.5 / 3), 3)
    assert (rows["color"].value.value, rows["color"].cases) == (1.0, 2)


def test_columns_are_paired_by_name_and_on_common_cases() -> None:
    one = Verdicts((OVERALL, "color", "light"), np.array([[1.0, 1.0, 0.0], [0.5, 0.0, np.nan]]))
    other = Verdicts((OVERALL, "light", "color"), np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]))
    rows = _by_factor(differences("p", "m", one, other))
    assert [(name, row.value.value, row.cases) for name, row in rows.items()] == [
        ("overall", -0.25, 2), ("color", 0.0, 2), ("light", -1.0, 1),
    ]  # fmt: skip
    alone = Verdicts((OVERALL,), np.array([[1.0], [1.0]]))
    assert _by_factor(differences("p", "m", one, alone))["light"].value.value is None


def test_a_clip_short_is_an_error() -> None:
    with pytest.raises(ValueError, match="argument 2 is longer"):
        judged([CLIP], [Case("a"), Case("b")], lambda *_: {"color": 1.0})


def test_pairing_narrows_a_difference() -> None:
    random = np.random.default_rng(0)
    hard = random.integers(0, 2, (200, 2)).astype(float)
    flipped = np.where(random.random((200, 2)) < 0.02, 1 - hard, hard)
    one, two = (_verdicts(*map(tuple, rows)) for rows in (flipped, hard))
    paired, apart = _by_factor(differences("p", "m", one, two)), _by_factor(gaps("p", "m", one, two))
    for factor in one.factors:
        assert paired[factor].value.value == pytest.approx(apart[factor].value.value)
        assert _width(paired[factor]) < _width(apart[factor]) / 2
        assert paired[factor].value.low <= paired[factor].value.value <= paired[factor].value.high  # type: ignore[operator]
    assert _by_factor(differences("p", "m", one, one))["color"].value.low == 0.0
    same = _by_factor(shares("p", "m", one, one))["color"].value
    assert (same.low, same.value, same.high) == (1, 1, 1)


def _width(row: Row) -> float:
    assert row.value.low is not None
    assert row.value.high is not None
    return row.value.high - row.value.low


def test_gaps_are_over_the_factors_that_both_speak_of() -> None:
    other = Verdicts((OVERALL, "light"), np.array([[1.0, 1.0], [0.0, 0.0]]))
    assert [row.factor for row in gaps("p", "m", _verdicts((1, 1), (0, 1)), other)] == [OVERALL]


def test_intervals_cover_what_is_true() -> None:
    random, covered = np.random.default_rng(1), 0
    for _ in range(60):
        values = (random.random((60, 2)) < 0.7).astype(float)
        value = _by_factor(means("p", "m", _verdicts(*map(tuple, values))))["color"].value
        assert value.low is not None
        assert value.high is not None
        covered += value.low <= 0.7 <= value.high
    assert covered >= 50


def test_intervals_end_where_an_accuracy_does() -> None:
    few = _verdicts((1, 0), (1, 1), (1, 0))
    for rows, low in ((means("p", "m", few), 0), (gaps("p", "m", few, few), -1), (differences("p", "m", few, few), -1)):
        for row in rows:
            assert row.value.low is not None
            assert row.value.high is not None
            assert low <= row.value.low <= row.value.high <= 1


def test_nothing_to_divide_by_is_no_number() -> None:
    assert np.isnan(ratio(np.array([1.0]), np.array([0.0]))[0])
    never = _verdicts((0, 1), (0, 1))
    assert _by_factor(shares("p", "m", never, never))["color"].value.value is None


def test_the_table_has_a_column_for_each_figure() -> None:
    console = Console(file=io.StringIO(), width=200)
    print_rows(
        [*means("accuracy", "oracle", _verdicts((1, 1))), *means("accuracy", "m", _verdicts((1, 0), (0, 0)))], console
    )
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "oracle" in text
    assert "1.000" in text
    assert "0.500 [" in text


def _fake_metrics(**functions: Callable[[Measured], float]) -> Registry[Metric]:
    metrics: Registry[Metric] = Registry("metric", ())
    for name, function in functions.items():
        spec = replace(METRICS.get("asked_fps").spec, name=name)
        metrics.add(name, Metric(spec, function))
    return metrics


def test_the_judge_takes_what_the_metrics_of_prompt_accuracy_say(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_stated(_: Measured) -> float:
        raise NotMeasurable("not stated")

    fakes = _fake_metrics(
        backlot_prompt_accuracy=lambda measured: 0.5 if measured.case == Case("a") else 0.0,
        backlot_accuracy_color=lambda _: 1.0,
        backlot_accuracy_role=not_stated,
        sharpness=lambda _: 0.25,
    )
    monkeypatch.setattr(benchmarks.verdicts, "METRICS", fakes)
    assert backlot_judge()(CLIP, Case("a")) == {"overall": 0.5, "color": 1.0}


def test_a_clip_that_cannot_be_judged_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Measured) -> float:
        raise OSError("no weights")

    monkeypatch.setattr(benchmarks.verdicts, "METRICS", _fake_metrics(backlot_prompt_accuracy=broken))
    with pytest.raises(JudgeError, match=r"backlot_prompt_accuracy of case 'a': .*no weights"):
        backlot_judge()(CLIP, Case("a"))

    def not_told(_: Measured) -> float:
        raise NotMeasurable("the truth has no 'stated'")

    monkeypatch.setattr(benchmarks.verdicts, "METRICS", _fake_metrics(backlot_prompt_accuracy=not_told))
    with pytest.raises(JudgeError, match="case 'a': the truth has no 'stated'"):
        backlot_judge()(CLIP, Case("a"))
