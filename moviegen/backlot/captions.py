"""Captions: what a person would write of a scene, in several phrasings."""

from __future__ import annotations

from typing import Literal, get_args

from moviegen.backlot.factors import suggestion
from moviegen.backlot.scene import Scene

Style = Literal["plain", "place-first", "detailed", "noun", "film", "tags"]
STYLES: tuple[str, ...] = get_args(Style)

_PLURAL = {"fish": "fish", "box": "boxes"}
_NUMBER = {2: "two", 3: "three"}
_PLACE = {
    "park": "in a park",
    "beach": "on a beach",
    "city": "on a city street",
    "desert": "in a desert",
    "snow": "in the snow",
    "forest": "in a forest",
    "sea": "on a jetty by the sea",
    "studio": "in a studio",
}
_THROUGH = {
    "park": "through a park",
    "beach": "along a beach",
    "city": "along a city street",
    "desert": "across a desert",
    "snow": "across the snow",
    "forest": "through a forest",
    "sea": "along a jetty by the sea",
    "studio": "across a studio",
}
_TRAVELS = ("walk", "run", "roll", "slide", "drive")
_ING = {
    "wave": "waving",
    "walk": "walking",
    "run": "running",
    "jump": "jumping",
    "dance": "dancing",
    "spin": "spinning",
    "collide": "colliding",
    "fly": "flying",
    "swim": "swimming",
    "bounce": "bouncing",
    "roll": "rolling",
    "grow": "growing",
    "shrink": "shrinking",
    "slide": "sliding",
    "float": "floating",
    "drive": "driving",
    "sail": "sailing",
}
_THIRD = {"fly": "flies"}
_ADVERB = {"slow": "slowly", "normal": "", "fast": "quickly"}
_LIGHT = {
    "day": "in daylight",
    "dawn": "at dawn",
    "sunset": "at sunset",
    "overcast": "under an overcast sky",
    "night": "at night",
}
_WEATHER = {
    "clear": "",
    "rain": "in the rain",
    "snow": "in falling snow",
    "fog": "in fog",
    "wind": "in the wind",
}
_CAMERA = {
    "static": "The camera is still.",
    "pan left": "The camera pans left.",
    "pan right": "The camera pans right.",
    "zoom in": "The camera zooms in.",
    "zoom out": "The camera zooms out.",
    "tilt up": "The camera tilts up.",
    "tilt down": "The camera tilts down.",
}
_MUSIC = {
    "none": "",
    "calm": "Calm music plays.",
    "happy": "Happy music plays.",
    "tense": "Tense music plays.",
    "sad": "Sad music plays.",
}
_HAIR = {
    "short": "short {} hair",
    "curly": "curly {} hair",
    "long": "long {} hair",
    "bun": "{} hair in a bun",
    "ponytail": "a {} ponytail",
    "afro": "a {} afro",
}


def captions(scene: Scene) -> tuple[str, ...]:
    """All phrasings of a scene without doubles; the first is the canonical one."""
    return tuple(dict.fromkeys(caption(scene, style) for style in STYLES))


def caption(scene: Scene, style: str = "plain") -> str:
    """One phrasing. plain: who does what, where. place-first: the same from the place. noun: without a sentence.
    detailed: adds looks, light, weather, shot, camera and music. film: as a shot list. tags: comma-separated.

    Raises ValueError for an unknown style.
    """
    if style not in STYLES:
        raise ValueError(f"unknown caption style '{style}'{suggestion(style, STYLES)}; styles: {', '.join(STYLES)}")
    if style == "plain":
        return _sentence(f"{subject(scene)} {_does(scene)}", _where(scene))
    if style == "place-first":
        place = _where_still(scene)
        return f"{place[0].upper()}{place[1:]}, {subject(scene)} {_does(scene)}."
    if style == "noun":
        return f"{subject(scene)} {_doing(scene)} {_where(scene)}".strip()
    if style == "film":
        article = {"wide": "A wide shot", "medium": "A medium shot", "close-up": "A close-up"}[scene.shot]
        return " ".join(
            filter(
                None,
                (
                    _sentence(f"{article} of {subject(scene)} {_doing(scene)}", _where(scene), _LIGHT[scene.light]),
                    _CAMERA[scene.camera],
                ),
            )
        )
    if style == "tags":
        bits = [
            subject(scene),
            _ING[scene.action],
            scene.speed if scene.speed != "normal" else "",
            scene.setting,
        ]
        bits += [scene.light, scene.weather if scene.weather != "clear" else "", scene.shot, scene.camera]
        return ", ".join(filter(None, bits))
    return _detailed(scene)


