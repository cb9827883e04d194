"""onset_synchrony: whether sudden sounds happen when something suddenly happens in the picture.

Shape legend: T frames, K sound windows, A sound onsets, G grid times.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eval.metric import Measured, NotMeasurable, metric

FloatsN = npt.NDArray[np.float64]

LEAST_DB = 3.0
"""Mean rise of all bands within 20 ms. Speech reaches 10 to 20. Steady noise reaches 4 now and then, which
TIMES_USUAL keeps out: its median is 1.4."""
TIMES_USUAL = 3.0
"""An onset stands out from the median of the second around it by this factor."""
APART_S = 0.1
LEAST_CHANGE = 0.1
"""Short sides per second. A picture whose motion never changes by more has nothing to be in time with."""
GRID_S = 0.01
SLACK_S = 0.02
"""Within a frame and this much (half of what viewers notice: 45 ms early, ITU-R BT.1359) the moments are the same."""


@metric(
    name="onset_synchrony",
    version=1,
    family="synchrony",
    unit="1",
    low=-1.0,
    high=1.0,
    direction="higher",
    needs=("spectrum", "velocity_changes"),
    source="ours: mean rank of the picture's change of motion at the sound's onsets (a Mann–Whitney statistic)",
    summary="how much more the motion changes at sudden sounds than at other times: 1 always most, 0 as by chance",
    blind_spots="sees when, not what: any bang fits any impact; silent impacts cost nothing; off-screen sounds, music "
    "and speech count as chance; events at even intervals fit again after a whole interval; at 8 frames a second "
    "fast impacts fall between frames",
    needs_sound=True,
)
def onset_synchrony(measured: Measured) -> float:
    """2 · mean over sound onsets of the share of time in which the motion changes less than at the onset, − 1.

    The share is over a grid of 10 ms, ties counting half, so that an unrelated sound scores 0 on average. −1 to 1.
    Raises NotMeasurable without a sudden sound, and without any change of motion.
    """
    changes = measured["velocity_changes"]
    if changes["change_T"].max(initial=0.0) < LEAST_CHANGE:
        raise NotMeasurable("no sudden changes of motion")
    activity_G = activity(changes["change_T"], changes["times_T"])
    steps_A = np.round(sound_onsets(measured) / GRID_S).astype(int)
    steps_A = steps_A[(steps_A >= 0) & (steps_A < activity_G.size)]
    if not steps_A.size:
        raise NotMeasurable("no sudden sounds")
    ordered_G = np.sort(activity_G)
    below_A = np.searchsorted(ordered_G, activity_G[steps_A], side="left")
    up_to_A = np.searchsorted(ordered_G, activity_G[steps_A], side="right")
    return float((below_A + up_to_A).mean()) / activity_G.size - 1.0


def sound_onsets(measured: Measured) -> FloatsN:
    """Times of sudden sounds, seconds on the picture's clock."""
    spectrum = measured["spectrum"]
    return peaks(spectrum["flux_db_K"], spectrum["times_K"], LEAST_DB)


def activity(change_T: FloatsN, times_T: FloatsN) -> FloatsN:
    """The change of motion as a function of time, every 10 ms: the largest among the frames at most half a frame
    and 20 ms away.
    """
    reach_s = 0.5 * float(np.median(np.diff(times_T))) + SLACK_S
    grid_G = np.arange(times_T[0], times_T[-1] + GRID_S / 2, GRID_S)
    first_G = np.searchsorted(times_T, grid_G - reach_s, side="left")
    beyond_G = np.searchsorted(times_T, grid_G + reach_s, side="right")
    activity_G = np.zeros(grid_G.size)
    for step in range(int((beyond_G - first_G).max())):
        reached = first_G + step < beyond_G
        activity_G[reached] = np.maximum(activity_G[reached], change_T[first_G[reached] + step])
    return activity_G


def peaks(strength_K: FloatsN, times_K: FloatsN, least: float) -> FloatsN:
    """Times of local maxima above `least` and TIMES_USUAL times the median of the second around them, APART_S apart.

    Of maxima closer than that the strongest stays; of equals the earliest.
    """
    if strength_K.size < 3:
        return np.zeros(0)
    padded = np.concatenate([[-np.inf], strength_K, [-np.inf]])
    candidates = (strength_K > padded[:-2]) & (strength_K >= padded[2:]) & (strength_K >= least)
    kept = np.zeros(strength_K.size, np.bool_)
    for index in sorted(map(int, np.flatnonzero(candidates)), key=lambda i: (-strength_K[i], i)):
        low, high = np.searchsorted(times_K, (times_K[index] - 0.5, times_K[index] + 0.5))
        near, beyond = np.searchsorted(times_K, (times_K[index] - APART_S, times_K[index] + APART_S))
        stands_out = strength_K[index] >= TIMES_USUAL * float(np.median(strength_K[low : high + 1]))
        if stands_out and not kept[near:beyond].any():
            kept[index] = True
    return np.asarray(times_K[kept], np.float64)
