"""The copy-paste guard: is the face of a clip the portrait's very pixels, and does it ever move?

A generator can earn any similarity by pasting the portrait. What that cannot give is a face that turns, blinks and is
lit differently now and then.

Shape legend: F faces of one person by time, S = CROP side, P pixels of the inner face.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from eval.faces.tracks import CROP, FaceRows
from eval.feature import NotMeasurable

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.floating]

LEAST_ALIKE = 5
"""Percentile over frames: a blink is one frame in twenty."""
MOST_FACES = 64
"""Evenly spaced over the clip; registering one takes about 2 ms."""
LEAST_FACES = 5
"""Faces from which one may speak of a range."""

_CENTRE, _HALF_AXES = (0.5, 0.6), (0.34, 0.41)
"""The inner face on ArcFace's template, in shares of the crop: without hair, hat and background."""
_STEPS = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 20, 1e-3)
_SOFT = 3
"""Side of the Gaussian filter before registration, pixels."""


def _inner_face() -> npt.NDArray[np.bool_]:
    down, across = (np.mgrid[:CROP, :CROP] + 0.5) / CROP
    away = ((across - _CENTRE[0]) / _HALF_AXES[0]) ** 2 + ((down - _CENTRE[1]) / _HALF_AXES[1]) ** 2
    inside: npt.NDArray[np.bool_] = away <= 1
    return inside


INNER_FACE = _inner_face()


def registered(crop_SS3: Picture, onto_SS3: Picture) -> Picture:
    """A crop moved by the affine map that correlates it best with another (Evangelidis and Psarakis 2008).

    Landmarks are off by a pixel or two, which hides a pasted face from a plain comparison of pixels. The crop as it is
    where no map is found, or where the found one fits less well.
    """
    template, moving = (cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in (onto_SS3, crop_SS3))
    still = np.eye(2, 3, dtype=np.float32)
    try:
        _, matrix = cv2.findTransformECC(
            template, moving, still, cv2.MOTION_AFFINE, _STEPS, INNER_FACE.astype(np.uint8), _SOFT
        )
    except cv2.error:  # its word for "does not converge": flat pictures, or nothing in common
        return crop_SS3
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(crop_SS3, matrix, (CROP, CROP), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    moved_SS3 = np.asarray(moved, np.uint8)
    better = correlation(moved_SS3, onto_SS3) > correlation(crop_SS3, onto_SS3)
    return moved_SS3 if better else crop_SS3


def correlation(one_SS3: Picture, other_SS3: Picture) -> float:
    """Normalised cross-correlation of the inner faces, all three channels together; -1 to 1, 0 for flat ones."""
    return float(_normalised(one_SS3) @ _normalised(other_SS3))


def _normalised(crop_SS3: Picture) -> npt.NDArray[np.float64]:
    values_P = crop_SS3[INNER_FACE].astype(np.float64).ravel()
    values_P -= values_P.mean()
    length = float(np.linalg.norm(values_P))
    return values_P / length if length > 0 else values_P


def _spaced(faces: FaceRows) -> Picture:
    """The crops of at most MOST_FACES faces. Raises NotMeasurable for fewer than LEAST_FACES."""
    if len(faces) < LEAST_FACES:
        raise NotMeasurable(f"the face is found in fewer than {LEAST_FACES} frames")
    chosen = np.unique(np.linspace(0, len(faces) - 1, min(len(faces), MOST_FACES)).round().astype(np.int64))
    crops_FSS3: Picture = faces.crops_NSS3[chosen]
    return crops_FSS3


def copying(faces: FaceRows, portrait_SS3: Picture) -> float:
    """How like the portrait's pixels even the least alike face is; 0-1.

    5th percentile over frames of the registered crops' correlation with the portrait's crop, 0 where negative: a face
    that is alive is now and then unlike its portrait. Raises NotMeasurable for fewer than five faces.
    """
    alike_F = [correlation(registered(crop_SS3, portrait_SS3), portrait_SS3) for crop_SS3 in _spaced(faces)]
    return max(0.0, float(np.percentile(alike_F, LEAST_ALIKE)))


def expression_range(faces: FaceRows) -> float:
    """How far the face departs from its own mean when it departs most; 0-1, 0 for a face that never changes.

    1 - 5th percentile over frames of the correlation of crops, registered to the middle one, with their mean. Raises
    NotMeasurable for fewer than five faces.
    """
    crops_FSS3 = _spaced(faces)
    middle_SS3 = crops_FSS3[len(crops_FSS3) // 2]
    faces_FP = np.stack([_normalised(registered(crop_SS3, middle_SS3)) for crop_SS3 in crops_FSS3])
    mean_P = faces_FP.mean(axis=0)
    alike_F = faces_FP @ mean_P / max(1e-12, float(np.linalg.norm(mean_P)))
    return float(np.clip(1.0 - np.percentile(alike_F, LEAST_ALIKE), 0.0, 1.0))


def pose_range(faces: FaceRows) -> float:
    """How far the head turns and nods, degrees: mean of the 5th to 95th percentile ranges of yaw and pitch.

    Roll is left out: a pasted picture can be turned in its plane. Raises NotMeasurable for fewer than five faces.
    """
    angles_F2 = faces.pose_N3[:, :2]
    angles_F2 = angles_F2[np.isfinite(angles_F2).all(axis=1)]
    if len(angles_F2) < LEAST_FACES:
        raise NotMeasurable(f"the pose is known in fewer than {LEAST_FACES} frames")
    low_2, high_2 = np.percentile(angles_F2, [5, 95], axis=0)
    return float((high_2 - low_2).mean())
