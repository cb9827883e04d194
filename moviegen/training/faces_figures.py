"""How well a face pack does on people whom it has never seen, through insightface as users run it.

Shape legend: K detected faces, D numbers of an embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.faces.boxes import overlaps
from eval.faces.pack import Cut, FacePack, Faces
from moviegen.training.faces_data import FRAMES_EACH, PRESENTATIONS, YEARS, FaceFrames
from moviegen.training.faces_scenes import LOOKALIKES, State

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SIZED = 20.0
"""Pixels of a face's height from which the figures are promised."""
HIT = 0.4
"""Overlap with a face's box from which a detection is of it; with a doubtful one's, half of it excuses a detection."""
FAR = 1e-2
TONE_GROUPS: Mapping[str, tuple[int, int]] = {"1-3": (0, 2), "4-6": (3, 5), "7-10": (6, 9)}
"""First and last index of a tone."""
AGE_BOUNDS = (22, 52)
"""Years: children are younger than the first, seniors are not younger than the second."""


@dataclass(frozen=True, slots=True)
class Detected:
    """Detections that hit a face: rows_K of the frames, in which every face is described.

    misses: rows of faces not found. wrong: how many detections were of no face. looked: how many frames.
    """

    rows_K: Ints
    points_K52: Floats
    embeddings_KD: Floats
    masculine_K: Floats
    ages_K: Floats
    tones_K: Ints
    misses: Ints
    wrong: int
    looked: int


def detect(
    pack: FacePack,
    frames: FaceFrames,
    rows: Sequence[int],
    change: Callable[[Picture, int], Picture] = lambda picture, _: picture,
    on_frame: Callable[[], None] = lambda: None,
) -> Detected:
    """Run a pack over frames, each changed first (damage), and compare with the truth."""
    hits: list[tuple[int, Faces, Any]] = []
    misses, wrong = [], 0
    for row in rows:
        picture_HWC = change(frames.picture(row), row)
        found = pack.find(picture_HWC)
        share_K = _shares(found, frames.boxes_N4[row])
        state = int(frames.states_N[row])
        best = int(share_K.argmax()) if len(share_K) else -1
        hit = state == State.FACE and best >= 0 and share_K[best] >= HIT
        if hit:
            one = Faces(found.boxes_N4[[best]], found.scores_N[[best]], found.points_N52[[best]])
            hits.append((row, one, pack.describe(Cut.of(picture_HWC, one))))
        elif state == State.FACE:
            misses.append(row)
        excused = share_K >= HIT / 2 if state == State.DOUBTFUL else np.arange(len(share_K)) == (best if hit else -1)
        wrong += int((~excused).sum())
        on_frame()
    return Detected(
        rows_K=np.array([row for row, _, _ in hits], np.int64),
        points_K52=np.concatenate([np.zeros((0, 5, 2), np.float32), *(one.points_N52 for _, one, _ in hits)]),
        embeddings_KD=np.concatenate(
            [np.zeros((0, pack.spec.dimensions), np.float32), *(said.embeddings_ND for _, _, said in hits)]
        ),
        masculine_K=np.array([said.masculine_N[0] for _, _, said in hits], np.float32),
        ages_K=np.array([said.ages_N[0] for _, _, said in hits], np.float32),
        tones_K=np.array([said.tones_NK[0].argmax() for _, _, said in hits], np.int64),
        misses=np.array(misses, np.int64),
        wrong=wrong,
        looked=len(rows),
    )


def _shares(found: Faces, box_4: Floats) -> Floats:
    """Overlap of each detection with the frame's face; 0 without one."""
    if not np.isfinite(box_4).all():
        return np.zeros(len(found), np.float32)
    return overlaps(found.boxes_N4, box_4[None])[:, 0].astype(np.float32)


def detection_figures(found: Detected, frames: FaceFrames) -> dict[str, Any]:
    """Recall by height of the face and, from SIZED pixels on, by tone; false positives per frame; landmark error."""
    heights, tones = frames.heights, frames.tones_N
    hit, missed = found.rows_K, found.misses
    bands = {"below 12 px": (0.0, 12.0), "12 to 20 px": (12.0, SIZED), "20 px and more": (SIZED, np.inf)}
    sized_hit, sized_missed = hit[heights[hit] >= SIZED], missed[heights[missed] >= SIZED]
    sized_K = heights[hit] >= SIZED
    apart_K = np.linalg.norm(frames.points_N52[hit, 1] - frames.points_N52[hit, 0], axis=1)
    error_K = np.linalg.norm(found.points_K52 - frames.points_N52[hit], axis=2).mean(axis=1) / apart_K
    return {
        "frames": found.looked,
        "recall": {
            name: _share(_within(heights[hit], *band), _within(heights[missed], *band)) for name, band in bands.items()
        },
        "recall_by_tone": {
            name: _share(_within(tones[sized_hit], first, last + 1), _within(tones[sized_missed], first, last + 1))
            for name, (first, last) in TONE_GROUPS.items()
        },
        "false_positives_per_frame": round(found.wrong / max(1, found.looked), 4),
        "landmark_error": _mean(error_K[sized_K]),
    }


def _within(values: npt.NDArray[Any], low: float, high: float) -> int:
    return int(((values >= low) & (values < high)).sum())


def _share(yes: int, no: int) -> dict[str, float | int | None]:
    return {"value": round(yes / (yes + no), 4) if yes + no else None, "faces": yes + no}


