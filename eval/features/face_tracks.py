"""Features `face_tracks`, `face_tracks_buffalo_l`, `face_tracks_antelopev2`: the faces of a clip, described and linked.

What the arrays are: eval.faces.tracks. `read_tracks(arrays)` gives them as tracks.

Shape legend: N faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from eval.clip import ClipInfo, Window
from eval.faces.align import aspect, pose, sharpness
from eval.faces.linking import link
from eval.faces.pack import BATCH, Cut, Descriptions, FacePack, Faces
from eval.faces.packs import PACKS, SHIPPED, open_pack, weights_sha256
from eval.faces.tracks import CROP, FaceRows, FaceTracks, track_arrays
from eval.feature import FEATURES, Arrays, Feature, Sampling
from eval.features.frame_view import PictureHWC, channels_last

VERSION = 1
FPS = 8.0
SHORT_SIDE = 480
MOST_FRAMES = 256
"""Beyond so many, every second frame is let go, and from then on every second one is looked at: 32 seconds at 8 fps,
64 at 4, and so on. Memory is bounded, and frames stay evenly spaced."""


@dataclass(slots=True, eq=False)
class _Frame:
    """One frame that was looked at. What its faces are like is found out for many frames together."""

    time_s: float
    faces: Faces
    crops: _Crops
    described: Descriptions | None = None


@dataclass(frozen=True, slots=True)
class _Crops:
    """What is kept of aligned crops: their sharpness (NaN for none), and they themselves, small."""

    sharpness_N: npt.NDArray[np.float32]
    small_NSS3: npt.NDArray[np.uint8]


class FaceTracking:
    """Finds and describes the faces of frames at an even rate, and links them at the end."""

    def __init__(self, pack: FacePack, info: ClipInfo, most_frames: int = MOST_FRAMES) -> None:
        self._pack = pack
        self._most = most_frames
        self._size = (info.width, info.height)
        self._frames: list[_Frame] = []
        self._waiting: list[tuple[_Frame, Cut]] = []
        self._every = 1
        self._seen = 0

    def update(self, window: Window) -> None:
        for frame_CHW, time_s in zip(window.frames_TCHW, window.times_s, strict=True):
            if self._seen % self._every == 0:
                self._look(channels_last(frame_CHW), float(time_s))
            self._seen += 1

    def _look(self, picture_HWC: PictureHWC, time_s: float) -> None:
        self._size = (picture_HWC.shape[1], picture_HWC.shape[0])
        faces = self._pack.find(picture_HWC)
        cut = Cut.of(picture_HWC, faces)
        frame = _Frame(time_s, faces, _crops(cut))
        self._frames.append(frame)
        self._waiting.append((frame, cut))
        if sum(len(faces) for _, faces in self._waiting) >= BATCH:
            self._describe()
        if len(self._frames) > self._most:
            self._describe()
            self._frames = self._frames[::2]
            self._every *= 2

    def _describe(self) -> None:
        """Describe the faces that wait, all at once: twice as fast as frame by frame."""
        if not self._waiting:
            return
        described = self._pack.describe(Cut.joined([cut for _, cut in self._waiting]))
        first = 0
        for frame, cut in self._waiting:
            frame.described = described.take(slice(first, first + len(cut)))
            first += len(cut)
        self._waiting = []

    def finish(self) -> Arrays:
        """The arrays of track_arrays: FaceRows by track and time, with track_N, times_s_T and size."""
        self._describe()
        rows = FaceRows.joined([_rows(index, frame) for index, frame in enumerate(self._frames)])
        times_s_T = np.array([frame.time_s for frame in self._frames], np.float64)
        tracks = link(rows, self._pack.spec.together)
        return track_arrays(FaceTracks(*self._size, times_s_T, tracks), self._pack.spec.dimensions)


def _rows(index: int, frame: _Frame) -> FaceRows:
    faces, described = frame.faces, frame.described
    assert described is not None
    return FaceRows(
        frames_N=np.full(len(faces), index, np.int64),
        times_s_N=np.full(len(faces), frame.time_s, np.float64),
        boxes_N4=faces.boxes_N4,
        scores_N=faces.scores_N,
        landmarks_N52=faces.points_N52,
        embeddings_ND=described.embeddings_ND,
        pose_N3=pose(faces.points_N52),
        aspect_N=aspect(faces.points_N52),
        sharpness_N=frame.crops.sharpness_N,
        masculine_N=described.masculine_N,
        ages_N=described.ages_N,
        tones_NK=described.tones_NK,
        crops_NSS3=frame.crops.small_NSS3,
    )


def _crops(cut: Cut) -> _Crops:
    small_NSS3 = np.zeros((len(cut), CROP, CROP, 3), np.uint8)
    sharpness_N = np.full(len(cut), np.nan, np.float32)
    for k in np.flatnonzero(cut.aligned_N).tolist():
        crop_SS3 = cut.aligned_NSS3[k]
        small_NSS3[k] = cv2.resize(crop_SS3, (CROP, CROP), interpolation=cv2.INTER_AREA)
        sharpness_N[k] = sharpness(crop_SS3)
    return _Crops(sharpness_N, small_NSS3)


def start(pack: str, info: ClipInfo) -> FaceTracking:
    """Raises NotMeasurable where the pack is not there."""
    return FaceTracking(open_pack(pack), info)


def feature_of(pack: str) -> Feature:
    """Face tracks by a pack of eval.faces.packs: `face_tracks` by the shipped one, else `face_tracks_PACK`."""
    return Feature(
        "face_tracks" if pack == SHIPPED else f"face_tracks_{pack}",
        VERSION,
        "picture",
        partial(start, pack),
        Sampling(fps=FPS, short_side=SHORT_SIDE),
        encoder=pack,
        weights=partial(weights_sha256, pack),
    )


for _pack in PACKS:
    FEATURES.add(feature_of(_pack).name, feature_of(_pack))
