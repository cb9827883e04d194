"""Identity metrics order clips as their truth does, by the shipped pack: brackets, and two people side by side.

The Backlot shows one person in a scene: clips of two are composed of two scenes side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from benchmarks.generator import KINDS
from benchmarks.suite import SUITES_FOLDER, load_suite
from eval.case import Case
from eval.clip import Clip, MemorySource
from eval.metric import METRICS
from eval.planner import score_clip

FEW = 3
GENERATORS = ("oracle", "impostor", "paste", "morph", "noise", "still")
ONE_PERSON = [name for name in METRICS.names() if METRICS.get(name).spec.needs == ("face_tracks",)]


def cases(number: int, seconds: float) -> list[Case]:
    """So many of the suite's cases, spread over it, made shorter."""
    every = list(load_suite("identity").expand(SUITES_FOLDER))
    chosen = every[:: len(every) // number][:number]
    return [replace(case, asked=replace(case.asked, duration_s=seconds)) for case in chosen]


def measured(clip: Clip, case: Case) -> dict[str, float]:
    """Every identity metric; those that do not apply are left out."""
    scored = score_clip(MemorySource(clip), [METRICS.get(name) for name in ONE_PERSON], case=case)
    assert {score.status for score in scored.scores} <= {"ok", "skipped"}
    return {score.metric: score.value for score in scored.scores if score.value is not None}


@cache
def table(number: int = FEW, seconds: float = 2.0) -> Mapping[str, list[dict[str, float]]]:
    """Generator → what the metrics say of each of its clips."""
    asked = cases(number, seconds)
    kinds = {name: KINDS.get(name).make("", asked) for name in GENERATORS}
    return {name: [measured(kind.answer(case, asked), case) for case in asked] for name, kind in kinds.items()}


def column(generator: str, metric: str, **how) -> np.ndarray:
    """A metric's values over cases; NaN where it does not apply."""
    return np.array([row.get(metric, np.nan) for row in table(**how)[generator]])


def orders(**how) -> None:
    """What must hold of every case, or of the mean where a single case may be ambiguous by nature."""
    for metric in ("identity_score", "identity_mean", "identity_template", "identity_percentile", "identity_verified"):
        right, wrong, noise = (column(name, metric, **how) for name in ("oracle", "impostor", "noise"))
        assert (right >= wrong).all(), metric
        assert right.mean() > wrong.mean() + 0.2, metric
        assert (right >= noise).all(), metric
        assert right.mean() > noise.mean() + 0.4, metric
    assert (column("oracle", "identity_score", **how) > column("morph", "identity_score", **how)).mean() >= 0.9
    assert (column("oracle", "identity_coverage", **how) >= 0.9).all()
    assert (column("noise", "identity_coverage", **how) <= 0.1).all()


def test_metrics_order_generators_as_the_truth_does() -> None:
    orders()


def test_a_morph_drifts_and_the_others_do_not() -> None:
    drift = {name: column(name, "identity_drift") for name in ("oracle", "impostor", "paste", "morph", "still")}
    for name in ("oracle", "impostor", "paste", "still"):
        assert (drift["morph"] > drift[name] + 0.05).all(), name


def test_the_guard_catches_paste_and_no_score_of_likeness_does() -> None:
    assert (column("paste", "identity_copying") > column("oracle", "identity_copying")).all()
    assert (column("paste", "identity_score") >= column("oracle", "identity_score") - 0.05).all()


def test_a_frozen_frame_has_no_expression() -> None:
    assert (column("still", "identity_expression_range") < 0.01).all()
    assert (column("oracle", "identity_expression_range") > 0.01).all()


@pytest.mark.slow
def test_the_whole_suite_is_ordered_as_the_truth_is() -> None:
    orders(number=24, seconds=4.0)
    pasted, right = (column(name, "identity_copying", number=24, seconds=4.0) for name in ("paste", "oracle"))
    assert (pasted > right).mean() >= 0.9


def beside(left: Clip, right: Clip) -> Clip:
    return Clip(np.concatenate([left.frames_TCHW, right.frames_TCHW], axis=3), left.fps)


@cache
def couple() -> tuple[Case, Clip, Clip, Clip]:
    """A case that asks for two people, the clip of each, and the clip of an impostor of the second."""
    first, second = cases(2, 1.5)
    references = {"portrait_a": first.references["portrait"], "portrait_b": second.references["portrait"]}
    oracle, impostor = (KINDS.get(name).make("", []) for name in ("oracle", "impostor"))
    clips = (oracle.answer(first, []), oracle.answer(second, []), impostor.answer(second, []))
    return replace(first, references=references), *clips


def test_two_people_side_by_side_are_told_apart() -> None:
    case, one, other, _ = couple()
    both = measured(beside(one, other), case)
    assert both["identity_assignment"] >= 0.95
    assert both["identity_coverage"] >= 0.95
    assert both["identity_extra_people"] <= 0.05
    assert both["identity_weakest_person"] > 0.3
    turned = measured(beside(other, one), case)
    assert turned["identity_score"] == pytest.approx(both["identity_score"], abs=0.05)


def test_a_missing_an_extra_and_a_wrong_person_each_show() -> None:
    case, one, other, wrong = couple()
    both = measured(beside(one, other), case)
    alone = measured(one, case)
    assert alone["identity_coverage"] == pytest.approx(both["identity_coverage"] / 2, abs=0.03)
    assert alone["identity_weakest_person"] == 0
    crowd = measured(beside(beside(one, other), wrong), case)
    assert crowd["identity_extra_people"] == pytest.approx(1, abs=0.1)
    assert crowd["identity_score"] == pytest.approx(both["identity_score"], abs=0.05)
    replaced = measured(beside(one, wrong), case)
    assert replaced["identity_weakest_person"] < both["identity_weakest_person"] - 0.1
    twice = measured(beside(one, one), case)
    assert twice["identity_assignment"] <= 0.55
    assert twice["identity_leakage"] > both["identity_leakage"] + 0.1


def test_people_who_change_places_are_swaps_and_keep_their_score() -> None:
    case, one, other, _ = couple()
    half = len(one.frames_TCHW) // 2
    steady, turned = beside(one, other), beside(other, one)
    frames_TCHW = np.concatenate([steady.frames_TCHW[:half], turned.frames_TCHW[half:]])
    changed, kept = measured(Clip(frames_TCHW, one.fps), case), measured(steady, case)
    assert changed["identity_score"] == pytest.approx(kept["identity_score"], abs=0.05)
    assert kept["identity_swaps"] == 0
    assert changed["identity_swaps"] > 0
