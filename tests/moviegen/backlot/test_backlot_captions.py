"""Captions: they say what is to be seen, in English."""

from __future__ import annotations

import re

import pytest

from moviegen.backlot import STYLES, caption, captions, sample_scene
from moviegen.backlot.captions import _ING


def test_known_captions() -> None:
    dog = sample_scene(
        1, subject="dog", action="run", setting="park", color="brown", count=1, other="none", speed="normal"
    )
    assert captions(dog)[0] == "A brown dog runs through a park."
    balls = sample_scene(1, subject="ball", action="bounce", setting="beach", color="red", count=2, speed="slow")
    assert captions(balls)[0] == "Two red balls bounce slowly on a beach."
    crash = sample_scene(
        1, subject="car", color="blue", action="collide", other="box", other_color="red", setting="city", speed="normal"
    )
    assert captions(crash)[0] == "A blue car collides with a red box on a city street."
    left = sample_scene(
        1,
        subject="dog",
        color="black",
        action="jump",
        other="box",
        other_color="blue",
        relation="left of",
        setting="snow",
        speed="normal",
    )
    assert captions(left)[0] == "A black dog jumps to the left of a blue box in the snow."
    chef = sample_scene(
        1,
        subject="person",
        role="chef",
        color="orange",
        action="wave",
        setting="studio",
        age="adult",
        other="none",
        speed="normal",
    )
    assert captions(chef)[0] == "A chef in orange waves in a studio."


@pytest.mark.parametrize("seed", range(0, 600, 5))
def test_captions_mention_what_matters(seed: int) -> None:
    scene = sample_scene(seed)
    for text in captions(scene):
        lower = text.lower()
        assert scene.color in lower
        assert scene.action in lower or _ING[scene.action] in lower or (scene.action == "fly" and "flies" in lower)
        assert scene.setting in lower or scene.subject in ("fish", "boat")
        if scene.subject != "person":
            assert scene.subject in lower
        elif scene.role != "none":
            assert str(scene.role) in lower
        if scene.count > 1:
            assert {2: "two", 3: "three"}[scene.count] in lower


@pytest.mark.parametrize("seed", range(0, 300, 3))
def test_the_detailed_caption_mentions_everything(seed: int) -> None:
    scene = sample_scene(seed)
    text = caption(scene, "detailed").lower()
    for part in (
        scene.camera.replace("pan", "pans").replace("zoom", "zooms").replace("tilt", "tilts")
        if scene.camera != "static"
        else "still",
        scene.shot,
    ):
        assert part in text
    assert scene.mood == "none" or f"{scene.mood} music" in text
    assert scene.weather == "clear" or scene.weather in text
    if scene.subject == "person":
        assert f"{scene.eye_color} eyes" in text
        assert ("glasses" in text) == bool(scene.glasses)
        assert scene.hair_style == "bald" or str(scene.hair_color) in text


def test_captions_are_plain_english() -> None:
    for seed in range(400):
        for text in captions(sample_scene(seed)):
            assert not re.search(r"  | ,| \.|\ba [aeiou]|\ban [^aeiou]|\bNone\b|none", text), text
            assert text.isascii()


def test_styles_differ_and_the_first_is_canonical() -> None:
    scene = sample_scene(2)
    assert captions(scene)[0] == caption(scene) == caption(scene, "plain")
    assert len(captions(scene)) == len(STYLES)
    with pytest.raises(ValueError, match=r"unknown caption style 'plian' \(did you mean 'plain'\?\)"):
        caption(scene, "plian")
