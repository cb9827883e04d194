"""Pairs: an edit changes one thing; a person stays themselves elsewhere."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from moviegen.backlot import IDENTITY_FACTORS, Scene, edit, edits, elsewhere, portrait, render, sample_scene, truth


def frames_of(scene: Scene) -> Any:
    return render(scene, sound=False, frames=8).frames_TCHW


def touched(scene: Scene) -> Any:
    """Pixels within two of a subject, (T, H, W): a thin tip may show without ever filling half a pixel."""
    masks = truth(scene, frames=8).masks_THW > 0
    return np.stack([cv2.dilate(m.astype(np.uint8), np.ones((5, 5), np.uint8)) for m in masks]).astype(bool)


def test_one_factor_changes() -> None:
    for seed in range(12):
        scene = sample_scene(seed)
        for factor, value in edits(scene):
            edited, instruction = edit(scene, factor, value)
            differing = [k for k, v in scene.to_dict().items() if edited.to_dict()[k] != v]
            assert differing == [factor]
            assert (instruction[0].isupper() and str(value).split()[0].lower() in instruction.lower()) or factor in (
                "glasses",
                "beard",
                "role",
                "camera",
                "mood",
                "relation",
                "action",
                "count",
            )


PERSON = {
    "subject": "person",
    "other": "none",
    "action": "wave",
    "camera": "static",
    "weather": "clear",
    "role": "none",
    "age": "adult",
}


@pytest.mark.parametrize(
    ("fixed", "factor", "value"),
    [
        ({"subject": "ball", "action": "bounce", "color": "red", "weather": "wind"}, "color", "blue"),
        ({"subject": "dog", "action": "walk", "color": "brown", "camera": "pan left"}, "color", "white"),
        ({"subject": "dog", "action": "walk", "other": "box", "other_color": "red"}, "other_color", "green"),
        (PERSON | {"eye_color": "brown", "shot": "close-up"}, "eye_color", "blue"),
        (PERSON | {"skin": 3, "shot": "close-up"}, "skin", 8),
        (PERSON | {"hair_color": "black", "hair_style": "short"}, "hair_color", "blond"),
        (PERSON | {"glasses": False, "shot": "close-up"}, "glasses", True),
        (PERSON | {"beard": "none", "presentation": "masculine", "shot": "medium"}, "beard", "full"),
        (PERSON | {"hair_style": "long"}, "hair_style", "afro"),
        (PERSON | {"color": "red"}, "role", "chef"),
    ],
)
def test_edits_of_subjects_leave_the_rest_of_the_picture_identical(
    fixed: dict[str, Any], factor: str, value: Any
) -> None:
    scene = sample_scene(14, **{"count": 1, "other": "none", **fixed} if "other" not in fixed else fixed)
    edited, _ = edit(scene, factor, value)
    changed = (frames_of(scene) != frames_of(edited)).any(axis=1)
    assert changed.any()
    assert not changed[~(touched(scene) | touched(edited))].any()


def test_music_changes_the_sound_alone() -> None:
    scene = sample_scene(14, mood="none")
    edited, instruction = edit(scene, "mood", "happy")
    assert instruction == "Make the music happy"
    assert np.array_equal(frames_of(scene), frames_of(edited))
    one, other = render(scene).audio_CN, render(edited).audio_CN
    assert one is not None
    assert other is not None
    assert not np.array_equal(one, other)


def test_eye_colour_changes_few_pixels() -> None:
    scene = sample_scene(14, **PERSON, shot="close-up", eye_color="brown")
    edited, _ = edit(scene, "eye_color", "blue")
    assert (frames_of(scene) != frames_of(edited)).any(axis=1).mean() < 0.03


def test_camera_edits_keep_the_world() -> None:
    """With the camera at rest and in motion, the first frames show the same trees: only shifted."""
    scene = sample_scene(14, camera="static", subject="ball", action="spin")
    edited, _ = edit(scene, "camera", "pan right")
    found = truth(edited, frames=2)
    assert found.factors == {**truth(scene, frames=2).factors, "camera": "pan right"}


def test_edits_that_make_no_sense() -> None:
    ball = sample_scene(1, subject="ball", color="red", other="none")
    for factor, value, match in (
        ("colour", "blue", "did you mean 'color'"),
        ("skin", 3, "does not apply"),
        ("color", "red", "is 'red' already"),
        ("color", "mauve", "allowed: red"),
        ("subject", "person", "cannot be edited"),
        ("other", "dog", "cannot be edited"),
    ):
        with pytest.raises(ValueError, match=match):
            edit(ball, factor, value)


def test_the_same_person_elsewhere() -> None:
    scene = sample_scene(3, subject="person")
    places = [elsewhere(scene, seed) for seed in range(20)]
    assert all(place.person == scene.person for place in places)
    assert len({place.setting for place in places}) > 4
    assert elsewhere(scene, 1, setting="beach").setting == "beach"
    with pytest.raises(ValueError, match="only a person"):
        elsewhere(sample_scene(3, subject="ball"), 1)


def test_portraits_show_who_somebody_is() -> None:
    one, two = sample_scene(3, subject="person"), sample_scene(4, subject="person")
    assert one.person is not None
    assert two.person is not None
    first, again, second = portrait(one.person, 64), portrait(one.person, 64), portrait(two.person, 64)
    assert first.shape == (3, 64, 64)
    assert first.dtype == np.uint8
    assert first.flags["C_CONTIGUOUS"]
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("skin", range(1, 11))
def test_skin_is_the_published_tone_in_daylight(skin: int) -> None:
    """The Monk hex values are found as they are on the faces of portraits."""
    published = ["f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420"][
        skin - 1
    ]
    who = sample_scene(3, subject="person", skin=skin, age="adult", beard="none", glasses=False).person
    assert who is not None
    pixels = portrait(who, 96).reshape(3, -1).T
    wanted = np.frombuffer(bytes.fromhex(published), np.uint8)
    assert (pixels == wanted).all(axis=1).mean() > 0.03


def test_identity_is_what_a_person_is() -> None:
    assert "role" not in IDENTITY_FACTORS
    assert "skin" in IDENTITY_FACTORS
