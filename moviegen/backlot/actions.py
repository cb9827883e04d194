"""Actions: how subjects move, and the events that sound.

Every function of time is a closed form of the time in seconds, so clips of any rate and length agree.
Units: world units (an adult is 1 high), seconds, turns. Shape legend: T frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from moviegen.backlot.exact import Floats, Value, cosine, fraction, sine, triangle

RATE = {"slow": 0.6, "normal": 1.0, "fast": 1.6}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at one moment. kind: step, jump, land, bounce, collide, flap or splash.

    strength: 0-1. object: the instance it happens to, as in the masks.
    """

    kind: str
    time_s: float
    strength: float
    object: int


@dataclass(frozen=True, slots=True)
class Actor:
    """One subject on its mark.

    width, height: its extent; home: where its mark is across; half: how far it may travel to either side;
    room: how high it may rise; heading: -1 left, 1 right; delay_s shifts it against its copies.
    """

    kind: str
    instance: int
    width: float
    height: float
    home: float
    half: float
    room: float
    heading: float
    delay_s: float = 0.0
    partner: float = 0.0
    """For collide: where the middle of the gap between the two marks is."""


@dataclass(slots=True)
class Motion:
    """Where a subject is and what its parts do, per frame.

    x, lift: place, and height above the ground. facing: -1 or 1. wide, tall, size: stretch. roll: rotation in the
    picture plane, yaw: about the vertical, both in turns. stride: gait in cycles; pace: 0 stands … 1 runs.
    air: 1 in full flight of a jump. beat: cycles of a dance, a wave or a wing.
    """

    x: Value = 0.0
    lift: Value = 0.0
    facing: Value = 1.0
    wide: Value = 1.0
    tall: Value = 1.0
    size: Value = 1.0
    roll: Value = 0.0
    yaw: Value = 0.0
    stride: Value = 0.0
    pace: Value = 0.0
    air: Value = 0.0
    beat: Value = 0.0
    doing: str = "idle"
    events: list[Event] = field(default_factory=list)


def move(action: str, speed: str, actor: Actor, time_s_T: Floats, duration_s: float) -> Motion:
    """The motion of an actor, with its events from 0 to duration_s."""
    time = time_s_T + actor.delay_s
    motion = _ACTIONS[action](actor, RATE[speed], time)
    motion.doing = action
    if action in _EVENTS:
        found = _EVENTS[action](actor, RATE[speed], duration_s)
        motion.events = [Event(kind, at, strength, actor.instance) for kind, at, strength in found]
    return motion


def _regular(
    kind: str, first_s: float, every_s: float, strength: float, delay_s: float, duration_s: float
) -> list[tuple[str, float, float]]:
    count = int((duration_s + delay_s - first_s) / every_s) + 2
    times = (first_s + k * every_s - delay_s for k in range(max(0, count)))
    return [(kind, at, strength) for at in times if 0.0 <= at < duration_s]


# Travelling to and fro ------------------------------------------------------------------------------------------------

_SPEED = {"walk": 0.26, "run": 0.50, "roll": 0.42, "drive": 0.55, "fly": 0.42, "swim": 0.36}
"""Room widths a second at normal speed."""


def _pace(actor: Actor, action: str, rate: float) -> float:
    """World units a second."""
    return _SPEED[action] * rate * max(0.3, min(2.0 * actor.half + actor.width, 3.0 * actor.room))


def _travel(actor: Actor, speed: float, time: Floats) -> tuple[Any, Any]:
    """Place and direction of someone who goes to and fro between the ends of their room."""
    half = max(actor.half, 1e-3)
    turns = speed * time / (4.0 * half) + 0.06
    x = actor.home + actor.heading * half * triangle(turns)
    return x, actor.heading * np.where(fraction(turns) < 0.5, 1.0, -1.0)


def _cadence(actor: Actor, action: str, rate: float) -> float:
    """Steps a second: what the speed needs at a natural stride, within what legs can do."""
    stride = {"walk": 0.36, "run": 0.62}[action] * actor.height
    low, high = (1.5, 3.2) if action == "walk" else (2.6, 5.2)
    return max(low * (0.55 + 0.45 * rate), min(high, _pace(actor, action, rate) / stride))


