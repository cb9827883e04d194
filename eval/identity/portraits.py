"""Portraits: the one face of a picture, described by the same pack as the clip's faces, once per process.

Shape legend: D numbers of an embedding, H height, W width, C channels, S = CROP side, K people asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from eval.case import Case
from eval.faces.pack import Cut
from eval.faces.packs import open_pack, weights_sha256
from eval.faces.tracks import CROP
from eval.feature import NotMeasurable
from eval.hashing import file_sha256

if TYPE_CHECKING:
    from eval.faces.pack import FacePack, Faces

Picture = npt.NDArray[np.uint8]

TONE_GROUPS = {"1-3": range(3), "4-6": range(3, 6), "7-10": range(6, 10)}
"""Name → steps of the Monk scale, counted from 0."""

_BORDER = 0.25
"""Detectors miss faces that fill their picture: where none is found, once more with a grey border of this share."""
_GREY = (127, 127, 127)


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """Who is asked for.

    embedding_D: unit length. crop_SS3: uint8 RGB, aligned as for recognition. group: perceived presentation and tone
    group as the pack reads them ("feminine 4-6"), as far as it does ("feminine"; empty: it has no such network).
    """

    embedding_D: npt.NDArray[np.float32]
    crop_SS3: Picture
    group: str


def portraits(case: Case, pack: str) -> list[Portrait]:
    """The people that a case asks for, by the names of their portraits.

    Raises NotMeasurable in one line: no such pack, or a portrait that is absent, cannot be read, or shows no face or
    several.
    """
    return [portrait(Path(path), pack) for path in case.portraits.values()]


def portrait(path: Path, pack: str) -> Portrait:
    """The person that a picture shows. Raises NotMeasurable as `portraits` does."""
    open_pack(pack)
    try:
        sha256 = file_sha256(path)
    except OSError as error:
        raise NotMeasurable(f"portrait {path.name} cannot be read: {error.strerror or error}") from None
    known = _described(path, sha256, pack, weights_sha256(pack))
    if isinstance(known, str):
        raise NotMeasurable(known)
    return known


@lru_cache(maxsize=512)
def _described(path: Path, _sha256: str, pack: str, _weights: str) -> Portrait | str:
    """The portrait in a file with this hash, or why there is none: both are found out once."""
    from eval.clip import ClipError
    from eval.video import read_picture

    try:
        return describe(np.ascontiguousarray(read_picture(path)), open_pack(pack))
    except (ClipError, OSError) as error:
        return f"portrait {path.name} cannot be read: {' '.join(str(error).split())}"
    except NotMeasurable as reason:
        return f"portrait {path.name} {reason}"


def describe(picture_HWC: Picture, pack: FacePack) -> Portrait:
    """The one face of a picture (uint8 RGB). Raises NotMeasurable: none, several, or one that cannot be described."""
    picture_HWC, faces = _found(picture_HWC, pack)
    if len(faces) != 1:
        raise NotMeasurable("shows no face" if not len(faces) else f"shows {len(faces)} faces: cut it to one person")
    cut = Cut.of(picture_HWC, faces)
    if not cut.aligned_N.all():
        raise NotMeasurable("shows a face whose landmarks cannot be aligned: take a clearer one")
    said = pack.describe(cut)
    crop = cv2.resize(cut.aligned_NSS3[0], (CROP, CROP), interpolation=cv2.INTER_AREA)
    return Portrait(said.embeddings_ND[0], np.asarray(crop, np.uint8), group_of(said.masculine_N[0], said.tones_NK[0]))


def _found(picture_HWC: Picture, pack: FacePack) -> tuple[Picture, Faces]:
    faces = pack.find(picture_HWC)
    if len(faces):
        return picture_HWC, faces
    border = round(_BORDER * max(picture_HWC.shape[:2]))
    wider_HWC = cv2.copyMakeBorder(picture_HWC, *(border,) * 4, cv2.BORDER_CONSTANT, value=_GREY)
    return np.asarray(wider_HWC, np.uint8), pack.find(np.asarray(wider_HWC, np.uint8))


def presentation_of(group: str) -> str:
    """The presentation alone; empty where it is not known."""
    return group.partition(" ")[0]


def group_of(masculine: float, tones_K: npt.NDArray[np.floating]) -> str:
    """Perceived presentation and tone group, as far as they are known; NaN where they are not."""
    if not np.isfinite(masculine):
        return ""
    presentation = "masculine" if masculine >= 0.5 else "feminine"
    if not np.isfinite(tones_K).all():
        return presentation
    step = int(np.argmax(tones_K))
    return next(f"{presentation} {name}" for name, steps in TONE_GROUPS.items() if step in steps)
