"""Soundtracks: ambience, weather, motors, events and music of a scene, mixed to mono.

The mix is rounded to the 16-bit grid. Shape legend: N samples.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from moviegen.backlot.actions import RATE, Event
from moviegen.backlot.exact import Floats, cosine, draw
from moviegen.backlot.foley import engine, loop, strike
from moviegen.backlot.music import KEYS_HZ, bed
from moviegen.backlot.scene import Scene
from moviegen.backlot.settings import place_of

_AMBIENCE = {
    "park": "birdsong",
    "beach": "waves",
    "city": "hum",
    "desert": "breeze",
    "snow": "breeze",
    "forest": "birdsong",
    "sea": "waves",
    "open water": "waves",
    "underwater": "bubbling",
    "studio": "room",
}
_SURFACE = {
    "park": "grass",
    "forest": "grass",
    "beach": "sand",
    "desert": "sand",
    "snow": "snow",
    "city": "stone",
    "studio": "stone",
    "sea": "wood",
}
_MOTOR = {"roll": ("rumble", 0.7), "slide": ("scrape", 0.8), "spin": ("whoosh", 0.5), "sail": ("waves", 0.5)}
_EVENT_GAIN = 0.62


def soundtrack(scene: Scene, events: Iterable[Event], duration_s: float, rate_hz: int) -> npt.NDArray[np.float32]:
    """The sound of a scene, float32 (N,) in [-1, 1] on the 16-bit grid, N = round(duration_s * rate_hz)."""
    count = max(1, round(duration_s * rate_hz))
    mix = np.zeros(count)
    for sound, gain in _beds(scene, rate_hz):
        _lay(mix, sound, gain, int(draw(scene.seed, "sound/offset") * len(sound)))
    _motors(mix, scene, rate_hz)
    if scene.mood != "none":
        _lay(mix, bed(scene.mood, int(draw(scene.seed, "sound/key") * len(KEYS_HZ)), rate_hz), 1.0, 0)
    for event in events:
        _strike(mix, strike(sound_of(scene, event), rate_hz), _EVENT_GAIN * event.strength, event.time_s, rate_hz)
    grid = np.rint(np.minimum(np.maximum(mix, -0.99), 0.99) * 32768.0)
    return (grid * 2.0**-15).astype(np.float32)


def _beds(scene: Scene, rate_hz: int) -> Iterable[tuple[Floats, float]]:
    ambience = _AMBIENCE[place_of(scene.setting, scene.subject)]
    if ambience == "birdsong" and (scene.light == "night" or scene.weather in ("rain", "snow")):
        ambience = "crickets" if scene.light == "night" and scene.weather == "clear" else "breeze"
    yield loop(ambience, rate_hz), 0.55
    if scene.weather in ("rain", "wind"):
        yield loop(scene.weather, rate_hz), 0.9


def _motors(mix: Floats, scene: Scene, rate_hz: int) -> None:
    rate = RATE[scene.speed]
    if scene.subject == "car" and scene.action in ("drive", "collide"):
        _lay(mix, engine(int(30 + 34 * rate), rate_hz), 0.8, 0)
    if scene.action in _MOTOR:
        name, gain = _MOTOR[scene.action]
        if name == "whoosh":
            time = np.arange(len(mix)) / rate_hz
            # Two rushes per turn, at the rate at which actions.py spins.
            mix += _repeat(loop(name, rate_hz), len(mix), 0) * (gain * (0.5 - 0.5 * cosine(0.84 * rate * time)))
        else:
            _lay(mix, loop(name, rate_hz), gain * (0.7 + 0.3 * rate), 0)


def _repeat(sound: Floats, count: int, offset: int) -> Floats:
    if offset + count <= len(sound):
        return sound[offset : offset + count]
    return np.resize(np.roll(sound, -offset), count)


def _lay(mix: Floats, sound: Floats, gain: float, offset: int) -> None:
    """Add a loop from `offset` on, over and over."""
    position, at = 0, offset % len(sound)
    while position < len(mix):
        part = min(len(sound) - at, len(mix) - position)
        mix[position : position + part] += gain * sound[at : at + part]
        position, at = position + part, 0


def _strike(mix: Floats, sound: Floats, gain: float, time_s: float, rate_hz: int) -> None:
    first = round(time_s * rate_hz)
    part = min(len(sound), len(mix) - first)
    if part > 0:
        mix[first : first + part] += gain * sound[:part]


_SOUND = {"jump": "spring", "land": "thud", "flap": "flap", "splash": "splash"}


def sound_of(scene: Scene, event: Event) -> str:
    """The name of the sound an event makes."""
    if event.kind == "step":
        return f"step {_SURFACE.get(scene.setting, 'grass')}"
    if event.kind == "bounce":
        return scene.subject
    if event.kind == "collide":
        return _crash({scene.subject, scene.other})
    return _SOUND[event.kind]


def _crash(pair: set[str]) -> str:
    """What two things sound like that run into each other; the loudest material is heard."""
    if "car" in pair:
        return "metal"
    if pair <= {"ball", "box"}:
        return "clack"
    if "balloon" in pair:
        return "balloon"
    return "box" if pair & {"boat", "box"} else "thud"
