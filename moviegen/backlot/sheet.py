"""The contact sheet in this folder's README: `python -m moviegen.backlot.sheet [FILE]`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from moviegen.backlot.pairs import portrait
from moviegen.backlot.render import render
from moviegen.backlot.scene import Scene, sample_scene

Picture = npt.NDArray[np.uint8]
WIDTH = 1200
_GAP = 4

_ALONE: dict[str, Any] = {"other": "none", "camera": "static", "weather": "clear", "light": "day", "count": 1}
_SOMEBODY: dict[str, Any] = {**_ALONE, "subject": "person", "age": "adult"}
STILLS: tuple[tuple[int, dict[str, Any]], ...] = (
    (5, {**_SOMEBODY, "role": "chef", "action": "dance", "shot": "close-up", "setting": "park"}),
    (8, {**_ALONE, "subject": "dog", "action": "run", "setting": "beach", "light": "sunset", "shot": "medium"}),
    (2, {**_ALONE, "subject": "car", "setting": "city", "light": "night", "weather": "rain", "color": "red"}),
    (6, {**_ALONE, "subject": "fish", "action": "swim", "shot": "medium", "color": "orange", "count": 2}),
    (9, {**_SOMEBODY, "role": "judge", "action": "wave", "shot": "medium", "setting": "studio", "age": "senior"}),
    (3, {**_ALONE, "subject": "boat", "action": "sail", "light": "sunset", "shot": "medium", "color": "blue"}),
    (4, {**_ALONE, "subject": "elephant", "action": "walk", "setting": "desert", "light": "dawn", "shot": "medium"}),
    (7, {**_SOMEBODY, "role": "farmer", "action": "dance", "setting": "forest", "shot": "medium"}),
    (1, {**_ALONE, "subject": "rabbit", "action": "jump", "setting": "snow", "weather": "snow", "light": "night"}),
    (12, {**_ALONE, "subject": "kite", "action": "fly", "setting": "park", "weather": "wind", "color": "red"}),
    (11, {**_ALONE, "subject": "balloon", "other": "box", "action": "float", "setting": "sea", "light": "dawn"}),
    (
        14,
        {
            **_SOMEBODY,
            "role": "police officer",
            "action": "wave",
            "setting": "city",
            "light": "overcast",
            "color": "blue",
        },
    ),
)
STRIPS: tuple[tuple[int, dict[str, Any]], ...] = (
    (21, {**_SOMEBODY, "action": "run", "setting": "park", "shot": "wide", "camera": "pan right"}),
    (
        22,
        {
            **_ALONE,
            "subject": "ball",
            "action": "bounce",
            "setting": "beach",
            "count": 2,
            "shot": "wide",
            "color": "red",
        },
    ),
    (23, {**_SOMEBODY, "action": "jump", "setting": "snow", "light": "sunset", "shot": "medium", "role": "doctor"}),
    (25, {**_ALONE, "subject": "horse", "action": "run", "setting": "desert", "shot": "medium", "camera": "zoom out"}),
    (24, {**_ALONE, "subject": "ball", "other": "car", "action": "collide", "setting": "studio", "speed": "slow"}),
    (26, {**_SOMEBODY, "action": "spin", "setting": "forest", "shot": "close-up", "role": "none", "speed": "slow"}),
)


def _frames(scene: Scene, size: int, count: int) -> list[Picture]:
    """`count` frames, a third of a second apart, as (H, W, 3)."""
    clip = render(scene, width=size, height=size, fps=3.0, frames=count + 1, sound=False)
    return [np.ascontiguousarray(frame_CHW.transpose(1, 2, 0)) for frame_CHW in clip.frames_TCHW[1:]]


def _row(pictures: Sequence[Picture]) -> Picture:
    """Pictures side by side with gaps, WIDTH wide."""
    height = pictures[0].shape[0]
    row = np.full((height, WIDTH, 3), 255, np.uint8)
    step = (WIDTH + _GAP) / len(pictures)
    for k, picture in enumerate(pictures):
        left = round(k * step)
        row[:, left : left + picture.shape[1]] = picture
    return row


def contact_sheet() -> Picture:
    """Stills, strips of six frames (two scenes a row), and one portrait for every tone of the Monk scale; (H, W, 3)."""
    size = WIDTH // 6 - _GAP
    stills = [_frames(sample_scene(seed, **fixed), size, 2)[1] for seed, fixed in STILLS]
    rows = [_row(stills[k : k + 6]) for k in range(0, len(stills), 6)]
    small = WIDTH // 12 - _GAP
    strips = [frame for seed, fixed in STRIPS for frame in _frames(sample_scene(seed, **fixed), small, 6)]
    rows += [_row(strips[k : k + 12]) for k in range(0, len(strips), 12)]
    faces = []
    for skin in range(1, 11):
        who = sample_scene(60 + skin, subject="person", skin=skin).person
        assert who is not None
        faces.append(np.ascontiguousarray(portrait(who, WIDTH // 10 - _GAP).transpose(1, 2, 0)))
    rows.append(_row(faces))
    gap = np.full((_GAP, WIDTH, 3), 255, np.uint8)
    return np.concatenate([part for row in rows for part in (row, gap)][:-1])


def main(arguments: Sequence[str]) -> None:
    """Write the sheet to the file named on the command line, or beside this module."""
    path = Path(arguments[0]) if arguments else Path(__file__).with_name("contact-sheet.png")
    sheet = contact_sheet()
    if not cv2.imwrite(str(path), sheet[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9]):
        raise OSError(f"cannot write {path}")
    print(f"{path}: {sheet.shape[1]}x{sheet.shape[0]}, {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
