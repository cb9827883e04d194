"""The mixture: declared shares come out, scenes are functions of their number, and the split holds."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

from moviegen.backlot import FACTORS, STYLES, Scene, sample_scene
from moviegen.backlot.factors import SUBJECTS
from moviegen.training import mixture
from moviegen.training.mixture import (
    ROLES,
    combinations,
    held_out_combinations,
    is_held_out,
    mixture_scene,
    subject_shares,
    weighted,
)

COUNT = 4000


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [mixture_scene(number) for number in range(COUNT)]


def _close(found: int, total: int, share: float) -> bool:
    """Within four standard errors of the declared share."""
    return bool(abs(found / total - share) <= 4 * (share * (1 - share) / total) ** 0.5)


def test_the_table_is_a_table_of_shares() -> None:
    assert set(ROLES) == set(FACTORS["role"].values)
    assert sum(entry.share for entry in ROLES.values()) == pytest.approx(1)
    assert sum(subject_shares().values()) == pytest.approx(1)
    assert sum(mixture.STYLES.values()) == pytest.approx(1)
    assert tuple(mixture.STYLES) == STYLES
    assert all(0 < entry.feminine < 1 and entry.light + entry.dark < 1 for entry in ROLES.values())


def test_the_readme_states_the_table() -> None:
    readme = Path(str(mixture.__file__)).with_name("README.md").read_text()
    for role, entry in ROLES.items():
        shares = (entry.share, entry.feminine, entry.light, 1 - entry.light - entry.dark, entry.dark)
        assert f"| {role} | {' | '.join(f'{share:.0%}' for share in shares)} |" in readme


def test_subjects_have_their_shares(scenes: list[Scene]) -> None:
    counts = Counter(scene.subject for scene in scenes)
    for subject, share in subject_shares().items():
        assert _close(counts[subject], COUNT, share), subject


def test_roles_presentations_and_tones_have_their_shares(scenes: list[Scene]) -> None:
    people = sorted((s for s in scenes if s.subject == "person"), key=lambda scene: str(scene.role))
    for role, group in groupby(people, key=lambda scene: str(scene.role)):
        them, entry = list(group), ROLES[role]
        assert _close(len(them), len(people), entry.share), role
        assert _close(sum(s.presentation == "feminine" for s in them), len(them), entry.feminine), role
        assert _close(sum(s.skin in (1, 2, 3) for s in them), len(them), entry.light), role
        assert _close(sum(s.skin in (8, 9, 10) for s in them), len(them), entry.dark), role
    assert {scene.skin for scene in people} == set(range(1, 11))


def test_a_scene_is_a_function_of_its_number() -> None:
    assert mixture_scene(17) == mixture_scene(17)
    everything = {mixture_scene(n, split).seed for n in range(50) for split in ("train", "seen", "novel")}  # type: ignore[arg-type]
    assert len(everything) == 150
    assert min(everything) > 1_000_000


def test_training_never_shows_what_is_held_out(scenes: list[Scene]) -> None:
    shown = set().union(*map(combinations, scenes))
    assert shown.isdisjoint(held_out_combinations())
    for number in range(100):
        assert not is_held_out(mixture_scene(number, "seen"))
        assert is_held_out(mixture_scene(number, "novel"))


def test_novel_scenes_are_made_of_values_that_training_shows(scenes: list[Scene]) -> None:
    shown = {(factor, value) for scene in scenes for _, factor, value in combinations(scene)}
    who = {name for scene in scenes for name, _, _ in combinations(scene)}
    for name, factor, value in held_out_combinations():
        assert name in who
        assert (factor, value) in shown


def test_everyone_loses_one_colour_and_at_most_one_setting_and_keeps_most_scenes() -> None:
    kinds = Counter((name, factor) for name, factor, _ in held_out_combinations())
    assert set(kinds.values()) == {1}
    assert {name for name, _, _ in held_out_combinations()} == {*SUBJECTS, *ROLES} - {"none"}
    for subject in SUBJECTS:
        lost = sum(is_held_out(sample_scene(10**9 + k, subject=subject)) for k in range(150))
        assert lost < 75, subject


def test_the_two_subjects_of_a_scene_both_count() -> None:
    scene = sample_scene(3, subject="dog", other="box", other_color="red", setting="park", color="brown")
    assert combinations(scene) == {
        ("dog", "setting", "park"), ("dog", "color", "brown"), ("box", "setting", "park"), ("box", "color", "red"),
    }  # fmt: skip


def test_weighted_covers_the_unit_interval() -> None:
    shares = {"a": 0.25, "b": 0.75}
    assert [weighted(point, shares) for point in (0, 0.2499, 0.25, 0.9999999999999999)] == ["a", "a", "b", "b"]
