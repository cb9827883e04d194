"""Pairs: one scene with one factor edited, one person in another scene, and a person's portrait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from moviegen.backlot.captions import _ING, _a
from moviegen.backlot.exact import draw
from moviegen.backlot.factors import (
    FACTORS,
    IDENTITY_FACTORS,
    Level,
    allowed,
    applies,
    check_name,
    check_value,
)
from moviegen.backlot.scene import Person, Scene, sample_scene


def edit(scene: Scene, factor: str, value: Level) -> tuple[Scene, str]:
    """The same scene with one factor changed, and the instruction that asks for it.

    Incidental detail belongs to the seed and to each factor by itself, so nothing else moves. Raises ValueError for
    unknown factors, values that are not allowed beside the others, the present value, and factors that decide which
    others apply (subject, other between none and something).
    """
    check_name(factor)
    given = scene.factors()
    if not applies(factor, given):
        raise ValueError(f"{factor} does not apply to subject={scene.subject}: it cannot be edited")
    if factor == "subject" and "person" in (value, scene.subject):
        raise ValueError("subject cannot be edited to or from a person: no other factor would keep its meaning")
    if factor == "other" and "none" in (value, scene.other):
        raise ValueError("other cannot be edited to or from none: its colour and place would appear from nowhere")
    check_value(factor, value, {k: v for k, v in given.items() if k != factor})
    if given[factor] == value:
        raise ValueError(f"{factor} is {value!r} already")
    changes: dict[str, Any] = {factor: value}
    return replace(scene, **changes), instruction(scene, factor, value)


def edits(scene: Scene) -> tuple[tuple[str, Level], ...]:
    """Every (factor, value) that edit() accepts."""
    given = scene.factors()
    found: list[tuple[str, Level]] = []
    for name in FACTORS:
        if not applies(name, given):
            continue
        others = {k: v for k, v in given.items() if k != name}
        found += [(name, v) for v in allowed(name, others) if v != given[name] and _editable(scene, name, v)]
    return tuple(found)


def _editable(scene: Scene, name: str, value: Level) -> bool:
    try:
        edit(scene, name, value)
    except ValueError:
        return False
    return True


def instruction(scene: Scene, factor: str, value: Level) -> str:
    """An edit in words: "Make the ball blue", "Change the weather to rain"."""
    noun = (
        scene.subject if scene.count == 1 else {"box": "boxes", "fish": "fish"}.get(scene.subject, scene.subject + "s")
    )
    whose = "person" if scene.subject == "person" else noun
    if factor == "color":
        return f"Make the person's clothes {value}" if scene.subject == "person" else f"Make the {noun} {value}"
    if factor == "glasses":
        return f"Give the {whose} glasses" if value else f"Take the {whose}'s glasses off"
    if factor == "beard":
        return (
            "Remove the person's beard"
            if value == "none"
            else f"Give the person {'a moustache' if value == 'moustache' else 'a full beard'}"
        )
    if factor == "role":
        return "Put the person in everyday clothes" if value == "none" else f"Dress the person as {_a(str(value))}"
    simple = {
        "subject": f"Replace the {noun} with {_a(str(value))}",
        "size": f"Make the {noun} {value}" + ("-sized" if value == "medium" else ""),
        "count": f"Make it {value} {'of them' if value != 1 else 'only'}",
        "skin": f"Change the person's skin to Monk tone {value}",
        "presentation": f"Make the person {value}",
        "age": f"Make the person {_a(str(value))}",
        "hair_style": f"Change the person's hair style to {value}",
        "hair_color": f"Make the person's hair {value}",
        "eye_color": f"Make the person's eyes {value}",
        "other": f"Replace the {scene.other} with {_a(str(value))}",
        "other_color": f"Make the {scene.other} {value}",
        "relation": f"Put the {whose} {'to the left' if value == 'left of' else 'to the right'} of the {scene.other}",
        "action": f"Show the {whose} {_ING.get(str(value), str(value))}",
        "speed": f"Change the speed to {value}",
        "heading": f"Turn the {whose} to the {value}",
        "setting": f"Move the scene to the {value}",
        "light": f"Change the light to {value}",
        "weather": f"Change the weather to {value}",
        "camera": "Keep the camera still" if value == "static" else f"Make the camera {value}",
        "shot": f"Make it a {value} shot" if value != "close-up" else "Make it a close-up",
        "mood": "Remove the music" if value == "none" else f"Make the music {value}",
    }
    return simple[factor]


def elsewhere(scene: Scene, seed: int, **fixed: Any) -> Scene:
    """The same person in another scene. `seed` and `fixed` decide the rest, as in sample_scene.

    Raises ValueError when nobody is in the scene.
    """
    who = scene.person
    if who is None:
        raise ValueError(f"subject={scene.subject}: only a person can be shown elsewhere")
    identity = {name: getattr(who, name) for name in IDENTITY_FACTORS}
    return sample_scene(seed, **{"subject": "person", "face": who.face, **identity, **fixed})


def portrait(person: Person, size: int = 128) -> npt.NDArray[np.uint8]:
    """A studio portrait of somebody, uint8 RGB 3,H,W with H = W = size."""
    from moviegen.backlot.render import render

    frames = render(portrait_scene(person), width=size, height=size, frames=1, sound=False).frames_TCHW
    return np.ascontiguousarray(frames[0])


def portrait_scene(person: Person) -> Scene:
    """The scene whose first frame is somebody's portrait."""
    identity = {name: getattr(person, name) for name in IDENTITY_FACTORS}
    return Scene(
        seed=int(draw(person.face, "portrait", 0, 1 << 31)),
        subject="person",
        color="grey",
        face=person.face,
        role="none",
        action="jump",
        setting="studio",
        shot="close-up",
        **identity,
    )