def _walking(action: str, bob: float) -> Callable[[Actor, float, Floats], Motion]:
    def walking(actor: Actor, rate: float, time: Floats) -> Motion:
        x, facing = _travel(actor, _pace(actor, action, rate), time)
        stride = 0.5 * _cadence(actor, action, rate) * time
        lift = bob * actor.height * np.abs(sine(stride))
        return Motion(x=x, lift=lift, facing=facing, stride=stride, pace=1.0 if action == "run" else 0.6)

    return walking


def _step_events(action: str) -> Callable[[Actor, float, float], list[tuple[str, float, float]]]:
    def events(actor: Actor, rate: float, duration_s: float) -> list[tuple[str, float, float]]:
        strength = 0.75 if action == "run" else 0.45
        return _regular("step", 0.0, 1.0 / _cadence(actor, action, rate), strength, actor.delay_s, duration_s)

    return events


def _roll(actor: Actor, rate: float, time: Floats) -> Motion:
    x, facing = _travel(actor, _pace(actor, "roll", rate), time)
    return Motion(x=x, facing=facing, roll=x / (3.141592653589793 * actor.height))


def _drive(actor: Actor, rate: float, time: Floats) -> Motion:
    x, facing = _travel(actor, _pace(actor, "drive", rate), time)
    # Wheels are 0.36 of the car high; the body trembles with the engine.
    wheel = x * facing / (3.141592653589793 * 0.36 * actor.height)
    return Motion(x=x, facing=facing, stride=wheel, lift=0.006 * actor.height * np.abs(sine(4.5 * time)))


def _slide(actor: Actor, rate: float, time: Floats) -> Motion:
    turns = 0.20 * rate * time
    x = actor.home - actor.heading * actor.half * cosine(turns + 0.02)
    return Motion(x=x, facing=actor.heading, roll=-0.004 * sine(7.0 * time))


def _swim(actor: Actor, rate: float, time: Floats) -> Motion:
    x, facing = _travel(actor, _pace(actor, "swim", rate), time)
    lift = _hover(actor, 0.42) + 0.07 * actor.room * sine(0.31 * rate * time)
    roll = -0.02 * cosine(0.31 * rate * time) * facing
    return Motion(x=x, lift=lift, facing=facing, roll=roll, stride=1.7 * rate * time, pace=1.0)


def _fly(actor: Actor, rate: float, time: Floats) -> Motion:
    if actor.kind == "kite":
        x = actor.home + actor.heading * 0.8 * actor.half * sine(0.22 * rate * time - 0.15)
        lift = _hover(actor, 0.66) * (0.72 + 0.26 * sine(0.44 * rate * time - 0.3))
        roll = 0.07 * cosine(0.22 * rate * time - 0.15) * actor.heading
        return Motion(x=x, lift=lift, facing=1.0, roll=roll, stride=1.2 * rate * time)
    x, facing = _travel(actor, _pace(actor, "fly", rate), time)
    wing = 2.2 * (0.5 + 0.5 * rate) * time
    lift = _hover(actor, 0.58) * (0.84 + 0.16 * sine(0.24 * rate * time)) - 0.03 * actor.height * sine(wing)
    return Motion(x=x, lift=lift, facing=facing, stride=wing, pace=1.0, roll=-0.01 * facing)


def _flap_events(actor: Actor, rate: float, duration_s: float) -> list[tuple[str, float, float]]:
    if actor.kind == "kite":
        return []
    return _regular(
        "flap",
        0.25 / (2.2 * (0.5 + 0.5 * rate)),
        1.0 / (2.2 * (0.5 + 0.5 * rate)),
        0.3,
        actor.delay_s,
        duration_s,
    )


def _sail(actor: Actor, rate: float, time: Floats) -> Motion:
    x = actor.home - actor.heading * actor.half * cosine(0.11 * rate * time + 0.03)
    facing = actor.heading * np.where(fraction(0.11 * rate * time + 0.03) < 0.5, 1.0, -1.0)
    heave = 0.018 * actor.height * sine(0.45 * time)
    return Motion(x=x, lift=heave, facing=facing, roll=0.016 * sine(0.45 * time - 0.2), stride=time)


def _hover(actor: Actor, share: float) -> float:
    """A height at this share of the room, low enough for the whole of the actor to be seen."""
    return max(0.0, min(share * actor.room, actor.room - 1.12 * actor.height))


# On the spot ----------------------------------------------------------------------------------------------------------


def _wave(actor: Actor, rate: float, time: Floats) -> Motion:
    beat = 1.35 * rate * time
    return Motion(x=actor.home + 0.012 * actor.height * sine(0.5 * beat), facing=actor.heading, beat=beat)


