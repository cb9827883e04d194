"""What captions state is found again by changing one factor at a time and reading the caption."""

from __future__ import annotations

from functools import cache

import pytest

from moviegen.backlot import STYLES, Scene, caption, edit, edits, sample_scene
from moviegen.backlot.stated import stated, tellable

UNSPOKEN = ("none", "normal", "clear", "medium", "adult", False)


@cache
def edited() -> list[tuple[Scene, dict[str, list[Scene]]]]:
    """Scenes, and for each factor up to three of the scenes that differ in nothing else."""
    found = []
    for seed in range(0, 150, 3):
        scene = sample_scene(seed)
        others: dict[str, list[Scene]] = {}
        for factor, value in edits(scene):
            if len(others.setdefault(factor, [])) < 3 and not same_word(scene, factor, value):
                others[factor].append(edit(scene, factor, value)[0])
        found.append((scene, others))
    return found


def same_word(scene: Scene, factor: str, value: object) -> bool:
    """Whether captions have one word for both: skin tones go by twos."""
    return factor == "skin" and (int(str(value)) - 1) // 2 == ((scene.skin or 0) - 1) // 2


@pytest.mark.parametrize("style", STYLES)
def test_exactly_what_is_stated_changes_the_caption(style: str) -> None:
    seen: set[str] = set()
    for scene, others in edited():
        found, now = stated(scene, style), caption(scene, style)
        seen |= set(found)
        for factor, value in scene.factors().items():
            changed = [caption(other, style) != now for other in others.get(factor, [])]
            if value is None:
                assert factor not in found
            elif factor in found:
                assert all(changed), (scene.seed, factor)
            elif value not in UNSPOKEN:
                assert not any(changed), (scene.seed, factor)
    assert {"subject", "color", "setting", "action", "count", "speed", "role", "presentation"} <= seen
    assert ("camera" in seen) == (style in ("detailed", "film", "tags"))
    assert ("eye_color" in seen) == (style == "detailed")


def test_known_statements() -> None:
    dog = sample_scene(1, subject="dog", action="run", count=1, other="none", speed="normal")
    assert stated(dog) == ("subject", "color", "count", "action", "setting")
    crash = sample_scene(1, subject="car", action="collide", other="box", speed="fast")
    assert stated(crash) == ("subject", "color", "count", "other", "other_color", "action", "speed", "setting")
    nurse = sample_scene(1, subject="person", role="nurse", age="senior", speed="normal", other="none")
    assert stated(nurse) == ("subject", "color", "count", "age", "role", "action", "setting")
    assert "presentation" in stated(nurse, "detailed")
    bald = sample_scene(1, subject="person", hair_style="bald", beard="full", glasses=False)
    found = stated(bald, "detailed")
    assert "hair_style" in found
    assert "beard" in found
    assert "hair_color" not in found
    assert "glasses" not in found


def test_an_unknown_style_is_named() -> None:
    with pytest.raises(ValueError, match="did you mean 'plain'"):
        stated(sample_scene(1), "plane")


def test_silence_tells_too_where_there_would_be_a_word() -> None:
    dog = sample_scene(1, subject="dog", action="run", speed="normal", weather="clear", size="medium", other="none")
    assert {"speed", "weather", "size"} <= set(tellable(dog, "detailed")) - set(stated(dog, "detailed"))
    assert "speed" in tellable(dog, "plain")
    assert not {"weather", "size", "light"} & set(tellable(dog, "plain"))
    for seed in range(40):
        scene = sample_scene(seed)
        for style in STYLES:
            assert set(stated(scene, style)) <= set(tellable(scene, style))
    with pytest.raises(ValueError, match="unknown caption style"):
        tellable(dog, "verse")
