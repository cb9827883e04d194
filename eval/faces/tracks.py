"""Face tracks: every face found in a clip, row by row, grouped into runs of one face over time.

Shape legend: T sampled frames, N faces, D numbers of an embedding, S = CROP pixels, 2 = (across, down).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

CROP = 32
"""Side of the small aligned crops."""
TONES = 10
"""Steps of the Monk scale."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceRows:
    """Faces, one row each. NaN: not known (a pack without that network, or landmarks that cannot be aligned).

    frames_N: int64, index of the sampled frame. times_s_N: when that frame is shown, float64 seconds.
    boxes_N4: float32 left, top, right, bottom in pixels of the sampled picture, unclipped.
    scores_N: float32, the detector's, 0-1.
    landmarks_N52: float32 pixels, the top left pixel spans 0 to 1: left and right eye as the viewer sees them, nose,
        left and right mouth corner.
    embeddings_ND: float32, unit length, or a row of NaN.
    pose_N3: float32 degrees of yaw (nose towards the viewer's right), pitch (nose down), roll (clockwise), estimated
        from five landmarks: good for ranges, not for angles.
    aspect_N: float32, distance of the eyes over distance from eyes to mouth. A turned head is narrower; the Backlot's
        flat faces show a turn here and not in their yaw.
    sharpness_N: float32, variance of the Laplacian of the aligned 112-pixel crop, grey levels squared; blur lowers it.
    masculine_N: float32, the network's share for masculine presentation, 0-1; the rest is feminine.
    ages_N: float32 years.
    tones_NK: float32 (N, 10), probability of each step of the Monk scale, 1 first.
    crops_NSS3: uint8 RGB, aligned as for recognition and shrunk; black where it could not be aligned.
    """

    frames_N: npt.NDArray[np.int64]
    times_s_N: npt.NDArray[np.float64]
    boxes_N4: Floats
    scores_N: Floats
    landmarks_N52: Floats
    embeddings_ND: Floats
    pose_N3: Floats
    aspect_N: Floats
    sharpness_N: Floats
    masculine_N: Floats
    ages_N: Floats
    tones_NK: Floats
    crops_NSS3: npt.NDArray[np.uint8]

    @classmethod
    def unknown(cls, count: int, dimensions: int) -> FaceRows:
        """Rows of which nothing is known: NaN, frame 0, black crops. Fill them in with dataclasses.replace."""

        def blank(*shape: int) -> Floats:
            return np.full((count, *shape), np.nan, np.float32)

        return cls(
            frames_N=np.zeros(count, np.int64),
            times_s_N=np.zeros(count, np.float64),
            boxes_N4=blank(4),
            scores_N=blank(),
            landmarks_N52=blank(5, 2),
            embeddings_ND=blank(dimensions),
            pose_N3=blank(3),
            aspect_N=blank(),
            sharpness_N=blank(),
            masculine_N=blank(),
            ages_N=blank(),
            tones_NK=blank(TONES),
            crops_NSS3=np.zeros((count, CROP, CROP, 3), np.uint8),
        )

    @classmethod
    def joined(cls, parts: list[FaceRows]) -> FaceRows:
        """The rows of all parts, of which there is at least one."""
        return cls(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)})

    def take(self, index: npt.NDArray[Any]) -> FaceRows:
        """The rows at these indices, or where this mask holds."""
        return FaceRows(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def __len__(self) -> int:
        return len(self.frames_N)


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One face over time: its number (from 0, by first appearance), and its rows by time, at most one for a frame."""

    number: int
    rows: FaceRows

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class FaceTracks:
    """What is known of the faces of a clip.

    width, height: of the sampled pictures, pixels. times_s_T: float64, when each of them is shown.
    tracks: by first appearance; none where no face was found.
    """

    width: int
    height: int
    times_s_T: npt.NDArray[np.float64]
    tracks: tuple[Track, ...]

    @property
    def frames(self) -> int:
        """How many frames were looked at."""
        return len(self.times_s_T)

    def face_counts(self) -> npt.NDArray[np.int64]:
        """How many faces each frame has: int64 T."""
        counts_T = np.zeros(self.frames, np.int64)
        for track in self.tracks:
            counts_T[track.rows.frames_N] += 1
        return counts_T


def read_tracks(arrays: Mapping[str, npt.NDArray[Any]]) -> FaceTracks:
    """The tracks that `track_arrays` wrote: the arrays of feature `face_tracks`."""
    rows = FaceRows(**{f.name: arrays[f.name] for f in fields(FaceRows)})
    track_N = arrays["track_N"]
    width, height = (int(side) for side in arrays["size"])
    tracks = tuple(Track(number, rows.take(track_N == number)) for number in range(int(track_N.max(initial=-1)) + 1))
    return FaceTracks(width, height, arrays["times_s_T"], tracks)


def track_arrays(found: FaceTracks, dimensions: int) -> dict[str, npt.NDArray[Any]]:
    """Tracks as arrays: the fields of FaceRows over all faces by track and time, and

    track_N: int64, number of each row's track. times_s_T. size: int64 (width, height).
    dimensions: of an embedding, which no track tells where there is none.
    """
    rows = FaceRows.joined([FaceRows.unknown(0, dimensions), *(track.rows for track in found.tracks)])
    return {
        **{f.name: getattr(rows, f.name) for f in fields(rows)},
        "track_N": np.concatenate(
            [np.zeros(0, np.int64), *(np.full(len(track), track.number, np.int64) for track in found.tracks)]
        ),
        "times_s_T": found.times_s_T,
        "size": np.array([found.width, found.height], np.int64),
    }
