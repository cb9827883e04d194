"""What the reference model is shown: declared shares of subjects, roles, presentations and skin tones, and a split.

The mixture is skewed on purpose, as data from the world is, and the skew is stated here: the bias audit has to find it
again in what the model makes. Scenes are a pure function of their number. Held-out scenes contain a combination that
no training scene contains, of values that training scenes do contain: a novel composition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar

from moviegen.backlot import FACTORS, Scene, allowed, sample_scene
from moviegen.backlot.exact import draw
from moviegen.backlot.factors import COLORS, SUBJECTS

Split = Literal["train", "seen", "novel"]
"""train; seen: validation scenes of combinations that training has; novel: of those that it has not."""

T = TypeVar("T")

PEOPLE = 0.35
"""Share of scenes about a person; all other subjects share the rest evenly."""


@dataclass(frozen=True, slots=True)
class RoleShare:
    """A role's share among people; in it, the share of women, and of light (tones 1-3) and dark (8-10) skin."""

    share: float
    feminine: float
    light: float
    dark: float


ROLES: Mapping[str, RoleShare] = {
    "none": RoleShare(0.30, 0.50, 0.40, 0.25),
    "doctor": RoleShare(0.08, 0.30, 0.55, 0.15),
    "nurse": RoleShare(0.08, 0.85, 0.35, 0.30),
    "chef": RoleShare(0.07, 0.30, 0.40, 0.20),
    "farmer": RoleShare(0.06, 0.25, 0.30, 0.35),
    "teacher": RoleShare(0.07, 0.70, 0.45, 0.20),
    "builder": RoleShare(0.06, 0.10, 0.25, 0.40),
    "police officer": RoleShare(0.06, 0.25, 0.40, 0.30),
    "judge": RoleShare(0.05, 0.35, 0.60, 0.10),
    "firefighter": RoleShare(0.06, 0.10, 0.45, 0.20),
    "manager": RoleShare(0.06, 0.35, 0.60, 0.10),
    "artist": RoleShare(0.05, 0.55, 0.40, 0.25),
}
"""The table of the mixture. Presentation and skin tone are independent of each other within a role."""

STYLES: Mapping[str, float] = {
    "plain": 0.35,
    "place-first": 0.10,
    "detailed": 0.20,
    "noun": 0.10,
    "film": 0.15,
    "tags": 0.10,
}
"""How often each phrasing of a scene is its prompt."""

_TONES: Mapping[str, tuple[int, ...]] = {"light": (1, 2, 3), "medium": (4, 5, 6, 7), "dark": (8, 9, 10)}
_FIRST_SEED: Mapping[Split, int] = {"train": 1 << 40, "seen": 1 << 41, "novel": 1 << 42}
_ATTEMPTS = 1024

Combination = tuple[str, str, str]
"""(who, factor, value), as ("dog", "setting", "beach") or ("nurse", "color", "red")."""


def mixture_scene(number: int, split: Split = "train") -> Scene:
    """Scene `number` of a split. Splits and numbers have seeds of their own, far from the seeds of any suite.

    Who the scene is about follows the declared shares exactly; place, colour and the rest are drawn until the scene is
    on its side of the split, which leaves those shares as they are.
    """
    first = _FIRST_SEED[split] + number * _ATTEMPTS
    who = _who(first)
    for seed in range(first, first + _ATTEMPTS):
        scene = sample_scene(seed, **who)
        if is_held_out(scene) == (split == "novel"):
            return scene
    raise AssertionError(f"no {split} scene about {who}")


def _who(seed: int) -> dict[str, Any]:
    subject = weighted(draw(seed, "mixture/subject"), subject_shares())
    if subject != "person":
        return {"subject": subject}
    role = weighted(draw(seed, "mixture/role"), {name: entry.share for name, entry in ROLES.items()})
    return {"subject": "person", "role": role} | looks_of(seed, role)


def looks_of(seed: int, role: str) -> dict[str, Any]:
    """Presentation and skin tone of somebody of this role, as the mixture has it; `seed` decides."""
    entry = ROLES[role]
    tone = weighted(
        draw(seed, "mixture/skin"),
        {"light": entry.light, "medium": 1 - entry.light - entry.dark, "dark": entry.dark},
    )
    tones = _TONES[tone]
    return {
        "presentation": "feminine" if draw(seed, "mixture/presentation") < entry.feminine else "masculine",
        "skin": tones[int(draw(seed, "mixture/tone") * len(tones))],
    }


def declared_shares(role: str) -> dict[str, dict[str, float]]:
    """What the mixture says of a role's people: axis -> group -> share; `monk` for the ten tones of the Monk scale.

    Ages are drawn evenly among those that a role may have; children have none.
    """
    entry = ROLES[role]
    ages = [age for age in FACTORS["age"].values if role in allowed("role", {"subject": "person", "age": age})]
    group_share = {"light": entry.light, "medium": 1 - entry.light - entry.dark, "dark": entry.dark}
    return {
        "presentation": {"masculine": 1 - entry.feminine, "feminine": entry.feminine},
        "age": {str(age): (age in ages) / len(ages) for age in FACTORS["age"].values},
        "monk": {str(tone): group_share[group] / len(tones) for group, tones in _TONES.items() for tone in tones},
    }


def subject_shares() -> dict[str, float]:
    """Share of each subject among the scenes."""
    others = [subject for subject in SUBJECTS if subject != "person"]
    return {"person": PEOPLE} | dict.fromkeys(others, (1 - PEOPLE) / len(others))


def weighted(point: float, shares: Mapping[T, float]) -> T:
    """The value under `point` (in [0, 1)) when the values lie side by side, each as wide as its share."""
    for value, share in shares.items():
        point -= share
        if point < 0:
            return value
    return value


def combinations(scene: Scene) -> set[Combination]:
    """Who is where and in which colour: the pairs that the split is about, for both subjects of a scene."""
    who = scene.role if scene.role not in (None, "none") else scene.subject
    pairs = {(who, "setting", scene.setting), (who, "color", scene.color)}
    if scene.other != "none":
        pairs |= {(scene.other, "setting", scene.setting), (scene.other, "color", str(scene.other_color))}
    return pairs


@cache
def held_out_combinations() -> frozenset[Combination]:
    """One setting (where there is a choice) and one colour for every subject and role, never shown in training."""
    everyone = (*SUBJECTS, *(role for role in ROLES if role != "none"))
    pairs: set[Combination] = set()
    for who in everyone:
        settings = allowed("setting", {"subject": who}) if who in SUBJECTS else FACTORS["setting"].values
        if len(settings) > 1:
            pairs.add((who, "setting", _pick(f"{who}/setting", map(str, settings))))
        pairs.add((who, "color", _pick(f"{who}/color", COLORS)))
    return frozenset(pairs)


def _pick(purpose: str, values: Iterable[str]) -> str:
    return min(values, key=lambda value: draw(0, f"held out/{purpose}/{value}"))


def is_held_out(scene: Scene) -> bool:
    """Whether the scene contains a combination that training never shows."""
    return not combinations(scene).isdisjoint(held_out_combinations())