def _mean(values: npt.NDArray[Any]) -> float | None:
    return round(float(values.mean()), 4) if len(values) else None


@dataclass(frozen=True, slots=True)
class Pairs:
    """Cosines of pairs of faces from different scenes: of one person, of different people, and of lookalikes, who
    share everything but the proportions of the face.
    """

    same: Floats
    different: Floats
    lookalikes: Floats


def pairs_of(found: Detected, frames: FaceFrames, chosen_K: Bools) -> Pairs:
    """All pairs among the chosen detections."""
    known_K = chosen_K & np.isfinite(found.embeddings_KD).all(axis=1)
    rows_K = found.rows_K[known_K]
    people_K, scenes_K = frames.people_N[rows_K], rows_K // FRAMES_EACH
    cosines_KK = found.embeddings_KD[known_K] @ found.embeddings_KD[known_K].T
    upper_KK = np.triu(np.ones(cosines_KK.shape, bool), 1) & (scenes_K[:, None] != scenes_K[None])
    same_KK = people_K[:, None] == people_K[None]
    alike_KK = (people_K[:, None] // LOOKALIKES == people_K[None] // LOOKALIKES) & ~same_KK
    return Pairs(cosines_KK[upper_KK & same_KK], cosines_KK[upper_KK & ~same_KK], cosines_KK[upper_KK & alike_KK])


def recognition_figures(found: Detected, frames: FaceFrames) -> dict[str, Any]:
    """Area under the ROC and hits at a false-accept rate of FAR, faces of SIZED pixels and more; by tone at the same
    threshold; against lookalikes.
    """
    sized_K = frames.heights[found.rows_K] >= SIZED
    every = pairs_of(found, frames, sized_K)
    # Without pairs (a trial run) nothing passes, and there is no area.
    threshold = float(np.quantile(every.different, 1 - FAR)) if len(every.different) else np.inf
    groups = {
        name: pairs_of(found, frames, sized_K & within_K)
        for name, within_K in _tone_groups(frames.tones_N[found.rows_K]).items()
    }
    return {
        "people": len(np.unique(frames.people_N[found.rows_K[sized_K]])),
        "pairs": {"same": len(every.same), "different": len(every.different), "lookalikes": len(every.lookalikes)},
        "auc": auc(every.same, every.different),
        "auc_lookalikes": auc(every.same, every.lookalikes),
        "cosine": {"same": _mean(every.same), "different": _mean(every.different), "alike": _mean(every.lookalikes)},
        "threshold": round(threshold, 4) if np.isfinite(threshold) else None,
        "tar": _mean(every.same > threshold),
        "by_tone": {
            name: {"tar": _mean(group.same > threshold), "far": _mean(group.different > threshold)}
            for name, group in groups.items()
        },
    }


def auc(positive: Floats, negative: Floats) -> float | None:
    """The share of (positive, negative) pairs in the right order, ties half, to four places; None without pairs."""
    if not len(positive) or not len(negative):
        return None
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    level = np.searchsorted(ordered, positive, side="right") - below
    return round(float((below + 0.5 * level).mean() / len(ordered)), 4)


def attribute_figures(found: Detected, frames: FaceFrames) -> dict[str, Any]:
    """Tone, presentation and age, faces of SIZED pixels and more: errors, confusion (truth by answer), by tone."""
    sized_K = frames.heights[found.rows_K] >= SIZED
    rows_K = found.rows_K[sized_K]
    tones_K, presentations_K, years_K = frames.tones_N[rows_K], frames.presentations_N[rows_K], frames.years_N[rows_K]
    tone_error_K = np.abs(found.tones_K[sized_K] - tones_K)
    said_K = (found.masculine_K[sized_K] >= 0.5).astype(np.int64)
    groups_K, said_groups_K = age_groups(years_K), age_groups(found.ages_K[sized_K])
    return {
        "faces": len(rows_K),
        "tone_error_steps": _mean(tone_error_K),
        "tone_confusion": _confusion(tones_K, found.tones_K[sized_K], 10),
        "presentation_accuracy": _mean(said_K == presentations_K),
        "presentation_confusion": {"values": PRESENTATIONS, "counts": _confusion(presentations_K, said_K, 2)},
        "age_error_years": _mean(np.abs(found.ages_K[sized_K] - years_K)),
        "age_group_accuracy": _mean(groups_K == said_groups_K),
        "age_confusion": {"values": tuple(YEARS), "counts": _confusion(groups_K, said_groups_K, len(YEARS))},
        "by_tone": {
            name: {
                "faces": int(within_K.sum()),
                "tone_error_steps": _mean(tone_error_K[within_K]),
                "presentation_accuracy": _mean((said_K == presentations_K)[within_K]),
                "age_group_accuracy": _mean((groups_K == said_groups_K)[within_K]),
            }
            for name, within_K in _tone_groups(tones_K).items()
        },
    }


def _tone_groups(tones_K: Ints) -> dict[str, Bools]:
    return {name: (tones_K >= first) & (tones_K <= last) for name, (first, last) in TONE_GROUPS.items()}


def age_groups(years: npt.NDArray[Any]) -> Ints:
    """0 child, 1 adult, 2 senior."""
    return np.searchsorted(AGE_BOUNDS, years, side="right").astype(np.int64)


def _confusion(truth: Ints, answer: Ints, classes: int) -> list[list[int]]:
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (truth, answer), 1)
    table: list[list[int]] = counts.tolist()
    return table
