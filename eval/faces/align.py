"""Faces brought into one position, as ArcFace's packs expect, and what five landmarks say of a head's pose.

Points are (across, down) in pixels, in the order of insightface: left and right eye as the viewer sees them, nose, left
and right mouth corner.

Shape legend: N faces, P = 5 landmarks, H height, W width, S side of a crop, 2 = (across, down).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Picture = npt.NDArray[np.uint8]

ALIGNED = 112
"""Side of an aligned crop, pixels."""
TEMPLATE_P2 = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)], np.float64
)
"""Where ArcFace wants the landmarks (Deng et al., arXiv 1801.07698; insightface.utils.face_align)."""
MARGIN = 1.5
"""An upright crop for attributes is so many times as large as the longer side of its box."""

_SPREAD = 1e-3
"""Landmarks whose spread around their middle is below this share of a pixel squared cannot be aligned."""


def similarity(points_P2: Floats, onto_P2: Floats = TEMPLATE_P2) -> npt.NDArray[np.float64] | None:
    """The similarity (rotation, scale, shift; 2,3) that brings points nearest to others in the least-squares sense.

    Umeyama 1991, as in insightface, but without reflections and in closed form. None where no such map exists: points
    that are not finite, or nearly all in one place.
    """
    points = np.asarray(points_P2, np.float64)
    if not np.isfinite(points).all():
        return None
    middle_2, target_2 = points.mean(axis=0), onto_P2.mean(axis=0)
    (x, y), (u, v) = (points - middle_2).T, (onto_P2 - target_2).T
    spread = float((x * x + y * y).sum())
    cosine, sine = float((x * u + y * v).sum()), float((x * v - y * u).sum())
    if spread < _SPREAD or cosine * cosine + sine * sine < (_SPREAD * spread) ** 2:
        return None
    a, b = cosine / spread, sine / spread
    turn = np.array([[a, -b], [b, a]])
    return np.concatenate([turn, (target_2 - turn @ middle_2)[:, None]], axis=1)


def aligned(picture_HWC: Picture, points_P2: Floats) -> Picture | None:
    """The face with its landmarks on the template: uint8 ALIGNED,ALIGNED,3, black outside the picture.

    None where the landmarks cannot be aligned.
    """
    matrix = similarity(points_P2)
    if matrix is None:
        return None
    return np.asarray(cv2.warpAffine(picture_HWC, matrix, (ALIGNED, ALIGNED)), np.uint8)


def upright(picture_HWC: Picture, box_4: Floats, side: int) -> Picture:
    """A square around a box (left, top, right, bottom), MARGIN times its longer side: uint8 side,side,3, black outside.

    As insightface cuts faces for attributes. A box without extent gives the pixel where it is.
    """
    left, top, right, bottom = (float(edge) for edge in box_4)
    scale = side / max(1.0, MARGIN * max(right - left, bottom - top))
    across, down = side / 2 - scale * (left + right) / 2, side / 2 - scale * (top + bottom) / 2
    matrix = np.array([[scale, 0.0, across], [0.0, scale, down]])
    return np.asarray(cv2.warpAffine(picture_HWC, matrix, (side, side)), np.uint8)


def pose(points_NP2: Floats) -> npt.NDArray[np.float32]:
    """Yaw, pitch and roll of each face in degrees, N,3: good for ranges, not for angles. NaN for collapsed landmarks.

    In the frame of the eyes' line, with the eyes apart by e and the mouth below them by m: roll is the angle of that
    line; yaw = asin of the nose's way sideways from the middle, over e / 2; pitch = asin of the nose's way down from
    halfway between eyes and mouth, over m / 2.
    """
    points = np.asarray(points_NP2, np.float64)
    left, right, nose, mouth = points[:, 0], points[:, 1], points[:, 2], points[:, 3:].mean(axis=1)
    across = right - left
    apart = np.hypot(across[:, 0], across[:, 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        along = across / apart[:, None]
        down = np.stack([-along[:, 1], along[:, 0]], axis=1)
        middle = (left + right) / 2
        below = ((mouth - middle) * down).sum(axis=1)
        sideways = ((nose - middle) * along).sum(axis=1) / (apart / 2)
        lower = (((nose - middle) * down).sum(axis=1) - below / 2) / (below / 2)
        angles = [np.arcsin(np.clip(sideways, -1, 1)), np.arcsin(np.clip(lower, -1, 1))]
    angles.append(np.where(apart > 0, np.arctan2(across[:, 1], across[:, 0]), np.nan))
    angles_N3: npt.NDArray[np.float32] = np.degrees(np.stack(angles, axis=1)).astype(np.float32)
    return angles_N3


def aspect(points_NP2: Floats) -> npt.NDArray[np.float32]:
    """Distance of the eyes over the distance from their middle to the mouth's, N; NaN for collapsed landmarks."""
    points = np.asarray(points_NP2, np.float64)
    apart = np.linalg.norm(points[:, 1] - points[:, 0], axis=1)
    below = np.linalg.norm(points[:, 3:].mean(axis=1) - points[:, :2].mean(axis=1), axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio_N: npt.NDArray[np.float32] = np.where(below > 0, apart / below, np.nan).astype(np.float32)
    return ratio_N


def sharpness(face_SSC: Picture) -> float:
    """Variance of the Laplacian of a crop's luma, grey levels squared: 0 for a flat one."""
    luma = cv2.cvtColor(face_SSC, cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(luma, cv2.CV_32F).var())
