"""Brackets for personalised cases: an impostor, the portrait pasted in, a person who drifts into another.

All need a Backlot scene that shows a person as truth. The scene, its movement and its sound stay the oracle's.

Shape legend: T frames, C channels, H height, W width, 2 = (across, down).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial

import cv2
import numpy as np

from benchmarks.generator import KINDS, Generator, Kind, NoClip
from benchmarks.generators.brackets import SEED_LIMIT, BracketGenerator, random_for, render_case, scene_of
from eval.case import Case
from eval.clip import Clip, FramesTCHW
from eval.faces.align import similarity
from eval.identity.portraits import TONE_GROUPS
from moviegen.backlot import Scene, sample_scene
from moviegen.backlot.pairs import portrait_scene
from moviegen.backlot.scene import Person
from moviegen.training.faces_scenes import Seen, State, look_at

PORTRAIT_SIZE = 128
_FEATHER = 1.0
"""Deviation of the blur of a pasted face's edge, pixels of the portrait."""


def person_of(case: Case) -> Person:
    """Who is asked for. Raises NoClip where nobody is."""
    scene = (case.truth or {}).get("scene")
    person = None if scene is None else Scene.from_dict(scene).person
    if person is None:
        raise NoClip("identity brackets need a case whose Backlot scene shows a person")
    return person


def another(person: Person, random: np.random.Generator) -> Person:
    """Somebody else of the same presentation, age and tone group; hair, eyes and all else as chance has them."""
    tones = next(steps for steps in TONE_GROUPS.values() if person.skin - 1 in steps)
    skin = int(random.choice(list(tones))) + 1
    seed = int(random.integers(SEED_LIMIT))
    kept = {"presentation": person.presentation, "age": person.age, "skin": skin}
    other = sample_scene(seed, subject="person", **kept).person
    assert other is not None
    return other


def _showing(case: Case, person: Person) -> Case:
    """The same case, had it asked for somebody else."""
    assert case.truth is not None
    return replace(case, truth={**case.truth, "scene": {**case.truth["scene"], **asdict(person)}})


def impostor(case: Case, _cases: Sequence[Case]) -> Clip:
    """The right scene with another person of the same group in it."""
    return render_case(_showing(case, another(person_of(case), random_for(case, "impostor"))))


def morph(case: Case, cases: Sequence[Case]) -> Clip:
    """The right person, dissolving into the impostor from the first frame to the last."""
    other, clip = impostor(case, cases), render_case(case)
    share_T111 = np.linspace(0, 1, len(clip.frames_TCHW), dtype=np.float32)[:, None, None, None]
    mixed_TCHW = (1 - share_T111) * clip.frames_TCHW + share_T111 * other.frames_TCHW
    return replace(clip, frames_TCHW=np.rint(mixed_TCHW).astype(np.uint8))


def paste(case: Case, _cases: Sequence[Case]) -> Clip:
    """The portrait's face, pasted over the person's in every frame: it follows the head and never changes."""
    person, clip = person_of(case), render_case(case)
    total, _, height, width = clip.frames_TCHW.shape
    there = look_at(scene_of(case), width, height, clip.fps, total)
    portrait = look_at(portrait_scene(person), PORTRAIT_SIZE, PORTRAIT_SIZE, 8.0, 1)
    return replace(clip, frames_TCHW=_pasted(clip.frames_TCHW, there, portrait))


def _pasted(frames_TCHW: FramesTCHW, there: Seen, portrait: Seen) -> FramesTCHW:
    face_HWC, face_HW = portrait.frames_THWC[0], _oval(portrait)
    size = frames_TCHW.shape[3], frames_TCHW.shape[2]
    pasted = frames_TCHW.copy()
    for t in np.flatnonzero(there.states_T != State.NONE):
        matrix = similarity(portrait.points_T52[0], there.points_T52[t].astype(np.float64))
        if matrix is None:  # turned edge-on
            continue
        over_HWC = cv2.warpAffine(face_HWC, matrix, size)
        share_HW = cv2.warpAffine(face_HW, matrix, size)
        pasted[t] = np.rint((1 - share_HW) * frames_TCHW[t] + share_HW * over_HWC.transpose(2, 0, 1)).astype(np.uint8)
    return pasted


def _oval(portrait: Seen) -> np.ndarray:
    """How much of each pixel of the portrait is pasted: the oval from crown to chin, float32 H,W, 0-1."""
    left, top, right, bottom = portrait.boxes_T4[0]
    down, across = np.mgrid[:PORTRAIT_SIZE, :PORTRAIT_SIZE] + 0.5
    away = ((2 * across - left - right) / (right - left)) ** 2 + ((2 * down - top - bottom) / (bottom - top)) ** 2
    return np.asarray(cv2.GaussianBlur((away <= 1).astype(np.float32), (0, 0), _FEATHER), np.float32)


def _make(answer: Callable[[Case, Sequence[Case]], Clip], _argument: str, cases: Sequence[Case]) -> Generator:
    return BracketGenerator(answer, cases)


for _answer, _summary in (
    (impostor, "the oracle's clip with another person of the same group"),
    (morph, "the oracle's clip, the person dissolving into another of the same group"),
    (paste, "the oracle's clip, the portrait's face pasted over the person's"),
):
    KINDS.add(_answer.__name__, Kind(_answer.__name__, 1, _summary, partial(_make, _answer), "floor"))
