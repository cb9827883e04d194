"""The identity suite as its builder means it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.suite import SUITES_FOLDER, load_suite
from benchmarks.suites.build_identity import FIRST_SEED, GROUPS, LIGHTS, build, in_view, prompt, scenes
from eval.identity.portraits import TONE_GROUPS
from eval.video import read_picture
from moviegen.backlot import Scene, portrait, sample_scene

CASES = list(load_suite("identity").expand(SUITES_FOLDER))
SCENES = [Scene.from_dict(case.truth["scene"]) for case in CASES if case.truth]


def test_groups_are_even_and_nobody_comes_twice() -> None:
    assert {case.task for case in CASES} == {"personalised"}
    tones = {step: name for name, steps in TONE_GROUPS.items() for step in steps}
    groups = Counter((scene.presentation, tones[scene.skin - 1]) for scene in SCENES)
    assert set(groups.values()) == {len(CASES) // len(GROUPS)}
    assert len({scene.face for scene in SCENES}) == len({case.prompt for case in CASES}) == len(CASES)
    assert {scene.light for scene in SCENES} == set(LIGHTS)


def test_the_portraits_show_the_people_of_the_scenes() -> None:
    for case, scene in zip(CASES, SCENES, strict=True):
        (path,) = case.portraits.values()
        np.testing.assert_array_equal(read_picture(Path(path)), portrait(scene.person).transpose(1, 2, 0))


def test_prompts_leave_looks_to_the_portrait() -> None:
    words = {"man", "woman", "boy", "girl", "elderly", "male", "female", "skin", "hair", "beard", "glasses"}
    for case in CASES:
        assert "the person in the portrait," in case.prompt.lower()
        assert not words & set(case.prompt.lower().replace(",", " ").replace(".", " ").split()), case.prompt
        assert not {"presentation", "age"} & set(case.truth["stated"])


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("plain", "The person in the portrait, as an artist in blue, waves in a park."),
        ("place-first", "In a park, the person in the portrait, as an artist in blue, waves."),
        ("noun", "the person in the portrait, as an artist in blue, waving in a park"),
    ],
)
def test_prompts_read_as_sentences(style: str, expected: str) -> None:
    factors = {"subject": "person", "age": "senior", "role": "artist", "color": "blue", "other": "none"}
    scene = sample_scene(3, **factors, action="wave", speed="normal", setting="park", shot="medium")
    assert prompt(scene, style) == expected


def test_faces_are_in_view_in_every_case() -> None:
    assert all(in_view(scene) for scene in SCENES[::6])
    turning = sample_scene(3, subject="person", action="spin", shot="close-up", other="none")
    far_away = sample_scene(3, subject="person", action="wave", shot="wide", other="none", age="child")
    assert not in_view(turning)
    assert not in_view(far_away)


def test_the_builder_gives_the_suites_own_cases(tmp_path: Path) -> None:
    again = build("identity", "x", scenes(2, FIRST_SEED), tmp_path)
    assert again.cases == load_suite("identity").cases[:2]
    for case in again.cases:
        written, shipped = (read_picture(folder / case.references["portrait"]) for folder in (tmp_path, SUITES_FOLDER))
        np.testing.assert_array_equal(written, shipped)
