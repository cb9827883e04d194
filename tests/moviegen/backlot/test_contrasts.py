"""Contrasts: one thing is exchanged, turned round or changed, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from moviegen.backlot import FACTORS, STYLES, Scene, caption, render, sample_scene
from moviegen.backlot.contrasts import CONTRASTS, changed, contrasts, mirrored, with_colours_exchanged
from moviegen.backlot.stated import stated

PAIR = sample_scene(
    3, subject="dog", color="black", action="run", other="box", other_color="red", relation="left of", setting="park"
)


def test_of_two_subjects_the_colours_and_the_sides_are_exchanged() -> None:
    found = contrasts(PAIR, "noun")
    assert "a black dog" in caption(PAIR, "noun")
    assert "a red dog" in found["color"]
    assert "a black box" in found["color"]
    assert "to the right of a red box" in found["relation"]
    assert "count" not in found, "a second subject leaves room for one of the first"


def test_what_grows_is_contrasted_with_what_shrinks_and_left_with_right() -> None:
    ball = sample_scene(1, subject="ball", action="grow", other="none", count=1)
    assert "shrinks" in contrasts(ball, "plain")["action"]
    walk = sample_scene(2, subject="horse", action="walk", heading="left", other="none")
    assert "walk" in contrasts(walk, "detailed")["action"]
    assert "to the right" in contrasts(walk, "detailed")["action"]
    assert "walk" not in contrasts(walk, "plain")["action"], "which way is not said there"


@pytest.mark.parametrize("style", STYLES)
def test_twins_are_other_captions_for_stated_factors_only(style: str) -> None:
    for seed in range(60):
        scene = sample_scene(seed)
        found = contrasts(scene, style)
        assert set(found) <= set(CONTRASTS) & set(stated(scene, style))
        assert caption(scene, style) not in found.values()
        assert found == contrasts(scene, style)
        assert {"color", "action"} <= set(found)


def test_colours_are_not_exchanged_where_that_changes_nothing() -> None:
    crash = sample_scene(
        4, subject="ball", color="red", action="collide", other="ball", other_color="blue", relation="left of"
    )
    assert with_colours_exchanged(crash) is None
    assert with_colours_exchanged(sample_scene(4, subject="ball", other="none")) is None
    assert contrasts(crash, "plain")["color"] != caption(crash)


def test_any_pick_changes_one_factor_to_a_value_that_fits() -> None:
    for seed in range(40):
        scene = sample_scene(seed)
        for factor in FACTORS:
            for pick in (0.0, 0.5, 0.999):
                if scene.factors()[factor] is None:
                    continue
                other = changed(scene, factor, pick)
                if other is None:
                    continue
                differing = {name for name, value in scene.factors().items() if other.factors()[name] != value}
                assert differing == {factor}
                assert Scene.from_dict(other.to_dict()) == other
    person = sample_scene(1, subject="person")
    assert changed(person, "subject", 0.3) is None
    assert changed(PAIR, "other", 0.0).other not in ("none", "box")  # type: ignore[union-attr]


def test_a_mirrored_scene_is_the_pictures_mirror_image_but_for_the_scenery() -> None:
    scene = sample_scene(6, subject="ball", color="red", action="roll", heading="left", setting="studio", count=1,
                         camera="static", other="none", shot="medium")  # fmt: skip
    turned = mirrored(scene)
    assert mirrored(turned) == scene
    assert turned.heading == "right"
    left, right = (render(one, sound=False).frames_TCHW.astype(int) for one in (scene, turned))
    red = [(frames[:, 0] - frames[:, 1:].max(axis=1) > 60).mean(axis=1) for frames in (left, right[..., ::-1])]
    assert np.corrcoef(red[0].ravel(), red[1].ravel())[0, 1] > 0.8
    pair = mirrored(PAIR)
    assert pair.relation == "right of"
