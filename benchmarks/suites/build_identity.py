"""Writes the identity suite and its portraits: `python -m benchmarks.suites.build_identity`.

Personalised cases on the Backlot: a portrait, and a prompt that says what the person does and where. Every group of
presentation and skin tone has as many people, each age, action and light comes in turn; all else is drawn at random.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import count, product
from pathlib import Path

import cv2
import numpy as np

from benchmarks.calibrate import suite_metrics, with_reference
from benchmarks.reference_clips import reference_from_cases
from benchmarks.suite import SUITES_FOLDER, AskedModel, CaseModel, MetricModel, Suite, load_suite, write_suite
from eval.cache import write_atomically
from eval.identity.portraits import TONE_GROUPS
from moviegen.backlot import Scene, allowed, caption, portrait, sample_scene
from moviegen.backlot.captions import subject
from moviegen.backlot.stated import stated
from moviegen.training.faces_scenes import State, look_at

CASES = 24
REFERENCE_CLIPS = 48
FIRST_SEED, FIRST_REFERENCE_SEED = 1_200_000, 1_300_000
VERSION = 1
PORTRAITS = "portraits"
SIZE, FPS, SECONDS = 128, 8.0, 4.0

GROUPS = tuple(product(("feminine", "masculine"), TONE_GROUPS.values()))
AGES = ("adult", "senior", "child", "adult")
ACTIONS = ("wave", "walk", "dance", "jump", "run")
"""Without spinning, which shows the back of the head."""
LIGHTS = ("day", "sunset", "overcast", "dawn", "night")
SHOTS = ("close-up", "medium")
STYLES = ("plain", "place-first", "noun", "film")
"""The detailed one says what the portrait is to say, and tags are no sentence."""
UNTOLD = ("presentation", "age")
"""Told by the portrait, not by these prompts."""

LEAST_HEIGHT, LEAST_SEEN = 20.0, 0.9
"""Pixels of a face from crown to chin, and the share of frames that show so large a one."""

# Who is shown weighs most; a face that is the portrait's pixels, or never changes, is no clip of that person.
FAMILIES = {"identity": 3.0, "alignment": 1.0, "temporal": 0.5, "motion": 0.5, "conformance": 0.25}
METRICS = (
    MetricModel(name="identity_score", weight=3.0),
    MetricModel(name="identity_verified"),
    MetricModel(name="identity_percentile", worst=0.5, best=1.0),
    MetricModel(name="identity_drift", worst=0.2, best=0.0, if_skipped="worst"),
    MetricModel(name="identity_swaps", weight=0.5, worst=1.0, best=0.0),
    # Three quarters of the suite's own oracle clips stay below 0.85; half of the pasted ones exceed 0.91 (measured).
    MetricModel(name="identity_copying", weight=2.0, worst=0.95, best=0.85, if_skipped="worst"),
    MetricModel(name="identity_expression_range", if_skipped="worst"),
    MetricModel(name="identity_extra_people", weight=0.5, worst=1.0, best=0.0),
    *(MetricModel(name=f"identity_{name}", weight=0) for name in ("coverage", "mean", "p5", "template", "pose_range")),
    # What clips of other prompts reach by chance is worth nothing.
    MetricModel(name="backlot_prompt_accuracy", worst=0.18, best=1.0),
    MetricModel(name="frozen_frames"),
    MetricModel(name="duplicated_frames"),
    MetricModel(name="frame_order", weight=2.0, if_skipped="worst"),
    MetricModel(name="motion_magnitude"),
    MetricModel(name="motion_coherence", if_skipped="worst"),
    MetricModel(name="asked_fps"),
    MetricModel(name="asked_size"),
    MetricModel(name="asked_duration"),
)


def scenes(number: int, first_seed: int) -> Iterator[Scene]:
    """So many scenes with different people, every one's face in view."""
    seeds = count(first_seed)
    for place in range(number):
        yield next(scene for seed in seeds if in_view(scene := _scene(place, seed)))


