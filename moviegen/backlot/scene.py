"""The scene: one value for every factor, and the seed of all incidental detail."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from moviegen.backlot.exact import draw
from moviegen.backlot.factors import (
    FACTORS,
    IDENTITY_FACTORS,
    Level,
    allowed,
    applies,
    check_name,
    check_value,
    suggestion,
)

_MAX_SEED = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is, whatever they wear and wherever they are: the factors of identity and the face's own number."""

    face: int
    skin: int
    presentation: str
    age: str
    hair_style: str
    hair_color: str
    eye_color: str
    glasses: bool
    beard: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that is to be known about a clip of the Backlot.

    Factors are those of FACTORS; one that does not apply (a ball's hair, a person's size) is None.
    seed: incidental detail (clouds, trees, phase of movements). face: the proportions of the person's face.
    Raises ValueError naming the factor and its allowed values.
    """

    seed: int
    subject: str
    color: str
    size: str | None = None
    count: int = 1
    face: int | None = None
    skin: int | None = None
    presentation: str | None = None
    age: str | None = None
    hair_style: str | None = None
    hair_color: str | None = None
    eye_color: str | None = None
    glasses: bool | None = None
    beard: str | None = None
    role: str | None = None
    other: str = "none"
    other_color: str | None = None
    relation: str | None = None
    action: str
    speed: str = "normal"
    heading: str = "right"
    setting: str
    light: str = "day"
    weather: str = "clear"
    camera: str = "static"
    shot: str = "wide"
    mood: str = "none"

    def __post_init__(self) -> None:
        given = self.factors()
        for name in FACTORS:
            value = given[name]
            if applies(name, given):
                check_value(name, value, {k: v for k, v in given.items() if k != name})
            elif value is not None:
                raise ValueError(
                    f"{name}={value!r} does not apply to subject={self.subject}, other={self.other}: leave it out"
                )
        _check_number("seed", self.seed)
        if self.subject == "person":
            _check_number("face", self.face)
        elif self.face is not None:
            raise ValueError(f"face={self.face!r} does not apply to subject={self.subject}: leave it out")

    def factors(self) -> dict[str, Any]:
        """Factor name -> value (None where it does not apply), without seed and face."""
        return {name: getattr(self, name) for name in FACTORS}

    @property
    def person(self) -> Person | None:
        """The identity of the person in the scene, if there is one."""
        if self.face is None:
            return None
        return Person(face=self.face, **{name: getattr(self, name) for name in IDENTITY_FACTORS})

    def to_dict(self) -> dict[str, Any]:
        """All fields, JSON-able."""
        return asdict(self)

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Scene:
        """The scene of to_dict(). Raises ValueError for unknown or missing fields and values that are not allowed."""
        known = {f.name for f in fields(cls)}
        for name in values:
            if name not in known:
                raise ValueError(f"unknown field '{name}' in a scene{suggestion(name, known)}")
        missing = [name for name in ("seed", "subject", "color", "action", "setting") if name not in values]
        if missing:
            raise ValueError(f"a scene needs {', '.join(missing)}")
        return cls(**values)

    @classmethod
    def from_json(cls, text: str) -> Scene:
        """The scene of to_json(). Raises ValueError as from_dict does."""
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("a scene in JSON is an object of factors")
        return cls.from_dict(values)


def _check_number(name: str, value: Any) -> None:
    if type(value) is not int or not 0 <= value <= _MAX_SEED:
        raise ValueError(f"{name} must be a whole number from 0 to {_MAX_SEED}; got {value!r}")


_WEIGHTS: dict[str, dict[Any, float]] = {
    "subject": {"person": 9.0},
    "count": {1: 12.0},
    "other": {"none": 40.0},
    "glasses": {False: 2.0},
    "beard": {"none": 3.0},
    "role": {"none": 3.0},
    "speed": {"normal": 2.0},
    "light": {"day": 3.0},
    "weather": {"clear": 5.0},
    "camera": {"static": 5.0},
    "shot": {"medium": 1.2},
    "action": {"collide": 40.0},
}
"""Odds against 1 in sampling; collide is frequent where a second subject makes it possible."""

_HABITS: dict[tuple[str, str, str], dict[Any, float]] = {
    ("beard", "presentation", "feminine"): {"none": 100.0},
    ("hair_style", "presentation", "feminine"): {"bald": 0.25},
    ("hair_color", "age", "senior"): {"grey": 8.0},
    ("light", "setting", "city"): {"night": 4.0},
    ("weather", "setting", "desert"): {"clear": 5.0, "snow": 0.25},
    ("weather", "setting", "beach"): {"clear": 5.0, "snow": 0.25},
}
"""(factor, condition, its value) -> odds that replace the usual ones."""

_NATURAL: dict[str, tuple[str, ...]] = {
    "dog": ("brown", "black", "white", "grey", "orange"),
    "cat": ("orange", "black", "white", "grey", "brown"),
    "horse": ("brown", "black", "white", "grey"),
    "rabbit": ("white", "grey", "brown"),
    "elephant": ("grey",),
}


def sample_scene(seed: int, **fixed: Any) -> Scene:
    """A random scene: `seed` decides everything that `fixed` does not.

    fixed: factor -> value, and `face`. Every factor is drawn from a stream of its own, so fixing one leaves the draws
    of the others alone. Raises ValueError for unknown factors, values that are not allowed, or values that clash.
    """
    _check_number("seed", seed)
    face = fixed.pop("face", None)
    for name, value in fixed.items():
        check_name(name)
        if value not in FACTORS[name].values:
            check_value(name, value, {})
    given: dict[str, Any] = {}
    for name in FACTORS:
        if applies(name, given):
            given[name] = _choose(seed, name, given, fixed)
        elif name in fixed:
            raise ValueError(f"{name} does not apply to subject={given['subject']}: leave it out")
    if given["subject"] == "person":
        given["face"] = int(draw(seed, "face", 0, 1 << 31)) if face is None else face
    elif face is not None:
        raise ValueError(f"face does not apply to subject={given['subject']}: leave it out")
    return Scene(seed=seed, **given)


def _choose(seed: int, name: str, given: dict[str, Any], fixed: dict[str, Any]) -> Level:
    """The fixed value, or the first in the factor's own random order that leaves room for the fixed ones to come."""
    if name in fixed:
        check_value(name, fixed[name], given)
        value: Level = fixed[name]
        return value
    for candidate in _order(seed, name, allowed(name, given), given):
        trial = {**given, name: candidate}
        if all(_fits(other, fixed[other], trial) for other in fixed if other not in given):
            return candidate
    clash = ", ".join(f"{k}={v!r}" for k, v in fixed.items())
    raise ValueError(f"no value of {name} goes with {clash}: leave one of them out")


def _fits(name: str, value: Any, given: dict[str, Any]) -> bool:
    undecided = "subject" not in given or (name in ("other_color", "relation") and "other" not in given)
    return value in allowed(name, given) and (undecided or applies(name, given))


def _order(seed: int, name: str, values: tuple[Level, ...], given: dict[str, Any]) -> Iterator[Level]:
    """The values in random order, heavy ones tending to come first."""
    weights = _weights(name, given)
    left = [(value, float(weights.get(value, 1.0))) for value in values]
    turn = 0
    while left:
        point = draw(seed, f"{name}/{turn}") * sum(weight for _, weight in left)
        at = 0
        while at < len(left) - 1 and point >= left[at][1]:
            point -= left[at][1]
            at += 1
        yield left.pop(at)[0]
        turn += 1


def _weights(name: str, given: dict[str, Any]) -> dict[Any, float]:
    natural = _NATURAL.get(str(given.get({"color": "subject", "other_color": "other"}.get(name, ""))))
    if natural is not None:
        return dict.fromkeys(natural, 20.0)
    for (factor, condition, value), weights in _HABITS.items():
        if name == factor and given.get(condition) == value:
            return weights
    return _WEIGHTS.get(name, {})
