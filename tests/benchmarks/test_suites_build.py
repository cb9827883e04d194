"""Cases of the Backlot suites: what they ask in words, know exactly, and contrast."""

from __future__ import annotations

from benchmarks.real_clips import shipped_model
from benchmarks.suites.build import CASES, SEEDS, SETS, build, draw_scenes, make_case, with_sets
from eval.sets.metrics import FEWEST_CASES
from moviegen.backlot import Scene, captions


def test_a_case_knows_its_scene_its_statements_and_its_prompts_twins() -> None:
    for number, scene in enumerate(draw_scenes(24), start=1):
        case = make_case(number, scene)
        assert case.truth is not None
        assert Scene.from_dict(case.truth["scene"]) == scene
        assert case.prompt in captions(scene)
        twins = case.truth["contrasts"]
        assert set(twins) <= set(case.truth["stated"])
        assert {"color", "action"} <= set(twins)
        assert case.prompt not in twins.values()
        assert ("relation" in twins) == ("relation" in case.truth["stated"])


def test_some_cases_have_seeds_for_diversity_and_sets_have_something_real() -> None:
    suite = with_sets(build("made", "for a test", draw_scenes(CASES)))
    assert suite.set_metrics == SETS
    assert suite.real == shipped_model()
    several = [case for case in suite.cases if case.seeds == SEEDS]
    assert len(several) >= FEWEST_CASES, "fewer have no interval"
    people = [case for case in several if case.truth is not None and case.truth["scene"]["subject"] == "person"]
    assert 0 < len(people) < len(several)
    assert len(list(suite.expand())) == CASES + len(several) * (len(SEEDS) - 1)