def _scene(place: int, seed: int) -> Scene:
    """What is asked for at a place in the suite; the seed decides the rest."""
    turn, which = divmod(place, len(GROUPS))
    presentation, tones = GROUPS[which]
    light = LIGHTS[(place + turn) % len(LIGHTS)]
    settings = [name for name in allowed("setting", {"subject": "person"}) if name != "studio" or light == "day"]
    return sample_scene(
        seed,
        subject="person",
        presentation=presentation,
        skin=tones[turn % len(tones)] + 1,
        age=AGES[(place + turn) % len(AGES)],
        other="none",
        action=ACTIONS[place % len(ACTIONS)],
        light=light,
        setting=settings[seed % len(settings)],
        shot=SHOTS[(place + turn) % len(SHOTS)],
    )


def in_view(scene: Scene) -> bool:
    """Whether the face is seen well enough for long enough."""
    seen = look_at(scene, SIZE, SIZE, FPS, round(SECONDS * FPS))
    heights_T = seen.boxes_T4[:, 3] - seen.boxes_T4[:, 1]
    well_T = (seen.states_T == State.FACE) & (heights_T >= LEAST_HEIGHT)
    return bool(well_T.mean() >= LEAST_SEEN)


def make_case(number: int, scene: Scene, folder: Path) -> CaseModel:
    """A case for the person of a scene, whose portrait is written below the suite's folder."""
    assert scene.person is not None
    name = f"i{number:03d}"
    write_portrait(scene, folder / PORTRAITS / f"{name}.png")
    style = STYLES[number % len(STYLES)]
    known = {factor: value for factor, value in scene.to_dict().items() if value is not None}
    tags = tuple(f"{factor}:{known[factor]}" for factor in ("presentation", "skin", "age", "action", "light", "shot"))
    told = [factor for factor in stated(scene, style) if factor not in UNTOLD]
    return CaseModel(
        id=name,
        prompt=prompt(scene, style),
        tags=tags,
        references={"portrait": f"{PORTRAITS}/{name}.png"},
        truth={"scene": known, "stated": told},
    )


def prompt(scene: Scene, style: str) -> str:
    """The scene's caption, in which the person is the portrait's."""
    clothes = f"in {scene.color}" if scene.role == "none" else f"as {_a(str(scene.role))} in {scene.color}"
    text, who = caption(scene, style), f"the person in the portrait, {clothes},"
    usual = subject(scene)
    return text.replace(usual, who).replace(_capital(usual), _capital(who))


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def write_portrait(scene: Scene, path: Path) -> None:
    """The person of a scene as a PNG."""
    assert scene.person is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    ok, data = cv2.imencode(".png", np.ascontiguousarray(portrait(scene.person, SIZE).transpose(1, 2, 0)[..., ::-1]))
    assert ok
    write_atomically(path, data.tobytes())


def build(name: str, description: str, shown: Iterable[Scene], folder: Path) -> Suite:
    """A suite over these scenes, without its reference yet; its portraits lie in `folder`."""
    return Suite(
        name=name,
        version=VERSION,
        description=description,
        task="personalised",
        asked=AskedModel(width=SIZE, height=SIZE, fps=FPS, duration_s=SECONDS, sound=False),
        families=FAMILIES,
        metrics=METRICS,
        cases=tuple(make_case(number, scene, folder) for number, scene in enumerate(shown, start=1)),
    )


def main() -> None:
    """Write identity.yaml with its reference and its portraits."""
    about = "personalised: a portrait and a prompt; people of the Backlot in every group"
    identity = build("identity", about, scenes(CASES, FIRST_SEED), SUITES_FOLDER)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        others = build("reference", about, scenes(REFERENCE_CLIPS, FIRST_REFERENCE_SEED), folder)
        made_by = f"{REFERENCE_CLIPS} people of the Backlot from seed {FIRST_REFERENCE_SEED} on"
        reference = reference_from_cases(others.expand(folder), suite_metrics(identity), made_by)
    path = SUITES_FOLDER / f"{identity.name}.yaml"
    write_suite(with_reference(identity, reference), path)
    print(f"{identity.name}: {len(identity.cases)} cases, {load_suite(identity.name).sha256[:12]}")


if __name__ == "__main__":
    main()
