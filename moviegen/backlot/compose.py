"""Composition: puts a scene on the stage.

Shape legend: T frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from moviegen.backlot.actions import Actor, Event, Motion, idle, move
from moviegen.backlot.animals import bird, fish, quadruped
from moviegen.backlot.camera import Camera, Framing
from moviegen.backlot.exact import Floats
from moviegen.backlot.faces import Head
from moviegen.backlot.factors import QUADRUPEDS
from moviegen.backlot.paint import Gradient, Particles, gradient_table
from moviegen.backlot.palette import COLORS, Look, look
from moviegen.backlot.people import STATURE, head_height, person
from moviegen.backlot.pose import Pose
from moviegen.backlot.props import ball, balloon, boat, box, car, kite, waterline
from moviegen.backlot.scene import Scene
from moviegen.backlot.scenery import Scenery
from moviegen.backlot.settings import GROUND, SETTINGS, place_of
from moviegen.backlot.stage import Stage
from moviegen.backlot.weather import weather_particles

_EXTENT: dict[str, tuple[float, float]] = {
    "dog": (0.66, 0.46),
    "cat": (0.52, 0.38),
    "horse": (1.20, 1.05),
    "rabbit": (0.36, 0.36),
    "elephant": (1.20, 1.0),
    "bird": (0.36, 0.24),
    "fish": (0.44, 0.34),
    "ball": (0.36, 0.36),
    "box": (0.42, 0.42),
    "balloon": (0.36, 0.42),
    "car": (1.12, 0.54),
    "boat": (1.02, 0.80),
    "kite": (0.42, 0.55),
}
"""Width and height in adult heights at medium size. Toys and small animals are larger than life to be seen."""
_SIZE = {"small": 0.72, "medium": 1.0, "large": 1.34}


@dataclass(slots=True)
class Composition:
    """A scene on the stage, for given frame times and canvas.

    actors: instance 1, 2, … in the order of the masks. heads: instance -> where its face is.
    """

    stage: Stage
    camera: Camera
    gradient: Gradient
    particles: list[Particles]
    actors: list[Actor] = field(default_factory=list)
    motions: list[Motion] = field(default_factory=list)
    heads: dict[int, Head] = field(default_factory=dict)


def extent(scene: Scene, kind: str) -> tuple[float, float]:
    """Width and height of a subject in world units."""
    if kind == "person":
        stature = STATURE[str(scene.age)]
        return 0.36 * stature, stature
    width, height = _EXTENT[kind]
    scale = _SIZE[str(scene.size)] if kind == scene.subject and scene.size else 1.0
    return width * scale, height * scale


def framing(scene: Scene, aspect: float) -> Framing:
    """What the shot shows of this scene's subjects."""
    if scene.subject == "person" and scene.other == "none":
        return _portrait_framing(scene)
    kinds = [scene.subject, *([scene.other] if scene.other != "none" else [])]
    sizes = [(0.36, 1.0) if kind == "person" else _EXTENT[kind] for kind in kinds]
    room = sum(width for width, _ in sizes) * (0.80 if len(kinds) == 2 else 0.62)
    reference = max(*(height for _, height in sizes), room / max(1.0, 0.8 * aspect))
    if scene.count > 1:
        reference = max(reference, (0.62 + 0.34 * scene.count) * sizes[0][0] / max(1.0, 0.8 * aspect))
    own_w, own_h = extent(scene, scene.subject)
    reference = max(reference, 0.88 * own_h, 0.5 * own_w) if scene.subject != "person" else reference
    if scene.action in ("grow", "shrink"):
        reference *= 1.2
    if scene.camera in ("zoom in", "zoom out"):
        reference *= 1.12
    tall = 1.0 if scene.subject != "person" else 0.62
    near = {
        "wide": (3.5, 0.88, 0.58, 1.0),
        "medium": (2.45, 0.87, 0.54, 1.3),
        "close-up": (1.75, 0.86, 0.48, 1.7),
    }
    view, ground, horizon, backdrop = near[scene.shot]
    return Framing(view * tall * reference, ground, horizon, backdrop)


def _portrait_framing(scene: Scene) -> Framing:
    age = str(scene.age)
    if scene.shot == "wide":
        return Framing(1.62, 0.90, 0.58, 1.0)
    middle = head_height(age)
    if scene.shot == "medium":
        view = 0.86 * (0.88 if age == "child" else 1.0)
        return Framing(view, 0.36 + middle / view, 0.60, 1.35)
    view = 0.46 * (1.06 if age == "child" else 1.0)
    return Framing(view, 0.52 + middle / view, 0.64, 1.9)


