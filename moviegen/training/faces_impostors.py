"""Impostors for the shipped face pack: `python -m moviegen.training.faces_impostors` writes their calibration.

People of every group whom no network has seen and no suite asks for: a portrait of each, and frames of other scenes
with them, read by the pack as in a sweep.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from eval.faces.packs import SHIPPED, open_pack
from eval.identity.calibrate import known
from eval.identity.impostors import Known, calibration, calibration_path, write_calibration
from eval.identity.portraits import TONE_GROUPS, Picture
from moviegen.backlot import Scene, elsewhere, portrait, sample_scene
from moviegen.training.faces_scenes import State, look_at

FIRST_SEED = 1 << 50
FIRST_FACE = 1 << 42
"""Apart from those of faces_scenes.FIRST_SEED and FIRST_FACE, and from sampled scenes."""
SIZE = 128
LEAST_HEIGHT = 20.0
"""Pixels of a face from crown to chin."""
SHOTS = ("close-up", "medium")
GROUPS = tuple(product(("feminine", "masculine"), TONE_GROUPS.values()))


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many people of each group, and in how many frames beside the portrait.

    200 people in 4 frames are 159,200 pairs, of which 1e-3 are five times the 30 that a threshold needs.
    """

    people_each: int = 200
    frames_each: int = 4


def main() -> None:
    """Measure everybody and write the calibration beside the pack."""
    pack, crowd = open_pack(SHIPPED), Crowd()
    people: list[Known] = []
    for number, pictures in enumerate(everybody(crowd), start=1):
        if found := known(pictures, pack):
            people.append(found)
        print(f"\r{number} of {len(GROUPS) * crowd.people_each} people", end="", file=sys.stderr, flush=True)
    path = calibration_path(SHIPPED)
    write_calibration(calibration(people, SHIPPED, "python -m moviegen.training.faces_impostors"), path)
    print(f"\nwrote {path}: {len(people)} people")


def everybody(crowd: Crowd) -> Iterator[list[Picture]]:
    """The pictures of each person, the portrait first, uint8 H,W,3."""
    for number in range(len(GROUPS) * crowd.people_each):
        scene = somebody(number)
        assert scene.person is not None
        portrait_HWC = np.ascontiguousarray(portrait(scene.person, SIZE).transpose(1, 2, 0))
        yield [portrait_HWC, *_frames(scene, crowd.frames_each)]


def somebody(number: int) -> Scene:
    """Person `number` of all, in some scene: each group and each of its tones in turn; all else as the world has it."""
    presentation, tones = GROUPS[number % len(GROUPS)]
    fixed = {"presentation": presentation, "skin": tones[number // len(GROUPS) % len(tones)] + 1}
    return sample_scene(FIRST_SEED + number, subject="person", face=FIRST_FACE + number, **fixed)


def _frames(scene: Scene, count: int) -> Iterator[Picture]:
    """A frame each of so many other scenes in which the person's face is seen well enough."""
    seed = FIRST_SEED + 1000 * (1 + scene.seed - FIRST_SEED)
    while count:
        seed += 1
        shown = elsewhere(scene, seed, shot=SHOTS[seed % len(SHOTS)], other="none")
        seen = look_at(shown, SIZE, SIZE, 0.8, 2)
        height = seen.boxes_T4[1, 3] - seen.boxes_T4[1, 1]
        if seen.states_T[1] == State.FACE and height >= LEAST_HEIGHT:
            count -= 1
            yield np.ascontiguousarray(seen.frames_THWC[1])


if __name__ == "__main__":
    main()
