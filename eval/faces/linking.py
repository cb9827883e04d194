"""Which faces of different frames are one face: boxes that overlap, or neighbours that look alike.

Shape legend: N faces, A tracks that may go on, K faces of a frame, 2 = (across, down).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eval.faces.boxes import areas, overlaps
from eval.faces.tracks import FaceRows, Track

GAP_S = 1.0
"""A track that was not seen for longer than this has ended; who comes back begins another."""
OVERLAP = 0.15
"""Intersection over union from which a face may go on a track, whoever it looks like: a change of face is for metrics
to see."""
REACH, REACH_PER_S = 0.75, 4.0
"""Where boxes do not overlap: how far a face may have moved, in its own sizes, and how much farther per second."""
GROWTH = 2.0
"""… and by what factor its size may have changed."""
LIKENESS = 0.5
"""What a cosine of 1 counts beside an overlap of 1."""


def link(rows: FaceRows, together: float) -> tuple[Track, ...]:
    """Tracks of faces that are given by frame; numbered by first appearance, then by the order of the rows.

    together: cosine from which neighbours count as one face. Frame by frame, the assignment of faces to tracks with the
    greatest sum of overlap and likeness (Hungarian method) goes on; faces left over begin tracks.
    """
    members: list[list[int]] = []
    alive: list[int] = []
    for frame in np.unique(rows.frames_N):
        here = np.flatnonzero(rows.frames_N == frame).tolist()
        now_s = float(rows.times_s_N[here[0]])
        alive = [track for track in alive if now_s - rows.times_s_N[members[track][-1]] <= GAP_S]
        goes_on = _assigned(rows, [members[track][-1] for track in alive], here, together)
        for face in here:
            if face in goes_on:
                members[alive[goes_on[face]]].append(face)
            else:
                alive.append(len(members))
                members.append([face])
    return tuple(Track(number, rows.take(np.array(faces))) for number, faces in enumerate(members))


def _assigned(rows: FaceRows, last: list[int], here: list[int], together: float) -> dict[int, int]:
    """Face -> place in `last` of the face that it continues."""
    from scipy.optimize import linear_sum_assignment

    if not last:
        return {}
    worth_AK = _worth(rows.take(np.array(last)), rows.take(np.array(here)), together)
    tracks, faces = linear_sum_assignment(worth_AK, maximize=True)
    return {here[face]: int(track) for track, face in zip(tracks, faces, strict=True) if worth_AK[track, face] > 0}


def _worth(before: FaceRows, now: FaceRows, together: float) -> npt.NDArray[np.float64]:
    """How well each face continues each track, A,K: 0 where it cannot."""
    overlap_AK = overlaps(before.boxes_N4, now.boxes_N4)
    likeness_AK = np.nan_to_num(before.embeddings_ND @ now.embeddings_ND.T).astype(np.float64)
    near_AK = (overlap_AK >= OVERLAP) | ((likeness_AK >= together) & _within_reach(before, now))
    # A pair that may be linked is worth more than none even where likeness is negative.
    return np.where(near_AK, 1e-3 + overlap_AK + LIKENESS * np.maximum(likeness_AK, 0.0), 0.0)


def _within_reach(before: FaceRows, now: FaceRows) -> npt.NDArray[np.bool_]:
    middles = [(rows.boxes_N4[:, :2] + rows.boxes_N4[:, 2:]) / 2 for rows in (before, now)]
    sizes = [np.sqrt(areas(rows.boxes_N4)) for rows in (before, now)]
    away_AK = np.linalg.norm(middles[0][:, None] - middles[1][None], axis=2)
    larger_AK = np.maximum(sizes[0][:, None], sizes[1][None])
    smaller_AK = np.minimum(sizes[0][:, None], sizes[1][None])
    gap_s_AK = now.times_s_N[None] - before.times_s_N[:, None]
    within: npt.NDArray[np.bool_] = (away_AK <= larger_AK * (REACH + REACH_PER_S * gap_s_AK)) & (
        larger_AK <= GROWTH * smaller_AK
    )
    return within
