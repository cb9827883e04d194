"""Cases of the Backlot suites: what they ask in words, know exactly, and contrast."""

from __future__ import annotations

from benchmarks.suites.build import draw_scenes, make_case
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
