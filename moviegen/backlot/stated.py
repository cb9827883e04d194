"""What a caption says: the factors that a phrasing states, so that a clip is judged by what was asked and no more."""

from __future__ import annotations

from moviegen.backlot.captions import _TRAVELS, STYLES
from moviegen.backlot.factors import FACTORS, suggestion
from moviegen.backlot.scene import Scene

_ALWAYS = ("subject", "color", "count", "action", "setting")
_UNSPOKEN = {
    "size": "medium",
    "age": "adult",
    "role": "none",
    "beard": "none",
    "glasses": False,
    "other": "none",
    "speed": "normal",
    "weather": "clear",
    "mood": "none",
}
"""Values that no phrasing has a word for: "a man" may be old or a chef, but is no child."""
_LOOKS = ("presentation", "age", "skin", "hair_style", "hair_color", "eye_color", "glasses", "beard")
_SHOWN = ("light", "weather", "camera", "shot")


def stated(scene: Scene, style: str = "plain") -> tuple[str, ...]:
    """The factors whose value `caption(scene, style)` tells, in the order of FACTORS.

    Raises ValueError for an unknown style.
    """
    said, known = _said(scene, style), scene.factors()
    return tuple(name for name in said if known[name] != _UNSPOKEN.get(name))


def tellable(scene: Scene, style: str = "plain") -> tuple[str, ...]:
    """The factors that the caption tells, or would with another value: "a dog runs" tells that it is not fast.

    Raises ValueError for an unknown style.
    """
    said, person = set(_said(scene, style)), scene.subject == "person"
    return tuple(name for name in FACTORS if name in said or (person and name == "role"))


def _said(scene: Scene, style: str) -> tuple[str, ...]:
    """The factors that a caption in this style has words for, whether or not for their present value."""
    if style not in STYLES:
        raise ValueError(f"unknown caption style '{style}'{suggestion(style, STYLES)}; styles: {', '.join(STYLES)}")
    said = {*_ALWAYS, "speed", *_of_subject(scene, style), *_of_second(scene, style), *_of_style(scene, style)}
    known = scene.factors()
    return tuple(name for name in FACTORS if name in said and known[name] is not None)


def _of_subject(scene: Scene, style: str) -> tuple[str, ...]:
    if scene.subject != "person":
        return ("size",) if style == "detailed" else ()
    if style == "detailed":
        bald = scene.hair_style == "bald"
        return ("role", *(name for name in _LOOKS if not (bald and name == "hair_color")))
    # An elderly nurse may be a man or a woman; "a woman" may be a nurse.
    return ("role", "age") if scene.role != "none" else ("presentation", "age")


def _of_second(scene: Scene, style: str) -> tuple[str, ...]:
    if scene.action == "collide":
        return ("other", "other_color") if style != "tags" else ()
    return ("other", "other_color", "relation") if style != "tags" else ()


def _of_style(scene: Scene, style: str) -> tuple[str, ...]:
    if style == "film":
        return ("light", "camera", "shot")
    if style == "tags":
        return _SHOWN
    if style != "detailed":
        return ()
    light = () if scene.setting == "studio" else ("light",)
    heading = ("heading",) if scene.action in _TRAVELS else ()
    return (*light, *heading, "weather", "camera", "shot", "mood")
