"""The Backlot's set metrics on generators whose place is known: what they must see, and what they cannot.

Shape legend: N clips, D dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from benchmarks.generators.brackets import degraded, mismatched, noise, oracle, shuffled, still
from benchmarks.suite import load_suite
from eval.clip import MemorySource
from eval.distribution.clip_set import ClipSet
from eval.distribution.spec import SET_METRICS
from eval.features.backlot_encoder import reference_set
from eval.planner import ClipToScore, score_clips

DISTANCES = ("backlot_frechet_distance", "backlot_frechet_limit", "backlot_kernel_distance")
SHARES = ("backlot_recall", "backlot_coverage")


def measured(brackets: Iterable, cases: int) -> dict[str, dict[str, float]]:
    """Bracket → set metric → value, over the default suite's first cases; clips do not go through files."""
    asked = list({case.id: case for case in load_suite("backlot").expand()}.values())[:cases]
    real = ClipSet(list(reference_set()[:, None]), range(len(reference_set())))
    found = {}
    for bracket in brackets:
        clips = (ClipToScore(MemorySource(bracket(case, asked)), case) for case in asked)
        samples = [
            scored.features["backlot_encoding"]["set_D"][None]
            for scored in score_clips(clips, [], also=["backlot_encoding"])
        ]
        generated = ClipSet(samples, range(cases))
        names = (*DISTANCES, *SHARES, "backlot_precision")
        found[bracket.__name__] = {name: SET_METRICS.get(name).function(real, generated).value for name in names}
    return found


def oracle_leads(found: dict[str, dict[str, float]]) -> None:
    best = found.pop("oracle")
    for bracket, values in found.items():
        for name in DISTANCES:
            assert values[name] > best[name], f"{bracket} {name}"
        for name in SHARES:
            assert values[name] < best[name], f"{bracket} {name}"


def test_clips_that_do_not_move_are_told() -> None:
    oracle_leads(measured((oracle, still), cases=20))


@pytest.mark.slow
def test_every_damage_is_told_and_a_wrong_prompt_is_not() -> None:
    """`mismatched` shows good clips of the same scenes, shifted from case to case: as a set, they are the oracle's."""
    found = measured((oracle, still, shuffled, degraded, noise, mismatched), cases=96)
    wrong = found.pop("mismatched")
    assert wrong == pytest.approx(found["oracle"], rel=1e-3)
    assert np.ptp([found[name]["backlot_precision"] for name in ("oracle", "degraded", "shuffled")]) < 0.1
    oracle_leads(found)