def _detailed(scene: Scene) -> str:
    heading = f"to the {scene.heading}" if scene.action in _TRAVELS else ""
    light = "" if scene.setting == "studio" else _LIGHT[scene.light]
    first = _sentence(
        f"{subject(scene, full=True)} {_does(scene)}", heading, _where(scene), light, _WEATHER[scene.weather]
    )
    shot = {"wide": "Wide shot.", "medium": "Medium shot.", "close-up": "Close-up."}[scene.shot]
    return " ".join(filter(None, (first, shot, _CAMERA[scene.camera], _MUSIC[scene.mood])))


def _sentence(*parts: str) -> str:
    text = " ".join(part for part in parts if part)
    return f"{text[0].upper()}{text[1:]}."


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def subject(scene: Scene, *, full: bool = False) -> str:
    """The subject as a noun phrase; `full` adds everything that can be seen of a person, and sizes."""
    if scene.subject == "person":
        return _person(scene, full)
    size = f"{scene.size} " if full and scene.size != "medium" else ""
    name = f"{size}{scene.color} {scene.subject}"
    if scene.count > 1:
        plural = _PLURAL.get(scene.subject, f"{scene.subject}s")
        return f"{_NUMBER[scene.count]} {size}{scene.color} {plural}"
    return _a(name)


def _person(scene: Scene, full: bool) -> str:
    masculine = scene.presentation == "masculine"
    noun = {"child": "boy" if masculine else "girl"}.get(str(scene.age), "man" if masculine else "woman")
    if scene.role not in ("none", None):
        noun = f"{'male' if masculine else 'female'} {scene.role}" if full else str(scene.role)
    if scene.age == "senior":
        noun = f"elderly {noun}"
    wears = _a(noun) + f" in {scene.color}"
    return f"{wears} with {looks(scene)}" if full else wears


def looks(scene: Scene) -> str:
    """Skin, hair, eyes, glasses and beard of the scene's person, in words."""
    assert scene.skin is not None
    tone = ("very light", "light", "medium", "dark", "very dark")[(scene.skin - 1) // 2]
    bits = [f"{tone} skin"]
    style = str(scene.hair_style)
    bits.append("a bald head" if style == "bald" else _HAIR[style].format(scene.hair_color))
    bits.append(f"{scene.eye_color} eyes")
    if scene.beard != "none":
        bits.append("a full beard" if scene.beard == "full" else "a moustache")
    if scene.glasses:
        bits.append("glasses")
    return ", ".join(bits[:-1]) + " and " + bits[-1]


def _other(scene: Scene) -> str:
    return _a(f"{scene.other_color} {scene.other}")


def _verb(scene: Scene) -> str:
    if scene.count > 1:
        return scene.action
    plain = scene.action
    return _THIRD.get(plain, plain + ("es" if plain.endswith(("s", "sh", "ch")) else "s"))


def _does(scene: Scene) -> str:
    if scene.action == "collide":
        return f"{_join(_verb(scene), _ADVERB[scene.speed])} with {_other(scene)}"
    return _join(_verb(scene), _ADVERB[scene.speed], _beside(scene))


def _doing(scene: Scene) -> str:
    if scene.action == "collide":
        return f"{_join(_ADVERB[scene.speed], _ING['collide'])} with {_other(scene)}"
    return _join(_ADVERB[scene.speed], _ING[scene.action], _beside(scene))


def _beside(scene: Scene) -> str:
    if scene.other == "none":
        return ""
    side = "left" if scene.relation == "left of" else "right"
    return f"to the {side} of {_other(scene)}"


def _where(scene: Scene) -> str:
    if scene.action in _TRAVELS and scene.other == "none":
        return _THROUGH[scene.setting]
    return _where_still(scene)


def _where_still(scene: Scene) -> str:
    if scene.subject == "fish":
        return "under the sea"
    return "on the sea" if scene.subject == "boat" else _PLACE[scene.setting]


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)
