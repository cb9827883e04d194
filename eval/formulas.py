"""What the metrics on open encoders compute: plain functions of stored feature arrays.

VBench's formulas are those of its source at 45e79ec (Huang et al. 2024), per clip.

Shape legend: T frames, P pairs of frames, D numbers of a feature, L distances in time, N texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.feature import NotMeasurable

Numbers = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

FIRST_DISTANCE_S = 1.0
"""The shortest distance of the long-horizon curve; each further one is twice the last."""

ROUNDING_S = 1e-6
"""Presentation times are multiples of a tick, and their differences are not exact."""

FAST = 6 / 256
"""Short sides per sampled pair: VBench's `dynamic_degree` calls a pair moving whose fastest twentieth exceeds it."""


def unit_rows(features_TD: Numbers) -> Floats:
    """Each row divided by its length, float64.

    Raises FloatingPointError for NaN, infinity or a row of zeros: no network that works gives them, and max(0, NaN)
    would make them a number.
    """
    rows_TD = np.atleast_2d(np.asarray(features_TD, np.float64))
    lengths_T = np.sqrt(np.square(rows_TD).sum(axis=1, keepdims=True))
    if not (np.isfinite(lengths_T).all() and (lengths_T > 0).all()):
        raise FloatingPointError("a feature is NaN, infinite or zero")
    return np.asarray(rows_TD / lengths_T, np.float64)


def frame_consistency(features_TD: Numbers) -> float:
    """VBench's subject and background consistency, 0-1.

    Mean over t > 0 of ½[max(0, cos(f_t, f_t−1)) + max(0, cos(f_t, f_0))]. Raises NotMeasurable for one
    frame, where VBench divides by zero or says 1.
    """
    unit_TD = unit_rows(features_TD)
    if len(unit_TD) < 2:
        raise NotMeasurable("needs at least two frames")
    to_previous_P = (unit_TD[1:] * unit_TD[:-1]).sum(axis=1)
    to_first_P = unit_TD[1:] @ unit_TD[0]
    return float(np.mean(np.maximum(to_previous_P, 0) + np.maximum(to_first_P, 0)) / 2)


def similarity_over_time(features_TD: Numbers, times_T: Floats) -> tuple[Floats, Floats]:
    """How alike frames are by their distance in time: (distances_L in seconds, similarity_L 0-1).

    distances_L: 1, 2, 4, … s, as far as the clip goes. similarity_L: mean over all frames of max(0, cos) with the
    frame that much later, give or take half a frame. Raises NotMeasurable for a clip in which no two frames are a
    second apart.
    """
    unit_TD = unit_rows(features_TD)
    distances, similarities = [], []
    distance_s, longest_s = FIRST_DISTANCE_S, float(np.ptp(times_T)) + _half_frame_s(times_T)
    while distance_s <= longest_s:
        earlier_P, later_P = _partners(times_T, distance_s).T
        if earlier_P.size:
            cosine_P = (unit_TD[earlier_P] * unit_TD[later_P]).sum(axis=1)
            distances.append(distance_s)
            similarities.append(float(np.maximum(cosine_P, 0).mean()))
        distance_s *= 2
    if not distances:
        raise NotMeasurable(f"no two frames are {FIRST_DISTANCE_S:g} s apart")
    return np.array(distances), np.array(similarities)


def _half_frame_s(times_T: Floats) -> float:
    return ROUNDING_S + (float(np.median(np.diff(times_T))) / 2 if len(times_T) > 1 else 0.0)


def _partners(times_T: Floats, distance_s: float) -> npt.NDArray[np.intp]:
    """Pairs P,2 of frames that are `distance_s` apart, give or take half a frame; each frame once as the earlier."""
    wanted_T = times_T + distance_s
    after_T = np.clip(np.searchsorted(times_T, wanted_T), 1, len(times_T) - 1)
    before_is_nearer_T = wanted_T - times_T[after_T - 1] <= times_T[after_T] - wanted_T + ROUNDING_S
    nearest_T = after_T - before_is_nearer_T
    near_T = np.abs(times_T[nearest_T] - wanted_T) <= _half_frame_s(times_T)
    return np.column_stack([np.flatnonzero(near_T), nearest_T[near_T]])


def long_consistency(features_TD: Numbers, times_T: Floats) -> float:
    """Mean of `similarity_over_time` over its distances, each counting alike; 0-1."""
    return float(similarity_over_time(features_TD, times_T)[1].mean())


def share_moving(top_P: Floats, steps_P: Floats) -> float:
    """How much of a clip moves, 0-1: mean over time of min(1, speed of the fastest twentieth / VBench's threshold).

    top_P: short sides per pair. steps_P: seconds per pair.
    """
    speed_P = top_P / steps_P
    return float(np.average(np.minimum(1.0, speed_P / (FAST * 8)), weights=steps_P))


def interpolation_smoothness(difference_P: Numbers) -> float:
    """VBench's motion smoothness: 1 − mean difference of odd frames from those guessed between the even ones; 0-1."""
    if not difference_P.size:
        raise NotMeasurable("needs at least three frames")
    return 1.0 - float(np.asarray(difference_P, np.float64).mean())


def moves(strongest_P: Numbers, short_side: int) -> bool:
    """VBench's dynamic degree of one clip: enough pairs whose fastest twentieth moves by more than 6·side/256 pixels.

    Enough is round(4 n / 16) of n = P + 1 frames. Two frames would need none, so that VBench calls them dynamic
    whatever they show: NotMeasurable. Raises FloatingPointError for NaN, which no comparison would notice.
    """
    enough = round(4 * (len(strongest_P) + 1) / 16)
    if enough < 1:
        raise NotMeasurable("needs at least three sampled frames")
    if np.isnan(strongest_P).any():
        raise FloatingPointError("the flow is NaN")
    return bool(np.count_nonzero(np.asarray(strongest_P, np.float64) > FAST * short_side) >= enough)


def imaging_quality(score_T: Numbers) -> float:
    """VBench's imaging quality: mean over frames of MUSIQ's score / 100; 0-1."""
    return float(np.asarray(score_T, np.float64).mean()) / 100.0


def text_cosines(features_TD: Numbers, texts_ND: Numbers) -> Floats:
    """Cosine of every frame (or clip) with every text, T,N."""
    return np.asarray(unit_rows(features_TD) @ unit_rows(texts_ND).T, np.float64)


def clip_score(features_TD: Numbers, text_D: Numbers) -> float:
    """Mean over all frames of 100 · max(0, cos(frame, text)); 0-100."""
    return float(100 * np.maximum(text_cosines(features_TD, text_D), 0).mean())


def pooled(features_TD: Numbers) -> Floats:
    """The clip as one direction: the mean of its frames' directions, D (CLIP4Clip, Luo et al. 2021, mean pooling)."""
    return np.asarray(unit_rows(unit_rows(features_TD).mean(axis=0))[0], np.float64)


def share_beaten(clip_D: Numbers, right_D: Numbers, others_ND: Sequence[Numbers] | Numbers) -> float:
    """Share of the other texts that fit the clip less than the right one does; a tie is half. 0-1, 0.5 by chance.

    Free of the number of texts, unlike the rank: (N − rank) / (N − 1) of N texts. Raises NotMeasurable without others.
    """
    if not len(others_ND):
        raise NotMeasurable("needs at least two different prompts in the suite")
    cosine_N = text_cosines(clip_D, np.stack([right_D, *others_ND]))[0]
    right, others_N = cosine_N[0], cosine_N[1:]
    return float(np.mean((others_N < right) + 0.5 * (others_N == right)))
