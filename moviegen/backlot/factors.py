"""The table of factors: what a scene is made of, and which values go together."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Level = str | int | bool
Group = Literal["subject", "person", "motion", "second", "place", "camera", "sound"]

PEOPLE = ("person",)
QUADRUPEDS = ("dog", "cat", "horse", "rabbit", "elephant")
ANIMALS = (*QUADRUPEDS, "bird", "fish")
PROPS = ("ball", "box", "balloon", "car", "boat", "kite")
SUBJECTS = (*PEOPLE, *ANIMALS, *PROPS)

COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "grey", "white")

ACTIONS: dict[str, tuple[str, ...]] = {
    "person": ("wave", "walk", "run", "jump", "dance", "spin"),
    "dog": ("run", "walk", "jump", "collide"),
    "cat": ("run", "walk", "jump", "collide"),
    "horse": ("run", "walk", "jump"),
    "rabbit": ("jump", "run", "collide"),
    "elephant": ("walk", "run"),
    "bird": ("fly", "jump"),
    "fish": ("swim", "jump", "spin"),
    "ball": ("bounce", "roll", "spin", "collide", "grow", "shrink"),
    "box": ("slide", "spin", "bounce", "collide", "grow", "shrink"),
    "balloon": ("float", "bounce", "spin", "collide", "grow", "shrink"),
    "car": ("drive", "collide", "grow", "shrink"),
    "boat": ("sail", "collide", "grow", "shrink"),
    "kite": ("fly", "spin"),
}
"""What each subject can do."""


@dataclass(frozen=True, slots=True)
class Factor:
    """One axis of the world: its name, group, all values it can take, and a line for readers."""

    name: str
    group: Group
    values: tuple[Level, ...]
    about: str


def _table(*factors: Factor) -> dict[str, Factor]:
    return {factor.name: factor for factor in factors}


FACTORS: dict[str, Factor] = _table(
    Factor("subject", "subject", SUBJECTS, "who or what the scene is about"),
    Factor("color", "subject", COLORS, "colour of the prop, the fur, or the person's clothes"),
    Factor("size", "subject", ("small", "medium", "large"), "size of an animal or a prop"),
    Factor("count", "subject", (1, 2, 3), "how many of the subject there are"),
    Factor("skin", "person", tuple(range(1, 11)), "tone on the Monk scale, 1 lightest to 10 darkest"),
    Factor("presentation", "person", ("masculine", "feminine"), "how the person presents"),
    Factor("age", "person", ("child", "adult", "senior"), "age group"),
    Factor(
        "hair_style",
        "person",
        ("bald", "short", "curly", "long", "bun", "ponytail", "afro"),
        "cut of the hair",
    ),
    Factor("hair_color", "person", ("black", "brown", "blond", "red", "grey"), "colour of the hair"),
    Factor("eye_color", "person", ("brown", "blue", "green", "grey"), "colour of the eyes"),
    Factor("glasses", "person", (False, True), "whether the person wears glasses"),
    Factor("beard", "person", ("none", "moustache", "full"), "facial hair"),
    Factor(
        "role",
        "person",
        (
            "none",
            "doctor",
            "nurse",
            "chef",
            "farmer",
            "teacher",
            "builder",
            "police officer",
            "judge",
            "firefighter",
            "manager",
            "artist",
        ),
        "occupation, shown by clothes, hat and prop",
    ),
    Factor("other", "second", ("none", *ANIMALS, *PROPS), "a second subject"),
    Factor("other_color", "second", COLORS, "colour of the second subject"),
    Factor("relation", "second", ("left of", "right of"), "where the subject is, seen from the second one"),
    Factor(
        "action",
        "motion",
        tuple(dict.fromkeys(a for actions in ACTIONS.values() for a in actions)),
        "what the subject does",
    ),
    Factor("speed", "motion", ("slow", "normal", "fast"), "how fast it does it"),
    Factor("heading", "motion", ("left", "right"), "which way it faces or sets out"),
    Factor(
        "setting",
        "place",
        ("park", "beach", "city", "desert", "snow", "forest", "sea", "studio"),
        "where the scene is",
    ),
    Factor("light", "place", ("day", "dawn", "sunset", "overcast", "night"), "time of day and sky"),
    Factor("weather", "place", ("clear", "rain", "snow", "fog", "wind"), "weather"),
    Factor(
        "camera",
        "camera",
        ("static", "pan left", "pan right", "zoom in", "zoom out", "tilt up", "tilt down"),
        "how the camera moves",
    ),
    Factor("shot", "camera", ("wide", "medium", "close-up"), "how near the camera is"),
    Factor("mood", "sound", ("none", "calm", "happy", "tense", "sad"), "the music bed"),
)
"""Every factor of a scene in the order in which scenes are sampled; `seed` and `face` are numbers beside it."""

PERSON_FACTORS = tuple(name for name, factor in FACTORS.items() if factor.group == "person")
IDENTITY_FACTORS = tuple(name for name in PERSON_FACTORS if name != "role")

Given = Mapping[str, Any]


def _medium(subject: str) -> str:
    return subject if subject in ("fish", "boat") else "land"


def _actions(given: Given) -> tuple[Level, ...]:
    subject = given.get("subject")
    actions = FACTORS["action"].values if subject is None else ACTIONS[subject]
    lonely = given.get("other", "?") == "none"
    return tuple(a for a in actions if not (lonely and a == "collide"))


def _counts(given: Given) -> tuple[Level, ...]:
    alone = given.get("subject") == "person" or given.get("other", "none") != "none"
    return (1,) if alone else FACTORS["count"].values


def _others(given: Given) -> tuple[Level, ...]:
    subject = given.get("subject")
    if given.get("count", 1) != 1:
        return ("none",)
    if subject is None:
        return FACTORS["other"].values
    return tuple(v for v in FACTORS["other"].values if v == "none" or _medium(str(v)) == _medium(str(subject)))


def _settings(given: Given) -> tuple[Level, ...]:
    return ("sea",) if given.get("subject") in ("fish", "boat") else FACTORS["setting"].values


def _lights(given: Given) -> tuple[Level, ...]:
    return ("day",) if given.get("setting") == "studio" else FACTORS["light"].values


def _weathers(given: Given) -> tuple[Level, ...]:
    sheltered = given.get("setting") == "studio" or given.get("subject") == "fish"
    return ("clear",) if sheltered else FACTORS["weather"].values


def _shots(given: Given) -> tuple[Level, ...]:
    several = given.get("count", 1) != 1 or given.get("other", "none") != "none"
    return ("wide", "medium") if several else FACTORS["shot"].values


def _roles(given: Given) -> tuple[Level, ...]:
    return ("none",) if given.get("age") == "child" else FACTORS["role"].values


def _beards(given: Given) -> tuple[Level, ...]:
    return ("none",) if given.get("age") == "child" else FACTORS["beard"].values


_RULES: dict[str, Callable[[Given], tuple[Level, ...]]] = {
    "action": _actions,
    "count": _counts,
    "other": _others,
    "setting": _settings,
    "light": _lights,
    "weather": _weathers,
    "shot": _shots,
    "role": _roles,
    "beard": _beards,
}


def applies(name: str, given: Given) -> bool:
    """Whether a factor has a value in a scene with the given factors (a ball has no hair)."""
    group = FACTORS[name].group
    if group == "person":
        return bool(given.get("subject") == "person")
    if name == "size":
        return bool(given.get("subject") != "person")
    if name in ("other_color", "relation"):
        return bool(given.get("other", "none") != "none")
    return True


def allowed(name: str, given: Given) -> tuple[Level, ...]:
    """The values a factor may take beside the given ones (which may be some or all of the others).

    Raises ValueError for an unknown factor.
    """
    check_name(name)
    rule = _RULES.get(name)
    return FACTORS[name].values if rule is None else rule(given)


def check_name(name: str) -> None:
    """Raise ValueError, with the nearest name, unless `name` is a factor."""
    if name not in FACTORS:
        raise ValueError(f"unknown factor '{name}'{suggestion(name, FACTORS)}; factors: {', '.join(FACTORS)}")


def check_value(name: str, value: Any, given: Given) -> None:
    """Raise ValueError, with the allowed values, unless the factor may take this value beside the given ones."""
    values = allowed(name, given)
    if any(type(value) is type(v) and value == v for v in values):
        return
    shown = ", ".join(str(v) for v in values)
    every = FACTORS[name].values
    where = "" if value not in every else f" beside {_context(name, given)}"
    raise ValueError(
        f"{name}={value!r} is not allowed{where}{suggestion(str(value), map(str, values))}; allowed: {shown}"
    )


def _context(name: str, given: Given) -> str:
    keys = [k for k in ("subject", "setting", "other", "count", "age") if k != name and given.get(k) is not None]
    return ", ".join(f"{k}={given[k]}" for k in keys)


def suggestion(word: str, candidates: Any) -> str:
    """' (did you mean ...?)' or nothing."""
    close = difflib.get_close_matches(word, list(candidates), n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""
