"""The identity brackets do what they say, by the Backlot's own truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.generator import KINDS, NoClip
from benchmarks.generators.brackets import oracle, random_for, scene_of
from benchmarks.generators.identity import another, impostor, morph, paste, person_of
from eval.case import Asked, Case
from eval.identity.portraits import TONE_GROUPS
from moviegen.backlot import Scene, sample_scene
from moviegen.training.faces_scenes import look_at

NAMES = ("impostor", "morph", "paste")
ASKED = Asked(width=96, height=96, fps=8, duration_s=1.0, sound=True)


def case(seed: int = 0, **factors) -> Case:
    given = {"subject": "person", "shot": "close-up", "action": "wave", "other": "none", **factors}
    known = {name: value for name, value in sample_scene(31, **given).to_dict().items() if value is not None}
    return Case("c", "personalised", seed=seed, asked=ASKED, truth={"scene": known})


def tone_group(skin: int) -> str:
    return next(name for name, steps in TONE_GROUPS.items() if skin - 1 in steps)


def test_they_are_floors() -> None:
    assert [KINDS.get(name).bracket for name in NAMES] == ["floor"] * 3


@pytest.mark.parametrize("skin", [1, 5, 10])
def test_an_impostor_is_another_person_of_the_same_group(skin: int) -> None:
    who = person_of(case(skin=skin, age="child", presentation="masculine"))
    others = [another(who, np.random.default_rng(seed)) for seed in range(20)]
    assert {(one.presentation, one.age, tone_group(one.skin)) for one in others} == {
        ("masculine", "child", tone_group(skin))
    }
    assert len({one.face for one in others} | {who.face}) == 21
    assert len({one.skin for one in others}) > 1


def test_an_impostors_clip_is_the_scene_with_another_head() -> None:
    asked = case()
    right, wrong = oracle(asked, [asked]), impostor(asked, [asked])
    assert right.frames_TCHW.shape == wrong.frames_TCHW.shape
    np.testing.assert_array_equal(right.audio_CN, wrong.audio_CN)
    differs_HW = (right.frames_TCHW[0] != wrong.frames_TCHW[0]).any(axis=0)
    assert differs_HW.mean() > 0.02
    assert not differs_HW[:8, :8].any()  # the corners are the scene's
    again = impostor(asked, [asked])
    np.testing.assert_array_equal(wrong.frames_TCHW, again.frames_TCHW)
    other_seed = replace(asked, seed=1)
    assert random_for(asked, "impostor").integers(1 << 40) != random_for(other_seed, "impostor").integers(1 << 40)


def test_a_morph_begins_with_the_person_and_ends_with_the_impostor() -> None:
    asked = case(seed=2)
    right, wrong, between = (answer(asked, [asked]) for answer in (oracle, impostor, morph))
    np.testing.assert_array_equal(between.frames_TCHW[0], right.frames_TCHW[0])
    np.testing.assert_array_equal(between.frames_TCHW[-1], wrong.frames_TCHW[-1])
    np.testing.assert_array_equal(between.audio_CN, right.audio_CN)
    away_T = [np.abs(a.astype(int) - b).sum() for a, b in zip(between.frames_TCHW, right.frames_TCHW, strict=True)]
    whole_T = [np.abs(a.astype(int) - b).sum() for a, b in zip(wrong.frames_TCHW, right.frames_TCHW, strict=True)]
    shares = np.array(away_T) / np.array(whole_T)
    np.testing.assert_allclose(shares, np.linspace(0, 1, len(shares)), atol=0.02)


@pytest.mark.parametrize("seed", [0, 3])
def test_a_paste_changes_the_face_alone_and_follows_it(seed: int) -> None:
    asked = case(seed=seed, light="sunset", setting="beach", camera="pan left", action="walk")
    right, pasted = oracle(asked, [asked]), paste(asked, [asked])
    seen = look_at(scene_of(asked), 96, 96, 8.0, 8)
    for t, (before_CHW, after_CHW) in enumerate(zip(right.frames_TCHW, pasted.frames_TCHW, strict=True)):
        down, across = np.nonzero((before_CHW != after_CHW).any(axis=0))
        left, top, lower_right, bottom = seen.boxes_T4[t]
        assert len(down) > 200
        assert left - 4 <= across.min() <= across.max() <= lower_right + 4
        assert top - 4 <= down.min() <= down.max() <= bottom + 4
        x, y = seen.points_T52[t].mean(axis=0).round().astype(int)
        assert (before_CHW[:, y, x] != after_CHW[:, y, x]).any()  # lit by the studio, not by the sunset


def test_a_paste_leaves_frames_alone_that_show_no_face() -> None:
    asked = case(action="spin", speed="fast")
    seen = look_at(Scene.from_dict(asked.truth["scene"]), 96, 96, 8.0, 8)
    right, pasted = oracle(asked, [asked]), paste(asked, [asked])
    hidden_T = seen.states_T == 0
    assert hidden_T.any()
    np.testing.assert_array_equal(right.frames_TCHW[hidden_T], pasted.frames_TCHW[hidden_T])


@pytest.mark.parametrize("name", NAMES)
def test_cases_without_a_person_have_no_clip(name: str) -> None:
    dog = Case(
        "d", truth={"scene": {k: v for k, v in sample_scene(1, subject="dog").to_dict().items() if v is not None}}
    )
    for asked in (Case("x"), Case("y", truth={}), dog):
        with pytest.raises(NoClip, match="shows a person"):
            KINDS.get(name).make("", [asked]).generate(asked, Path())
