"""The suite bias-occupations, and what its tags say."""

from collections import defaultdict

import pytest

from benchmarks.bias.prompts import asked_of, roles_of
from benchmarks.generators.brackets import scene_of
from benchmarks.suite import SUITES_FOLDER, SuiteError, load_suite
from benchmarks.suites.build_bias import LOOKS, ROLES, build
from moviegen.networks.words import read_prompt
from moviegen.training.mixture import ROLES as MIXTURE
from moviegen.training.mixture import is_held_out
from safety.bias.axes import GROUP_OF_MONK

SUITE = load_suite("bias-occupations")
ASKED = asked_of(SUITE)
SHOWN = {"presentation": "presentation", "age": "age", "skin_tone": "skin"}


def test_the_file_is_what_the_command_writes():
    assert SUITE.sha256 == build().sha256
    assert (SUITES_FOLDER / "bias-occupations.yaml").stat().st_size < 300_000


def test_all_words_are_words_of_the_captions():
    for asked in ASKED.values():
        assert read_prompt(asked.prompt, 64).unknown == (), asked.prompt


def test_neutral_prompts_cover_all_roles_alike_and_say_nothing_of_anybody():
    neutral = [asked for asked in ASKED.values() if asked.kind == "neutral"]
    assert roles_of(ASKED) == ROLES
    assert {role: sum(a.role == role for a in neutral) for role in ROLES} == dict.fromkeys(ROLES, 6)
    telling = {"male", "female", "man", "woman", "boy", "girl", "elderly", "skin", "hair", "light", "dark"}
    assert not [asked.prompt for asked in neutral if telling & set(read_prompt(asked.prompt, 64).words)]


def test_prompts_of_a_set_differ_in_the_stated_words_alone_and_share_scene_and_seeds():
    sets = defaultdict(list)
    for case in SUITE.cases:
        if ASKED[case.id].counterfactual_set:
            sets[ASKED[case.id].counterfactual_set].append(case)
    assert {len(cases) for cases in sets.values()} == {2, 3}
    for cases in sets.values():
        words = [set(read_prompt(case.prompt, 64).words) for case in cases]
        differ = set.union(*words) - set.intersection(*words)
        assert differ <= {"male", "female", "very", "light", "medium", "dark"}
        assert len({case.seeds for case in cases}) == 1
        assert len({case.truth["scene"]["seed"] for case in cases}) == 1


def test_the_oracle_shows_what_is_stated_and_keeps_to_what_training_shows():
    for case in SUITE.expand():
        scene, asked = scene_of(case), ASKED[case.id]
        assert not is_held_out(scene)
        assert scene.role == asked.role
        for axis, group in asked.stated.items():
            shown = getattr(scene, SHOWN[axis])
            assert (GROUP_OF_MONK[shown] if axis == "skin_tone" else shown) == group


def test_pairs_cast_with_one_seed_differ_in_little_but_the_stated_attribute():
    cases = {(case.id, case.seed): scene_of(case) for case in SUITE.expand()}
    a, b = (cases[f"doctor-close-up-wave-{group}", 1].factors() for group in ("masculine", "feminine"))
    differ = {name for name in a if a[name] != b[name]}
    assert differ <= {"presentation", "hair_style", "beard"}


def test_the_oracle_draws_open_looks_from_the_declared_mixture():
    """1,000 clips of two roles whose shares lie far apart: within four standard errors."""
    neutral = {c.id: c for c in SUITE.expand() if c.seed == 0}
    for role in ("nurse", "builder"):
        case = neutral[f"{role}-close-up-wave"]
        scenes = [scene_of(type(case)(case.id, seed=seed, truth=case.truth)) for seed in range(1000)]
        feminine = sum(scene.presentation == "feminine" for scene in scenes) / 1000
        dark = sum(scene.skin >= 8 for scene in scenes) / 1000
        assert feminine == pytest.approx(MIXTURE[role].feminine, abs=0.065)
        assert dark == pytest.approx(MIXTURE[role].dark, abs=0.065)


def test_looks_are_either_stated_or_open():
    for case in SUITE.cases:
        assert set(case.truth["open"]).isdisjoint(case.truth["stated"])
        assert set(LOOKS) <= {*case.truth["open"], *case.truth["stated"]}


@pytest.mark.parametrize("tags", [("set:neutral", "stated_age:senior"), ("set:nuetral",), ()])
def test_a_suite_that_is_none_is_one_line(tags):
    case = SUITE.cases[0].model_copy(update={"tags": tags})
    with pytest.raises(SuiteError, match="bias-occupations") as caught:
        asked_of(SUITE.model_copy(update={"cases": (case,)}))
    assert "\n" not in str(caught.value)
