"""Which face of a clip stands for which of the people asked for, and what goes wrong among several.

Shape legend: T sampled frames, N faces, K people asked for, D numbers of an embedding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval.faces.tracks import FaceRows, FaceTracks
from eval.feature import NotMeasurable

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]

NOBODY = -1
"""In place of a face: the person was not found. In place of a person: nobody who was asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The faces of a clip beside the people asked for.

    rows: all faces that could be described. tracks_N: the number of each one's track.
    cosines_NK: of every face with every portrait, float64. stands_TK: the face that stands for each person in each
    frame, or NOBODY. times_s_T: when the frames are shown. extra_T: faces beyond the people asked for.
    """

    rows: FaceRows
    tracks_N: Ints
    cosines_NK: npt.NDArray[np.float64]
    stands_TK: Ints
    times_s_T: npt.NDArray[np.float64]
    extra_T: Ints

    @property
    def people(self) -> int:
        """How many people were asked for."""
        return int(self.stands_TK.shape[1])

    def cosines(self, person: int) -> npt.NDArray[np.float64]:
        """How like its portrait a person is in each frame; NaN where it was not found."""
        stands_T = self.stands_TK[:, person]
        found_T = stands_T != NOBODY
        cosines_T = np.full(len(stands_T), np.nan)
        cosines_T[found_T] = self.cosines_NK[stands_T[found_T], person]
        return cosines_T

    def faces(self, person: int) -> FaceRows:
        """The faces that stand for a person, by time."""
        stands_T = self.stands_TK[:, person]
        return self.rows.take(stands_T[stands_T != NOBODY])


def seen(found: FaceTracks, portraits_KD: Floats) -> Seen:
    """Assign the faces of each frame to people so that the sum of their cosines is greatest (Hungarian method).

    portraits_KD: embeddings of unit length. A face that could not be described stands for nobody; where a frame has
    fewer faces than people, those whom they suit least were not found.
    """
    rows = FaceRows.joined([FaceRows.unknown(0, portraits_KD.shape[1]), *(track.rows for track in found.tracks)])
    numbers_N = np.concatenate([np.zeros(0, np.int64), *(np.full(len(t), t.number) for t in found.tracks)])
    known_N = np.asarray(np.isfinite(rows.embeddings_ND).all(axis=1))
    rows, numbers_N = rows.take(known_N), numbers_N[known_N]
    cosines_NK = rows.embeddings_ND.astype(np.float64) @ np.asarray(portraits_KD, np.float64).T
    return Seen(
        rows=rows,
        tracks_N=numbers_N.astype(np.int64),
        cosines_NK=cosines_NK,
        stands_TK=_assigned(rows.frames_N, cosines_NK, found.frames),
        times_s_T=found.times_s_T,
        extra_T=np.maximum(0, found.face_counts() - len(portraits_KD)),
    )


def _assigned(frames_N: Ints, cosines_NK: npt.NDArray[np.float64], frames: int) -> Ints:
    from scipy.optimize import linear_sum_assignment

    stands_TK = np.full((frames, cosines_NK.shape[1]), NOBODY, np.int64)
    for frame in np.unique(frames_N):
        here = np.flatnonzero(frames_N == frame)
        faces, people = linear_sum_assignment(cosines_NK[here], maximize=True)
        stands_TK[frame, people] = here[faces]
    return stands_TK


def template(faces: FaceRows) -> npt.NDArray[np.float64] | None:
    """One embedding of unit length for many faces: their mean, weighted by the detector's score; None without faces.

    As IJB's protocol aggregates (Maze et al. 2018): noise of single frames averages out.
    """
    mean_D = (faces.scores_N[:, None] * faces.embeddings_ND).sum(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean_D))
    return mean_D / length if length > 0 else None


def leakage(seen: Seen, portraits_KD: Floats) -> float:
    """How much of the others' looks a person has taken on, mean over the faces that stand for somebody; 0-2.

    For each of them the largest max(0, cos(face, other portrait) - cos(own portrait, other portrait)): what the people
    share by nature is no leak. Raises NotMeasurable where nobody was found.
    """
    unit_KD = np.asarray(portraits_KD, np.float64)
    between_KK = unit_KD @ unit_KD.T
    leaks = []
    for person in range(seen.people):
        others = [k for k in range(seen.people) if k != person]
        stands_T = seen.stands_TK[:, person]
        taken = seen.cosines_NK[stands_T[stands_T != NOBODY]][:, others] - between_KK[person, others]
        leaks += np.maximum(0.0, taken.max(axis=1)).tolist()
    if not leaks:
        raise NotMeasurable("none of the people asked for was found")
    return float(np.mean(leaks))


def share_told_apart(seen: Seen) -> float:
    """Expected faces (people times frames) that are more like their own portrait than like any other; 0-1."""
    right = 0
    for person in range(seen.people):
        stands_T = seen.stands_TK[:, person]
        cosines_FK = seen.cosines_NK[stands_T[stands_T != NOBODY]]
        right += int((cosines_FK.argmax(axis=1) == person).sum())
    return right / seen.stands_TK.size


def swaps(seen: Seen, accepted_K: Floats, refused_K: Floats) -> int:
    """How often a track changes whose face it shows: the nearest person asked for, or somebody else.

    A face is the nearest person's from accepted_K on, and somebody else's below refused_K; in between it is who it was,
    so that a cosine near a threshold is no swap. Neither is a single frame that differs from both its neighbours. A cut
    begins another track: what it shows is for the other measures.
    """
    nearest_N = seen.cosines_NK.argmax(axis=1)
    best_N = seen.cosines_NK[np.arange(len(nearest_N)), nearest_N]
    sure_N = (best_N >= np.asarray(accepted_K)[nearest_N]) | (best_N < np.asarray(refused_K)[nearest_N])
    who_N = np.where(best_N >= np.asarray(accepted_K)[nearest_N], nearest_N, NOBODY)
    return sum(_changes(who_N[(seen.tracks_N == track) & sure_N]) for track in np.unique(seen.tracks_N))


def _changes(who_T: Ints) -> int:
    steady_T = who_T.copy()
    alone_T = (who_T[:-2] == who_T[2:]) & (who_T[1:-1] != who_T[2:])
    steady_T[1:-1][alone_T] = who_T[2:][alone_T]
    return int(np.count_nonzero(np.diff(steady_T)))