def cast(scene: Scene, view: Framing, aspect: float) -> list[Actor]:
    """The subjects on their marks: instances 1 … count, then the second subject."""
    view_w, kind = view.view_h * aspect, scene.subject
    width, height = extent(scene, kind)
    heading = 1.0 if scene.heading == "right" else -1.0
    room = min(view.ground, 1.0) * view.view_h * 0.96
    if view.ground > 1.0:  # the feet are out of the picture: what is seen of the rest may only rise a little
        room = 0.30 * view.view_h
    if scene.other == "none":
        step = 0.82 * view_w / scene.count
        actors = []
        for k in range(scene.count):
            home = (k - 0.5 * (scene.count - 1)) * step
            half = max(0.03 * view_w, min(0.40 * view_w / scene.count - 0.5 * width, 1.1 * view.view_h))
            actors.append(Actor(kind, k + 1, width, height, home, half, room, heading, 0.13 * k))
        return actors
    side = -1.0 if scene.relation == "left of" else 1.0
    other_w, other_h = extent(scene, scene.other)
    apart = max(0.25 * view_w, 0.56 * max(width, other_w))
    half = max(0.03 * view_w, min(0.16 * view_w, apart - 0.5 * max(width, other_w)) * 0.5)
    first = Actor(kind, 1, width, height, side * apart, half, room, heading)
    second = Actor(scene.other, 2, other_w, other_h, -side * apart, half, room, side)
    return [first, second]


def compose(scene: Scene, width: int, height: int, time_s_T: Floats, duration_s: float) -> Composition:
    """Put a scene on a stage seen by a canvas of width x height pixels."""
    view = framing(scene, width / height)
    camera = Camera(scene.camera, view, width, height, time_s_T)
    air = look(scene.light, scene.weather)
    stage = Stage()
    wind = 1.0 if scene.weather == "wind" else 0.0
    place = place_of(scene.setting, scene.subject)
    stops = SETTINGS[place](Scenery(stage, camera, air, scene.seed, wind, time_s_T))
    gradient = Gradient(*gradient_table(stops), camera.layer(0.0))
    seed = scene.seed
    particles = weather_particles(scene.weather, air, seed, time_s_T, width, height)
    composition = Composition(stage, camera, gradient, particles)
    composition.actors = cast(scene, view, width / height)
    for actor in composition.actors:
        composition.motions.append(_motion(scene, actor, time_s_T, duration_s))
    world = camera.world()
    for actor, motion in zip(composition.actors, composition.motions, strict=True):
        if place != "underwater":
            _shadow(stage, world, actor, motion, air, place)
    for actor, motion in zip(composition.actors, composition.motions, strict=True):
        stage.instance = actor.instance
        _draw(composition, scene, world, actor, motion, air, time_s_T)
        stage.instance = 0
    return composition


def _motion(scene: Scene, actor: Actor, time_s_T: Floats, duration_s: float) -> Motion:
    second = scene.other != "none" and actor.instance == 2
    if second and scene.action != "collide":
        return idle(actor, time_s_T)
    return move(scene.action, scene.speed, actor, time_s_T, duration_s)


def _shadow(stage: Stage, world: Pose, actor: Actor, motion: Motion, air: Look, place: str) -> None:
    """A soft shadow on the ground: two ellipses, smaller and fainter the higher the subject."""
    ground = air.scenery(GROUND[place], 1.0)
    size = np.asarray(motion.size) * np.maximum(0.35, 1.0 - 0.45 * np.asarray(motion.lift) / max(1e-6, actor.room))
    at = world.move(motion.x, 0.0).scale(size * actor.width)
    for rx, share in ((0.58, 0.5), (0.46, 1.0)):
        stage.ellipse(at, 0.0, 0.0, rx, rx * 0.17, air.shadow(ground, share), solid=False)


def _draw(
    composition: Composition,
    scene: Scene,
    world: Pose,
    actor: Actor,
    motion: Motion,
    air: Look,
    time_s_T: Floats,
) -> None:
    stage, kind = composition.stage, actor.kind
    root = world.move(motion.x, -np.asarray(motion.lift))
    size = np.asarray(motion.size)
    if kind == "person":
        who = scene.person
        assert who is not None
        pose = root.scale(np.asarray(motion.wide) * size, np.asarray(motion.tall) * size)
        composition.heads[actor.instance] = person(
            stage, pose, motion, who, str(scene.role), scene.color, air, time_s_T
        )
        return
    color = COLORS[scene.color if actor.instance <= scene.count else str(scene.other_color)]
    pose = root.scale(np.asarray(motion.wide) * size * actor.height, np.asarray(motion.tall) * size * actor.height)
    if kind in QUADRUPEDS:
        quadruped(stage, pose, motion, color, air, kind)
    elif kind == "boat":
        boat(stage, pose, motion, color, air)
        stage.instance = 0
        waterline(stage, pose, motion, air)
    else:
        {"bird": bird, "fish": fish, "ball": ball, "box": box, "balloon": balloon, "car": car, "kite": kite}[kind](
            stage, pose, motion, color, air
        )


def events(composition: Composition) -> list[Event]:
    """All events of all subjects, by time."""
    found = [event for motion in composition.motions for event in motion.events]
    # A collision is one event, told by the first of the two.
    kept = [e for e in found if e.kind != "collide" or e.object == 1]
    return sorted(kept, key=lambda event: (event.time_s, event.object))
