"""How like its portrait one person stays over a clip: formulas on one cosine for each sampled frame.

A frame in which the face was not found holds NaN. It counts UNSEEN wherever frames are averaged or ordered: vanishing
must not be free (ConsisID and VBench-2.0 leave such frames out).

Shape legend: T sampled frames, Q levels of a distribution.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eval.feature import NotMeasurable

Floats = npt.NDArray[np.floating]

UNSEEN = 0.0
"""What a face that was not found counts: the cosine of an average stranger."""
LEAST_FOR_DRIFT = 3
"""Frames with a face that a slope needs."""


def expected(cosines_T: Floats) -> npt.NDArray[np.float64]:
    """The cosine of every frame that was expected to show the face; UNSEEN where it was not found."""
    return np.nan_to_num(np.asarray(cosines_T, np.float64), nan=UNSEEN)


def coverage(cosines_T: Floats) -> float:
    """Frames in which the face was found, of all that were looked at; 0-1."""
    return float(np.isfinite(cosines_T).mean())


def headline(cosines_T: Floats) -> float:
    """Coverage times the median cosine of the frames with a face; 0-1, 0 where there is none or it is negative."""
    found_K = cosines_T[np.isfinite(cosines_T)]
    return coverage(cosines_T) * max(0.0, float(np.median(found_K))) if found_K.size else 0.0


def drift_per_s(cosines_T: Floats, times_s_T: Floats) -> float:
    """Cosine lost per second: the Theil-Sen slope over the frames with a face, turned round; 0 where it rises.

    Raises NotMeasurable for fewer than three of them.
    """
    from scipy.stats import theilslopes

    found_T = np.isfinite(cosines_T)
    if np.count_nonzero(found_T) < LEAST_FOR_DRIFT:
        raise NotMeasurable(f"the face is found in fewer than {LEAST_FOR_DRIFT} frames")
    slope = theilslopes(cosines_T[found_T].astype(np.float64), times_s_T[found_T]).slope
    return max(0.0, -float(slope))


def share_verified(cosines_T: Floats, threshold: float) -> float:
    """Frames whose face would be taken for the portrait's, of all expected ones; 0-1. Unseen ones are not."""
    return float((np.isfinite(cosines_T) & (cosines_T >= threshold)).mean())


def mean_percentile(cosines_T: Floats, cosines_Q: Floats, levels_Q: Floats) -> float:
    """Mean over expected frames of the share of impostors who are less like the portrait; 0-1. Unseen frames count 0.

    cosines_Q: the impostors' quantiles at levels_Q (0-1), both rising.
    """
    known_T = np.isfinite(cosines_T)
    shares_K = np.interp(cosines_T[known_T], cosines_Q, levels_Q, left=0.0, right=1.0)
    return float(shares_K.sum()) / len(cosines_T)