def _dance(actor: Actor, rate: float, time: Floats) -> Motion:
    beat = 0.9 * rate * time
    sway = min(0.10 * actor.height, 0.7 * actor.half + 0.02)
    return Motion(
        x=actor.home + sway * sine(beat),
        lift=0.028 * actor.height * np.abs(sine(beat)),
        facing=actor.heading,
        roll=0.014 * sine(beat),
        beat=beat,
        stride=beat,
    )


def _dance_events(actor: Actor, rate: float, duration_s: float) -> list[tuple[str, float, float]]:
    return _regular("step", 0.0, 0.5 / (0.9 * rate), 0.5, actor.delay_s, duration_s)


_CROUCH = 0.36
"""Share of a jump's period spent on the ground."""


def _jump_period(rate: float) -> float:
    return 1.15 / rate


def _jump(actor: Actor, rate: float, time: Floats) -> Motion:
    part = fraction(time / _jump_period(rate))
    flight = (part - _CROUCH) / (1.0 - _CROUCH)
    air = np.where(flight > 0.0, 4.0 * flight * (1.0 - flight), 0.0)
    crouch = np.where(flight > 0.0, 0.0, 4.0 * (part / _CROUCH) * (1.0 - part / _CROUCH))
    height = min(0.48 * actor.height, 0.34 * actor.room, max(0.09 * actor.height, actor.room - 1.1 * actor.height))
    base = _hover(actor, 0.36) if actor.kind == "fish" else 0.0
    give = min(1.0, 2.4 * height / actor.height)
    stretch = 1.0 + give * (0.05 * air - 0.13 * crouch)
    return Motion(
        x=actor.home,
        lift=base + height * air,
        facing=actor.heading,
        tall=stretch,
        wide=2.0 - stretch,
        air=air,
        beat=part,
    )


def _jump_events(actor: Actor, rate: float, duration_s: float) -> list[tuple[str, float, float]]:
    period = _jump_period(rate)
    if actor.kind == "fish":
        return _regular("splash", _CROUCH * period, period, 0.5, actor.delay_s, duration_s)
    up = _regular("jump", _CROUCH * period, period, 0.35, actor.delay_s, duration_s)
    down = _regular("land", period, period, 0.9, actor.delay_s, duration_s)
    return sorted(up + down, key=lambda event: event[1])


def _spin(actor: Actor, rate: float, time: Floats) -> Motion:
    turns = 0.42 * rate * time * actor.heading
    lift: Any = 0.0
    if actor.kind in ("balloon", "kite"):
        lift = _hover(actor, 0.42) + 0.02 * actor.room * sine(0.4 * time)
    if actor.kind == "fish":
        lift = _hover(actor, 0.42)
    roll = turns if actor.kind in ("ball", "kite") else 0.0
    return Motion(x=actor.home, lift=lift, facing=1.0 if actor.kind == "kite" else actor.heading, yaw=turns, roll=roll)


def _bounce_period(actor: Actor, rate: float) -> float:
    return (1.7 if actor.kind == "balloon" else 0.95) / rate


def _bounce(actor: Actor, rate: float, time: Floats) -> Motion:
    period = _bounce_period(actor, rate)
    part = fraction(time / period + 0.5)
    air = 4.0 * part * (1.0 - part)
    height = min(1.5 * actor.height, 0.9 * actor.room - actor.height)
    near = np.maximum(0.0, 1.0 - air * 6.0)
    soft = {"box": 0.07, "balloon": 0.12}.get(actor.kind, 0.24)
    tall = 1.0 - soft * near
    drift = 0.35 * actor.half * sine(0.07 * time) * actor.heading
    roll = 0.25 * time * rate * actor.heading if actor.kind == "ball" else 0.0
    return Motion(
        x=actor.home + drift,
        lift=max(0.1 * actor.height, height) * air,
        facing=actor.heading,
        tall=tall,
        wide=2.0 - tall,
        roll=roll,
    )


def _bounce_events(actor: Actor, rate: float, duration_s: float) -> list[tuple[str, float, float]]:
    period = _bounce_period(actor, rate)
    return _regular("bounce", 0.5 * period, period, 0.4 if actor.kind == "balloon" else 0.9, actor.delay_s, duration_s)


