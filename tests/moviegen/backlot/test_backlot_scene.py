"""Scenes: sampling, validation and JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from moviegen.backlot import FACTORS, Scene, allowed, applies, sample_scene
from moviegen.backlot.factors import ACTIONS


def test_importing_the_world_loads_nothing_heavy() -> None:
    code = "import sys, moviegen.backlot; print([m for m in ('torch', 'scipy', 'av', 'pandas') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("seed", range(0, 400, 7))
def test_json_round_trip(seed: int) -> None:
    scene = sample_scene(seed)
    assert Scene.from_json(scene.to_json()) == scene


def test_sampling_is_a_function_of_the_seed() -> None:
    assert sample_scene(11) == sample_scene(11)
    assert len({sample_scene(seed) for seed in range(200)}) == 200


def test_every_value_of_every_factor_is_sampled() -> None:
    seen = {(name, value) for seed in range(3000) for name, value in sample_scene(seed).factors().items()}
    missing = [(n, v) for n, f in FACTORS.items() for v in f.values if (n, v) not in seen]
    assert missing == []


@pytest.mark.parametrize("name", FACTORS)
def test_every_value_can_be_fixed(name: str) -> None:
    for value in FACTORS[name].values:
        assert getattr(sample_scene(5, **{name: value}), name) == value


def test_fixing_one_factor_leaves_the_draws_of_others_alone() -> None:
    free = sample_scene(21, subject="ball")
    fixed = sample_scene(21, subject="ball", mood="sad", weather=free.weather)
    assert replace(fixed, mood=free.mood) == free


def test_unknown_factor_is_named_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"unknown factor 'colour' \(did you mean 'color'\?\)"):
        sample_scene(1, colour="red")


def test_unknown_value_is_named_with_the_allowed_ones() -> None:
    with pytest.raises(ValueError, match=r"subject='dgo'.*did you mean 'dog'.*allowed: person, dog"):
        sample_scene(1, subject="dgo")


def test_a_scene_refuses_what_makes_no_sense() -> None:
    ball = sample_scene(1, subject="ball", action="bounce", other="none", count=1)
    with pytest.raises(ValueError, match=r"action='swim' is not allowed beside subject=ball.*allowed: bounce"):
        replace(ball, action="swim")
    with pytest.raises(ValueError, match="skin=3 does not apply to subject=ball"):
        replace(ball, skin=3)
    with pytest.raises(ValueError, match=r"count=7 is not allowed.*allowed: 1, 2, 3"):
        replace(ball, count=7)
    with pytest.raises(ValueError, match="count=True is not allowed"):
        replace(ball, count=True)
    with pytest.raises(ValueError, match="seed must be a whole number"):
        replace(ball, seed=-1)


def test_clashing_wishes_are_an_error() -> None:
    with pytest.raises(ValueError, match="leave one of them out"):
        sample_scene(1, subject="fish", setting="park")


def test_json_from_strangers() -> None:
    values = sample_scene(2).to_dict()
    with pytest.raises(ValueError, match=r"unknown field 'colr' in a scene \(did you mean 'color'\?\)"):
        Scene.from_dict({**values, "colr": "red"})
    with pytest.raises(ValueError, match="a scene needs subject"):
        Scene.from_dict({k: v for k, v in values.items() if k != "subject"})
    with pytest.raises(ValueError, match="object of factors"):
        Scene.from_json(json.dumps([1, 2]))


def test_rules_list_only_what_scenes_accept() -> None:
    for subject, actions in ACTIONS.items():
        given = {"subject": subject, "other": "none"}
        assert set(allowed("action", given)) == set(actions) - {"collide"}
        assert applies("skin", given) == (subject == "person")
