"""Scenes for the face networks, and where the faces are in them.

The networks judge generators, so nobody whom they have seen may be judged: their scenes have seeds, and their people
face numbers, that no suite, no reference clip and no other training uses.

Shape legend: T frames, H height, W width, C channels, P points of an outline, 2 = (across, down).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from moviegen.backlot import Scene, allowed, sample_scene
from moviegen.backlot.compose import compose
from moviegen.backlot.exact import draw
from moviegen.backlot.faces import Head, head_outline
from moviegen.backlot.factors import FACTORS, IDENTITY_FACTORS
from moviegen.backlot.paint import paint, place
from moviegen.backlot.render import SUPERSAMPLING, frame_times

Split = Literal["train", "held out", "looks"]
"""looks: further training scenes, each of somebody else, near by: presentation, age and tone are learnt from many."""
FIRST_SEED: Mapping[Split, int] = {"train": 1 << 48, "held out": 1 << 49, "looks": 3 << 48}
FIRST_FACE: Mapping[Split, int] = {"train": 1 << 40, "held out": 1 << 41, "looks": 3 << 40}
"""Faces of sampled scenes have numbers below 1 << 31."""

PEOPLE_IN_TEN = 7
"""Of ten scenes, so many show somebody; the others show what could be taken for a face."""
SCENES_EACH = 4
"""Scenes that one person is seen in."""
LOOKALIKES = 3
"""So many people in a row share everything but the face's own proportions."""

_SHOTS = ("close-up", "close-up", "close-up", "medium", "medium", "wide")
_NEAR = ("close-up", "close-up", "medium")
_GLASSES = 0.3

FRONTAL = 0.5
"""A face counts from this cosine of its turn on; what is turned farther is neither a face nor none."""
WHOLE = 0.75
"""A face counts where at least this share of its box is in the picture."""


class State(IntEnum):
    """Whether a frame shows a face: doubtful ones (turned far, cut by the edge) are neither learnt nor counted."""

    NONE = 0
    FACE = 1
    DOUBTFUL = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """Frames with at most one face each.

    frames_THWC: uint8 RGB. boxes_T4: float32 left, top, right, bottom of the face from crown to chin, without hair,
    in pixels; points_T52: float32 eyes, nose, mouth corners as in Truth; both NaN where there is no face.
    states_T: int64 of State.
    """

    frames_THWC: npt.NDArray[np.uint8]
    boxes_T4: npt.NDArray[np.float32]
    points_T52: npt.NDArray[np.float32]
    states_T: npt.NDArray[np.int64]


def person_number(number: int, split: Split) -> int | None:
    """Who is in scene `number` of a split: the number of a person, or None."""
    if split == "looks":
        return number
    ten, place_in_ten = divmod(number, 10)
    if place_in_ten >= PEOPLE_IN_TEN:
        return None
    return (ten * PEOPLE_IN_TEN + place_in_ten) // SCENES_EACH


def face_scene(number: int, split: Split) -> Scene:
    """Scene `number` of a split. Looks, lights, weathers and shots are drawn more evenly than the world draws them."""
    seed = FIRST_SEED[split] + number
    who = person_number(number, split)
    if who is None:
        subjects = [value for value in FACTORS["subject"].values if value != "person"]
        return sample_scene(seed, subject=_one_of(seed, "subject", subjects))
    shot = _one_of(seed, "shot", _NEAR if split == "looks" else _SHOTS)
    others = {"other": "none"} if shot == "close-up" else {}
    setting = _one_of(seed, "setting", FACTORS["setting"].values)
    outside = {
        "light": _one_of(seed, "light", allowed("light", {"setting": setting})),
        "weather": _one_of(seed, "weather", allowed("weather", {"setting": setting})),
    }
    return sample_scene(seed, **person(who, split), shot=shot, setting=setting, **others, **outside)


def person(number: int, split: Split) -> dict[str, Any]:
    """Identity factors and face number of person `number`, evenly drawn from what goes together."""
    look = FIRST_FACE[split] + (number if split == "looks" else number // LOOKALIKES)
    given: dict[str, Any] = {"subject": "person"}
    for name in IDENTITY_FACTORS:
        given[name] = _one_of(look, name, allowed(name, given))
    given["glasses"] = draw(look, "faces/glasses") < _GLASSES
    if given["presentation"] == "feminine":
        given["beard"] = "none"  # as in the world, but for one in a hundred
    return {**given, "face": FIRST_FACE[split] + number}


def _one_of(seed: int, name: str, values: Any) -> Any:
    return values[int(draw(seed, f"faces/{name}") * len(values))]


def look_at(scene: Scene, width: int, height: int, fps: float, frames: int) -> Seen:
    """Render a scene as moviegen.backlot.render does, and say where the face is."""
    canvas = (width * SUPERSAMPLING, height * SUPERSAMPLING)
    composition = compose(scene, *canvas, frame_times(fps, frames), frames / fps)
    placed = place(composition.stage.shapes, frames, *canvas, SUPERSAMPLING)
    frames_THWC = paint(placed, composition.gradient, composition.particles, frames, width, height, SUPERSAMPLING)
    for head in composition.heads.values():
        return Seen(frames_THWC, *_faces(head, frames, width, height))
    nowhere = np.full((frames, 5, 2), np.nan, np.float32)
    return Seen(frames_THWC, nowhere.reshape(frames, 10)[:, :4], nowhere, np.zeros(frames, np.int64))


def _faces(
    head: Head, frames: int, width: int, height: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    outline_TP2 = _placed(head, head_outline(head.features), frames)
    boxes_T4 = np.concatenate([outline_TP2.min(axis=1), outline_TP2.max(axis=1)], axis=1)
    points_T52 = _placed(head, head.features.landmarks_52(), frames)
    a, b, c, d, _, _ = (np.broadcast_to(np.asarray(entry, np.float64), (frames,)) for entry in head.pose.entries())
    facing_T = np.hypot(a, c) / np.hypot(b, d)
    inside_T = _area(np.clip(boxes_T4, 0, [width, height, width, height])) / _area(boxes_T4)
    shown_T = np.asarray(head.shown_T) & (inside_T > 0)
    clear_T = (facing_T >= FRONTAL) & (inside_T >= WHOLE)
    states_T = np.where(shown_T, np.where(clear_T, State.FACE, State.DOUBTFUL), State.NONE).astype(np.int64)
    boxes_T4[states_T == State.NONE] = np.nan
    points_T52[states_T == State.NONE] = np.nan
    return boxes_T4, points_T52, states_T


def _placed(head: Head, points_P2: npt.NDArray[np.float64], frames: int) -> npt.NDArray[np.float32]:
    """Points of the head in pixels of the picture, T,P,2."""
    placed = np.empty((frames, len(points_P2), 2), np.float32)
    for p, (u, v) in enumerate(points_P2):
        x, y = head.pose.place(float(u), float(v))
        placed[:, p, 0], placed[:, p, 1] = np.asarray(x) / SUPERSAMPLING, np.asarray(y) / SUPERSAMPLING
    return placed


def _area(boxes_T4: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    sides_T2 = np.maximum(boxes_T4[:, 2:] - boxes_T4[:, :2], 0)
    area_T: npt.NDArray[np.float32] = sides_T2.prod(axis=1)
    return area_T