def _float(actor: Actor, rate: float, time: Floats) -> Motion:
    return Motion(
        x=actor.home + 0.35 * actor.half * sine(0.19 * rate * time) * actor.heading,
        lift=_hover(actor, 0.62) * (0.62 - 0.34 * cosine(0.14 * rate * time)),
        facing=actor.heading,
        roll=0.018 * sine(0.4 * rate * time),
    )


def _grow(start: float, end: float) -> Callable[[Actor, float, Floats], Motion]:
    def growing(actor: Actor, rate: float, time: Floats) -> Motion:
        part = np.minimum(np.maximum(time * rate / 3.4, 0.0), 1.0)
        size = start + (end - start) * part
        wobble = 0.02 * sine(1.6 * rate * time)
        lift = _hover(actor, 0.24) if actor.kind == "balloon" else 0.0
        return Motion(x=actor.home, lift=lift, facing=actor.heading, size=size, wide=1.0 + wobble, tall=1.0 - wobble)

    return growing


def _collide_period(rate: float) -> float:
    return 1.5 / rate


def _collide(actor: Actor, rate: float, time: Floats) -> Motion:
    """Both run up, hit in the middle, rebound and come again."""
    part = fraction(time / _collide_period(rate) + 0.42)
    apart = 4.0 * part * (1.0 - part)
    side = 1.0 if actor.home > actor.partner else -1.0
    contact = actor.partner + side * 0.5 * actor.width
    reach = abs(actor.home - actor.partner) - 0.5 * actor.width + actor.half
    x = contact + side * max(0.06, reach) * apart
    press = np.maximum(0.0, 1.0 - apart * 7.0)
    lift: Any = 0.04 * actor.height * np.abs(sine(2.0 * time * rate)) if actor.kind in ("dog", "cat", "rabbit") else 0.0
    if actor.kind in ("balloon", "bird", "kite", "fish"):
        lift = _hover(actor, 0.40) + 0.02 * actor.room * sine(0.5 * time)
    roll = x / (3.141592653589793 * actor.height) if actor.kind == "ball" else 0.02 * side * press
    return Motion(
        x=x,
        lift=lift,
        facing=-side,
        wide=1.0 - 0.16 * press,
        tall=1.0 + 0.08 * press,
        roll=roll,
        stride=2.0 * rate * time,
        pace=np.minimum(1.0, 2.0 * np.abs(1.0 - 2.0 * part)),
    )


def _collide_events(actor: Actor, rate: float, duration_s: float) -> list[tuple[str, float, float]]:
    period = _collide_period(rate)
    return _regular("collide", 0.58 * period, period, 1.0, actor.delay_s, duration_s)


def idle(actor: Actor, time_s_T: Floats) -> Motion:
    """Standing by: breathing, hovering or riding the swell, as befits the kind."""
    lift: Any = 0.0
    roll: Any = 0.0
    if actor.kind in ("balloon", "bird", "kite", "fish"):
        lift = _hover(actor, 0.40) + 0.025 * actor.room * sine(0.35 * time_s_T)
    if actor.kind == "boat":
        lift, roll = 0.018 * actor.height * sine(0.45 * time_s_T), 0.016 * sine(0.45 * time_s_T - 0.2)
    breath = 0.012 * sine(0.5 * time_s_T) if actor.kind in ("dog", "cat", "horse", "rabbit", "elephant") else 0.0
    return Motion(x=actor.home, lift=lift, roll=roll, facing=actor.heading, tall=1.0 + breath, stride=1.1 * time_s_T)


_ACTIONS: dict[str, Callable[[Actor, float, Floats], Motion]] = {
    "walk": _walking("walk", 0.012),
    "run": _walking("run", 0.045),
    "roll": _roll,
    "drive": _drive,
    "slide": _slide,
    "swim": _swim,
    "fly": _fly,
    "sail": _sail,
    "wave": _wave,
    "dance": _dance,
    "jump": _jump,
    "spin": _spin,
    "bounce": _bounce,
    "float": _float,
    "grow": _grow(0.45, 1.3),
    "shrink": _grow(1.3, 0.45),
    "collide": _collide,
}
_EVENTS: dict[str, Callable[[Actor, float, float], list[tuple[str, float, float]]]] = {
    "walk": _step_events("walk"),
    "run": _step_events("run"),
    "dance": _dance_events,
    "jump": _jump_events,
    "bounce": _bounce_events,
    "collide": _collide_events,
    "fly": _flap_events,
}
