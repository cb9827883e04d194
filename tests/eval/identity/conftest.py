"""Face tracks with known truth: embeddings at chosen angles from portraits, and crops of chosen pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from eval.faces.tracks import CROP, FaceRows, FaceTracks, Track
from eval.identity.portraits import Portrait

D = 128
FPS = 8.0


class Cast:
    """People with orthogonal portraits: person k's embedding is the unit vector k; the last axis is somebody else."""

    @staticmethod
    def portraits(people: int) -> np.ndarray:
        return np.eye(D, dtype=np.float32)[:people]

    @staticmethod
    def like(person: int, cosine: float) -> np.ndarray:
        """A face this much like a person, and otherwise like nobody."""
        one = np.zeros(D, np.float32)
        one[person], one[D - 1] = cosine, math.sqrt(1 - cosine**2)
        return one

    @staticmethod
    def between(person: int, other: int, share: float) -> np.ndarray:
        """A face that has turned from one person to another by this share of the right angle between them."""
        one = np.zeros(D, np.float32)
        one[person], one[other] = math.cos(share * math.pi / 2), math.sin(share * math.pi / 2)
        return one

    @staticmethod
    def track(faces: Sequence[np.ndarray | None], number: int = 0, crops: np.ndarray | None = None) -> Track:
        """A track with a face (or none) in each of the frames."""
        frames = np.array([t for t, face in enumerate(faces) if face is not None], np.int64)
        rows = replace(
            FaceRows.unknown(len(frames), D),
            frames_N=frames,
            times_s_N=frames / FPS,
            scores_N=np.full(len(frames), 0.9, np.float32),
            embeddings_ND=np.stack([face for face in faces if face is not None]),
            pose_N3=np.zeros((len(frames), 3), np.float32),
            crops_NSS3=Cast.crops(len(frames)) if crops is None else crops,
        )
        return Track(number, rows)

    @staticmethod
    def clip(*tracks: Track, frames: int) -> FaceTracks:
        return FaceTracks(64, 64, np.arange(frames) / FPS, tracks)

    @staticmethod
    def crop(seed: int = 0) -> np.ndarray:
        """A picture with the detail of a face."""
        noise = np.random.default_rng(seed).integers(0, 256, (CROP, CROP, 3), np.uint8)
        return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.0), None, 0, 255, cv2.NORM_MINMAX)

    @staticmethod
    def crops(count: int, seed: int = 0) -> np.ndarray:
        return np.stack([Cast.crop(seed)] * count) if count else np.zeros((0, CROP, CROP, 3), np.uint8)

    @staticmethod
    def portrait(person: int = 0, group: str = "feminine 4-6") -> Portrait:
        return Portrait(Cast.portraits(D)[person], Cast.crop(person), group)


@pytest.fixture
def cast() -> type[Cast]:
    return Cast
