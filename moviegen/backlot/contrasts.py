"""Contrasts: a scene with one factor changed or two exchanged, so that its caption is nearly right and yet wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from moviegen.backlot.captions import caption
from moviegen.backlot.exact import draw
from moviegen.backlot.factors import allowed
from moviegen.backlot.scene import Scene
from moviegen.backlot.stated import stated

CONTRASTS = ("color", "count", "relation", "action")
"""What prompts are contrasted in: attribute, number, place and action."""

_OPPOSITE = {"grow": "shrink", "shrink": "grow", "left": "right", "right": "left"}
_TURNED = {"pan left": "pan right", "pan right": "pan left", "left of": "right of", "right of": "left of", **_OPPOSITE}


def contrasts(scene: Scene, style: str = "plain") -> dict[str, str]:
    """Factor → the caption that differs in it alone, for those of CONTRASTS that `caption(scene, style)` states.

    Of two subjects the colours are exchanged where they can be; an action is turned round where it can be: growing
    is contrasted with shrinking, going left with going right, any other with another action of the same subject.
    """
    said = stated(scene, style)
    found = {}
    for factor in CONTRASTS:
        twin = _twin(scene, factor, said) if factor in said else None
        if twin is not None and caption(twin, style) != caption(scene, style):
            found[factor] = caption(twin, style)
    return found


def _twin(scene: Scene, factor: str, said: tuple[str, ...]) -> Scene | None:
    if factor == "color" and "other_color" in said:
        exchanged = with_colours_exchanged(scene)
        if exchanged is not None:
            return exchanged
    if factor == "action" and "heading" in said:
        return replace(scene, heading=_OPPOSITE[scene.heading])
    if factor == "action" and scene.action in _OPPOSITE:
        return replace(scene, action=_OPPOSITE[scene.action])
    return changed(scene, factor, draw(scene.seed, f"contrast/{factor}"))


def with_colours_exchanged(scene: Scene) -> Scene | None:
    """The scene in which either subject has the other's colour; None where that would be the same scene."""
    alike = scene.action == "collide" and scene.subject == scene.other  # who is who cannot be told
    if scene.other_color is None or scene.color == scene.other_color or alike:
        return None
    return replace(scene, color=scene.other_color, other_color=scene.color)


def changed(scene: Scene, factor: str, pick: float) -> Scene | None:
    """The scene with another value of one factor; None where no other goes with the rest of it.

    pick: which one, in [0, 1) of those that are left. People do not become things, nor things people, and a second
    subject neither appears nor vanishes.
    """
    known = scene.factors()
    values = allowed(factor, {name: value for name, value in known.items() if name != factor})
    fixed = {known[factor], *{"subject": ("person",), "other": ("none",)}.get(factor, ())}
    left = [value for value in values if value not in fixed]
    first = int(pick * len(left))
    for value in (*left[first:], *left[:first]):
        changes: dict[str, Any] = {factor: value}
        try:
            return replace(scene, **changes)
        except ValueError:  # not every subject does what this one does, where it does it
            continue
    return None


def mirrored(scene: Scene) -> Scene:
    """The scene that the other one's picture shows in a mirror."""
    return replace(
        scene,
        heading=_OPPOSITE[scene.heading],
        relation=None if scene.relation is None else _TURNED[scene.relation],
        camera=_TURNED.get(scene.camera, scene.camera),
    )
